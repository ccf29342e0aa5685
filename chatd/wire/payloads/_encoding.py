"""Encoding of payloads to JSON, and the formats of ids and timestamps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

import orjson

from chatd.core.json import JsonObject
from chatd.core.time_slices import TimeSlices

T = TypeVar("T")


def encode(payload: Any) -> bytes:
    """Encode a payload as JSON. This cannot fail, because payloads contain JSON types only.

    The bytes are copied: those of orjson keep its whole buffer alive, 4 KiB for a payload of 150
    bytes, and encoded events are kept for minutes.
    """
    return bytes(memoryview(orjson.dumps(payload)))


def add_keys(body: bytes, more: JsonObject) -> bytes:
    """Add keys to an encoded object that has at least one key."""
    return b"%b,%b" % (body[:-1], orjson.dumps(more)[1:])


async def encode_array(items: Iterable[T], payload: Callable[[T], Any]) -> bytes:
    """Encode the payload of each item, in time slices. Return them as an encoded array."""
    encoded: list[bytes] = []
    slices = TimeSlices()
    for each in items:
        encoded.append(encode(payload(each)))
        await slices.step()
    return joined_array(encoded)


def joined_array(encoded: list[bytes]) -> bytes:
    """Join encoded items into an array. Several MB are copied once, since that takes long."""
    if not encoded:
        return b"[]"
    encoded[0] = b"[" + encoded[0]
    encoded[-1] += b"]"
    return b",".join(encoded)


def join_arrays(arrays: Iterable[bytes]) -> bytes:
    """Join encoded arrays, none of them empty, into one array."""
    return b"[%b]" % b",".join(array[1:-1] for array in arrays)


def timestamp(moment: datetime) -> str:
    """Format a time as Discord does: ISO 8601 with microseconds and offset."""
    return moment.isoformat(timespec="microseconds")


def timestamp_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)


def id_or_none(number: int | None) -> str | None:
    return None if number is None else str(number)
