"""Responses with the content of a stored file: caching, ranges, and names for downloads.

Rule: RFC 9110, sections 13 and 14; RFC 6266; OWASP, File Upload Cheat Sheet.
"""

from __future__ import annotations

import asyncio
import logging
import re
import unicodedata
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final
from urllib.parse import quote

from aiohttp import web

from chatd.core.errors import ServiceUnavailable, UnknownFile
from chatd.core.models import StoredFile
from chatd.storage.base import Span, StorageUnavailable, StoredFileMissing
from chatd.web.keys import DEPENDENCIES

log = logging.getLogger(__name__)

SAFE_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Accept-Ranges": "bytes",
}
"""Headers of every file: browsers must trust the media type, and a page that is opened all the same
can load and run nothing."""

_CHUNK_TIMEOUT_S = 60.0  # for the client to accept one chunk; a slower one holds memory
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)

_NOT_PLAIN = re.compile(r"[^ !#$&()+,\-.0-9=@A-Z\[\]^_`a-z{}~]")
_ATTR_CHARS = "!#$&+-.^_`|~"  # in addition to letters and digits: RFC 8187, section 3.2.1
_ASCII_NAMES = {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}


async def file_response(
    request: web.Request, file: StoredFile, headers: dict[str, str]
) -> web.StreamResponse:
    """Send a file, or the range of it that is requested. A file never changes.

    Raises UnknownFile, ServiceUnavailable.
    """
    tag = entity_tag(file)
    headers = {**SAFE_HEADERS, **headers, "ETag": tag}
    none_match = request.headers.get("If-None-Match", "")
    if tag in none_match or none_match == "*":
        return web.Response(status=304, headers=headers)
    span, status = _requested_span(request, file, tag)
    if span is None:
        return web.Response(
            status=416, headers={**SAFE_HEADERS, "Content-Range": f"bytes */{file.size}"}
        )
    if status == 206:
        headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{file.size}"
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = span.stop - span.start
    if request.method == "HEAD" or not response.content_length:
        await response.prepare(request)
        return response
    async with aclosing(request.app[DEPENDENCIES].storage.read(file.key, span)) as chunks:
        try:
            first = await anext(chunks)
        except (StoredFileMissing, StopAsyncIteration):
            raise UnknownFile from None
        except StorageUnavailable as unavailable:
            raise ServiceUnavailable from unavailable
        await response.prepare(request)
        await _stream(request, response, first, chunks)
    return response


async def _stream(
    request: web.Request,
    response: web.StreamResponse,
    first: bytes,
    others: AsyncIterator[bytes],
) -> None:
    """Write the chunks of a file. Closes the connection if they cannot all be read or written."""
    try:
        await _write(response, first)
        async for chunk in others:
            await _write(response, chunk)
        await response.write_eof()
    except ConnectionError:
        pass  # the client has disconnected
    except (StoredFileMissing, StorageUnavailable, TimeoutError) as error:
        log.info("download aborted: %s", type(error).__name__)
        if request.transport is not None:  # the client must not take the part for the whole
            request.transport.abort()


async def _write(response: web.StreamResponse, chunk: bytes) -> None:
    """Write a chunk. Raises TimeoutError if the client does not accept it in time."""
    async with asyncio.timeout(_CHUNK_TIMEOUT_S):
        await response.write(chunk)


def content_disposition(kind: str, filename: str) -> str:
    """Return a Content-Disposition header with the name in UTF-8, and in ASCII for old clients.

    The ASCII name contains no percent sign, because some browsers decode what looks like
    percent-encoding. Rule: RFC 6266, section 4.3 and appendix D; RFC 8187.
    """
    letters = unicodedata.normalize("NFKD", filename)
    plain = "".join(each for each in letters if not unicodedata.combining(each))
    plain = "".join(_ASCII_NAMES.get(each, each) for each in plain)
    plain = _NOT_PLAIN.sub("_", plain)
    header = f'{kind}; filename="{plain}"'
    if plain != filename:
        header += f"; filename*=UTF-8''{quote(filename, safe=_ATTR_CHARS)}"
    return header


def entity_tag(file: StoredFile) -> str:
    """Return the ETag of a file: its key, which no other file ever gets."""
    return f'"{quote(file.key, safe="")}"'


def _requested_span(request: web.Request, file: StoredFile, tag: str) -> tuple[Span | None, int]:
    """Return the requested part of the file and its status; None if the file has no such part."""
    whole = Span(0, file.size)
    if request.method != "GET" or request.headers.get("If-Range", tag) != tag:
        return whole, 200  # RFC 9110 section 14.2: only GET has ranges
    found = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if found is None or found.group(1, 2) == ("", ""):
        return whole, 200  # RFC 9110 allows this for several ranges and for other units
    first, last = found.group(1, 2)
    if not first:
        span = Span(max(file.size - int(last), 0), file.size)
    elif last and int(last) < int(first):
        return whole, 200
    else:
        span = Span(int(first), min(int(last) + 1, file.size) if last else file.size)
    return (span, 206) if span.start < span.stop else (None, 416)
