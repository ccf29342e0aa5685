"""What clients of Discord send beyond its documents does not end their connections."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.core.intents import ALL_INTENTS
from tests.helpers.gateway import next_status, replayed_messages, send_messages
from tests.world import World, like

UNNAMED: list[Any] = [None, {}, [], "x", 5, {"guild_id": "1", "channels": {}}]
"""Data of opcodes that the server does not know."""


@pytest.mark.parametrize("op", [-1, 0, 4, 5, 7, 9, 10, 11, 12, 13, 15, 28, 32, 41, 99, 2**60])
async def test_opcode_without_a_meaning_here_is_ignored(world: World, op: int) -> None:
    [identified] = await world.online("alice")
    for client in (identified, await world.socket()):
        for data in UNNAMED:
            await client.send(op, data)
        assert await client.received_before_fence() == []


async def test_heartbeat_ahead_of_the_session_acknowledges_nothing(world: World) -> None:
    """A client that identified again may go on counting from its session before."""
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    missed = await send_messages(world, guild, "missed")
    await bob.next("MESSAGE_CREATE")
    await bob.send(1, bob.seq + 1000)
    await bob.next_op(11)
    await bob.cut()
    bob.seq -= 1
    assert await replayed_messages(await world.resumed("bob", bob)) == missed


async def test_heartbeat_with_reasons_is_acknowledged(world: World) -> None:
    qos = {"ver": 27, "active": True, "reasons": ["foregrounded"]}
    client = await world.socket()
    await client.send(40, {"seq": None, "qos": qos})
    await client.next_op(11)
    await client.identify((await world.person("bob")).token)
    for op in (40, 1):  # endcord sends the same data in op 1
        await client.send(op, {"seq": client.seq, "qos": qos})
        await client.next_op(11)


async def test_unknown_status_is_online_at_first_and_then_no_change(world: World) -> None:
    await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    [alice] = await world.online("alice", intents=int(ALL_INTENTS))
    unknown = {"status": "unknown", "since": 0, "activities": [], "afk": False}
    [client] = await world.online("bob", presence=unknown)
    await next_status(alice, bob, "online")
    await client.send(3, {**unknown, "status": "dnd"})
    await next_status(alice, bob, "dnd")
    await client.send(3, {**unknown, "activities": [{"name": "Chess", "type": 0}]})
    while not (update := await next_status(alice, bob, "dnd"))["activities"]:
        pass
    assert update["activities"] == [like(name="Chess")]


@pytest.mark.parametrize("threshold", [-5, 0, 49, 251, 100_000_000])
async def test_large_threshold_out_of_bounds_is_replaced_by_the_bound(
    world: World, threshold: int
) -> None:
    await world.guild(owner="alice", members=["bob"])
    client = await world.socket()
    token = (await world.person("alice")).token
    await client.send(2, {"token": token, "properties": {}, "large_threshold": threshold})
    created = (await client.next("GUILD_CREATE")).d
    assert (len(created["members"]), created["large"]) == (2, False)


async def test_members_of_several_guilds_are_requested_at_once(world: World) -> None:
    guilds = [await world.guild(owner="alice", members=["bob"]) for _ in range(2)]
    strange = await world.guild(owner="mallory")
    [client] = await world.online("alice")
    ids = [guilds[0].id, strange.id, guilds[1].id, guilds[0].id]
    request = {"guild_id": ids, "query": "", "limit": 0, "presences": True, "user_ids": None}
    await client.send(8, {**request, "nonce": "n"})
    for guild in guilds:
        chunk = (await client.next("GUILD_MEMBERS_CHUNK")).d
        assert (chunk["guild_id"], chunk["nonce"], len(chunk["members"])) == (guild.id, "n", 2)
    assert await client.received_before_fence() == []


async def test_members_are_requested_by_ids_of_no_or_one_guild(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    [client] = await world.online("alice")
    everyone = {"query": "", "limit": 0, "presences": True, "user_ids": None}
    await client.send(8, {"guild_id": [], **everyone})
    assert await client.received_before_fence() == []
    await client.send(8, {"guild_id": [guild.id], **everyone, "user_ids": [bob.id]})
    chunk = (await client.next("GUILD_MEMBERS_CHUNK")).d
    assert [each["user"]["id"] for each in chunk["members"]] == [bob.id]
