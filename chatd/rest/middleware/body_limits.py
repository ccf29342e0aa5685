"""Refusals of bodies by their headers, before anything waits for them."""

from __future__ import annotations

from aiohttp import hdrs, web

from chatd.core.errors import RequestTooLarge, UnsupportedEncoding
from chatd.rest.request import MAX_BODY, is_form
from chatd.web.keys import BODY_LIMITS


def check_body_headers(request: web.Request) -> None:
    """Refuse a body that is announced as too large or as compressed.

    Raises RequestTooLarge, UnsupportedEncoding.
    """
    length = request.content_length
    if length is not None and length > MAX_BODY and not is_form(request):
        max_bytes = request.app[BODY_LIMITS].get(request.match_info.handler, MAX_BODY)
        if length > max_bytes:
            raise RequestTooLarge
    encodings = request.headers.getall(hdrs.CONTENT_ENCODING, ())
    if encodings and any(each.lower() not in ("", "identity") for each in encodings):
        raise UnsupportedEncoding
