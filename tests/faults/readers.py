"""Memory pressed by those who do not read what they are sent."""

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

from tests.faults.acts import Ground, Strike
from tests.faults.crowd import Crowd
from tests.instances import Instance

_MB = 2**20
_TEXT = "\N{GRINNING FACE}" * 1980  # 8 kB
_BOUND_MB = 400
"""How much more memory a server may have at its worst moment than before."""

_HANDSHAKE = (
    "GET /gateway HTTP/1.1\r\nHost: chatd\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@asynccontextmanager
async def slow_readers(ground: Ground) -> AsyncIterator[Strike]:
    """Many identify and then read nothing, while more and more is sent to them."""
    victim = ground.victim

    async def strike(crowd: Crowd) -> float:
        before_mb = _memory_mb(victim, "VmRSS")
        _begin_peak(victim)
        starts, cut_off = victim.starts, _cut_off(victim)
        count = int(ground.seconds(100, 8))
        readers = [await _slow_reader(victim, crowd.stage.tokens[0]) for _ in range(count)]
        flooding = [asyncio.create_task(_flood(crowd, victim)) for _ in range(8)]
        try:
            async with asyncio.timeout(120):
                while _cut_off(victim) < cut_off + count:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            crowd.problems.append("who does not read was not cut off")
        finally:
            for task in flooding:
                task.cancel()
            await asyncio.gather(*flooding, return_exceptions=True)
            for reader in readers:
                reader.close()
        since = time.monotonic()
        if victim.starts != starts:
            crowd.problems.append("it was restarted")
            return since
        more_mb = _memory_mb(victim, "VmHWM") - before_mb
        ground.notes.append(f"{count} cut off; {more_mb} MiB of memory more at the worst moment")
        if more_mb > _BOUND_MB:
            crowd.problems.append(f"it took {more_mb} MiB more, over {_BOUND_MB}")
        return since

    yield strike


def _begin_peak(instance: Instance) -> None:
    """Let the most memory that was used (VmHWM) begin anew (proc(5))."""
    Path(f"/proc/{instance.pid}/clear_refs").write_text("5")


def _memory_mb(instance: Instance, name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{instance.pid}/status").read_text())
    assert found is not None
    return int(found[1]) // 1024


async def _slow_reader(instance: Instance, token: str) -> socket.socket:
    """A client that has identified, and reads no more. Its own buffer is small."""
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
    """A masked text frame (RFC 6455)."""
    mask = os.urandom(4)
    size = len(payload)
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return bytes([0x81, 0x80 | 126]) + size.to_bytes(2, "big") + mask + masked


def _cut_off(instance: Instance) -> int:
    """How many it has cut off since it was first started. Who does not read is not told."""
    return instance.log.read_text().count("cut off a client that does not read")


async def _flood(crowd: Crowd, instance: Instance) -> None:
    stage = crowd.stage
    url = f"{instance.url}/channels/{stage.channels[0]}/messages"
    headers = {"Authorization": f"Bearer {stage.tokens[0]}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        while True:
            text = secrets.token_hex(8) + _TEXT
            async with http.post(url, json={"content": text}) as answer:
                if answer.status != 200:
                    crowd.problems.append(f"a message got {answer.status}")
