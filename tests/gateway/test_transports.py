"""Every transport, read by another library and a stock decoder, for long and over a RESUME."""

from __future__ import annotations

import asyncio
import contextlib
import random
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.history.listener import decoder
from tests.world import PATIENCE_S, Guild, Person, World

MANY = 150
EVERYTHING_BUT_PRESENCES = (1 << 0) | (1 << 9) | (1 << 11)


class Reader:
    """A connection whose every frame is one payload, and is decoded as it comes."""

    def __init__(self, socket: ClientConnection, transport: str) -> None:
        self._socket = socket
        self._transport = transport
        self._decode: Callable[[bytes], bytes] = decoder(transport)

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            frame = await self._socket.recv()
        if isinstance(frame, str):
            assert self._transport in ("", "payloads")
            return dict(orjson.loads(frame))
        if self._transport == "payloads":
            return dict(orjson.loads(zlib.decompress(frame)))
        assert self._transport != "zlib-stream" or frame.endswith(b"\x00\x00\xff\xff")
        return dict(orjson.loads(self._decode(frame)))

    async def send(self, op: int, data: Any) -> None:
        await self._socket.send(orjson.dumps({"op": op, "d": data}))


@asynccontextmanager
async def opened(world: World, transport: str) -> AsyncIterator[Reader]:
    query = f"?v=10&encoding=json&compress={transport}" if transport.endswith("stream") else ""
    async with connect(world.gateway_url + query, compression=None, max_size=None) as socket:
        reader = Reader(socket, transport)
        assert (await reader.next())["op"] == 10
        yield reader


def contents(seed: int) -> list[str]:
    """Short and long, dull and dense, in several scripts."""
    dice = random.Random(seed)
    kinds = ("ab ", "漢字かな", "🙂🙃", "".join(map(chr, range(33, 127))))
    return [
        "".join(dice.choices(dice.choice(kinds), k=dice.choice((1, 20, 300, 1999)))).strip() or "x"
        for _ in range(MANY)
    ]


async def say_all(guild: Guild, texts: list[str]) -> None:
    path = f"/channels/{guild.general.id}/messages"
    for text in texts:
        await guild.owner.rest.post(path, {"content": text})
        if len(text) == 300:
            await guild.owner.rest.post(f"/channels/{guild.general.id}/typing")


@pytest.mark.parametrize("transport", ["", "zlib-stream", "zstd-stream", "payloads"])
async def test_a_long_stream(world: World, transport: str) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    texts = contents(7)
    async with opened(world, transport) as reader:
        identify = {"token": bob.token, "intents": EVERYTHING_BUT_PRESENCES, "properties": {}}
        await reader.send(2, identify | {"compress": transport == "payloads"})
        ready = await reader.next()
        assert (ready["t"], ready["s"]) == ("READY", 1)
        assert (await reader.next())["t"] == "GUILD_CREATE"
        saying = asyncio.create_task(say_all(guild, texts[:100]))
        seq = await hear(reader, 2, texts[:100])
        await saying
    await say_all(guild, texts[100:])
    async with opened(world, transport) as reader:  # with a context of its own
        session = {"session_id": ready["d"]["session_id"], "seq": seq}
        await reader.send(6, {"token": bob.token, **session})
        seq = await hear(reader, seq, texts[100:])
        assert (await reader.next())["t"] == "RESUMED"
        saying = asyncio.create_task(say_all(guild, texts))
        await hear(reader, seq + 1, texts)
        await saying


async def hear(reader: Reader, seq: int, texts: list[str]) -> int:
    """Hear these messages, each after the other, with heartbeats in between; the last number."""
    heard: list[str] = []
    while len(heard) < len(texts):
        payload = await reader.next()
        if payload["op"] == 0:
            seq += 1
            assert payload["s"] == seq
            if payload["t"] == "MESSAGE_CREATE":
                heard.append(payload["d"]["content"])
            if len(heard) % 40 == 39:
                await reader.send(1, seq)
        else:
            assert payload["op"] == 11
    assert heard == texts
    return seq


async def test_transports_side_by_side(world: World) -> None:
    """What is made once for all is the same for each, whenever it came in."""
    guild = await world.guild(owner="alice", members=["bob"])
    bob: Person = await world.person("bob")
    async with contextlib.AsyncExitStack() as stack:
        readers: list[Reader] = []
        for round_ in range(3):
            for transport in ("", "zlib-stream", "zstd-stream", "payloads"):
                reader = await stack.enter_async_context(opened(world, transport))
                identify = {"token": bob.token, "intents": 1 << 9, "properties": {}}
                await reader.send(2, identify | {"compress": transport == "payloads"})
                assert (await reader.next())["t"] == "READY"
                readers.append(reader)
            texts = contents(round_)[:10]
            await say_all(guild, texts)
            for reader in readers:
                heard = [(await reader.next())["d"]["content"] for _ in texts]
                assert heard == texts
