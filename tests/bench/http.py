"""An HTTP/1.1 client on kept-alive connections. Requests are encoded once, so it costs little."""

from __future__ import annotations

import asyncio
import re
from types import TracebackType
from typing import Any, NamedTuple, cast

import orjson

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


class Answer(NamedTuple):
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Refused(Exception):
    """A request failed that had to succeed."""


def request(method: str, path: str, *, token: str = "", body: Any = None) -> bytes:
    """Return an encoded request, which can be sent many times."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if token:
        lines.append(f"Authorization: {token}")
    payload = b"" if body is None else orjson.dumps(body)
    if body is not None:
        lines.append("Content-Type: application/json")
    if method != "GET":
        lines.append(f"Content-Length: {len(payload)}")
    return "\r\n".join([*lines, "", ""]).encode() + payload


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._needed = 0
        self._waiter: asyncio.Future[Answer] | None = None

    @classmethod
    async def to(cls, port: int) -> Connection:
        """Connect to a server on this machine."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, "127.0.0.1", port)
        return connection

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed the connection."""
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def send(self, raw: bytes) -> asyncio.Future[Answer]:
        """Send a request of `request()`; return a future of the response."""
        assert self._transport is not None
        self._waiter = asyncio.get_running_loop().create_future()
        if self._transport.is_closing():
            self._waiter.set_exception(ConnectionError("the server has closed the connection"))
        else:
            self._transport.write(raw)
        return self._waiter

    async def well(self, raw: bytes) -> Answer:
        """Send a request that must succeed. Raises Refused."""
        answer = await self.send(raw)
        if not 200 <= answer.status < 300:
            first = raw.partition(b"\r\n")[0].decode()
            raise Refused(f"{first}: {answer.status} {answer.body[:300]!r}")
        return answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(
                exc or ConnectionError("the server has closed the connection")
            )

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        if not self._needed:
            end = received.find(_END)
            if end < 0:
                return
            length = _LENGTH.search(received, 0, end)
            if length is None and received[9:12] != b"204":
                if received.endswith(_LAST_CHUNK):  # JSON has no bare line breaks in it
                    self._answer(_joined(bytes(received[end + 4 :])))
                return
            self._needed = end + 4 + (int(length[1]) if length else 0)
        if len(received) >= self._needed:
            self._answer(bytes(received[received.find(_END) + 4 : self._needed]))

    def _answer(self, body: bytes) -> None:
        status = int(self._received[9:12])
        self._received.clear()
        self._needed = 0
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(Answer(status, body))


def _joined(chunked: bytes) -> bytes:
    """Decode a chunked body. Rule: RFC 9112, section 7.1."""
    body = b""
    while chunked:
        size, _, chunked = chunked.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        body += chunked[:length]
        chunked = chunked[length + 2 :]
    return body
