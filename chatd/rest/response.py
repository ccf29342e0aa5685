"""Building responses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

from chatd.rest.response_heads import JSON, RESPONSE_HEADS
from chatd.web.http_server import LARGE_RESPONSE_BYTES, ImmediateResponse
from chatd.wire.payloads import encode, join_arrays

_BATCH = 50
"""Items that are encoded without a pause, so that a long array does not block the event loop."""

T = TypeVar("T")


class ShortResponse(ImmediateResponse):
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
        """Write the response, unless aiohttp has to make its head."""
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


async def json_array_response(found: Sequence[T], payload: Callable[[T], Any]) -> web.Response:
    """Return a JSON array, encoded in batches between which the event loop serves others."""
    if len(found) <= _BATCH:
        return json_response([payload(each) for each in found])
    parts = []
    for start in range(0, len(found), _BATCH):
        parts.append(encode([payload(each) for each in found[start : start + _BATCH]]))
        await asyncio.sleep(0)
    return encoded_json_response(join_arrays(parts))


async def sliced_json_array_response(
    found: Sequence[T], payload: Callable[[T], Any]
) -> web.Response:
    """Return a JSON array of large items; the event loop serves others after each of them."""
    parts = []
    for each in found:
        parts.append(encode(payload(each)))
        await asyncio.sleep(0)
    return encoded_json_response(b"[%b]" % b",".join(parts))


def encoded_json_response(body: bytes, *, status: int = 200) -> web.Response:
    """Return a response of JSON that is already encoded."""
    return JsonResponse(body, status=status)


def no_content() -> web.Response:
    """Return a response without a body, with status 204."""
    return NoContentResponse()
