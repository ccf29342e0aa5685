"""Hostile clients: each is disconnected with a close code, and others are not disturbed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from chatd.core.intents import ALL_INTENTS
from tests.world import Client, World

HUGE = 10**30
ODD: tuple[Any, ...] = (None, True, -1, 1.5, HUGE, 2**63, "", "x", "\0", [], [[]], {}, {"x": []})


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def payload(op: int, data: Any) -> str:
    """Return JSON with integers that orjson does not encode."""
    return json.dumps({"op": op, "d": data})


async def ends(client: Client, *codes: int) -> None:
    assert await client.closed() in codes


@pytest.mark.parametrize("op", [1, 2, 3, 4, 6, 8, 14, 31, 34, 35, 36, 37, 40, 43])
@pytest.mark.parametrize("identified", [False, True])
async def test_invalid_data_in_each_opcode_closes_with_a_code(
    world: World, op: int, identified: bool
) -> None:
    """The server answers or closes with a code, but never with 1011."""
    [healthy] = await world.online("alice")
    for data in ODD:
        client = (await world.online("bob"))[0] if identified else await world.socket()
        await client.send_raw(payload(op, data))
        await client.send_raw("{")  # closes the connection if that was accepted
        await ends(client, 4002, 4003, 4004, 4005, 4007, 4010, 4013)
    await healthy.received_before_fence()


FIELDS: dict[int, dict[str, Any]] = {
    2: {"token": "x", "intents": 0, "shard": [0, 1], "large_threshold": 50, "compress": False}
    | {"presence": {"status": "online"}, "properties": {"os": "x"}},
    3: {"status": "online", "activities": [{"name": "x", "type": 0}], "since": 0, "afk": False},
    6: {"token": "x", "session_id": "x", "seq": 0},
    8: {"guild_id": "1", "query": "", "limit": 0, "user_ids": ["1"], "presences": False},
    31: {"guild_ids": ["1"]},
    35: {"guild_id": "1", "query": "", "continuation_token": None, "nonce": "x"},
    40: {"seq": 0, "qos": {"ver": 27, "active": True, "reasons": ["foregrounded"]}},
}


@pytest.mark.parametrize(
    ("op", "name"), [(op, name) for op, fields in FIELDS.items() for name in fields]
)
async def test_invalid_values_in_each_field_are_ignored_or_close_with_a_code(
    world: World, op: int, name: str
) -> None:
    [healthy] = await world.online("alice")
    client = None
    for value in ODD:
        if client is None or op in (2, 6):
            client = await world.socket()
            if op not in (2, 6):
                await client.identify((await world.person("bob")).token)
        data = {**FIELDS[op], name: value}
        if op == 8 and name != "query":
            del data["query"]
        await client.send_raw(payload(op, data))
        if op in (2, 6):
            await client.send_raw("{")
            await ends(client, 4002, 4004, 4010, 4013)
            continue
        try:
            await client.received_before_fence()
        except Exception:
            await ends(client, 4002)
            client = None
    await healthy.received_before_fence()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (nested(2000), 4002),
        ('{"op": 2, "d": ' + nested(1000) + "}", 4002),
        ('{"op": 2, "d": {"token": "x", "properties": ' + nested(900) + "}}", 4002),
        ('{"op": 3, "d": {"activities": [{"name": "x", "state": ' + nested(900) + "}]}}", 4002),
        ('{"op": 1, "d": ' + "9" * 4000 + "}", 4002),
        ('{"op": ' + "9" * 4000 + ', "d": null}', 4002),
        ('{"op": 1e400}', 4002),
        ('{"op": NaN}', 4002),
        ('{"op": true}', 4002),
        ('{"op": 1.0}', 4002),
        ('{"op": null}', 4002),
        ('{"op": 2, "d": {"token": "\\ud800"}}', 4002),
        ('{"op": 6, "d": {"token": "x", "session_id": "\\u0000", "seq": 0}}', 4002),
        (b"\x80\x81\x82", 4002),
        ('{"op": 1, "d": null}'.encode("utf-16"), 4002),
        (b"\xef\xbb\xbf" + b'{"op": 1, "d": null}', 4002),
        (zlib.compress(b'{"op": 1, "d": null}'), 4002),
        (zlib.compress(b" " * 10_000_000)[:4096], 4002),
        (b" " * 15_361, 4002),
        (" " * 60_000, 4002),
        ("", 4002),
        (b"", 4002),
    ],
    ids=range(22),
)
async def test_malformed_frame_closes_with_its_code(
    world: World, frame: str | bytes, code: int
) -> None:
    [healthy] = await world.online("alice")
    for client in (await world.socket(), (await world.online("bob"))[0]):
        await client.send_raw(frame)
        assert await client.closed() == code
    await healthy.received_before_fence()


@pytest.mark.parametrize("name", ["os", "browser"])
async def test_properties_that_are_no_strings_are_ignored(world: World, name: str) -> None:
    client = await world.socket()
    properties = f'{{"{name}": {nested(1010)}}}'
    await client.send_raw(f'{{"op": 2, "d": {{"token": "x", "properties": {properties}}}}}')
    await ends(client, 4004)


@pytest.mark.parametrize("op", [3, 8, 31])
async def test_session_command_before_identify_closes_with_not_authenticated(
    world: World, op: int
) -> None:
    client = await world.socket()
    data: dict[str, Any] = {"status": "online", "guild_id": "1", "query": "", "guild_ids": []}
    await client.send(op, data)
    assert await client.closed() == 4003


async def test_message_above_the_websocket_limit_closes_with_1009(world: World) -> None:
    """aiohttp itself closes, whether the message is one frame or many."""
    for message in (" " * 200_000, [" " * 1000] * 200):
        client = await world.socket()
        await client.send_raw_parts(message)
        assert await client.closed() == 1009


async def test_fragmented_payload_is_accepted(world: World) -> None:
    client = await world.socket()
    await client.send_raw_parts(['{"op"', ": 1, ", '"d": nu', "", "ll}"])
    await client.next_op(11)


async def test_pings_without_identify_close_with_rate_limited(world: World) -> None:
    [healthy] = await world.online("alice")
    client = await world.socket()
    with contextlib.suppress(ConnectionClosed):
        for _ in range(20_000):
            await client.ping()
    assert await client.closed() == 4008  # a client may send 120 pings, as many as payloads
    await healthy.received_before_fence()


async def test_concurrent_identify_and_resume_close_with_already_authenticated(
    world: World,
) -> None:
    """The client sends both frames without waiting for the first answer."""
    bob = await world.person("bob")
    identify = {"token": bob.token, "properties": {}, "intents": int(ALL_INTENTS)}
    for first, second in ((2, 2), (2, 6), (6, 2), (6, 6)):
        [before] = await world.online("bob")
        session = {"session_id": before.ready["session_id"], "seq": before.seq}
        data = {2: identify, 6: {"token": bob.token, **session}}
        client = await world.socket()
        client.seq = before.seq if first == 6 else 0
        await asyncio.gather(client.send(first, data[first]), client.send(second, data[second]))
        assert await client.closed() == 4005
