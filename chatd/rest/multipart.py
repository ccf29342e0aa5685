"""Streaming parser for multipart/form-data.

Rule: RFC 7578.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote

from aiohttp import web
from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from chatd.core.errors import InvalidForm
from chatd.core.tracebacks import drop_tracebacks
from chatd.rest.request import read_chunks

_MAX_PARTS = 64  # a message has at most 10 files and its JSON; other fields are ignored
_EXTENDED = re.compile(r";\s*filename\*\s*=\s*utf-8'[\w-]*'([^\s;\"]*)", re.ASCII | re.IGNORECASE)
"""Rule: RFC 8187. RFC 7578 forbids it in forms, but some libraries send it."""
_ENCODINGS = ("", "binary", "8bit", "7bit")


@dataclass(frozen=True, slots=True)
class _Head:
    """The headers of a part."""

    name: str
    filename: str | None
    encoding: str


_Event: TypeAlias = _Head | bytes | None
"""None marks the end of a part."""


@dataclass(frozen=True, slots=True)
class FormPart:
    """A part of a form. Read its `chunks` to the end before the next part."""

    name: str
    filename: str | None
    chunks: AsyncGenerator[bytes, None]


async def parts(request: web.Request, *, max_bytes: int) -> AsyncGenerator[FormPart, None]:
    """Yield the parts of a form of at most `max_bytes` bytes, in the order of the body.

    Raises MalformedBody, InvalidForm, RequestTooLarge, RequestTimeout.
    """
    async with aclosing(_events(request, max_bytes)) as events:
        async for event in events:
            assert isinstance(event, _Head)
            _check_encoding(event)
            part = FormPart(event.name, event.filename, _until_end(events))
            yield part
            async for _ in part.chunks:
                pass  # skip the rest of a part that the consumer has not read


async def _until_end(events: AsyncGenerator[_Event, None]) -> AsyncGenerator[bytes, None]:
    async for event in events:
        if event is None:
            return
        assert isinstance(event, bytes)
        yield event


async def _events(request: web.Request, max_bytes: int) -> AsyncGenerator[_Event, None]:
    boundary = parse_options_header(request.headers.get("Content-Type", ""))[1].get("boundary")
    try:
        # RFC 2046 section 5.1.1: a boundary has at most 70 characters.
        parser = PushMultipartParser((boundary or "")[:70], max_segment_count=_MAX_PARTS)
        async with aclosing(read_chunks(request, max_bytes=max_bytes)) as chunks:
            async for chunk in chunks:
                for event in () if parser.closed else parser.parse(chunk):
                    yield _head(event) if isinstance(event, MultipartSegment) else event
        parser.close()
    except ParserLimitReached as error:
        drop_tracebacks(error)  # the parser keeps the exception, and its traceback the parser
        raise malformed("Too many parts, or a part has too many headers.") from None
    except MultipartError as error:
        drop_tracebacks(error)
        raise malformed("Not a well formed multipart/form-data body.") from None


def malformed(text: str) -> InvalidForm:
    """Return the error for a form that cannot be parsed."""
    return InvalidForm({"_errors": [{"code": "CONTENT_TYPE_INVALID", "message": text}]})


def _check_encoding(head: _Head) -> None:
    """Refuse other transfer encodings than identity: RFC 7578 section 4.7 deprecates them."""
    if head.encoding not in _ENCODINGS:
        raise malformed("Send parts as they are, without a Content-Transfer-Encoding.")


def _head(segment: MultipartSegment) -> _Head:
    header = segment.header("Content-Disposition", "")
    encoding = segment.header("Content-Transfer-Encoding", "").lower()
    return _Head(segment.name or "", _filename(header, segment.filename), encoding)


def _filename(header: str, name: str | None) -> str | None:
    """Return the name of a file. Many libraries percent-encode non-ASCII characters."""
    if extended := _EXTENDED.search(header):
        return unquote(extended[1], errors="replace")
    if name is None or not name.isascii():
        return name
    try:
        return unquote(name, errors="strict")
    except UnicodeDecodeError:
        return name
