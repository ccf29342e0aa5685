"""Payloads of messages in responses, with what the caller may read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web

from chatd.core.json import JsonObject
from chatd.core.models import Message, StoredText
from chatd.services.access import privileged
from chatd.services.messages.search import SearchPage
from chatd.web.keys import CONTEXT
from chatd.wire import payloads

_ENCODED_AT_ONCE = 512 * 1024
"""Bytes of messages that are encoded without a pause: 1 to 2 ms. Those of a page with long names
and descriptions of 1,000 files are 9 MB."""


async def message(request: web.Request, found: Message) -> JsonObject:
    """Return the payload of a message."""
    [shown] = await privileged.shown(request[CONTEXT], [found])
    return payloads.message(shown)


async def messages(request: web.Request, found: Sequence[Message]) -> list[JsonObject]:
    """Return the payloads of messages."""
    return payloads.messages(await privileged.shown(request[CONTEXT], found))


async def page(request: web.Request, found: Sequence[Message | StoredText]) -> bytes:
    """Return the payloads of a page of a channel, as an encoded array, in time slices."""
    others = [each for each in found if isinstance(each, Message)]
    shown = iter(await messages(request, others) if others else ())
    encoded: list[bytes] = []
    size = 0
    for each in found:
        if isinstance(each, StoredText):
            encoded.append(payloads.encoded_stored_text(each))
            continue
        encoded.append(payloads.encode(next(shown)))
        size += len(encoded[-1])
        if size >= _ENCODED_AT_ONCE:
            size = 0
            await asyncio.sleep(0)
    return b"[%b]" % b",".join(encoded)


async def search_results(request: web.Request, found: SearchPage) -> JsonObject:
    """Return the payload of a page of search results."""
    shown = await privileged.shown(request[CONTEXT], found.messages)
    return payloads.search_results(shown, found.total, timed_out=found.timed_out)
