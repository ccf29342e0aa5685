"""Presence while members leave, shards disconnect and sessions start."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.core.ids import GuildId, UserId
from chatd.core.intents import ALL_INTENTS
from chatd.core.presence import Presence, PresenceReport, Status
from chatd.core.presence_table import PresenceTable
from chatd.events import presence as events
from chatd.events.presence import InstanceReport
from chatd.gateway.fanout import presence_reporter, restored_presences
from chatd.gateway.fanout.known_presences import UNSENT, KnownPresences, digest
from chatd.gateway.fanout.presence_reporter import PresenceReporter
from chatd.gateway.handler import GATEWAY
from chatd.gateway.lifecycle.startup import SessionStartup
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.fleet import Fleet
from tests.helpers.gateway import next_status
from tests.world import TIMEOUT_S, Client, Person, World, world_on

EVERYTHING = int(ALL_INTENTS)


async def online(world: World, name: str, **identify: Any) -> Client:
    """Connect a client with all intents."""
    [client] = await world.online(name, intents=EVERYTHING, **identify)
    return client


async def users_of_updates_until(client: Client, status: str) -> list[str]:
    """Return the users of presence updates up to the first one with this status."""
    users: list[str] = []
    while True:
        received = (await client.next("PRESENCE_UPDATE")).d
        users.append(received["user"]["id"])
        if received["status"] == status:
            return users


async def test_report_from_before_a_removal_shows_nothing_of_the_removed_member(
    world: World, server: Server, serve_more: ServeMore
) -> None:
    """Each instance has a stream of its own, so a report can be later than a removal."""
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob = await world.person("bob")
    alice_client = await online(world, "alice")
    carol_client = await online(world, "carol")
    async with (
        serve_more(worker_id=9) as second,
        world_on(second.url, second.gateway_url) as there,
    ):
        there.share_people(world)
        await online(there, "bob")
        await next_status(alice_client, bob, "online")
        await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bob.id}")
        await alice_client.next("GUILD_MEMBER_REMOVE")
        old = PresenceReport(Presence(Status.IDLE), frozenset({GuildId(int(guild.id))}))
        assert second.runner.app is not None
        assert server.runner.app is not None
        name = second.runner.app[GATEWAY].hub.instance
        late = InstanceReport(name, {UserId(int(bob.id)): old})
        await server.runner.app[DEPENDENCIES].bus.publish(list(events.reported(late)))
        await carol_client.send(3, {"status": "dnd", "activities": [], "since": 0})
        assert bob.id not in await users_of_updates_until(alice_client, "dnd")
        await bob.rest.post(f"/invites/{await guild.invite()}")
        shown = (await alice_client.next("PRESENCE_UPDATE")).d
        assert shown["user"]["id"] == bob.id
        assert shown["status"] != "offline"


async def test_starting_session_receives_no_presence_of_a_removed_member(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It buffers the presence, and its snapshot is read after the removal."""
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob = await world.person("bob")
    alice_client, bob_client = await online(world, "alice"), await online(world, "bob")
    await next_status(alice_client, bob, "online")
    read = SessionStartup._read

    async def read_after_removal(*args: Any) -> Any:
        monkeypatch.setattr(SessionStartup, "_read", read)
        await bob_client.send(3, {"status": "dnd", "activities": [], "since": 0})
        await next_status(alice_client, bob, "dnd")
        await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bob.id}")
        await alice_client.next("GUILD_MEMBER_REMOVE")
        return await read(*args)

    monkeypatch.setattr(SessionStartup, "_read", read_after_removal)
    starting = await online(world, "carol")
    received = await starting.received_before_fence()
    assert bob.id not in [each.d["user"]["id"] for each in received if each.t == "PRESENCE_UPDATE"]


async def guilds_of_two_shards(world: World) -> list[set[str]]:
    """Create guilds until each of two shards has some; return their ids by shard."""
    found: list[set[str]] = [set(), set()]
    while not all(found):
        guild = await world.guild(owner="alice", members=["bob"])
        found[(int(guild.id) >> 22) % 2].add(guild.id)
    return found


async def next_statuses(client: Client, person: Person, status: str, count: int) -> set[str]:
    """Return the guilds of this many presence updates with this status."""
    return {(await next_status(client, person, status))["guild_id"] for _ in range(count)}


async def test_guilds_of_a_shard_that_disconnects_receive_offline(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_reporter, "_GRACE_S", 0.0)
    guilds = await guilds_of_two_shards(world)
    everywhere = guilds[0] | guilds[1]
    alice, bob = await world.people("alice", "bob")
    alice_client = await online(world, "alice")
    shards = [await online(world, "bob", shard=[number, 2]) for number in range(2)]
    shown = await next_statuses(alice_client, bob, "online", len(everywhere))
    assert shown == everywhere
    left = set(everywhere)
    for shard, of_shard in zip(shards, guilds, strict=True):
        await shard.leave()
        shown = await next_statuses(alice_client, bob, "offline", len(of_shard))
        assert shown == of_shard
        left -= of_shard
        late = await world.socket()
        await late.send(2, {"token": alice.token, "intents": EVERYTHING, "properties": {}})
        created = [(await late.next("GUILD_CREATE")).d for _ in everywhere]
        assert left == {
            each["id"]
            for each in created
            if bob.id in [shown["user"]["id"] for shown in each["presences"]]
        }


async def test_short_disconnect_of_a_shard_sends_no_presence_update(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_reporter, "_GRACE_S", TIMEOUT_S)  # long on a busy machine, too
    guilds = await guilds_of_two_shards(world)
    bob = await world.person("bob")
    alice_client = await online(world, "alice")
    shards = [await online(world, "bob", shard=[number, 2]) for number in range(2)]
    await next_statuses(alice_client, bob, "online", len(guilds[0] | guilds[1]))
    await shards[0].cut()
    await shards[1].send(3, {"status": "idle", "activities": [], "since": 0})
    again = await world.resumed("bob", shards[0])
    await again.next("RESUMED")
    for shard in (shards[1], again):
        await shard.send(3, {"status": "dnd", "activities": [], "since": 0})
    received = []
    while "dnd" not in received:
        update = (await alice_client.next("PRESENCE_UPDATE")).d
        if update["user"]["id"] == bob.id:
            received.append(update["status"])
    assert "offline" not in received


async def test_session_learns_presences_that_changed_during_its_handoff(
    world: World, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Presences are not in the event history, so the replay after a RESUME lacks them."""
    monkeypatch.setattr(restored_presences, "_SETTLE_S", 0.0)
    there = await fleet.start(12)
    guild = await world.guild(owner="alice", members=["bob", "carol", "dave", "erin", "frank"])
    bob, carol, dave, erin, frank = await world.people("bob", "carol", "dave", "erin", "frank")
    names = ("alice", "carol", "dave", "bob", "erin")
    clients = [await online(there, name) for name in names]
    waited_for = {each.id for each in (bob, carol, dave, erin)}
    while waited_for:
        waited_for.discard((await clients[0].next("PRESENCE_UPDATE")).d["user"]["id"])
    await fleet.stop(12, *clients)
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{erin.id}")
    there = await fleet.start(12)
    observer = await online(there, "frank")
    carol_client = await there.resumed("carol", clients[1])
    await carol_client.send(3, {"status": "dnd", "activities": [], "since": 0})
    await next_status(observer, carol, "dnd")
    await there.resumed("dave", clients[2])
    await next_status(observer, dave, "online")
    alice_client = await there.resumed("alice", clients[0])
    alice, shown = guild.owner, dict[str, str]()
    while len(shown) < 4 or shown[alice.id] != "online":
        received = (await alice_client.next("PRESENCE_UPDATE")).d
        shown[received["user"]["id"]] = received["status"]
    del shown[alice.id]
    assert shown == {bob.id: "offline", carol.id: "dnd", frank.id: "online"}
    await fleet.stop(12)


def test_known_presences_of_a_handoff_are_compared_with_present_ones() -> None:
    table, guild = PresenceTable(), GuildId(1)
    users = [UserId(number) for number in range(1, 7)]
    here = frozenset({guild})
    table.apply("a", {each: PresenceReport(Presence(Status.ONLINE), here) for each in users[:5]})
    digests = {each: digest(table.get(each)) for each in users[:5]}
    saved = KnownPresences(guild, digests | {users[0]: UNSENT})
    known = KnownPresences.decode(guild, saved.encode())
    assert known.changed(table) == [users[0]]
    table.apply("a", {users[1]: None, users[2]: PresenceReport(Presence(Status.DND), here)})
    table.apply("b", {each: PresenceReport(Presence(Status.IDLE), here) for each in users[4:]})
    assert sorted(known.changed(table)) == [users[0], users[1], users[2], users[5]]
    for user in users[1:3]:
        known.forget(user)  # one is offline, and the other is a member again
    assert sorted(known.changed(table)) == [users[0], users[2], users[5]]


async def test_instance_that_was_considered_down_reports_its_users_again(
    world: World, serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been suspended for some seconds, which it does not notice itself."""
    monkeypatch.setattr(presence_reporter, "_HEARTBEAT_S", 0.5)
    reporters: list[PresenceReporter] = []
    run = PresenceReporter.run

    async def recorded(reporter: PresenceReporter) -> None:
        reporters.append(reporter)
        await run(reporter)

    monkeypatch.setattr(PresenceReporter, "run", recorded)
    await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    async with (
        serve_more(worker_id=9) as second,
        world_on(second.url, second.gateway_url) as there,
    ):
        there.share_people(world)
        alice_client = await online(there, "alice")
        await online(world, "bob")
        await next_status(alice_client, bob, "online")
        now = asyncio.get_running_loop().time()
        await reporters[0]._expire_instances(now + presence_reporter._INSTANCE_TIMEOUT_S + 1)
        await reporters[0].flush()
        await next_status(alice_client, bob, "offline")
        await next_status(alice_client, bob, "online")
