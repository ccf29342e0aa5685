"""WebSocket clients at little cost, for thousands of them: most only count frames."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from typing import Any, Protocol, cast

import orjson
import zstandard

_TIMEOUT_S = 60.0
_BUFFER = memoryview(bytearray(256 * 1024))  # shared, since each read is processed at once
_CLOSE, _PING = 8, 9

OnPayload = Callable[["Socket", bytes], None]


class _Decoder(Protocol):
    def decompress(self, data: bytes) -> bytes: ...


class FrameCounter:
    """Counts the frames of many sockets, and completes a future at a number."""

    def __init__(self) -> None:
        self.frames = 0
        self._goal = 0
        self._reached: asyncio.Future[None] | None = None

    def reach(self, goal: int) -> asyncio.Future[None]:
        """Return a future that completes when `frames` reaches this number."""
        self._goal = goal
        self._reached = asyncio.get_running_loop().create_future()
        self.add(0)
        return self._reached

    def add(self, frames: int) -> None:
        """Count more frames."""
        self.frames += frames
        if self._reached is not None and self.frames >= self._goal and not self._reached.done():
            self._reached.set_result(None)


class Socket(asyncio.BufferedProtocol):
    """One WebSocket.

    `on_payload` gets every decompressed payload; without it, frames are only counted.
    """

    def __init__(self, path: str, compress: str = "") -> None:
        query = f"&compress={compress}" if compress else ""
        self._hello = (
            f"GET {path}?v=10&encoding=json{query} HTTP/1.1\r\nHost: localhost\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode()
        self._decoder: _Decoder | None = None
        if compress == "zlib-stream":
            self._decoder = zlib.decompressobj()
        elif compress == "zstd-stream":
            self._decoder = zstandard.ZstdDecompressor().decompressobj()
        self._rest = b""
        self._skip = 0
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_payload: OnPayload | None = None
        self.on_lost: Callable[[], None] | None = None
        self.counter: FrameCounter | None = None
        self.frames = 0
        self.bytes = 0
        self._reads_on_demand = False
        self._is_paused = False

    async def open(self, port: int, source: str = "127.0.0.1") -> None:
        """Connect to a server on this machine, from a loopback address. Raises ConnectionError."""
        await asyncio.get_running_loop().create_connection(
            lambda: self, "127.0.0.1", port, local_addr=(source, 0)
        )
        async with asyncio.timeout(_TIMEOUT_S):
            await self.opened

    def send(self, payload: bytes) -> None:
        """Send a text frame. The mask is zero, which leaves the payload as it is."""
        self._write(0x81, payload)

    def abort(self) -> None:
        """Abort the connection."""
        if self._transport is not None:
            self._transport.abort()

    def only_count(self) -> None:
        """Count frames from now on, without reading them."""
        self.on_payload = None
        self._decoder = None

    def read_on_demand(self) -> None:
        """Read only after each `read_once` from now on; the kernel buffers what arrives.

        A read costs the generator as much for many frames as for one.
        """
        self._reads_on_demand = True
        self._pause()

    def read_once(self) -> None:
        """Read what has arrived, or else what arrives next."""
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()

    def _pause(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._is_paused = True
            self._transport.pause_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._hello)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(
                exc or ConnectionError("the server has closed the connection")
            )
        if self.on_lost is not None:
            self.on_lost()

    def get_buffer(self, sizehint: int) -> memoryview:
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        self.bytes += nbytes
        data: bytes | memoryview = _BUFFER[:nbytes]
        if self._rest:
            data = self._rest + bytes(data)
            self._rest = b""
        if not self.opened.done():
            data = bytes(data)
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._rest = data
                return
            if b" 101 " not in data[:16]:
                self.opened.set_exception(ConnectionError(repr(data[:100])))
                return
            self.opened.set_result(None)
            data = data[end + 4 :]
        before = self.frames
        self._take(data)
        if self.counter is not None:
            self.counter.add(self.frames - before)
        if self._reads_on_demand:
            self._pause()

    def _take(self, data: bytes | memoryview) -> None:
        """Count the frames in the data, and read those that are wanted.

        Rule: RFC 6455, section 5.2.
        """
        at, end = 0, len(data)
        if self._skip:
            at = min(self._skip, end)
            self._skip -= at
        while at + 2 <= end:
            size, start = data[at + 1], at + 2
            if size >= 126:
                start += 2 if size == 126 else 8
                if start > end:
                    break
                size = int.from_bytes(data[at + 2 : start], "big")
            kind = data[at] & 15
            if start + size > end and (self.on_payload is not None or kind >= _CLOSE):
                break
            if kind >= _CLOSE:
                self._control(kind, bytes(data[start : start + size]))
            else:
                self.frames += 1
                if self.on_payload is not None:
                    self.on_payload(self, self._unpacked(bytes(data[start : start + size])))
            at = start + size
        if at > end:
            self._skip = at - end
        elif at < end:
            self._rest = bytes(data[at:])

    def _unpacked(self, payload: bytes) -> bytes:
        return payload if self._decoder is None else self._decoder.decompress(payload)

    def _control(self, kind: int, payload: bytes) -> None:
        if kind == _PING:
            self._write(0x8A, payload)
        elif kind == _CLOSE and self._transport is not None:
            self._transport.close()

    def _write(self, head: int, payload: bytes) -> None:
        assert self._transport is not None
        size = len(payload)
        if size < 126:
            header = bytes([head, 0x80 | size])
        else:
            header = bytes([head, 0x80 | 126]) + size.to_bytes(2, "big")
        self._transport.write(header + b"\0\0\0\0" + payload)


class Session:
    """A gateway client on a socket."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.token = ""
        self.id = ""
        self.seq = 0
        self._awaited = ""
        self._guilds = 0
        self._done: asyncio.Future[None] | None = None
        socket.on_payload = self._payload
        socket.on_lost = self._lost

    async def identify(self, token: str, **wanted: int) -> None:
        """Identify, wait for READY and all guilds in it, and acknowledge them by a heartbeat.

        `wanted` are the intents of a bot, or the capabilities of a person's client.
        """
        self.token = token
        properties = {"os": "bench", "browser": "bench", "device": "bench"}
        data = {"token": token, "properties": properties, **wanted}
        await self._ask({"op": 2, "d": data}, "READY")
        self.socket.send(orjson.dumps({"op": 1, "d": self.seq}))

    async def resume(self, earlier: Session) -> None:
        """Resume, and wait for the end of the replay."""
        self.token, self.id, self.seq = earlier.token, earlier.id, earlier.seq
        data = {"token": self.token, "session_id": self.id, "seq": self.seq}
        await self._ask({"op": 6, "d": data}, "RESUMED")

    async def _ask(self, payload: Any, awaited: str) -> None:
        self._awaited = awaited
        self._done = asyncio.get_running_loop().create_future()
        self.socket.send(orjson.dumps(payload))
        async with asyncio.timeout(_TIMEOUT_S):
            await self._done

    def _payload(self, _: Socket, raw: bytes) -> None:
        payload = orjson.loads(raw)
        if payload["op"] == 9:
            self._end(ConnectionError("the session was refused"))
        if payload["op"] != 0:
            return
        self.seq = payload["s"]
        name, data = payload["t"], payload["d"]
        if name == "READY":
            self.id = data["session_id"]
            # Guilds that are not marked as unavailable came whole with READY itself.
            self._guilds = sum(bool(guild.get("unavailable")) for guild in data["guilds"])
        elif name == "GUILD_CREATE":
            self._guilds -= 1
        if name == self._awaited:
            self._awaited = ""
        if not self._awaited and self._guilds <= 0:
            self._end(None)

    def _lost(self) -> None:
        self._end(ConnectionError("the socket was closed"))

    def _end(self, error: Exception | None) -> None:
        if self._done is not None and not self._done.done():
            if error is None:
                self._done.set_result(None)
            else:
                self._done.set_exception(error)
