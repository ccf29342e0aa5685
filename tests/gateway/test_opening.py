"""Channels that become visible, and guilds whose feeds start late on an instance."""

from __future__ import annotations

from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore
from tests.gateway.mirror import agree, mirrored
from tests.helpers.roles import assign_roles, create_role
from tests.world import World, world_on

DENY = {"type": 0, "deny": "1024"}


async def test_opened_channel_has_its_last_message_id(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    staff = await guild.channel("staff")
    await guild.owner.rest.put(f"/channels/{staff.id}/permissions/{guild.id}", DENY)
    role = await create_role(guild, "staff")
    allow = {"type": 0, "allow": "1024"}
    await guild.owner.rest.put(f"/channels/{staff.id}/permissions/{role}", allow)
    [bob] = await world.online("bob")
    for content in ("one", "two"):
        path = f"/channels/{staff.id}/messages"
        newest = await guild.owner.rest.post(path, {"content": content})
    await assign_roles(world, guild, "bob", role)
    opened = (await bob.next("CHANNEL_CREATE")).d
    assert opened["id"] == staff.id
    assert opened["last_message_id"] == newest["id"]


async def test_joined_guild_reflects_changes_during_its_opening(
    world: World, serve_more: ServeMore
) -> None:
    """The instance has no feed of the guild, and the guild changes before one is started."""
    async with (
        serve_more(worker_id=8, database_max_connections=1) as server,
        world_on(server.url, server.gateway_url) as there,
    ):
        there.share_people(world)
        bob = await mirrored(there, "bob")
        guild = await world.guild(owner="alice")
        alice = guild.owner.rest
        short_lived = await guild.channel("short-lived")
        staff = await guild.channel("staff")
        hall = await guild.channel("hall")
        await alice.put(f"/channels/{staff.id}/permissions/{guild.id}", DENY)
        code = await guild.invite()
        assert server.runner.app is not None
        busy = await server.runner.app[DEPENDENCIES].database.begin()
        await world.rest("bob").post(f"/invites/{code}")
        await alice.post(f"/channels/{staff.id}/messages", {"content": "not for bob"})
        await alice.post(f"/channels/{hall.id}/messages", {"content": "for bob"})
        await alice.delete(f"/channels/{short_lived.id}")
        await alice.delete(f"/channels/{staff.id}/permissions/{guild.id}")
        await alice.put(f"/channels/{hall.id}/permissions/{guild.id}", DENY)
        await busy.rollback()
        received = await bob.client.next("GUILD_CREATE")
        bob.apply(received)
        await agree([("bob", bob)], {"bob": await mirrored(world, "bob")})
        assert bob.read == ["for bob"]
