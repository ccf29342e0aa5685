"""Payloads of messages in responses, with what the caller may read."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from chatd.core.json import JsonObject
from chatd.core.models import Message, StoredText
from chatd.services.access import privileged
from chatd.services.messages.search import SearchPage
from chatd.web.keys import CONTEXT
from chatd.wire import payloads


async def message(request: web.Request, found: Message) -> JsonObject:
    """Return the payload of a message."""
    [shown] = await privileged.shown(request[CONTEXT], [found])
    return payloads.message(shown)


async def messages(request: web.Request, found: Sequence[Message]) -> list[JsonObject]:
    """Return the payloads of messages."""
    return payloads.messages(await privileged.shown(request[CONTEXT], found))


async def page(request: web.Request, found: Sequence[Message | StoredText]) -> bytes:
    """Return the payloads of a page of a channel, as an encoded array."""
    others = [each for each in found if isinstance(each, Message)]
    shown = iter(await messages(request, others) if others else ())
    return b"[%b]" % b",".join(
        [
            payloads.encoded_stored_text(each)
            if isinstance(each, StoredText)
            else payloads.encode(next(shown))
            for each in found
        ]
    )


async def search_results(request: web.Request, found: SearchPage) -> JsonObject:
    """Return the payload of a page of search results."""
    shown = await privileged.shown(request[CONTEXT], found.messages)
    return payloads.search_results(shown, found.total, timed_out=found.timed_out)
