"""Slow consumers: clients that do not read, and the memory that they cost."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import orjson

from tests.faults.faults import FaultContext, Injection
from tests.faults.load import Load
from tests.helpers.instances import Instance

_MB = 2**20
_TEXT = "\N{GRINNING FACE}" * 1980  # 8 kB
_BOUND_MB = 400
"""The maximum growth of the peak memory of a server, in MiB."""

_HANDSHAKE = (
    "GET /gateway HTTP/1.1\r\nHost: chatd\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@asynccontextmanager
async def slow_readers(context: FaultContext) -> AsyncIterator[Injection]:
    """Many clients identify and then stop reading, while messages are sent to them."""
    target = context.target

    async def inject(load: Load) -> float:
        before_mb = _memory_mb(target, "VmRSS")
        _begin_peak(target)
        starts, disconnected = target.starts, _disconnects(target)
        count = int(context.seconds(100, 8))
        readers = [await _slow_reader(target, load.cluster.tokens[0]) for _ in range(count)]
        flooding = [asyncio.create_task(_flood(load, target)) for _ in range(8)]
        try:
            async with asyncio.timeout(120):
                while _disconnects(target) < disconnected + count:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            load.problems.append("slow consumers were not disconnected")
        finally:
            for task in flooding:
                task.cancel()
            await asyncio.gather(*flooding, return_exceptions=True)
            for reader in readers:
                reader.close()
        since = time.monotonic()
        if target.starts != starts:
            load.problems.append("it was restarted")
            return since
        more_mb = _memory_mb(target, "VmHWM") - before_mb
        context.notes.append(f"{count} disconnected; peak memory grew by {more_mb} MiB")
        if more_mb > _BOUND_MB:
            load.problems.append(f"peak memory grew by {more_mb} MiB, more than {_BOUND_MB}")
        return since

    yield inject


def _begin_peak(instance: Instance) -> None:
    """Reset the peak of the resident memory (VmHWM), see proc(5)."""
    Path(f"/proc/{instance.pid}/clear_refs").write_text("5")


def _memory_mb(instance: Instance, name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{instance.pid}/status").read_text())
    assert found is not None
    return int(found[1]) // 1024


async def _slow_reader(instance: Instance, token: str) -> socket.socket:
    """Return the socket of a client that has identified and stops reading. Its buffer is small."""
    loop = asyncio.get_running_loop()
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.setblocking(False)
    await loop.sock_connect(reader, ("127.0.0.1", instance.port))
    await loop.sock_sendall(reader, _HANDSHAKE.encode())
    data = {"token": token, "properties": {}, "intents": 1 << 9}
    await loop.sock_sendall(reader, _frame(orjson.dumps({"op": 2, "d": data})))
    seen = b""
    while b'"READY"' not in seen:
        seen = seen[-16:] + await loop.sock_recv(reader, 4096)
    return reader


def _frame(payload: bytes) -> bytes:
    """Return a masked text frame (RFC 6455)."""
    mask = os.urandom(4)
    size = len(payload)
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return bytes([0x81, 0x80 | 126]) + size.to_bytes(2, "big") + mask + masked


def _disconnects(instance: Instance) -> int:
    """Return the number of slow consumers that an instance has disconnected, from its log."""
    return instance.log.read_text().count("disconnected slow consumer")


async def _flood(load: Load, instance: Instance) -> None:
    cluster = load.cluster
    url = f"{instance.url}/channels/{cluster.channels[0]}/messages"
    headers = {"Authorization": f"Bearer {cluster.tokens[0]}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        while True:
            text = secrets.token_hex(8) + _TEXT
            async with http.post(url, json={"content": text}) as answer:
                if answer.status != 200:
                    load.problems.append(f"a message got {answer.status}")
