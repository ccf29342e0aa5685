"""Reading multipart/form-data as it arrives, part by part.

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
from chatd.rest.parse import arriving

_MAX_PARTS = 64
_EXTENDED = re.compile(r";\s*filename\*\s*=\s*utf-8'[\w-]*'([^\s;\"]*)", re.ASCII | re.IGNORECASE)
"""Rule: RFC 8187. RFC 7578 does away with it in forms; some libraries send it all the same."""
_ENCODINGS = ("", "binary", "8bit", "7bit")


@dataclass(frozen=True, slots=True)
class _Head:
    """What is said about a part before its bytes come."""

    name: str
    filename: str | None
    encoding: str


_Event: TypeAlias = _Head | bytes | None
"""None is the end of a part."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form. Its `chunks` are to be read to their end before the next part."""

    name: str
    filename: str | None
    chunks: AsyncGenerator[bytes, None]


async def parts(request: web.Request, *, most: int) -> AsyncGenerator[Part, None]:
    """The parts of a form of at most so many bytes, in the order in which they were sent.

    Raises BrokenBody, InvalidForm, RequestTooLarge, RequestTimeout.
    """
    async with aclosing(_events(request, most)) as events:
        async for event in events:
            assert isinstance(event, _Head)
            _check_encoding(event)
            part = Part(event.name, event.filename, _until_end(events))
            yield part
            async for _ in part.chunks:
                pass  # of a part that nobody wanted


async def _until_end(events: AsyncGenerator[_Event, None]) -> AsyncGenerator[bytes, None]:
    async for event in events:
        if event is None:
            return
        assert isinstance(event, bytes)
        yield event


async def _events(request: web.Request, most: int) -> AsyncGenerator[_Event, None]:
    boundary = parse_options_header(request.headers.get("Content-Type", ""))[1].get("boundary")
    try:
        # RFC 2046 section 5.1.1: a boundary has at most 70 characters.
        parser = PushMultipartParser((boundary or "")[:70], max_segment_count=_MAX_PARTS)
        async with aclosing(arriving(request, most=most)) as chunks:
            async for chunk in chunks:
                if not parser.closed:
                    for event in parser.parse(chunk):
                        yield _head(event) if isinstance(event, MultipartSegment) else event
        parser.close()
    except ParserLimitReached:
        raise malformed("Too many parts, or too much that is said of one.") from None
    except MultipartError:
        raise malformed("Not a well formed multipart/form-data body.") from None


def malformed(text: str) -> InvalidForm:
    """The refusal of a form that cannot be read."""
    return InvalidForm({"_errors": [{"code": "CONTENT_TYPE_INVALID", "message": text}]})


def _check_encoding(head: _Head) -> None:
    """Bytes come as they are: RFC 7578 section 4.7 has done away with other ways."""
    if head.encoding not in _ENCODINGS:
        raise malformed("Send parts as they are, without a Content-Transfer-Encoding.")


def _head(segment: MultipartSegment) -> _Head:
    told = segment.header("Content-Disposition", "")
    encoding = segment.header("Content-Transfer-Encoding", "").lower()
    return _Head(segment.name or "", _filename(told, segment.filename), encoding)


def _filename(told: str, name: str | None) -> str | None:
    """What the sender calls a file. Many libraries send other letters than ASCII in percents."""
    if extended := _EXTENDED.search(told):
        return unquote(extended[1], errors="replace")
    if name is None or not name.isascii():
        return name
    try:
        return unquote(name, errors="strict")
    except UnicodeDecodeError:
        return name
