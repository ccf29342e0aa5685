"""Building responses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from aiohttp import hdrs, web

from chatd.wire.payloads import encode, join_arrays

_BATCH = 50
"""Items that are encoded without a pause, so that a long array does not block the event loop."""

T = TypeVar("T")


def json_response(payload: Any, *, status: int = 200) -> web.Response:
    """Return a JSON response. Its media type has no charset: libraries compare the whole header."""
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
    return web.Response(body=body, status=status, headers={hdrs.CONTENT_TYPE: "application/json"})


def no_content() -> web.Response:
    """Return a response without a body, with status 204."""
    return web.Response(status=204)
