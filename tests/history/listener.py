"""A client of the checker. Its library and decoders are not those of the server."""

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

from tests.helpers.instances import Instance
from tests.history.record import Epoch, History, Received

RETRY_S = 0.05
TRANSPORTS = ("", "zlib-stream", "zstd-stream")
_CONNECTION_ERRORS = (WebSocketException, InvalidHandshake, OSError, TimeoutError, EOFError)


def decoder(transport: str) -> Callable[[bytes], bytes]:
    """Return the decoder of a connection with this compression."""
    if transport == "zlib-stream":
        return zlib.decompressobj().decompress
    if transport == "zstd-stream":
        return zstandard.ZstdDecompressor().decompressobj().decompress
    return bytes


class Listener:
    """A client that resumes on any instance, and identifies again only after INVALID_SESSION."""

    def __init__(
        self,
        instances: list[Instance],
        token: str,
        history: History,
        *,
        transport: str = "",
        first: Instance | None = None,
    ) -> None:
        """With `first`, its first connection is to this instance; the others are to any."""
        self._instances = instances
        self._first = first
        self._token = token
        self._counts = history.counts
        self._transport = transport
        self.epochs: list[Epoch] = []
        history.epochs.append(self.epochs)
        self._session_id: str | None = None
        self._socket: ClientConnection | None = None
        self.interactions: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        """What a bot has received and not answered yet."""
        self.is_ready = False
        """Whether it has a session and is connected."""

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            candidates = self._instances if self._first is None else [self._first]
            up = [each for each in candidates if each.can_be_asked]
            if up:
                self._first = None
                with contextlib.suppress(*_CONNECTION_ERRORS):
                    url = f"ws://127.0.0.1:{random.choice(up).port}/gateway"
                    query = f"?compress={self._transport}" if self._transport else ""
                    async with connect(
                        url + query, max_size=None, compression=None
                    ) as self._socket:
                        await self._serve(self._socket)
                if self.is_ready:
                    self.is_ready = False
                    self._counts["lost sockets"] += 1
            await asyncio.sleep(RETRY_S)

    def is_connected_to(self, instance: Instance) -> bool:
        """Whether it is connected to this instance now."""
        return self._socket is not None and self._socket.remote_address[1] == instance.port

    async def cut(self) -> None:
        """Abort the connection without a close frame."""
        if self._socket is not None:
            self._counts["cuts"] += 1
            self._socket.transport.abort()

    async def _serve(self, connection: ClientConnection) -> None:
        decode = decoder(self._transport)
        await self._authenticate(connection)
        async for frame in connection:
            data = frame.encode() if isinstance(frame, str) else decode(frame)
            payload = orjson.loads(data)
            match payload["op"]:
                case 0:
                    self._on_dispatch(payload)
                case 7:
                    return
                case 9:
                    self._counts["invalidated sessions"] += 1
                    if self.epochs:
                        self.epochs[-1].invalidated_at = time.monotonic()
                    self._session_id = None
                    self.is_ready = False
                    await self._authenticate(connection)

    async def _authenticate(self, connection: ClientConnection) -> None:
        data: dict[str, Any] = {"token": self._token}
        if self._session_id is None:
            data |= {"properties": {}, "intents": 1 << 0 | 1 << 9 | 1 << 15}
        else:
            data |= {"session_id": self._session_id, "seq": self.epochs[-1].seq}
        payload = {"op": 2 if self._session_id is None else 6, "d": data}
        await connection.send(orjson.dumps(payload).decode())

    def _on_dispatch(self, payload: dict[str, Any]) -> None:
        name, data = payload["t"], payload["d"]
        if name == "READY":
            self._session_id = data["session_id"]
            self.epochs.append(Epoch(time.monotonic(), user_id=data["user"]["id"]))
            self._counts["sessions"] += 1
        epoch = self.epochs[-1]
        epoch.count(payload["s"])
        self.is_ready |= name in ("READY", "RESUMED")
        if name == "RESUMED":
            self._counts["resumes"] += 1
        elif name == "MESSAGE_CREATE":
            self._counts["deliveries"] += 1
            received = Received(int(data["id"]), data["channel_id"], data["content"])
            is_ephemeral = data["flags"] & 1 << 6
            (epoch.ephemeral if is_ephemeral else epoch.received).append(received)
        elif name == "INTERACTION_CREATE" and "token" in data:
            self.interactions.put_nowait(data)
