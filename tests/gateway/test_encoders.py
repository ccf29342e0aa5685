"""Each encoding, decoded by other libraries, over many payloads and a RESUME."""

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
from tests.world import TIMEOUT_S, Guild, Person, World

MANY = 150
EVERYTHING_BUT_PRESENCES = (1 << 0) | (1 << 9) | (1 << 11)


class Reader:
    """A connection that decodes each frame as one payload."""

    def __init__(self, socket: ClientConnection, encoding: str) -> None:
        self._socket = socket
        self._encoding = encoding
        self._decode: Callable[[bytes], bytes] = decoder(encoding)

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(TIMEOUT_S):
            frame = await self._socket.recv()
        if isinstance(frame, str):
            assert self._encoding in ("", "payloads")
            return dict(orjson.loads(frame))
        if self._encoding == "payloads":
            return dict(orjson.loads(zlib.decompress(frame)))
        assert self._encoding != "zlib-stream" or frame.endswith(b"\x00\x00\xff\xff")
        return dict(orjson.loads(self._decode(frame)))

    async def send(self, op: int, data: Any) -> None:
        await self._socket.send(orjson.dumps({"op": op, "d": data}))


@asynccontextmanager
async def open_reader(world: World, encoding: str) -> AsyncIterator[Reader]:
    query = f"?v=10&encoding=json&compress={encoding}" if encoding.endswith("stream") else ""
    async with connect(world.gateway_url + query, compression=None, max_size=None) as socket:
        reader = Reader(socket, encoding)
        assert (await reader.next())["op"] == 10
        yield reader


def contents(seed: int) -> list[str]:
    """Return short and long, repetitive and random texts in several scripts."""
    rng = random.Random(seed)
    kinds = ("ab ", "漢字かな", "🙂🙃", "".join(map(chr, range(33, 127))))
    return [
        "".join(rng.choices(rng.choice(kinds), k=rng.choice((1, 20, 300, 1999)))).strip() or "x"
        for _ in range(MANY)
    ]


async def send_all(guild: Guild, texts: list[str]) -> None:
    path = f"/channels/{guild.general.id}/messages"
    for text in texts:
        await guild.owner.rest.post(path, {"content": text})
        if len(text) == 300:
            await guild.owner.rest.post(f"/channels/{guild.general.id}/typing")


@pytest.mark.parametrize("encoding", ["", "zlib-stream", "zstd-stream", "payloads"])
async def test_long_stream_decodes_across_a_resume(world: World, encoding: str) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    texts = contents(7)
    async with open_reader(world, encoding) as reader:
        identify = {"token": bob.token, "intents": EVERYTHING_BUT_PRESENCES, "properties": {}}
        await reader.send(2, identify | {"compress": encoding == "payloads"})
        ready = await reader.next()
        assert (ready["t"], ready["s"]) == ("READY", 1)
        assert (await reader.next())["t"] == "GUILD_CREATE"
        sending = asyncio.create_task(send_all(guild, texts[:100]))
        seq = await receive_messages(reader, 2, texts[:100])
        await sending
    await send_all(guild, texts[100:])
    async with open_reader(world, encoding) as reader:  # with a new compression context
        session = {"session_id": ready["d"]["session_id"], "seq": seq}
        await reader.send(6, {"token": bob.token, **session})
        seq = await receive_messages(reader, seq, texts[100:])
        assert (await reader.next())["t"] == "RESUMED"
        sending = asyncio.create_task(send_all(guild, texts))
        await receive_messages(reader, seq + 1, texts)
        await sending


async def receive_messages(reader: Reader, seq: int, texts: list[str]) -> int:
    """Receive these messages in order, with heartbeats in between; return the last number."""
    received: list[str] = []
    while len(received) < len(texts):
        payload = await reader.next()
        if payload["op"] == 0:
            seq += 1
            assert payload["s"] == seq
            if payload["t"] == "MESSAGE_CREATE":
                received.append(payload["d"]["content"])
            if len(received) % 40 == 39:
                await reader.send(1, seq)
        else:
            assert payload["op"] == 11
    assert received == texts
    return seq


async def test_connections_with_different_encodings_receive_the_same_payloads(world: World) -> None:
    """Encoded blocks are shared, also with connections that open later."""
    guild = await world.guild(owner="alice", members=["bob"])
    bob: Person = await world.person("bob")
    async with contextlib.AsyncExitStack() as stack:
        readers: list[Reader] = []
        for round_ in range(3):
            for encoding in ("", "zlib-stream", "zstd-stream", "payloads"):
                reader = await stack.enter_async_context(open_reader(world, encoding))
                identify = {"token": bob.token, "intents": 1 << 9, "properties": {}}
                await reader.send(2, identify | {"compress": encoding == "payloads"})
                assert (await reader.next())["t"] == "READY"
                readers.append(reader)
            texts = contents(round_)[:10]
            await send_all(guild, texts)
            for reader in readers:
                received = [(await reader.next())["d"]["content"] for _ in texts]
                assert received == texts
