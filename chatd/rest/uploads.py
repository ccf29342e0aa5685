"""Reading messages that come with files (RFC 7578): each goes to storage as it comes in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Generic, TypeVar

import orjson
from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http import HttpProcessingError

from chatd.core.errors import InvalidForm, InvalidJson, RequestTimeout, RequestTooLarge
from chatd.core.ids import ChannelId
from chatd.keys import CONTEXT, SENDER, UPLOAD_MAX_BYTES
from chatd.rest.parse import MAX_BODY, path_id, read_json
from chatd.services.uploads import MAX_FILES, Uploads
from chatd.storage.storage import CHUNK
from chatd.wire.fields import Schema

T = TypeVar("T")

_FILE = re.compile(r"files\[([0-9]{1,9})\]|file([0-9]{0,9})", re.ASCII)
_CHUNK_S = 20.0  # for the next bytes to come
_WHOLE_S = 600.0  # for the whole form
_MOST_PARTS = 64


class Incoming(Generic[T]):
    """A message on its way in; in its block it has been read, with its files stored.

    Files that no message has got when the block ends are deleted again.
    """

    def __init__(self, request: web.Request, schema: Schema[T]) -> None:
        self._request = request
        self._schema = schema
        self._channel_id = path_id(request, ChannelId, "channel_id")
        self._uploads = Uploads(
            request[CONTEXT], self._channel_id, max_bytes=request.app[UPLOAD_MAX_BYTES]
        )

    async def __aenter__(self) -> tuple[T, Uploads]:
        request = self._request
        if not is_form(request):
            return self._schema.read(await read_json(request)), self._uploads
        await request.app[SENDER].require_upload(request[CONTEXT], self._channel_id)
        try:
            async with asyncio.timeout(_WHOLE_S):
                payload = await _receive(request, self._uploads)
            return self._schema.read(payload), self._uploads
        except TimeoutError:
            await self._uploads.give_up()
            raise RequestTimeout from None
        except BaseException:
            await self._uploads.give_up()
            raise

    async def __aexit__(self, *_: object) -> None:
        await self._uploads.give_up()


class MessageBody(Generic[T]):
    """A message as JSON, or as a form with `payload_json` and `files[n]`."""

    required = True

    def __init__(self, schema: type[Schema[T]]) -> None:
        files = {f"files[{n}]": {"type": "string", "format": "binary"} for n in range(MAX_FILES)}
        form = {"type": "object", "properties": {"payload_json": {"type": "string"}, **files}}
        self.media = {"application/json": schema, "multipart/form-data": form}
        self._schema = schema()

    async def read(self, request: web.Request) -> Incoming[T]:
        """Nothing yet: who may not send is refused before files are read."""
        return Incoming(request, self._schema)


def is_form(request: web.Request) -> bool:
    """Whether a request comes as a form, with files in it."""
    return request.content_type == "multipart/form-data"


async def _receive(request: web.Request, uploads: Uploads) -> Any:
    """Read a form: its files into `uploads`; returns the JSON of `payload_json`.

    Raises InvalidForm, InvalidJson, RequestTooLarge, RequestTimeout, TooManyAttachments, Busy.
    """
    announced = request.content_length
    if announced is not None and announced > MAX_FILES * uploads.max_bytes + MAX_BODY:
        raise RequestTooLarge  # before waiting for it
    payload: Any = {}
    try:
        reader = await request.multipart()
        for _ in range(_MOST_PARTS):
            async with asyncio.timeout(_CHUNK_S):
                part = await reader.next()
            if part is None:
                return payload
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
    except (ValueError, HttpProcessingError, web.HTTPBadRequest) as wrong:
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
