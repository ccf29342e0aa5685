"""A client of the gateway, which checks that the dispatches are numbered without gaps."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import orjson
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

TIMEOUT_S = 60.0  # for what takes milliseconds on a machine that does nothing else


@dataclass(frozen=True)
class Dispatched:
    """A dispatch as a client received it: event name, sequence number and body."""

    t: str
    s: int
    d: Any


class Client:
    """A gateway client. It uses another WebSocket library than the server does."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._received: deque[Dispatched] = deque()
        self._others: deque[dict[str, Any]] = deque()
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())
        self.close_code: int | None = None
        self.ready: dict[str, Any] = {}
        self.seq = 0

    async def send(self, op: int, data: Any) -> None:
        """Send a payload."""
        await self._socket.send(orjson.dumps({"op": op, "d": data}).decode())

    async def send_raw(self, frame: str | bytes) -> None:
        """Send a frame without encoding it."""
        await self._socket.send(frame)

    async def send_raw_parts(self, parts: str | list[str]) -> None:
        """Send a message without encoding it, each part as a frame."""
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(parts)

    async def ping(self) -> None:
        """Send a ping without waiting for the pong."""
        await self._socket.ping()

    async def identify(self, token: str, **extra: Any) -> None:
        """Identify, and wait for READY and a GUILD_CREATE of each guild in it."""
        self.seq = 0
        await self.send(2, {"token": token, "properties": {}, **extra})
        self.ready = (await self.next("READY")).d
        missing = {guild["id"] for guild in self.ready["guilds"]}
        while missing:
            missing.discard((await self.next("GUILD_CREATE")).d["id"])

    async def next(self, name: str) -> Dispatched:
        """Return the next dispatch of this name; drop those before it."""
        return await self.next_of(name)

    async def next_of(self, *names: str) -> Dispatched:
        """Return the next dispatch of one of these names; drop those before it."""
        async with asyncio.timeout(TIMEOUT_S), self._news:
            while True:
                if (found := self._passed(names)) is not None:
                    return found
                await self._wait(f"waiting for {' or '.join(names)}")

    async def next_or_invalid_session(self, name: str, *, within_s: float) -> Dispatched | None:
        """Return the next dispatch of this name, or None if INVALID_SESSION (op 9) comes first."""
        async with asyncio.timeout(within_s), self._news:
            while True:
                if (found := self._passed([name])) is not None:
                    return found
                if any(payload["op"] == 9 for payload in self._others):
                    return None
                await self._wait(f"waiting for {name}, or op 9")

    def _passed(self, names: Collection[str]) -> Dispatched | None:
        while self._received:
            dispatched = self._received.popleft()
            if dispatched.t in names:
                return dispatched
        return None

    async def next_any(self) -> Dispatched:
        """Return the next dispatch of any name."""
        async with asyncio.timeout(TIMEOUT_S), self._news:
            while not self._received:
                await self._wait("waiting for anything")
            return self._received.popleft()

    async def next_op(self, op: int) -> dict[str, Any]:
        """Return the next payload of this opcode; drop other payloads that are no dispatches."""
        async with asyncio.timeout(TIMEOUT_S), self._news:
            while True:
                while self._others:
                    payload = self._others.popleft()
                    if payload["op"] == op:
                        return payload
                await self._wait(f"waiting for op {op}")

    def received(self, name: str) -> list[Dispatched]:
        """Return the dispatches of this name that have arrived and were not returned before."""
        found = [each for each in self._received if each.t == name]
        self._received.clear()
        return found

    def all_received(self) -> list[Dispatched]:
        """Return all dispatches that have arrived and were not returned before."""
        found = list(self._received)
        self._received.clear()
        return found

    async def received_before_fence(self) -> list[Dispatched]:
        """Return all dispatches that the server had sent when it acknowledged a heartbeat.

        The acknowledgment is a fence: what the server was going to send before it has arrived.
        """
        await self.send(1, None)
        await self.next_op(11)
        found = list(self._received)
        self._received.clear()
        return found

    async def closed(self) -> int | None:
        """Wait until the server closes the connection; return the close code."""
        async with asyncio.timeout(TIMEOUT_S):
            await self._reader
        return self.close_code

    @contextmanager
    def unread(self) -> Iterator[int]:
        """Read nothing from the socket within the block, which gets its file descriptor."""
        # That of uvloop has another base class.
        transport = cast(asyncio.ReadTransport, self._socket.transport)
        transport.pause_reading()
        try:
            yield transport.get_extra_info("socket").fileno()
        finally:
            transport.resume_reading()

    async def cut(self) -> None:
        """Abort the connection without a close frame."""
        self._socket.transport.abort()
        await self._reader

    async def leave(self) -> None:
        """Close the connection with a close frame."""
        await self._socket.close()
        await self._reader

    async def _wait(self, what: str) -> None:
        if self._reader.done():
            self._reader.result()
            raise AssertionError(f"closed with {self.close_code} while {what}")
        await self._news.wait()

    async def _read(self) -> None:
        try:
            async for frame in self._socket:
                payload = orjson.loads(frame)
                async with self._news:
                    if payload["op"] == 0:
                        self.seq += 1
                        assert payload["s"] == self.seq, "the numbers have a hole"
                        self._received.append(Dispatched(payload["t"], payload["s"], payload["d"]))
                    else:
                        self._others.append(payload)
                    self._news.notify_all()
        except ConnectionClosed:
            pass
        finally:
            self.close_code = self._socket.close_code
            async with self._news:
                self._news.notify_all()
