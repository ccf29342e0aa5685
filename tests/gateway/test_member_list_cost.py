"""The cost of member lists: what is read, built and sent again, and how long the loop is held."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import psycopg2
import pytest

from chatd.core.ids import GuildId, UserId
from chatd.core.presence import Presence, PresenceReport, Status
from chatd.gateway.fanout import guild_lists
from chatd.gateway.fanout.listed_members import ListedMembers
from chatd.gateway.handler import GATEWAY
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers import loop_time
from tests.helpers.member_lists import (
    VIEW,
    answer,
    invalidated,
    request,
    role,
    subscription,
)
from tests.helpers.members import crowd, crowd_ids
from tests.helpers.user_clients import connect
from tests.world import Guild, World


async def test_members_of_a_guild_are_not_read_for_each_request(
    world: World, statements: list[str]
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    client = await connect(world, "alice")
    await request(client, guild)
    assert statements != []
    statements.clear()
    for _ in range(3):
        await client.send(14, {"guild_id": guild.id, "channels": {}})
        await invalidated(client)
        await request(client, guild)
    assert statements == []


async def test_hidden_channel_does_not_have_lists_built_again(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one that was requested, nor one that is hidden later."""
    guild = await world.guild(owner="alice", members=["bob"])
    deny = {"id": guild.id, "type": 0, "deny": VIEW}
    hidden = await guild.channel("hidden", permission_overwrites=[deny])
    later = await guild.channel("later")
    client = await connect(world, "bob")
    ranges = {each: [[0, 99]] for each in (guild.general.id, hidden.id, later.id)}
    await client.send(14, {"guild_id": guild.id, "channels": ranges})
    await answer(client)
    await guild.owner.rest.put(f"/channels/{later.id}/permissions/{guild.id}", deny)
    await answer(client)  # a channel changed
    assert server.runner.app is not None
    lists = server.runner.app[GATEWAY].member_lists
    await lists.update()

    async def build(*_: object) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(ListedMembers, "build", build)
    for _ in range(3):
        await lists.update()


def show_online(server: Server, guild: Guild, users: Iterable[UserId], *, online: bool) -> None:
    """Report users of another instance as online, or no longer."""
    assert server.runner.app is not None
    report = PresenceReport(Presence(Status.ONLINE), frozenset({GuildId(int(guild.id))}))
    reports = dict.fromkeys(users, report if online else None)
    server.runner.app[DEPENDENCIES].presences.apply("there", reports)
    lists = server.runner.app[GATEWAY].member_lists
    for each in reports:
        lists.mark([GuildId(int(guild.id))], each)


async def test_storm_of_presences_does_not_hold_the_loop(server: Server, world: World) -> None:
    """900 members come online; a client has windows of five lists of them."""
    guild = await world.guild(owner="alice")
    crowd(server, guild, 900)
    users = [UserId(each) for each in crowd_ids(guild, 900)]
    client = await connect(world, "alice")
    channels = [await guild.channel(f"c{number}") for number in range(5)]
    for user_id, channel in zip(users, channels, strict=False):  # so that each has its own list
        path = f"/channels/{channel.id}/permissions/{user_id}"
        await guild.owner.rest.put(path, {"type": 1, "deny": VIEW})
    ranges = [[start, start + 99] for start in range(0, 900, 200)]
    wanted = {each.id: ranges for each in channels}
    await client.send(14, {"guild_id": guild.id, "channels": wanted})
    for _ in channels:
        await answer(client)
    assert server.runner.app is not None
    lists = server.runner.app[GATEWAY].member_lists
    longest = []
    for online in (True, False) * loop_time.TRIES:
        show_online(server, guild, users, online=online)
        with loop_time.no_collection(), loop_time.turns() as measured:
            await lists.update()
            await asyncio.sleep(0)  # so that the last iteration is measured
        longest.append(measured.longest_s)
    assert min(longest[::2]) < loop_time.MOST_S


async def test_end_of_a_role_of_all_does_not_hold_the_loop(server: Server, world: World) -> None:
    guild = await world.guild(owner="alice")
    role_id = await role(guild, "all")
    crowd(server, guild, 20_000)
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute(
            "INSERT INTO member_roles (guild_id, user_id, role_id)"
            " SELECT guild_id, user_id, %(role_id)s FROM guild_members"
            "  WHERE guild_id = %(guild_id)s; ANALYZE member_roles",
            {"guild_id": int(guild.id), "role_id": int(role_id)},
        )
    connection.close()
    users = [UserId(each) for each in crowd_ids(guild, 20_000)]
    show_online(server, guild, users, online=True)
    client = await connect(world, "alice")
    update = await request(client, guild)
    assert update["groups"][0]["count"] >= 20_000
    assert update["ops"][0]["items"][1]["member"]["roles"] == [role_id]
    with loop_time.no_collection(), loop_time.turns() as measured:
        await guild.owner.rest.delete(f"/guilds/{guild.id}/roles/{role_id}")
        update = await answer(client)
    assert update["ops"][-1]["items"][1]["member"]["roles"] == []
    assert measured.longest_s < loop_time.MOST_S
    show_online(server, guild, users, online=False)


async def test_requests_for_other_lists_in_turns_are_throttled(
    server: Server, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has a list of all members built."""
    guild = await world.guild(owner="alice")
    crowd(server, guild, 900)
    first, second = await guild.channel("first"), await guild.channel("second")
    for user_id, channel in zip(crowd_ids(guild, 2), (first, second), strict=True):
        path = f"/channels/{channel.id}/permissions/{user_id}"
        await guild.owner.rest.put(path, {"type": 1, "deny": VIEW})
    client, other = await connect(world, "alice"), await connect(world, "alice")
    await other.send(14, subscription(guild, guild.general.id, (0, 99)))
    await answer(other)
    assert server.runner.app is not None
    throttle, costs = server.runner.app[GATEWAY].member_requests.throttle, []

    async def record(count: int) -> None:
        costs.append(count)

    monkeypatch.setattr(throttle, "throttle", record)
    for channel in (guild.general, first, first, second, first):
        await client.send(14, subscription(guild, channel.id, (0, 99)))
        await client.send(35, {"guild_id": guild.id, "query": ""})  # a fence: one queue for both
        await client.next("GUILD_MEMBERS_CHUNK")
    assert [each - 100 for each in costs[::2]] == [0, 300, 0, 300, 300]


async def test_members_in_all_lists_of_a_guild_are_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guild_lists, "_MAX_ITEMS", 4)
    guild = await world.guild(owner="alice", members=["bob"])
    deny = {"id": guild.id, "type": 0, "deny": VIEW}
    hidden = await guild.channel("hidden", permission_overwrites=[deny])
    client = await connect(world, "alice")

    async def shown(*channels: str) -> set[str]:
        """Request lists; return the ids of those that the client gets."""
        wanted = {each: [[0, 99]] for each in channels}
        await client.send(14, {"guild_id": guild.id, "channels": wanted})
        await client.send(35, {"guild_id": guild.id, "query": ""})  # a fence: one queue for both
        found = set()
        while (received := await client.next_any()).t != "GUILD_MEMBERS_CHUNK":
            if received.t == "GUILD_MEMBER_LIST_UPDATE":
                found |= {received.d["id"] for op in received.d["ops"] if op["op"] == "SYNC"}
        return found

    assert await shown(guild.general.id, hidden.id) == {"everyone"}
    assert await shown() == set()
    assert len(await shown(hidden.id)) == 1
