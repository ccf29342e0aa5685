"""Reading messages that come with files (RFC 7578): each goes to storage as it comes in."""

from __future__ import annotations

import re
from contextlib import aclosing
from typing import Any, Generic, TypeVar

import orjson
from aiohttp import web

from chatd.core.errors import InvalidJson, RequestTooLarge
from chatd.core.ids import ChannelId
from chatd.keys import CONTEXT, SENDER, UPLOAD_MAX_BYTES
from chatd.rest import forms
from chatd.rest.forms import Part, malformed
from chatd.rest.parse import MAX_BODY, path_id, read_json
from chatd.services.uploads import MAX_FILES, Uploads
from chatd.storage.storage import CHUNK, in_blocks
from chatd.wire.fields import Schema

T = TypeVar("T")

_FILE = re.compile(r"files\[([0-9]{1,9})\]|file([0-9]{0,9})", re.ASCII)
_AROUND_PARTS = 2**16  # bytes of a form besides what its parts hold


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
            payload = await _receive(request, self._uploads)
            return self._schema.read(payload), self._uploads
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

    Raises BrokenBody, InvalidForm, InvalidJson, RequestTooLarge, RequestTimeout,
    TooManyAttachments, Busy.
    """
    most = MAX_FILES * uploads.max_bytes + MAX_BODY + _AROUND_PARTS
    payload: Any = {}
    async with aclosing(forms.parts(request, most=most)) as parts:
        async for part in parts:
            if part.name == "payload_json":
                payload = _json(await _whole(part))
            elif match := _FILE.fullmatch(part.name):
                number = int(match[1] or match[2] or 0)
                if number in uploads.stored:
                    raise malformed(f"There are two files of number {number}.")
                async with aclosing(in_blocks(part.chunks, CHUNK)) as chunks:
                    await uploads.store(number, part.filename or "unknown", chunks)
    return payload


async def _whole(part: Part) -> bytes:
    gathered = bytearray()
    async for chunk in part.chunks:
        gathered += chunk
        if len(gathered) > MAX_BODY:
            raise RequestTooLarge
    return bytes(gathered)


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise InvalidJson from None
