"""Building responses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

from chatd.core.time_slices import TimeSlices
from chatd.rest.response_heads import JSON, RESPONSE_HEADS
from chatd.web.http_server import LARGE_RESPONSE_BYTES
from chatd.wire.payloads import encode, encode_array

_WRITTEN_AT_ONCE = 2**18
"""Bytes of a body that are written without a pause, in 0.1 ms."""

T = TypeVar("T")


class ShortResponse(web.Response):
    """A response whose head is not made by aiohttp, unless something has added headers.

    The head is written together with the body. The client receives the same bytes.
    """

    _media_type: ClassVar[str | None]

    def __init__(self, body: bytes | None, status: int) -> None:
        # aiohttp's own constructor is not called: it takes longer than encoding a message.
        self._state = {}
        self._status = status
        self._body = body
        self._encoded = body or b""

    @cached_property
    def _headers(self) -> CIMultiDict[str]:  # type: ignore[override]
        """The headers, for what adds some and for aiohttp. Made when they are first used."""
        kind = self._media_type
        return CIMultiDict() if kind is None else CIMultiDict({hdrs.CONTENT_TYPE: kind})

    @cached_property
    def _reason(self) -> str:  # type: ignore[override]
        return HTTPStatus(self._status).phrase

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write the response, or only its head if aiohttp has to make it."""
        if not self.write_now(request):
            return await super().prepare(request)
        if request.protocol.writing_paused:
            await request.writer.drain()
        return None

    def write_now(self, request: web.BaseRequest) -> bool:
        """Write the response, unless aiohttp has to make its head; see `http_server.WriteNow`."""
        is_usual = (
            not self._eof_sent
            and self._payload_writer is None
            and "_headers" not in self.__dict__
            and self._keep_alive is None
            and self._cookies is None
            and not self._compression
            and not self._chunked
        )
        if not is_usual or not isinstance(request, web.Request):
            return False
        head = self._encoded_head(request)
        if head is None:
            return False
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        transport.write(head + self._encoded)
        self._keep_alive = self._eof_sent = True
        self._body_length = len(head) + len(self._encoded)
        return True

    def _encoded_head(self, request: web.Request) -> bytes | None:
        """Return the head; None if only aiohttp can assemble it."""
        raise NotImplementedError


class JsonResponse(ShortResponse):
    """A response of JSON that is already encoded."""

    _media_type = JSON

    def _encoded_head(self, request: web.Request) -> bytes | None:
        size = len(self._encoded)
        if size > LARGE_RESPONSE_BYTES:
            return None
        return request.app[RESPONSE_HEADS].encoded(request, self._status, size)

    async def write_eof(self, data: bytes = b"") -> None:
        """Write the body: a large one in parts, as fast as the client reads.

        Otherwise the transport would copy all of it at once, and move the rest after each write.
        """
        writer, body = self._payload_writer, self._encoded
        is_empty = self._must_be_empty_body or self._compressed_body is not None
        if writer is None or is_empty or len(body) <= _WRITTEN_AT_ONCE:
            await super().write_eof(data)
            return
        slices = TimeSlices()
        for start in range(0, len(body), _WRITTEN_AT_ONCE):
            await writer.write(body[start : start + _WRITTEN_AT_ONCE])
            await slices.step()
        await web.StreamResponse.write_eof(self)


class NoContentResponse(ShortResponse):
    """A response without a body."""

    _media_type = None

    def __init__(self) -> None:
        super().__init__(None, HTTPStatus.NO_CONTENT)

    def _encoded_head(self, request: web.Request) -> bytes | None:
        return request.app[RESPONSE_HEADS].encoded(request, HTTPStatus.NO_CONTENT, None)


def json_response(payload: Any, *, status: int = 200) -> web.Response:
    """Return a JSON response."""
    return encoded_json_response(encode(payload), status=status)


async def json_array_response(found: Iterable[T], payload: Callable[[T], Any]) -> web.Response:
    """Return a JSON array, encoded in time slices between which the event loop serves others."""
    return encoded_json_response(await encode_array(found, payload))


def encoded_json_response(body: bytes, *, status: int = 200) -> web.Response:
    """Return a response of JSON that is already encoded."""
    return JsonResponse(body, status=status)


def no_content() -> web.Response:
    """Return a response without a body, with status 204."""
    return NoContentResponse()
