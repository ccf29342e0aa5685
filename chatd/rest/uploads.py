"""Reading messages that come with files (RFC 7578): each goes to storage as it comes in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import BodyPartReader, MultipartReader, web

from chatd.core.errors import InvalidForm, InvalidJson, RequestTimeout, RequestTooLarge
from chatd.rest.parse import MAX_BODY
from chatd.services.uploads import MAX_FILES, Uploads
from chatd.storage.storage import CHUNK

_FILE = re.compile(r"files\[([0-9]{1,9})\]|file([0-9]{0,9})", re.ASCII)
_CHUNK_S = 20.0  # for the next bytes to come
_MOST_PARTS = 64


@dataclass(frozen=True, slots=True)
class Form:
    """What came besides the files: the JSON of `payload_json`."""

    payload: Any


def is_form(request: web.Request) -> bool:
    """Whether a request comes as a form, with files in it."""
    return request.content_type == "multipart/form-data"


async def receive(request: web.Request, uploads: Uploads, *, max_bytes: int) -> Form:
    """Read a form: its files into `uploads`, of at most `max_bytes` each.

    Raises InvalidForm, InvalidJson, RequestTooLarge, RequestTimeout, TooManyAttachments, Busy.
    """
    announced = request.content_length
    if announced is not None and announced > MAX_FILES * max_bytes + MAX_BODY:
        raise RequestTooLarge  # before waiting for it
    payload: Any = {}
    try:
        reader = await request.multipart()
        for _ in range(_MOST_PARTS):
            async with asyncio.timeout(_CHUNK_S):
                part = await reader.next()
            if part is None:
                return Form(payload)
            if isinstance(part, MultipartReader):
                raise _malformed("Parts within parts are not read.")
            if part.name == "payload_json":
                payload = _json(await _whole(part))
            elif part.name is not None and (match := _FILE.fullmatch(part.name)):
                number = int(match[1] or match[2] or 0)
                if number in uploads.stored:
                    raise _malformed(f"There are two files of number {number}.")
                await uploads.store(number, part.filename or "unknown", _chunks(part))
            else:
                async for _ in _chunks(part):
                    pass
    except TimeoutError:
        raise RequestTimeout from None
    except (ValueError, web.HTTPBadRequest) as wrong:
        raise _malformed("Not a well formed multipart/form-data body.") from wrong
    raise _malformed("Too many parts.")


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    """The bytes of a part, gathered into chunks worth a write."""
    gathered = bytearray()
    while not part.at_eof():
        async with asyncio.timeout(_CHUNK_S):
            gathered += await part.read_chunk()
        if len(gathered) >= CHUNK:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


async def _whole(part: BodyPartReader) -> bytes:
    gathered = bytearray()
    async for chunk in _chunks(part):
        gathered += chunk
        if len(gathered) > MAX_BODY:
            raise RequestTooLarge
    return bytes(gathered)


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise InvalidJson from None


def _malformed(text: str) -> InvalidForm:
    return InvalidForm({"_errors": [{"code": "CONTENT_TYPE_INVALID", "message": text}]})
