"""Payloads of messages in responses, with what the caller may read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from aiohttp import web
from orjson import Fragment

from chatd.core.json import JsonObject
from chatd.core.models import Message, StoredText
from chatd.core.time_slices import TimeSlices
from chatd.services.access import privileged
from chatd.services.messages.search import SearchPage
from chatd.web.keys import CONTEXT
from chatd.wire import payloads


async def message(request: web.Request, found: Message) -> JsonObject:
    """Return the payload of a message."""
    [shown] = await privileged.shown(request[CONTEXT], [found])
    return payloads.message(shown)


async def page(request: web.Request, found: Sequence[Message | StoredText]) -> bytes:
    """Return the payloads of a page of messages, as an encoded array, in time slices."""
    others = [each for each in found if isinstance(each, Message)]
    shown = iter(await privileged.shown(request[CONTEXT], others) if others else ())
    encoded: list[bytes] = []
    slices = TimeSlices()
    for each in found:
        if isinstance(each, StoredText):
            encoded.append(payloads.encoded_stored_text(each))
        else:
            encoded.append(payloads.encode(payloads.message_to_encode(next(shown))))
            await slices.step()
    return payloads.joined_array(encoded)


async def pins(request: web.Request, found: Sequence[tuple[datetime, Message]]) -> bytes:
    """Return the payloads of messages with the times of their pins, as `page` does."""
    shown = await privileged.shown(request[CONTEXT], [message for _, message in found])
    times = (pinned_at for pinned_at, _ in found)
    return await payloads.encode_array(zip(times, shown, strict=True), lambda each: _pin(*each))


def _pin(pinned_at: datetime, message: Message) -> JsonObject:
    return {
        "pinned_at": payloads.timestamp(pinned_at),
        "message": payloads.message_to_encode(message),
    }


async def search_results(request: web.Request, found: SearchPage) -> JsonObject:
    """Return the payload of a page of search results, encoded in time slices."""
    shown = await privileged.shown(request[CONTEXT], found.messages)
    hits = Fragment(await payloads.encode_array(shown, payloads.search_hit))
    return payloads.search_results(hits, found.total, timed_out=found.timed_out)
