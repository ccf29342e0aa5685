"""Presence: what other clients receive of a user."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from chatd.core.intents import ALL_INTENTS
from chatd.gateway.fanout import presence_reporter
from tests.conftest import ServeMore
from tests.helpers.gateway import next_status
from tests.world import TIMEOUT_S, Client, Guild, Person, World, world_on

EVERYTHING = int(ALL_INTENTS)


async def online(world: World, name: str, **identify: Any) -> Client:
    """Connect a client with all intents."""
    [client] = await world.online(name, intents=EVERYTHING, **identify)
    return client


async def test_presence_updates_follow_connect_change_and_disconnect(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    alice_client = await online(world, "alice")
    bob_client = await online(world, "bob", presence={"status": None, "game": None})
    received = await next_status(alice_client, bob, "online")
    assert received["guild_id"] == guild.id
    assert received["client_status"] == {"desktop": "online"}
    activities = [{"name": "chess", "type": 0, "state": None, "unknown": 1}]
    await bob_client.send(3, {"status": "dnd", "activities": activities, "since": None})
    received = await next_status(alice_client, bob, "dnd")
    [activity] = received["activities"]
    assert (activity["name"], activity["type"]) == ("chess", 0)
    assert activity["created_at"] > 0
    assert "unknown" not in activity
    late = await world.socket()
    await late.send(2, {"token": guild.owner.token, "intents": EVERYTHING, "properties": {}})
    [shown] = [
        each
        for each in (await late.next("GUILD_CREATE")).d["presences"]
        if each["user"]["id"] == bob.id
    ]
    assert (shown["status"], shown["activities"]) == ("dnd", received["activities"])
    await bob_client.send(3, {"status": "invisible", "activities": [], "since": None})
    assert (await next_status(alice_client, bob, "offline"))["activities"] == []
    assert (await guild.owner.rest.get(f"/guilds/{guild.id}?with_counts=true"))[
        "approximate_presence_count"
    ] == 1


async def test_presence_merges_devices_until_the_last_disconnects(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_reporter, "_GRACE_S", 0.5)
    await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    alice_client = await online(world, "alice")
    desktop = await online(world, "bob", presence={"status": "idle"})
    await next_status(alice_client, bob, "idle")
    properties = {"os": "android", "browser": "x", "device": "x"}
    phone = await world.socket()
    await phone.identify(bob.token, properties=properties, intents=EVERYTHING)
    received = await next_status(alice_client, bob, "online")
    assert received["client_status"] == {"desktop": "idle", "mobile": "online"}
    await phone.leave()
    await next_status(alice_client, bob, "idle")
    await desktop.leave()
    await next_status(alice_client, bob, "offline")


async def test_short_disconnect_sends_no_presence_update(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_reporter, "_GRACE_S", TIMEOUT_S)  # long on a busy machine, too
    await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    alice_client = await online(world, "alice")
    before = await online(world, "bob")
    await next_status(alice_client, bob, "online")
    await before.cut()
    again = await world.resumed("bob", before)
    await again.next("RESUMED")
    await again.send(3, {"status": "idle", "activities": [], "since": 0})
    received = (await alice_client.next("PRESENCE_UPDATE")).d
    while received["user"]["id"] != bob.id:
        received = (await alice_client.next("PRESENCE_UPDATE")).d
    assert received["status"] == "idle"  # and never "offline" in between


async def test_presence_of_a_removed_member_is_not_sent_to_the_guild(
    world: World, other: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients would show it as a member again."""
    monkeypatch.setattr(presence_reporter, "_GRACE_S", 0.0)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol = await world.people("bob", "carol")
    alice_client = await online(other, "alice")
    bob_client = await online(world, "bob")
    await next_status(alice_client, bob, "online")
    carol_client = await online(world, "carol")
    await next_status(alice_client, carol, "online")
    await bob_client.send(3, {"status": "dnd", "activities": [], "since": 0})
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bob.id}")
    await alice_client.next("GUILD_MEMBER_REMOVE")
    await bob_client.leave()
    await carol_client.leave()
    later: list[str] = []
    while carol.id not in later:
        later.append((await alice_client.next("PRESENCE_UPDATE")).d["user"]["id"])
    assert later == [carol.id]
    bob_client = await online(world, "bob")
    await bob.rest.post(f"/invites/{await guild.invite()}")
    await next_status(alice_client, bob, "online")


async def test_joining_member_and_others_see_each_others_presence(world: World) -> None:
    guild = await world.guild(owner="alice")
    bob = await world.person("bob")
    alice_client, bob_client = await online(world, "alice"), await online(world, "bob")
    await next_status(alice_client, guild.owner, "online")
    await guild.admit(bob)
    shown = (await bob_client.next("GUILD_CREATE")).d["presences"]
    assert guild.owner.id in [each["user"]["id"] for each in shown]
    await next_status(alice_client, bob, "online")


async def test_presence_needs_a_shared_guild_and_the_intent(world: World) -> None:
    await world.guild(owner="alice", members=["bob"])
    bob, carol = await world.people("bob", "carol")
    with_intent = await online(world, "alice")
    stranger = await online(world, "carol")
    [without_intent] = await world.online("alice")
    await online(world, "bob")
    await next_status(with_intent, bob, "online")
    for client in (stranger, without_intent):
        received = [event for event in await client.received_before_fence() if "user" in event.d]
        assert bob.id not in [event.d["user"]["id"] for event in received]
    [guild] = [await guild_without_presences(world)]
    assert guild["presences"] == []
    assert carol.id


async def guild_without_presences(world: World) -> Any:
    client = await world.socket()
    token = (await world.person("alice")).token
    await client.send(2, {"token": token, "properties": {}, "intents": 1})
    return (await client.next("GUILD_CREATE")).d


async def test_presence_crosses_instances_and_ends_after_a_crash(
    world: World, serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol = await world.people("bob", "carol")
    alice_client = await online(world, "alice")
    await online(world, "carol")
    async with (
        serve_more(worker_id=9) as server,
        world_on(server.url, server.gateway_url) as there,
    ):
        there.share_people(world)
        bob_client = await there.socket()
        await bob_client.send(2, {"token": bob.token, "intents": EVERYTHING, "properties": {}})
        await next_status(alice_client, bob, "online")
        # Carol connected before that instance started, which may have her presence already.
        shown = (await bob_client.next("GUILD_CREATE")).d["presences"]
        if carol.id not in [each["user"]["id"] for each in shown]:
            await next_status(bob_client, carol, "online")
    monkeypatch.setattr(presence_reporter, "_INSTANCE_TIMEOUT_S", 1.0)
    async with asyncio.timeout(60):
        received: dict[str, Any] = {}
        while received.get("status") != "offline":  # the instance times out after some seconds
            with contextlib.suppress(TimeoutError):
                received = await next_status(alice_client, bob, "offline")


@pytest.mark.parametrize(
    "presence",
    [
        {"status": "away"},
        {"status": 1},
        {"activities": "chess"},
        {"activities": [{"type": 0}]},
        {"activities": [{"name": "x", "type": 9}]},
        [],
        None,
    ],
    ids=repr,
)
async def test_invalid_presence_closes_the_connection(world: World, presence: object) -> None:
    await world.person("alice")
    client = await online(world, "alice")
    await client.send(3, presence)
    assert await client.closed() == 4002


async def test_presence_before_identify_closes_the_connection(world: World) -> None:
    client = await world.socket()
    await client.send(3, {"status": "online"})
    assert await client.closed() == 4003


# --- members on request -----------------------------------------------------------------------


async def chunk(client: Client, **wanted: Any) -> dict[str, Any]:
    await client.send(8, wanted)
    return dict((await client.next("GUILD_MEMBERS_CHUNK")).d)


def ids(answer: dict[str, Any]) -> list[str]:
    return [member["user"]["id"] for member in answer["members"]]


async def members_guild(world: World) -> tuple[Guild, list[Person]]:
    people = await world.people("alice", "bob", "carol")
    return await world.guild(owner="alice", members=["bob", "carol"]), people


async def test_requested_members_are_sent_in_chunks(world: World) -> None:
    guild, people = await members_guild(world)
    alice, bob, carol = people
    client = await online(world, "alice")
    await next_status(client, alice, "online")
    everyone = await chunk(client, guild_id=int(guild.id), query="", limit=0, nonce="n")
    assert sorted(ids(everyone)) == sorted(person.id for person in people)
    assert (everyone["chunk_index"], everyone["chunk_count"]) == (0, 1)
    assert everyone["nonce"] == "n"
    assert "presences" not in everyone
    found = await chunk(client, guild_id=guild.id, query=bob.name[:8], limit=10, nonce="x" * 33)
    assert ids(found) == [bob.id]
    assert "nonce" not in found
    some = await chunk(client, guild_id=guild.id, user_ids=[bob.id, int(carol.id), "1"])
    assert sorted(ids(some)) == sorted([bob.id, carol.id])
    assert some["not_found"] == ["1"]
    assert ids(await chunk(client, guild_id=guild.id, user_ids=bob.id)) == [bob.id]
    assert ids(await chunk(client, guild_id=guild.id, query="no such name", limit=1)) == []
    both = [alice.id, bob.id]
    with_presences = await chunk(client, guild_id=guild.id, user_ids=both, presences=True)
    assert [each["user"]["id"] for each in with_presences["presences"]] == [alice.id]


async def test_whole_member_list_needs_the_intent(world: World) -> None:
    guild, _ = await members_guild(world)
    [client] = await world.online("alice", intents=1)
    assert ids(await chunk(client, guild_id=guild.id, query="", limit=0)) == []


async def test_members_of_an_unknown_guild_are_not_sent(world: World) -> None:
    guild, _ = await members_guild(world)
    client = await online(world, "stranger")
    await client.send(8, {"guild_id": guild.id, "query": "", "limit": 0})
    received = await client.received_before_fence()
    assert "GUILD_MEMBERS_CHUNK" not in [event.t for event in received]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"guild_id": "1"},
        {"guild_id": "x", "query": ""},
        {"guild_id": "1", "query": "x", "user_ids": []},
        {"guild_id": "1", "user_ids": ["x"]},
        {"guild_id": "1", "query": "", "limit": -1},
        {"guild_id": "1", "query": "", "limit": "all"},
        [],
    ],
    ids=repr,
)
async def test_invalid_member_request_closes_the_connection(world: World, wanted: object) -> None:
    await world.person("alice")
    client = await online(world, "alice")
    await client.send(8, wanted)
    assert await client.closed() == 4002


async def test_soundboard_request_returns_no_sounds(world: World) -> None:
    guild, _ = await members_guild(world)
    client = await online(world, "alice")
    await client.send(31, {"guild_ids": [guild.id, "1"]})
    received = (await client.next("SOUNDBOARD_SOUNDS")).d
    assert received == {"guild_id": guild.id, "soundboard_sounds": []}
    await client.send(31, {"guild_ids": ["x"]})
    assert await client.closed() == 4002
