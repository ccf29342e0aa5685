"""What a channel shows when it opens, and guilds that open late on an instance."""

from __future__ import annotations

from tests.rest.test_roles import give, made
from tests.world import World


async def test_a_channel_that_opens_tells_its_newest_message(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    staff = await guild.channel("staff")
    deny = {"type": 0, "deny": "1024"}
    await guild.owner.rest.put(f"/channels/{staff.id}/permissions/{guild.id}", deny)
    role = await made(guild, "staff")
    allow = {"type": 0, "allow": "1024"}
    await guild.owner.rest.put(f"/channels/{staff.id}/permissions/{role}", allow)
    [bob] = await world.online("bob")
    for content in ("one", "two"):
        path = f"/channels/{staff.id}/messages"
        newest = await guild.owner.rest.post(path, {"content": content})
    await give(world, guild, "bob", role)
    opened = (await bob.next("CHANNEL_CREATE")).d
    assert opened["id"] == staff.id
    assert opened["last_message_id"] == newest["id"]
