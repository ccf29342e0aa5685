"""A client that listens, and comes back whatever happens to its connection."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from tests.history.record import Epoch, History
from tests.instances import Instance

RETRY_S = 0.05
_GONE = (WebSocketException, InvalidHandshake, OSError, TimeoutError, EOFError)


class Listener:
    """A client that resumes wherever it can, and identifies anew only when it is told to."""

    def __init__(self, instances: list[Instance], token: str, history: History) -> None:
        self._instances = instances
        self._token = token
        self._counts = history.counts
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
                    async with connect(url, max_size=None, compression=None) as self._socket:
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
        await self._introduce(connection)
        async for frame in connection:
            payload = orjson.loads(frame)
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
        assert payload["s"] == epoch.seq + 1, "the numbers have a hole"
        epoch.seq += 1
        self.is_in |= name in ("READY", "RESUMED")
        if name == "RESUMED":
            self._counts["resumes"] += 1
        elif name == "MESSAGE_CREATE":
            self._counts["deliveries"] += 1
            epoch.heard.append((data["channel_id"], int(data["id"])))
