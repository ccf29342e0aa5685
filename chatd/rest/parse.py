"""Reading requests and writing answers."""

from __future__ import annotations

import asyncio
import logging
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import unquote

import orjson
from aiohttp import web
from aiohttp.web_exceptions import HTTPRequestEntityTooLarge

from chatd.core import addresses
from chatd.core.errors import InvalidForm, InvalidJson, RequestTimeout, RequestTooLarge
from chatd.core.ids import MAX_ID, parse_id
from chatd.keys import TRUSTED_PROXIES
from chatd.wire.fields import Schema
from chatd.wire.payloads import encode

log = logging.getLogger(__name__)

MAX_BODY = 2**20  # bytes
MAX_IMAGE_BODY = 3 * 2**20  # of a body that may hold an avatar or an icon
MAX_REASON = 512  # characters
MAX_USER_AGENT = 256  # characters
_BODY_S = 20.0

T = TypeVar("T")


async def body(request: web.Request, schema: type[Schema[T]], *, most: int = MAX_BODY) -> T:
    """The request's JSON body, of at most so many bytes, as what the schema loads into.

    Raises InvalidForm, InvalidJson, RequestTooLarge, RequestTimeout.
    """
    return schema().read(await _json(request, most))


async def body_list(request: web.Request, schema: type[Schema[T]], *, longest: int) -> list[T]:
    """The request's JSON array, of at most so many. Raises as `body` does."""
    data = await _json(request)
    if isinstance(data, list) and len(data) > longest:
        text = f"Must be {longest} or fewer in length."
        raise InvalidForm({"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": text}]})
    return schema().read_many(data)


async def optional_body(request: web.Request, schema: type[Schema[T]]) -> T:
    """The same, where no body at all stands for an empty object."""
    return schema().read(await _json(request) if request.body_exists else {})


async def _json(request: web.Request, most: int = MAX_BODY) -> Any:
    if request.body_exists and request.content_type != "application/json":
        text = "Expected the Content-Type header to be application/json."
        raise InvalidForm({"_errors": [{"code": "CONTENT_TYPE_INVALID", "message": text}]})
    if request.content_length is not None and request.content_length > most:
        raise RequestTooLarge  # before waiting for it
    try:
        async with asyncio.timeout(_BODY_S):
            data = await request.read()
    except HTTPRequestEntityTooLarge:
        raise RequestTooLarge from None
    except TimeoutError:
        raise RequestTimeout from None
    if len(data) > most:
        raise RequestTooLarge
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise InvalidJson from None


def path_id(request: web.Request, kind: Callable[[int], T], name: str) -> T:
    """An id in the path. Raises InvalidForm when it is no snowflake."""
    return kind(_snowflake(name, request.match_info[name]))


def query_id(request: web.Request, name: str) -> int | None:
    """An id in the query, None when it is not there. Raises InvalidForm."""
    text = request.query.get(name)
    return None if text is None else _snowflake(name, text)


def query_int(request: web.Request, name: str, default: int, *, low: int, high: int) -> int:
    """A number in the query. Raises InvalidForm when it is none, or out of range."""
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidForm.of(name, "NUMBER_TYPE_COERCE", f'Value "{text[:40]}" is not int.')
    if not low <= int(text) <= high:
        text = f"int value should be between {low} and {high}."
        raise InvalidForm.of(name, "NUMBER_TYPE_RANGE", text)
    return int(text)


def query_time(request: web.Request, name: str) -> datetime | None:
    """A time in the query, in ISO 8601; without an offset it is UTC. Raises InvalidForm."""
    text = request.query.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = "Could not parse as an ISO 8601 timestamp."
        raise InvalidForm.of(name, "DATE_TIME_TYPE_PARSE", message) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def query_flag(request: web.Request, name: str) -> bool:
    """A yes or no in the query; no when it is not there."""
    return request.query.get(name, "").lower() in ("true", "1")


def user_agent(request: web.Request) -> str | None:
    """What the client calls itself, cut to what is kept of it; None when it does not say."""
    text = request.headers.get("User-Agent", "").encode("utf-8", "replace").decode()
    shown = "".join(each for each in text if unicodedata.category(each)[0] != "C")
    return shown.strip()[:MAX_USER_AGENT].strip() or None


def reason(request: web.Request) -> str | None:
    """The X-Audit-Log-Reason header, decoded. Raises InvalidForm when it is too long."""
    text = unquote(request.headers.get("X-Audit-Log-Reason", ""), errors="replace").strip()
    text = text.replace("\0", "").encode("utf-8", "replace").decode()
    if len(text) > MAX_REASON:
        raise InvalidForm.of(
            "reason", "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_REASON} or fewer in length."
        )
    return text or None


def client_network(request: web.Request) -> str:
    """The network that the client is in, which stands for one client; see core/addresses."""
    forwarded_for = ",".join(request.headers.getall("X-Forwarded-For", ()))
    trusted = request.app[TRUSTED_PROXIES]
    if forwarded_for and not trusted:
        _tell_of_proxy(request.remote)
    return addresses.of_client(request.remote or "", forwarded_for, trusted)


@lru_cache(256)
def _tell_of_proxy(peer: str | None) -> None:
    if addresses.is_private(peer or ""):
        log.warning(
            "requests come through a proxy at %s, which TRUSTED_PROXIES does not name:"
            " all who use it count as one client",
            peer,
        )


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


NEWEST = MAX_ID
"""Above every id there will be."""
