"""Channel permissions: each operation on a channel requires permissions in that channel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from chatd.core.permissions import Permissions
from chatd.core.permissions import Permissions as P
from chatd.rest.routing import RECIPIENT
from chatd.rest.table import table
from tests.helpers.channel_operations import ACTS, NOTHING, READING, Act
from tests.helpers.roles import assign_roles, create_role
from tests.world import Answer, Guild, Person, World

TABLE = {f"{route.method} {route.path}": route for route in table()}
EVERYTHING = Permissions(sum(Permissions)) & ~P.ADMINISTRATOR

ONLY_IN_PRIVATE = {name for name, route in TABLE.items() if route.needs is RECIPIENT}


def test_every_channel_route_has_an_operation() -> None:
    acted = {act.route for act in ACTS.values()}
    on_channels = {name for name, route in TABLE.items() if "{channel_id}" in route.path}
    assert on_channels - ONLY_IN_PRIVATE <= acted
    assert acted <= TABLE.keys()


class Scene:
    """A guild with a channel, a category, and an actor whose permissions are changed."""

    def __init__(self, guild: Guild, actor: Person, role: str, names: dict[str, str]) -> None:
        self.guild = guild
        self.actor = actor
        self._role = role
        self.names = names

    async def act(self, act: Act) -> Answer:
        """Send the request as the actor."""
        method, _, path = act.route.partition(" ")
        body = None if act.body is None else act.body(self.names)
        return await self.actor.rest.call(method, path.format(**self.names) + act.query, body)

    async def allow(
        self, *, in_guild: P, where: str, allow: P = NOTHING, deny: P = NOTHING
    ) -> None:
        """Set the permissions of the actor in the guild, and in one of the channels."""
        rest = self.guild.owner.rest
        await rest.patch(
            f"/guilds/{self.guild.id}/roles/{self._role}", {"permissions": str(int(in_guild))}
        )
        await self.overwrite(where, allow=allow, deny=deny)

    async def overwrite(self, where: str, *, allow: P, deny: P = NOTHING) -> None:
        """Set the permissions of the actor in a channel."""
        body = {"type": 1, "allow": str(int(allow)), "deny": str(int(deny))}
        path = f"/channels/{self.names[where]}/permissions/{self.actor.id}"
        await self.guild.owner.rest.put(path, body)

    async def state(self) -> list[Any]:
        """Return the guild as the owner sees it."""
        rest, channel = self.guild.owner.rest, self.names["channel_id"]
        guild = await rest.get(f"/guilds/{self.guild.id}")
        return [
            guild["system_channel_id"],
            await rest.get(f"/guilds/{self.guild.id}/channels"),
            await rest.get(f"/guilds/{self.guild.id}/invites"),
            await rest.get(f"/channels/{channel}/messages"),
        ]


async def scene(world: World) -> Scene:
    """A scene in which members have VIEW_CHANNEL only."""
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    rest = guild.owner.rest
    bob, carol = await world.people("bob", "carol")
    category = await guild.channel("category", type=4)
    channel = await guild.channel("channel", type=5)
    follower = await guild.channel("follower")
    path = f"/channels/{channel.id}"
    messages = [await rest.post(f"{path}/messages", {"content": text}) for text in "12"]
    reaction = f"{path}/messages/{messages[0]['id']}/reactions/{quote('👍')}"
    await carol.rest.put(f"{reaction}/@me")
    await rest.put(f"{path}/messages/pins/{messages[1]['id']}")
    low = await create_role(guild, "low")
    await rest.put(f"{path}/permissions/{low}", {"type": 0})
    role = await create_role(guild, "actor", 0, position=1)
    await assign_roles(world, guild, "bob", role)
    invite = await rest.post(f"{path}/invites", {})
    await rest.patch(
        f"/guilds/{guild.id}/roles/{guild.id}", {"permissions": str(int(P.VIEW_CHANNEL))}
    )
    names = {
        "guild_id": guild.id,
        "channel_id": channel.id,
        "category_id": category.id,
        "follower_id": follower.id,
        "message_id": messages[0]["id"],
        "other_message_id": messages[1]["id"],
        "target_id": low,
        "user_id": carol.id,
        "emoji": quote("👍"),
        "code": invite["code"],
    }
    return Scene(guild, bob, role, names)


def bits(needed: P) -> list[P]:
    return [each for each in P if each in needed and each != P.VIEW_CHANNEL]


def made_ready(name: str, names: dict[str, str]) -> None:
    """Prepare what an operation needs: a pinned message, or no reaction."""
    if name.startswith("unpin"):
        names["message_id"] = names["other_message_id"]
    if name == "react":
        names["emoji"] = quote("🎉")


@pytest.mark.parametrize("name", ACTS)
async def test_permissions_of_the_channel_apply(world: World, name: str) -> None:
    act = ACTS[name]
    in_channel = act.needs | READING
    there = await scene(world)
    made_ready(name, there.names)
    other = "category_id" if act.where == "channel_id" else "channel_id"
    # Permissions in the category do not grant permissions in the channel.
    await there.overwrite(other, allow=EVERYTHING if other == "channel_id" else in_channel)
    # Denied in the channel, granted in the guild.
    for bit in bits(act.needs):
        in_guild = EVERYTHING
        if name == "delete an invite":
            in_guild &= ~P.MANAGE_GUILD  # it would be sufficient in a visible channel
        await there.allow(in_guild=in_guild, where=act.where, deny=bit)
        before = await there.state()
        answer = await there.act(act)
        assert (answer.status, answer.code) == (403, 50013), (name, bit, answer.raw)
        assert await there.state() == before
    # Invisible, although the guild grants everything.
    await there.allow(in_guild=EVERYTHING, where=act.where, deny=P.VIEW_CHANNEL)
    before = await there.state()
    answer = await there.act(act)
    assert (answer.status, answer.code) == (403, 50001), (name, answer.raw)
    assert await there.state() == before
    # Granted in the channel, not in the guild.
    await there.allow(in_guild=act.in_guild, where=act.where, allow=in_channel)
    answer = await there.act(act)
    assert 200 <= answer.status < 300, (name, answer.raw)


@pytest.mark.parametrize("name", [name for name, act in ACTS.items() if act.where == "category_id"])
async def test_move_requires_permissions_in_the_channel(world: World, name: str) -> None:
    act = ACTS[name]
    if act.route.startswith("POST"):
        return  # the channel does not exist yet
    there = await scene(world)
    await there.allow(in_guild=EVERYTHING, where="channel_id", deny=P.MANAGE_CHANNELS)
    assert (await there.act(act)).code == 50013
    await there.allow(in_guild=EVERYTHING, where="channel_id", deny=P.VIEW_CHANNEL)
    assert (await there.act(act)).code == 50001
    await there.allow(in_guild=EVERYTHING, where="channel_id")
    assert (await there.act(act)).status < 300


async def test_move_grants_only_permissions_of_the_caller(world: World) -> None:
    there = await scene(world)
    rest, actor = there.guild.owner.rest, there.actor.rest
    denied = P.MANAGE_CHANNELS | P.READ_MESSAGE_HISTORY
    await there.allow(in_guild=EVERYTHING, where="channel_id", deny=denied)
    own = await actor.post(f"/guilds/{there.guild.id}/channels", {"name": "own", "type": 4})
    move = {"id": there.names["channel_id"], "parent_id": own["id"], "lock_permissions": True}
    path = f"/guilds/{there.guild.id}/channels"
    before = await there.state()
    assert (await actor.call("PATCH", path, [move])).code == 50013
    # MANAGE_CHANNELS permits the move, but does not grant the history.
    await there.allow(in_guild=EVERYTHING, where="channel_id", deny=P.READ_MESSAGE_HISTORY)
    assert (await actor.call("PATCH", path, [move])).code == 50013
    assert (await there.state())[2:] == before[2:]
    assert await actor.get(f"/channels/{there.names['channel_id']}/messages") == []
    await actor.patch(path, [{**move, "lock_permissions": False}])
    assert await actor.get(f"/channels/{there.names['channel_id']}/messages") == []
    assert (await rest.get(f"/channels/{there.names['channel_id']}"))["parent_id"] == own["id"]


async def test_history_is_hidden_without_read_message_history(world: World) -> None:
    there = await scene(world)
    await there.allow(in_guild=EVERYTHING, where="channel_id", deny=P.READ_MESSAGE_HISTORY)
    for name in ("read messages", "read all pins"):
        assert (await there.act(ACTS[name])).json == []
    assert (await there.act(ACTS["read pins"])).json == {"items": [], "has_more": False}
    found = await there.actor.rest.get(f"/guilds/{there.guild.id}/messages/search?content=1")
    assert found["total_results"] == 0
    answer = await there.act(ACTS["change the flags of a message"])
    assert answer.status == 403
    assert b'"content"' not in answer.raw


async def test_manage_guild_deletes_invites_of_visible_channels(
    world: World,
) -> None:
    there = await scene(world)
    listed = f"/guilds/{there.guild.id}/invites"
    code = there.names["code"]
    await there.allow(in_guild=EVERYTHING, where="channel_id", deny=P.VIEW_CHANNEL)
    assert code not in [each["code"] for each in await there.actor.rest.get(listed)]
    await there.allow(in_guild=P.MANAGE_GUILD, where="channel_id", deny=P.MANAGE_CHANNELS)
    assert code in [each["code"] for each in await there.actor.rest.get(listed)]
    await there.actor.rest.delete(f"/invites/{code}")


async def test_audit_log_omits_invisible_channels(world: World) -> None:
    there = await scene(world)
    rest, channel = there.guild.owner.rest, there.names["channel_id"]
    await there.allow(in_guild=EVERYTHING, where="channel_id", deny=P.VIEW_CHANNEL)
    [client] = await world.online("bob")
    await rest.patch(f"/channels/{channel}", {"topic": "secret"})
    await rest.put(f"/channels/{channel}/permissions/{there.names['target_id']}", {"type": 0})
    await rest.post(f"/channels/{channel}/invites", {"unique": True})
    await rest.delete(f"/channels/{channel}/messages/pins/{there.names['other_message_id']}")
    received = await client.received_before_fence()
    assert [each.t for each in received] == []
    path = f"/guilds/{there.guild.id}/audit-logs?limit=100"
    shown = (await there.actor.rest.call("GET", path)).raw
    assert channel.encode() not in shown
    full = await rest.get(path)
    assert channel in str(full)
    await there.allow(in_guild=EVERYTHING, where="channel_id")
    assert await there.actor.rest.get(path) == await rest.get(path)
    await rest.delete(f"/channels/{channel}")
    names = [each.t for each in await client.received_before_fence()]
    assert names.count("GUILD_AUDIT_LOG_ENTRY_CREATE") >= 1


async def test_overwrites_do_not_lift_a_timeout(world: World) -> None:
    there = await scene(world)
    await there.allow(in_guild=EVERYTHING, where="category_id", allow=EVERYTHING)
    rest = there.guild.owner.rest
    when = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await rest.patch(
        f"/guilds/{there.guild.id}/members/{there.actor.id}",
        {"communication_disabled_until": when},
    )
    for name in ("create under a category", "reorder a channel into a category"):
        assert (await there.act(ACTS[name])).code == 50013, name
