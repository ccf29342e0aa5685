"""Encoding of payloads to JSON, and the formats of ids and timestamps."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from chatd.core.json import JsonObject


def encode(payload: Any) -> bytes:
    """Encode a payload as JSON. This cannot fail, because payloads contain JSON types only.

    The bytes are copied: those of orjson keep its whole buffer alive, 4 KiB for a payload of 150
    bytes, and encoded events are kept for minutes.
    """
    return bytes(memoryview(orjson.dumps(payload)))


def add_keys(body: bytes, more: JsonObject) -> bytes:
    """Add keys to an encoded object that has at least one key."""
    return b"%b,%b" % (body[:-1], orjson.dumps(more)[1:])


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
