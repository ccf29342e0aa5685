"""Presences of friends: clients of people get them without a guild in common."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.core.ids import UserId
from chatd.gateway.fanout import presence_reporter, restored_presences
from chatd.gateway.handler import GATEWAY
from tests.conftest import Server
from tests.helpers.fleet import Fleet
from tests.helpers.gateway import next_status
from tests.helpers.user_clients import connect
from tests.world import Client, Person, World, befriend, like


def status(name: str) -> dict[str, Any]:
    return {"status": name, "since": 0, "activities": [], "afk": False}


async def show(client: Client, name: str) -> None:
    await client.send(3, status(name))


async def until_friends_are_known(client: Client, friend: Person, other: Client) -> None:
    """Wait until the client gets the presence of a friend, who shows it with another client."""
    await next_status(client, friend, "online")
    await show(other, "idle")
    await next_status(client, friend, "idle")


async def test_changes_of_friends_arrive_without_a_common_guild(world: World) -> None:
    alice, _ = await world.friends("alice", "bob")
    client = await connect(world, "bob")
    [there] = await world.online("alice")
    update = await next_status(client, alice, "online")
    assert update == {
        "user": {"id": alice.id},
        "status": "online",
        "activities": [],
        "client_status": {"desktop": "online"},
    }
    for name, shown in (("dnd", "dnd"), ("invisible", "offline"), ("online", "online")):
        await show(there, name)
        await next_status(client, alice, shown)


async def test_sessions_of_a_user_share_presences_and_lists(world: World, server: Server) -> None:
    """A user can have 100 sessions, a presence takes up to 15 kB, and a list 16 times as much."""
    alice, bob = await world.friends("alice", "bob")
    clients = [await connect(world, "bob") for _ in range(4)]
    [there] = await world.online("alice")
    for client in clients:
        await until_friends_are_known(client, alice, there)
        await show(there, "online")
    await show(there, "dnd")
    for client in clients:
        await next_status(client, alice, "dnd")
    await show(clients[0], "dnd")
    for client in clients:
        while (await client.next("SESSIONS_REPLACE")).d[0]["status"] != "dnd":
            pass
    sessions = server.runner.app[GATEWAY].hub.sessions_of(UserId(int(bob.id)))
    for name in ("PRESENCE_UPDATE", "SESSIONS_REPLACE"):
        last = [
            next(each for each in reversed(session.replay_buffer) if each.event.name == name)
            for session in sessions
        ]
        assert len(last) == len(clients)
        assert len(set(map(id, last))) == 1


async def test_profiles_of_friends_arrive_without_a_common_guild(world: World) -> None:
    alice, _ = await world.friends("alice", "bob")
    client = await connect(world, "bob")
    [there] = await world.online("alice")
    await until_friends_are_known(client, alice, there)
    own = await alice.rest.patch("/users/@me", {"global_name": "Alice L.", "bio": "notes"})
    update = await next_status(client, alice, "idle")
    private = {"email", "verified", "mfa_enabled", "authenticator_types", "locale", "premium_type"}
    assert update["user"] == {key: own[key] for key in own.keys() - private}
    assert update["user"] == like(id=alice.id, global_name="Alice L.", bio="notes")
    await show(there, "dnd")  # later presences have only the id
    assert (await next_status(client, alice, "dnd"))["user"] == {"id": alice.id}
    await show(there, "invisible")
    await next_status(client, alice, "offline")
    await alice.rest.patch("/users/@me", {"global_name": None})
    update = await next_status(client, alice, "offline")
    assert update["user"] == like(id=alice.id, global_name=None)


async def test_profile_that_changes_when_a_client_begins_arrives(world: World) -> None:
    """The instance does not know yet whose friend has changed."""
    alice, _ = await world.friends("alice", "bob")
    client = await connect(world, "bob")
    await alice.rest.patch("/users/@me", {"global_name": "Alice L."})
    update = await next_status(client, alice, "offline")
    assert update["user"] == like(id=alice.id, global_name="Alice L.")


async def test_client_gets_the_friends_that_are_online_when_it_begins(world: World) -> None:
    """Fermi does not read those of READY_SUPPLEMENTAL."""
    alice, carol, _ = await world.people("alice", "carol", "dave")
    bob = await world.person("bob")
    await befriend(bob, alice, carol)
    await world.online("alice", "dave")
    first = await connect(world, "bob")
    await next_status(first, alice, "online")
    second = await connect(world, "bob")
    await next_status(second, alice, "online")
    for client in (first, second):
        for event in await client.received_before_fence():
            assert event.t != "PRESENCE_UPDATE" or event.d["user"]["id"] == alice.id


async def test_friends_of_another_instance_are_shown(world: World, fleet: Fleet) -> None:
    elsewhere = await fleet.start(23)
    alice, _ = await world.friends("alice", "bob")
    client = await connect(world, "bob")
    [there] = await elsewhere.online("alice")
    await until_friends_are_known(client, alice, there)


async def test_restored_session_gets_presences_of_friends(world: World, fleet: Fleet) -> None:
    elsewhere = await fleet.start(23)
    alice, _ = await world.friends("alice", "bob")
    [there] = await world.online("alice")
    client = await connect(elsewhere, "bob")
    await next_status(client, alice, "online")
    await fleet.stop(23, client)
    again = await world.resumed("bob", client)
    await again.next("RESUMED")
    await until_friends_are_known(again, alice, there)


async def test_friendship_begins_and_ends_presences(world: World) -> None:
    alice, bob, carol = await world.people("alice", "bob", "carol")
    await befriend(bob, carol)
    client = await connect(world, "bob")
    there, here = await world.online("alice", "carol")
    await next_status(client, carol, "online")
    await bob.rest.put(f"/users/@me/relationships/{alice.id}", {})
    await show(there, "dnd")
    await show(here, "dnd")
    await next_status(client, carol, "dnd")  # a request shows nothing yet
    await alice.rest.put(f"/users/@me/relationships/{bob.id}")
    assert (await next_status(client, alice, "dnd"))["user"] == {"id": alice.id}
    await alice.rest.put(f"/users/@me/relationships/{bob.id}", {"type": 2})  # blocks
    await show(there, "idle")
    await show(here, "idle")
    while True:
        update = (await client.next("PRESENCE_UPDATE")).d
        assert (update["user"]["id"], update["status"]) != (alice.id, "idle")
        if update["status"] == "idle":
            break


async def test_library_without_capabilities_gets_presences_of_guilds_only(world: World) -> None:
    await world.friends("alice", "bob")
    client = await connect(world, "bob")
    [library] = await world.online("bob", intents=1 << 8 | 1)
    alice = await world.person("alice")
    await world.online("alice")
    await next_status(client, alice, "online")
    events = await library.received_before_fence()
    assert not [each for each in events if each.t == "PRESENCE_UPDATE"]


async def test_restored_session_learns_that_a_friend_went_offline(
    world: World, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restored_presences, "_SETTLE_S", 0.0)
    monkeypatch.setattr(presence_reporter, "_GRACE_S", 0.0)
    alice, _ = await world.friends("alice", "bob")
    elsewhere = await fleet.start(23)
    client = await connect(elsewhere, "bob")
    [there] = await world.online("alice")
    await until_friends_are_known(client, alice, there)
    await fleet.stop(23, client)
    observer = await connect(world, "bob")
    await show(there, "dnd")
    await next_status(observer, alice, "dnd")
    await there.leave()
    await next_status(observer, alice, "offline")
    restored = await world.resumed("bob", client)
    await restored.next("RESUMED")
    await next_status(restored, alice, "offline")
