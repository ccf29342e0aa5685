"""Reading requests and writing answers."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncGenerator, Callable
from functools import cache
from typing import Any, Generic, TypeVar
from urllib.parse import unquote

import orjson
from aiohttp import HttpVersion11, web

from chatd.core.errors import (
    BrokenBody,
    InvalidForm,
    InvalidJson,
    RequestTimeout,
    RequestTooLarge,
)
from chatd.core.ids import parse_id
from chatd.wire.fields import Schema
from chatd.wire.payloads import encode

MAX_BODY = 2**20  # bytes
MAX_IMAGE_BODY = 3 * 2**20  # of a body that may hold an avatar or an icon
MAX_REASON = 512  # characters
MAX_USER_AGENT = 256
_BODY_S = 20.0
_SLOWEST = 2**14  # bytes a second, after that

T = TypeVar("T")


class Json(Generic[T]):
    """A JSON body of at most so many bytes, as what the schema loads into.

    `optional`: none at all stands for `{}`.
    """

    def __init__(
        self, schema: type[Schema[T]], *, optional: bool = False, most: int = MAX_BODY
    ) -> None:
        self._most = most
        self.media = {"application/json": schema}
        self.required = not optional
        self._schema = schema()

    async def read(self, request: web.Request) -> T:
        """The body. Raises InvalidForm, InvalidJson, RequestTooLarge, RequestTimeout."""
        if not self.required and not request.body_exists:
            return self._schema.read({})
        return self._schema.read(await read_json(request, self._most))


class JsonList(Generic[T]):
    """A JSON array of what the schema loads into, of at most so many."""

    required = True

    def __init__(self, schema: type[Schema[T]], *, longest: int) -> None:
        items = {"type": "array", "items": schema, "maxItems": longest}
        self.media = {"application/json": items}
        self._schema = schema()
        self._longest = longest

    async def read(self, request: web.Request) -> list[T]:
        """The body. Raises as that of `Json` does."""
        data = await read_json(request)
        if isinstance(data, list) and len(data) > self._longest:
            text = f"Must be {self._longest} or fewer in length."
            raise InvalidForm({"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": text}]})
        return self._schema.read_many(data)


async def read_json(request: web.Request, most: int = MAX_BODY) -> Any:
    """A JSON body of at most so many bytes. Raises as `Json.read` does."""
    if request.body_exists and request.content_type != "application/json":
        text = "Expected the Content-Type header to be application/json."
        raise InvalidForm({"_errors": [{"code": "CONTENT_TYPE_INVALID", "message": text}]})
    try:
        return orjson.loads(await _whole(request, most))
    except orjson.JSONDecodeError:
        raise InvalidJson from None


async def _whole(request: web.Request, most: int) -> bytes | bytearray:
    if request.content.is_eof() and (request.content_length or 0) <= most:
        return request.content.read_nowait()  # it came along with the head, as small ones do
    data = bytearray()
    async for chunk in arriving(request, most=most):
        data += chunk
    return data


async def expecting(request: web.Request) -> None:
    """Ask for the body of a client that waits to be asked; nothing else can be expected here.

    aiohttp's own refuses the rest, but not in our shape, and fails where it is no text. Rule:
    RFC 9110, section 10.1.1.
    """
    is_waiting = request.headers.get("Expect", "").lower() == "100-continue"
    if is_waiting and request.version >= HttpVersion11 and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


async def arriving(request: web.Request, *, most: int) -> AsyncGenerator[bytes, None]:
    """The body, as it arrives. What counts is how long its sender takes for all of it.

    Raises RequestTooLarge beyond `most` bytes, RequestTimeout, BrokenBody.
    """
    if request.content_length is not None and request.content_length > most:
        raise RequestTooLarge  # before waiting for it
    clock = asyncio.get_running_loop().time
    received, waited_s = 0, 0.0
    while True:
        began = clock()
        try:
            async with asyncio.timeout(_BODY_S + received / _SLOWEST - waited_s):
                chunk = await request.content.readany()
        except TimeoutError:
            raise RequestTimeout from None
        except (web.RequestPayloadError, ConnectionError):  # perhaps nobody hears it
            raise BrokenBody from None
        waited_s += clock() - began
        if not chunk:
            return
        received += len(chunk)
        if received > most:
            raise RequestTooLarge
        yield chunk


def path_id(request: web.Request, kind: Callable[[int], T], name: str) -> T:
    """An id in the path. Raises InvalidForm when it is no snowflake."""
    return kind(_snowflake(name, request.match_info[name]))


def query(request: web.Request, schema: type[Schema[T]]) -> T:
    """The query as what the schema loads into; the first counts of what is given twice, unless
    it may be given several times.

    Raises InvalidForm.
    """
    made: Schema[T] = _made(schema)
    given = request.query
    several = made.lists & given.keys()
    return made.read({**given, **{name: given.getall(name) for name in several}})


@cache
def _made(schema: type[Schema[Any]]) -> Schema[Any]:
    return schema()


def user_agent(request: web.Request) -> str | None:
    """What the client calls itself, cut to what is kept of it; None when it does not say."""
    text = request.headers.get("User-Agent", "").encode("utf-8", "replace").decode()
    shown = "".join(each for each in text if unicodedata.category(each)[0] != "C")
    return shown.strip()[:MAX_USER_AGENT].strip() or None


def reason(request: web.Request) -> str | None:
    """The X-Audit-Log-Reason header, decoded. Raises InvalidForm when it is too long."""
    given = request.headers.get("X-Audit-Log-Reason")
    if not given:
        return None
    text = unquote(given, errors="replace").strip()
    text = text.replace("\0", "").encode("utf-8", "replace").decode()
    if len(text) > MAX_REASON:
        raise InvalidForm.of(
            "reason", "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_REASON} or fewer in length."
        )
    return text or None


def _snowflake(name: str, text: str) -> int:
    try:
        return parse_id(text)
    except ValueError:
        shown = text[:40]
        raise InvalidForm.of(
            name, "NUMBER_TYPE_COERCE", f'Value "{shown}" is not snowflake.'
        ) from None


def answer(payload: Any, *, status: int = 200) -> web.Response:
    """A JSON answer. Its content type has no charset: libraries compare the whole header."""
    return web.Response(
        body=encode(payload), status=status, headers={"Content-Type": "application/json"}
    )


def no_content() -> web.Response:
    """The answer that says only that it is done."""
    return web.Response(status=204)
