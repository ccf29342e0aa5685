"""A client of the checker, on a library and decoders that the server does not share."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import zlib
from collections.abc import Callable
from typing import Any

import orjson
import zstandard
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from tests.history.record import Epoch, Heard, History
from tests.instances import Instance

RETRY_S = 0.05
TRANSPORTS = ("", "zlib-stream", "zstd-stream")
_GONE = (WebSocketException, InvalidHandshake, OSError, TimeoutError, EOFError)


def decoder(transport: str) -> Callable[[bytes], bytes]:
    """How a client reads what comes on one connection of this transport."""
    if transport == "zlib-stream":
        return zlib.decompressobj().decompress
    if transport == "zstd-stream":
        return zstandard.ZstdDecompressor().decompressobj().decompress
    return bytes


class Listener:
    """A client that resumes wherever it can, and identifies anew only when it is told to."""

    def __init__(
        self, instances: list[Instance], token: str, history: History, *, transport: str = ""
    ) -> None:
        self._instances = instances
        self._token = token
        self._counts = history.counts
        self._transport = transport
        self.epochs: list[Epoch] = []
        history.epochs.append(self.epochs)
        self._session_id: str | None = None
        self._socket: ClientConnection | None = None
        self.is_in = False
        """Whether it has a session and is connected."""

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            up = [each for each in self._instances if each.can_be_asked]
            if up:
                with contextlib.suppress(*_GONE):
                    url = f"ws://127.0.0.1:{random.choice(up).port}/gateway"
                    query = f"?compress={self._transport}" if self._transport else ""
                    async with connect(
                        url + query, max_size=None, compression=None
                    ) as self._socket:
                        await self._serve(self._socket)
                if self.is_in:
                    self.is_in = False
                    self._counts["lost sockets"] += 1
            await asyncio.sleep(RETRY_S)

    def is_on(self, instance: Instance) -> bool:
        """Whether it is connected to this instance now."""
        return self._socket is not None and self._socket.remote_address[1] == instance.port

    async def cut(self) -> None:
        """Drop the connection without a word."""
        if self._socket is not None:
            self._counts["cuts"] += 1
            self._socket.transport.abort()

    async def _serve(self, connection: ClientConnection) -> None:
        decode = decoder(self._transport)
        await self._introduce(connection)
        async for frame in connection:
            data = frame.encode() if isinstance(frame, str) else decode(frame)
            payload = orjson.loads(data)
            match payload["op"]:
                case 0:
                    self._hear(payload)
                case 7:
                    return
                case 9:
                    self._counts["told to identify anew"] += 1
                    if self.epochs:
                        self.epochs[-1].told_at = time.monotonic()
                    self._session_id = None
                    self.is_in = False
                    await self._introduce(connection)

    async def _introduce(self, connection: ClientConnection) -> None:
        data: dict[str, Any] = {"token": self._token}
        if self._session_id is None:
            data |= {"properties": {}, "intents": 1 << 0 | 1 << 9}
        else:
            data |= {"session_id": self._session_id, "seq": self.epochs[-1].seq}
        payload = {"op": 2 if self._session_id is None else 6, "d": data}
        await connection.send(orjson.dumps(payload).decode())

    def _hear(self, payload: dict[str, Any]) -> None:
        name, data = payload["t"], payload["d"]
        if name == "READY":
            self._session_id = data["session_id"]
            self.epochs.append(Epoch(time.monotonic()))
            self._counts["sessions"] += 1
        epoch = self.epochs[-1]
        epoch.count(payload["s"])
        self.is_in |= name in ("READY", "RESUMED")
        if name == "RESUMED":
            self._counts["resumes"] += 1
        elif name == "MESSAGE_CREATE":
            self._counts["deliveries"] += 1
            epoch.heard.append(Heard(int(data["id"]), data["channel_id"], data["content"]))
