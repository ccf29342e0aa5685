"""What hostile clients send: each is closed with its code, and nobody else notices."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

import pytest

from chatd.core.intents import ALL_INTENTS
from tests.world import Client, World

HUGE = 10**30
ODD: tuple[Any, ...] = (None, True, -1, 1.5, HUGE, 2**63, "", "x", "\0", [], [[]], {}, {"x": []})


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def payload(op: int, data: Any) -> str:
    """JSON as only a hostile client makes it: orjson would not write such integers."""
    return json.dumps({"op": op, "d": data})


async def ends(client: Client, *codes: int) -> None:
    assert await client.closed() in codes


@pytest.mark.parametrize("op", [1, 2, 3, 4, 6, 8, 31, 43])
@pytest.mark.parametrize("identified", [False, True])
async def test_odd_data_in_every_opcode(world: World, op: int, identified: bool) -> None:
    """Answered or closed with a code, never with 1011 or in silence."""
    [healthy] = await world.online("alice")
    for data in ODD:
        client = (await world.online("bob"))[0] if identified else await world.socket()
        await client.send_raw(payload(op, data))
        await client.send_raw('{"op": 99}')  # if that was fine
        await ends(client, 4001, 4002, 4003, 4004, 4005, 4007, 4010, 4013)
    await healthy.heard_before_fence()


FIELDS: dict[int, dict[str, Any]] = {
    2: {"token": "x", "intents": 0, "shard": [0, 1], "large_threshold": 50, "compress": False}
    | {"presence": {"status": "online"}, "properties": {"os": "x"}},
    3: {"status": "online", "activities": [{"name": "x", "type": 0}], "since": 0, "afk": False},
    6: {"token": "x", "session_id": "x", "seq": 0},
    8: {"guild_id": "1", "query": "", "limit": 0, "user_ids": ["1"], "presences": False},
    31: {"guild_ids": ["1"]},
}


@pytest.mark.parametrize(
    ("op", "name"), [(op, name) for op, fields in FIELDS.items() for name in fields]
)
async def test_odd_values_in_every_field(world: World, op: int, name: str) -> None:
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
            await client.send_raw('{"op": 99}')
            await ends(client, 4001, 4002, 4004, 4010, 4013)
            continue
        try:
            await client.heard_before_fence()
        except Exception:
            await ends(client, 4001, 4002)
            client = None
    await healthy.heard_before_fence()


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
        ('{"op": -1}', 4001),
        ('{"op": 9223372036854775808}', 4001),
        ('{"op": 2, "d": {"token": "\\ud800"}}', 4002),
        ('{"op": 6, "d": {"token": "x", "session_id": "\\u0000", "seq": 0}}', 4002),
        (b"\x80\x81\x82", 4002),
        ('{"op": 1, "d": null}'.encode("utf-16"), 4002),
        (b"\xef\xbb\xbf" + b'{"op": 1, "d": null}', 4002),
        (zlib.compress(b'{"op": 1, "d": null}'), 4002),
        (zlib.compress(b" " * 10_000_000)[:4096], 4002),
        (b" " * 4097, 4002),
        (" " * 60_000, 4002),
        ("", 4002),
        (b"", 4002),
    ],
    ids=range(22),
)
async def test_hostile_frames(world: World, frame: str | bytes, code: int) -> None:
    [healthy] = await world.online("alice")
    for client in (await world.socket(), (await world.online("bob"))[0]):
        await client.send_raw(frame)
        assert await client.closed() == code
    await healthy.heard_before_fence()


@pytest.mark.parametrize("name", ["os", "browser"])
async def test_properties_that_are_no_words(world: World, name: str) -> None:
    client = await world.socket()
    properties = f'{{"{name}": {nested(1010)}}}'
    await client.send_raw(f'{{"op": 2, "d": {{"token": "x", "properties": {properties}}}}}')
    await ends(client, 4004)


@pytest.mark.parametrize("op", [3, 4, 8, 31, 43])
async def test_before_identifying(world: World, op: int) -> None:
    client = await world.socket()
    data: dict[str, Any] = {"status": "online", "guild_id": "1", "query": "", "guild_ids": []}
    await client.send(op, data)
    assert await client.closed() == 4003


async def test_very_much_in_one_frame_or_many(world: World) -> None:
    """Beyond what aiohttp reads at all: it says so itself."""
    for message in (" " * 200_000, [" " * 1000] * 200):
        client = await world.socket()
        await client.send_raw_parts(message)
        assert await client.closed() == 1009


async def test_a_payload_in_fragments(world: World) -> None:
    client = await world.socket()
    await client.send_raw_parts(['{"op"', ": 1, ", '"d": nu', "", "ll}"])
    await client.next_op(11)


async def test_pings_keep_nobody_who_does_not_identify(world: World) -> None:
    [healthy] = await world.online("alice")
    client = await world.socket()
    for _ in range(20_000):
        await client.ping()
    await client.send(1, None)
    await client.next_op(11)
    await healthy.heard_before_fence()


async def test_identifying_and_resuming_at_once(world: World) -> None:
    """Frames that do not wait for their answers."""
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
