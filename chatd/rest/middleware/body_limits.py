"""Limits on bodies: checks of their headers, before the server waits for a body."""

from __future__ import annotations

from aiohttp import hdrs
from multidict import CIMultiDictProxy

from chatd.core.errors import RequestTooLarge, UnsupportedEncoding
from chatd.rest.request import FORM, media_type_in


def check_body_headers(headers: CIMultiDictProxy[str], max_bytes: int) -> None:
    """Refuse a body that is announced as compressed, or with more than `max_bytes` bytes.

    A form may be larger. Raises RequestTooLarge, UnsupportedEncoding.
    """
    length = headers.get(hdrs.CONTENT_LENGTH)  # aiohttp has refused all but digits
    if length is not None and int(length) > max_bytes and media_type_in(headers) != FORM:
        raise RequestTooLarge
    encodings = headers.getall(hdrs.CONTENT_ENCODING, ())
    if encodings and any(each.lower() not in ("", "identity") for each in encodings):
        raise UnsupportedEncoding
