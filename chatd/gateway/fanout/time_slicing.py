"""Building and encoding what is large in time slices, so that other tasks can run in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import orjson

from chatd.core.json import JsonObject
from chatd.core.time_slices import run_in_slices
from chatd.gateway.fanout.visibility import Visibility
from chatd.services.guild_snapshot import GuildOutline
from chatd.wire import payloads

T = TypeVar("T")


async def build_visibility(outline: GuildOutline) -> Visibility:
    """Build the visibility of a guild that was read from Postgres."""
    visibility = Visibility(outline.guild.id, outline.guild.owner_id)
    await run_in_slices(visibility.load(outline))
    return visibility


async def encode_each(
    items: Iterable[T], payload: Callable[[T], JsonObject]
) -> list[orjson.Fragment]:
    """Encode the payload of each item, to be a part of a larger JSON document."""
    encoded: list[orjson.Fragment] = []

    def encoding() -> Iterator[None]:
        for item in items:
            encoded.append(orjson.Fragment(payloads.encode(payload(item))))
            yield

    await run_in_slices(encoding())
    return encoded
