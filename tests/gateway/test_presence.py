"""Who is online, as others see it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from chatd.core.intents import ALL_INTENTS
from tests.conftest import ServeMore
from tests.world import Client, Guild, Person, World, world_on

EVERYTHING = int(ALL_INTENTS)


async def online(world: World, name: str, **identify: Any) -> Client:
    """A client that wants to know who is online."""
    [client] = await world.online(name, intents=EVERYTHING, **identify)
    return client


async def shows(client: Client, person: Person, status: str) -> dict[str, Any]:
    """Wait until somebody shows this."""
    while True:
        heard = (await client.next("PRESENCE_UPDATE")).d
        if heard["user"]["id"] == person.id and heard["status"] == status:
            return dict(heard)


async def test_coming_changing_and_going(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    alice_client = await online(world, "alice")
    bob_client = await online(world, "bob", presence={"status": None, "game": None})
    heard = await shows(alice_client, bob, "online")
    assert heard["guild_id"] == guild.id
    assert heard["client_status"] == {"desktop": "online"}
    activities = [{"name": "chess", "type": 0, "state": None, "unknown": 1}]
    await bob_client.send(3, {"status": "dnd", "activities": activities, "since": None})
    heard = await shows(alice_client, bob, "dnd")
    [activity] = heard["activities"]
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
    assert (shown["status"], shown["activities"]) == ("dnd", heard["activities"])
    await bob_client.send(3, {"status": "invisible", "activities": [], "since": None})
    assert (await shows(alice_client, bob, "offline"))["activities"] == []
    assert (await guild.owner.rest.get(f"/guilds/{guild.id}?with_counts=true"))[
        "approximate_presence_count"
    ] == 1


async def test_the_last_device_counts(world: World) -> None:
    await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    alice_client = await online(world, "alice")
    desktop = await online(world, "bob", presence={"status": "idle"})
    await shows(alice_client, bob, "idle")
    properties = {"os": "android", "browser": "x", "device": "x"}
    phone = await world.socket()
    await phone.identify(bob.token, properties=properties, intents=EVERYTHING)
    heard = await shows(alice_client, bob, "online")
    assert heard["client_status"] == {"desktop": "idle", "mobile": "online"}
    await phone.leave()
    await shows(alice_client, bob, "idle")
    await desktop.leave()
    await shows(alice_client, bob, "offline")


async def test_a_short_absence_is_not_told(world: World) -> None:
    await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    alice_client = await online(world, "alice")
    before = await online(world, "bob")
    await shows(alice_client, bob, "online")
    await before.cut()
    again = await world.resumed("bob", before)
    await again.next("RESUMED")
    await again.send(3, {"status": "idle", "activities": [], "since": 0})
    heard = (await alice_client.next("PRESENCE_UPDATE")).d
    while heard["user"]["id"] != bob.id:
        heard = (await alice_client.next("PRESENCE_UPDATE")).d
    assert heard["status"] == "idle"  # and never "offline" in between


async def test_who_joins_and_who_is_there_see_each_other(world: World) -> None:
    guild = await world.guild(owner="alice")
    bob = await world.person("bob")
    alice_client, bob_client = await online(world, "alice"), await online(world, "bob")
    await shows(alice_client, guild.owner, "online")
    await guild.admit(bob)
    shown = (await bob_client.next("GUILD_CREATE")).d["presences"]
    assert guild.owner.id in [each["user"]["id"] for each in shown]
    await shows(alice_client, bob, "online")


async def test_strangers_and_the_uncurious_are_told_nothing(world: World) -> None:
    await world.guild(owner="alice", members=["bob"])
    bob, carol = await world.people("bob", "carol")
    curious = await online(world, "alice")
    stranger = await online(world, "carol")
    [uncurious] = await world.online("alice")
    await online(world, "bob")
    await shows(curious, bob, "online")
    for client in (stranger, uncurious):
        heard = [event for event in await client.heard_before_fence() if "user" in event.d]
        assert bob.id not in [event.d["user"]["id"] for event in heard]
    [guild] = [await uncurious_guild(world)]
    assert guild["presences"] == []
    assert carol.id


async def uncurious_guild(world: World) -> Any:
    client = await world.socket()
    token = (await world.person("alice")).token
    await client.send(2, {"token": token, "properties": {}, "intents": 1})
    return (await client.next("GUILD_CREATE")).d


async def test_across_instances_and_after_a_crash(world: World, serve_more: ServeMore) -> None:
    await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol = await world.people("bob", "carol")
    alice_client = await online(world, "alice")
    await online(world, "carol")
    async with (
        serve_more(worker_id=9) as server,
        world_on(server.url, server.gateway_url) as there,
    ):
        there.meet(world)
        bob_client = await online(there, "bob")
        await shows(alice_client, bob, "online")
        await shows(bob_client, carol, "online")  # who was there before that instance
    async with asyncio.timeout(30):
        heard: dict[str, Any] = {}
        while heard.get("status") != "offline":  # the instance is missed after some seconds
            with contextlib.suppress(TimeoutError):
                heard = await shows(alice_client, bob, "offline")


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
async def test_wrong_presences(world: World, presence: object) -> None:
    await world.person("alice")
    client = await online(world, "alice")
    await client.send(3, presence)
    assert await client.closed() == 4002


async def test_presence_before_identifying(world: World) -> None:
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


async def test_members_on_request(world: World) -> None:
    guild, people = await members_guild(world)
    alice, bob, carol = people
    client = await online(world, "alice")
    await shows(client, alice, "online")
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
    assert ids(await chunk(client, guild_id=guild.id, query="nobody has this name", limit=1)) == []
    both = [alice.id, bob.id]
    with_presences = await chunk(client, guild_id=guild.id, user_ids=both, presences=True)
    assert [each["user"]["id"] for each in with_presences["presences"]] == [alice.id]


async def test_the_whole_list_needs_its_intent(world: World) -> None:
    guild, _ = await members_guild(world)
    [client] = await world.online("alice", intents=1)
    assert ids(await chunk(client, guild_id=guild.id, query="", limit=0)) == []


async def test_members_of_a_strange_guild(world: World) -> None:
    guild, _ = await members_guild(world)
    client = await online(world, "stranger")
    await client.send(8, {"guild_id": guild.id, "query": "", "limit": 0})
    heard = await client.heard_before_fence()
    assert "GUILD_MEMBERS_CHUNK" not in [event.t for event in heard]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"guild_id": "1"},
        {"guild_id": "x", "query": ""},
        {"guild_id": "1", "query": "", "user_ids": []},
        {"guild_id": "1", "user_ids": ["x"]},
        {"guild_id": "1", "query": "", "limit": -1},
        {"guild_id": "1", "query": "", "limit": "all"},
        [],
    ],
    ids=repr,
)
async def test_wrong_requests_for_members(world: World, wanted: object) -> None:
    await world.person("alice")
    client = await online(world, "alice")
    await client.send(8, wanted)
    assert await client.closed() == 4002


async def test_soundboards_are_empty_but_answered(world: World) -> None:
    guild, _ = await members_guild(world)
    client = await online(world, "alice")
    await client.send(31, {"guild_ids": [guild.id, "1"]})
    heard = (await client.next("SOUNDBOARD_SOUNDS")).d
    assert heard == {"guild_id": guild.id, "soundboard_sounds": []}
    await client.send(31, {"guild_ids": ["x"]})
    assert await client.closed() == 4002
