"""Documented fields of gateway commands: implemented, or rejected with a close code.

Rule: Discord docs, Gateway Events, "Identify", "Update Presence", "Activity Object" and "Request
Guild Members".
"""

from __future__ import annotations

from typing import Any

import pytest

from chatd.core.intents import ALL_INTENTS
from tests.world import Guild, World, like

ACTIVITY: dict[str, Any] = {
    "name": "Chess",
    "type": 0,
    "url": "https://example.org",
    "timestamps": {"start": 1_700_000_000_000, "end": 1_700_000_100_000},
    "application_id": "9007199254740993",
    "status_display_type": 1,
    "details": "Sicilian",
    "details_url": "https://example.org/d",
    "state": "winning",
    "state_url": "https://example.org/s",
    "emoji": {"name": "x", "id": "9007199254740993", "animated": True},
    "party": {"id": "p", "size": [1, 2]},
    "assets": {
        "large_image": "a",
        "large_text": "b",
        "large_url": "https://example.org/l",
        "small_image": "c",
        "small_text": "d",
        "small_url": "https://example.org/m",
        "invite_cover_image": "e",
    },
    "buttons": ["Watch"],
    "instance": True,
    "flags": 1,
}
EMPTY: dict[str, Any] = {
    "timestamps": {},
    "assets": {},
    "party": {},
    "buttons": [],
    "emoji": None,
    "secrets": None,
}


async def guild_with_watcher(world: World) -> tuple[Guild, Any]:
    guild = await world.guild(owner="alice", members=["bob"])
    [alice] = await world.online("alice", intents=int(ALL_INTENTS))
    return guild, alice


async def presence_of_bob(alice: Any, world: World) -> Any:
    bob = await world.person("bob")
    while True:
        update = (await alice.next("PRESENCE_UPDATE")).d
        if update["user"]["id"] == bob.id:
            return update


@pytest.mark.parametrize("key", ["activities", "game"])
async def test_identify_publishes_the_whole_activity(world: World, key: str) -> None:
    _, alice = await guild_with_watcher(world)
    given = [ACTIVITY] if key == "activities" else ACTIVITY
    presence = {"status": "dnd", key: given, "since": None, "afk": False}
    await world.online("bob", presence=presence, large_threshold=50, compress=False, shard=[0, 1])
    update = await presence_of_bob(alice, world)
    assert update["status"] == "dnd"
    [activity] = update["activities"]
    assert activity.pop("created_at") > 1_600_000_000_000
    assert activity == ACTIVITY


async def test_presence_update_publishes_the_whole_activity(world: World) -> None:
    _, alice = await guild_with_watcher(world)
    [bob] = await world.online("bob", presence={"status": "idle"})
    assert (await presence_of_bob(alice, world))["activities"] == []
    await bob.send(
        3,
        {
            "since": 91879201,
            "activities": [{**ACTIVITY, "created_at": 1}, {"name": "y", **EMPTY}],
            "status": "online",
            "afk": True,
        },
    )
    first, second = (await presence_of_bob(alice, world))["activities"]
    assert first.pop("created_at") > 1
    assert first == ACTIVITY
    assert second == like(name="y", type=0)
    assert second.keys() == {"name", "type", "created_at"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"secrets": {"join": "x"}},
        {"timestamps": {"start": "x"}},
        {"party": {"size": [1]}},
        {"assets": {"large_text": "x" * 129}},
        {"buttons": ["a", "b", "c"]},
        {"application_id": "x"},
        {"flags": -1},
    ],
)
async def test_invalid_activity_closes_with_decode_error(
    world: World, wrong: dict[str, Any]
) -> None:
    await world.person("bob")
    [bob] = await world.online("bob")
    await bob.send(3, {"since": 0, "activities": [{"name": "x", **wrong}], "status": "online"})
    assert await bob.closed() == 4002


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"large_threshold": "x"}, 4002),
        ({"shard": [1, 1]}, 4010),
        ({"shard": [0]}, 4010),
        ({"intents": 1 << 29}, 4013),
        ({"intents": 1 << 17 | 1 << 30}, 4013),
        ({"presence": {"status": "away"}}, 4002),
        ({"presence": {"since": "x"}}, 4002),
        ({"presence": {"afk": 1}}, 4002),
    ],
)
async def test_invalid_field_of_identify_closes_with_its_code(
    world: World, fields: dict[str, Any], code: int
) -> None:
    person = await world.person("alice")
    client = await world.socket()
    await client.send(2, {"token": person.token, "properties": {}, "intents": 0, **fields})
    assert await client.closed() == code


async def test_intents_without_events_are_accepted(world: World) -> None:
    """interactions.py has bit 17 in `Intents.ALL`, for which Discord documents no events."""
    guild = await world.guild(owner="alice")
    client = await world.socket()
    await client.identify(guild.owner.token, intents=53739519)
    await guild.owner.rest.post(f"/channels/{guild.general.id}/messages", {"content": "x"})
    assert (await client.next("MESSAGE_CREATE")).d["content"] == "x"


async def test_member_chunk_has_the_requested_presences_and_nonce(world: World) -> None:
    guild, alice = await guild_with_watcher(world)
    bob = await world.person("bob")
    await world.online("bob", presence={"status": "dnd"})
    await presence_of_bob(alice, world)
    request = {
        "guild_id": guild.id,
        "limit": 1,
        "query": bob.name[:5],
        "presences": True,
        "nonce": "n",
    }
    await alice.send(8, request)
    chunk = (await alice.next("GUILD_MEMBERS_CHUNK")).d
    assert chunk == like(nonce="n", chunk_index=0, chunk_count=1)
    assert [each["user"]["id"] for each in chunk["members"]] == [bob.id]
    assert [each["status"] for each in chunk["presences"]] == ["dnd"]
