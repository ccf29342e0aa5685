"""Reading requests: bodies, path and query parameters, and headers."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import cache, lru_cache
from typing import Any, Generic, TypeVar
from urllib.parse import unquote

import msgspec
import orjson
from aiohttp import hdrs, web
from multidict import istr

from chatd.core.errors import (
    InvalidForm,
    InvalidJson,
    MalformedBody,
    RequestTimeout,
    RequestTooLarge,
)
from chatd.core.ids import parse_id
from chatd.rest import urlencoded
from chatd.rest.urlencoded import URLENCODED
from chatd.wire.base_schema import ArrayReader, Schema

FORM = "multipart/form-data"
"""The media type of forms that can contain files (RFC 7578)."""

MAX_BODY = 2**14
"""Bytes of a JSON body, unless its route declares more: a larger one costs more of the loop."""

MAX_IMAGE_BODY = 3 * 2**20
"""Bytes of a JSON body that may contain an avatar or an icon as a data URI."""

# A JSON body above this size is an image and little else, unless its route declares more values.
_LARGE_BYTES = 2**17

MAX_VALUES = 2**12
"""JSON values in a large body. Parsing 1,500,000 values in 3 MiB blocked the loop for 90 ms."""

_REASON = istr("X-Audit-Log-Reason")
MAX_REASON = 512  # characters; Discord's limit
_MAX_ENCODED = 12  # characters of the percent-encoded form of one character of four bytes
MAX_USER_AGENT = 256  # characters

# A body may take 20 s, plus the time that it needs at 16 KiB/s. A slower client is refused,
# because its connection and what it has sent occupy memory.
_BODY_TIMEOUT_S = 20.0
_MIN_BYTES_PER_S = 2**14

T = TypeVar("T")

_UNPARSED_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


class JsonBody(Generic[T]):
    """A JSON body of at most `max_bytes` bytes, loaded by the schema into a value.

    With `optional`, a request without a body means `{}`.
    """

    def __init__(
        self,
        schema: type[Schema[T]],
        *,
        optional: bool = False,
        max_bytes: int = MAX_BODY,
        max_values: int | None = None,
    ) -> None:
        self.max_bytes = max_bytes
        self.max_values = MAX_VALUES if max_values is None else max_values
        self.media: dict[str, Any] = {"application/json": schema}
        self.required = not optional
        self._schema = schema()

    async def read(self, request: web.Request) -> T:
        """Read the body. Raises InvalidForm, InvalidJson, RequestTooLarge, RequestTimeout."""
        if not self.required and not request.body_exists:
            return self._schema.read({})
        data = await read_json(request, self.max_bytes, max_values=self.max_values)
        return self._schema.read(data)


class PayloadBody(JsonBody[T]):
    """A JSON body, or a form (application/x-www-form-urlencoded) with the JSON in `payload`."""

    def __init__(self, schema: type[Schema[T]], *, max_bytes: int = MAX_BODY) -> None:
        super().__init__(schema, max_bytes=max_bytes)
        about = "The body as JSON."
        properties = {"payload": {"type": "string", "description": about}}
        form = {"type": "object", "required": ["payload"], "properties": properties}
        self.media[URLENCODED] = form

    async def read(self, request: web.Request) -> T:
        """Read the body. Raises the same errors as `JsonBody.read`."""
        if media_type(request) != URLENCODED:
            return await super().read(request)
        fields = dict(urlencoded.parse(await read_body(request, self.max_bytes)))
        return self._schema.read(parse_json(fields.get("payload", b"")))


class FormBody(Generic[T]):
    """A form without files (application/x-www-form-urlencoded), loaded by the schema."""

    required = True

    def __init__(self, schema: type[Schema[T]], *, max_bytes: int = MAX_BODY) -> None:
        self.max_bytes = max_bytes
        self.media: dict[str, Any] = {URLENCODED: schema}
        self._schema = schema()

    async def read(self, request: web.Request) -> T:
        """Read the form. Of a repeated field the first value counts.

        Raises InvalidForm, RequestTooLarge, RequestTimeout.
        """
        if media_type(request) != URLENCODED:
            text = f"Expected the Content-Type header to be {URLENCODED}."
            raise InvalidForm({"_errors": [{"code": "CONTENT_TYPE_INVALID", "message": text}]})
        fields: dict[str, str] = {}
        for name, value in urlencoded.parse(await read_body(request, self.max_bytes)):
            fields.setdefault(name, value.decode(errors="replace"))
        return self._schema.read(fields)


class JsonListBody(Generic[T]):
    """A JSON array of at most `max_items` elements, each loaded by the schema into a value.

    With `max_item_bytes`, elements can be large: each has up to that many bytes, and all together
    `max_values` JSON values. Elements are then parsed and loaded one by one, and the event loop
    runs between two of them.
    """

    required = True

    def __init__(
        self,
        schema: type[Schema[T]],
        *,
        max_items: int,
        max_bytes: int = MAX_BODY,
        max_item_bytes: int | None = None,
        max_values: int = MAX_VALUES,
    ) -> None:
        self.max_bytes = max_bytes
        self.max_items = max_items
        self.max_values = max_values
        self.is_sliced = max_item_bytes is not None
        self._max_item_bytes = max_item_bytes or max_bytes
        items = {"type": "array", "items": schema, "maxItems": max_items}
        self.media = {"application/json": items}
        self._schema = schema()

    async def read(self, request: web.Request) -> list[T]:
        """Read the body. Raises the same errors as `JsonBody.read`."""
        elements = self.reading(await _read_json_bytes(request, self.max_bytes))
        for _ in elements:
            if self.is_sliced:
                await asyncio.sleep(0)
        return elements.values

    def reading(self, sent: bytes | bytearray) -> ArrayReader[T]:
        """Return an iterator that loads an element in each step.

        Raises InvalidForm, InvalidJson; its last steps raise them for the elements.
        """
        if not self.is_sliced:
            return self._schema.reading(self._bounded(parse_json(sent, max_values=self.max_values)))
        if len(sent) > _LARGE_BYTES:
            _bound_values(sent, self.max_values)
        items = _split_array(sent)
        if items is None:  # broken JSON has another error than a wrong type
            self._parse_item(memoryview(sent))
        return self._schema.reading(self._bounded(items), self._parse_item)

    def _parse_item(self, item: memoryview) -> Any:
        if len(item) > self._max_item_bytes:
            text = f"An element may have {self._max_item_bytes} bytes."
            raise InvalidForm({"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": text}]})
        return _loads(item)

    def _bounded(self, data: Any) -> Any:
        if isinstance(data, list) and len(data) > self.max_items:
            text = f"Must be {self.max_items} or fewer in length."
            raise InvalidForm({"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": text}]})
        return data


async def read_json(request: web.Request, max_bytes: int, *, max_values: int = MAX_VALUES) -> Any:
    """Read a JSON body of at most `max_bytes` bytes; a large one has at most `max_values` values.

    Raises InvalidForm, InvalidJson, RequestTooLarge, RequestTimeout.
    """
    _require_json(request)
    arrived = arrived_body(request, max_bytes)
    data = await read_body(request, max_bytes) if arrived is None else arrived
    return parse_json(data, max_values=max_values)


async def _read_json_bytes(request: web.Request, max_bytes: int) -> bytes | bytearray:
    _require_json(request)
    return await read_body(request, max_bytes)


def _require_json(request: web.Request) -> None:
    """Raise InvalidForm if a body is announced as something else."""
    if request.body_exists and media_type(request) != "application/json":
        text = "Expected the Content-Type header to be application/json."
        raise InvalidForm({"_errors": [{"code": "CONTENT_TYPE_INVALID", "message": text}]})


def parse_json(data: bytes | bytearray, *, max_values: int = MAX_VALUES) -> Any:
    """Parse JSON. Raises InvalidJson, or InvalidForm if a large body contains many values."""
    if len(data) > _LARGE_BYTES:
        _bound_values(data, max_values)
    return _loads(data)


def _bound_values(data: bytes | bytearray, max_values: int) -> None:
    # Three calls of `count` take four times as long.
    marks = len(data) - len(data.translate(None, b",[{"))
    if marks > max_values:
        text = f"A body of this size may hold {max_values} values."
        raise InvalidForm({"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": text}]})


def _loads(data: bytes | bytearray | memoryview) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise InvalidJson from None


def _split_array(data: bytes | bytearray) -> list[memoryview] | None:
    """Return the elements of a JSON array, each unparsed; None for any other value.

    It takes a tenth of the time of parsing. Raises InvalidJson.
    """
    try:
        return [memoryview(each) for each in _UNPARSED_ARRAY.decode(data)]
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, RecursionError):
        raise InvalidJson from None


async def read_body(request: web.Request, max_bytes: int) -> bytes | bytearray:
    """Read a body of at most `max_bytes` bytes. Raises RequestTooLarge, RequestTimeout."""
    arrived = arrived_body(request, max_bytes)
    if arrived is not None:
        return arrived
    data = bytearray()
    async for chunk in read_chunks(request, max_bytes=max_bytes):
        data += chunk
    return data


def arrived_body(request: web.Request, max_bytes: int) -> bytes | None:
    """Return a body that has arrived together with the head, as small ones do; otherwise None.

    Raises RequestTooLarge.
    """
    content = request.content
    if not content.is_eof():
        return None
    body = content.read_nowait()
    if len(body) > max_bytes:
        raise RequestTooLarge
    return body


def media_type(request: web.Request) -> str:
    """Return the media type of the body, in lower case and without parameters.

    aiohttp's `content_type` parses the header as that of an email: 8 kB of quotation marks take it
    0.8 s, and parentheses end in a RecursionError.
    """
    return media_type_in(request.headers)


def media_type_in(headers: Mapping[str, str]) -> str:
    """Return the media type of the body of a request with these headers, as `media_type`."""
    return _media_type(headers.get(hdrs.CONTENT_TYPE, ""))


@lru_cache(256)
def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def accepts_html(request: web.Request) -> bool:
    """Return whether the client asks for a page, as browsers do and libraries do not."""
    return "text/html" in request.headers.get("Accept", "").lower()


def is_form(request: web.Request) -> bool:
    """Return whether the body is a form (multipart/form-data), which may contain files."""
    return media_type_in(request.headers) == FORM


def may_be_large(request: web.Request) -> bool:
    """Return whether the body is JSON whose announced size is above `MAX_BODY`, or unknown.

    False for forms: `IncomingMessage` authorizes their senders, whatever the size.
    """
    length = request.content_length
    if length is not None and length <= MAX_BODY:
        return False
    return request.body_exists and not is_form(request)


async def read_chunks(request: web.Request, *, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """Yield the body as it arrives.

    The timeout counts only the time spent waiting for the sender, not the consumer's time.
    Raises RequestTooLarge beyond `max_bytes` bytes, RequestTimeout, MalformedBody.
    """
    if request.content_length is not None and request.content_length > max_bytes:
        raise RequestTooLarge  # without waiting for the body
    clock = asyncio.get_running_loop().time
    received, waited_s = 0, 0.0
    while True:
        began = clock()
        try:
            async with asyncio.timeout(_BODY_TIMEOUT_S + received / _MIN_BYTES_PER_S - waited_s):
                chunk = await request.content.readany()
        except TimeoutError:
            raise RequestTimeout from None
        except (web.RequestPayloadError, ConnectionError):  # the client may have disconnected
            raise MalformedBody from None
        waited_s += clock() - began
        if not chunk:
            return
        received += len(chunk)
        if received > max_bytes:
            raise RequestTooLarge
        yield chunk


def path_id(request: web.Request, kind: Callable[[int], T], name: str) -> T:
    """Return an id of the path. Raises InvalidForm if it is not a snowflake."""
    text = request.match_info[name]
    try:
        return kind(parse_id(text))
    except ValueError:
        shown = text[:40]
        raise InvalidForm.of(
            name, "NUMBER_TYPE_COERCE", f'Value "{shown}" is not snowflake.'
        ) from None


def read_query(request: web.Request, schema: type[Schema[T]]) -> T:
    """Return the query, loaded by the schema into a value.

    Of a repeated parameter the first value counts, unless the schema has an array for it.
    Raises InvalidForm.
    """
    loader: Schema[T] = _instance(schema)
    given = request.query
    plain = loader.read_plain({**given})
    if plain is not None:
        return plain
    repeated = loader.lists & given.keys()
    return loader.read({**given, **{name: given.getall(name) for name in repeated}})


@cache
def _instance(schema: type[Schema[Any]]) -> Schema[Any]:
    return schema()


def user_agent(request: web.Request) -> str | None:
    """Return the User-Agent without control characters, cut to `MAX_USER_AGENT`; None if empty."""
    given = request.headers.get("User-Agent", "")[: 2 * MAX_USER_AGENT]
    text = given.encode("utf-8", "replace").decode()
    shown = "".join(each for each in text if unicodedata.category(each)[0] != "C")
    return shown.strip()[:MAX_USER_AGENT].strip() or None


def audit_log_reason(headers: Mapping[str, str]) -> str | None:
    """Return the X-Audit-Log-Reason header, decoded. Raises InvalidForm if it is too long."""
    given = headers.get(_REASON)
    if not given:
        return None
    if len(given) > _MAX_ENCODED * MAX_REASON:
        raise _reason_too_long()
    text = unquote(given, errors="replace").strip()
    text = text.replace("\0", "").encode("utf-8", "replace").decode()
    if len(text) > MAX_REASON:
        raise _reason_too_long()
    return text or None


def _reason_too_long() -> InvalidForm:
    text = f"Must be {MAX_REASON} or fewer in length."
    return InvalidForm.of("reason", "BASE_TYPE_MAX_LENGTH", text)
