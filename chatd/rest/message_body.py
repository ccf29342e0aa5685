"""Reading messages with files (RFC 7578). Each file is stored while it arrives."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, Generic, NamedTuple, TypeVar

import orjson
from aiohttp import web

from chatd.context.context import Context
from chatd.core.errors import ApiError, RequestTooLarge, ServiceUnavailable
from chatd.core.ids import ChannelId
from chatd.core.unset import UNSET
from chatd.rest import multipart, urlencoded
from chatd.rest.multipart import FormPart, malformed
from chatd.rest.request import (
    FORM,
    arrived_body,
    is_form,
    media_type,
    parse_json,
    path_id,
    read_body,
    read_json,
)
from chatd.rest.urlencoded import URLENCODED
from chatd.services.media.uploads import MAX_FILES, PendingUploads
from chatd.storage.base import CHUNK_BYTES, in_blocks
from chatd.web.keys import CONTEXT, MESSAGE_SENDER, UPLOAD_BOUNDS
from chatd.wire.base_schema import Schema
from chatd.wire.fields import Nonce
from chatd.wire.schemas.messages import MESSAGE_MAX_LENGTH
from chatd.wire.text_fields import Text

T = TypeVar("T")

MAX_MESSAGE_BODY = 2**17
"""Bytes of a message as JSON: enough for ten embeds and ten descriptions in their longest form."""

_NO_NUL = {"pattern": r"^[^\u0000]*$"}
_FILE = re.compile(r"files\[([0-9]{1,9})\]|file([0-9]{0,9})", re.ASCII)
_FIRST_OTHER = 10**9
"""The number of the first file whose part has another name: above all that `_FILE` matches."""

_FORM_OVERHEAD = 2**16  # bytes of a form around the contents of its parts


class UploadTarget(NamedTuple):
    """The account that stores the files of a request, and the channel that they are for.

    A tuple, which is faster to create than a frozen dataclass: each message needs one.
    """

    ctx: Context
    channel_id: ChannelId
    takes_reserved: bool = True
    """Whether the message can have files that the account has uploaded before."""


_JSON = "application/json"

Authorize = Callable[[web.Request, Any], Awaitable[UploadTarget]]
"""Authorizes the sender of a message. Receives the request, and the body if that names the channel;
otherwise it is called before the body is read."""


async def authorize_in_channel(request: web.Request, _: Any) -> UploadTarget:
    """Require of the sender of a form that it may send files to the channel of the path.

    The service authorizes the senders of other bodies. Raises UnknownChannel, MissingAccess,
    MissingPermissions, NotATextChannel.
    """
    target = UploadTarget(request[CONTEXT], path_id(request, ChannelId, "channel_id"))
    if is_form(request):
        await request.app[MESSAGE_SENDER].require_upload(target.ctx, target.channel_id)
    return target


class IncomingMessage(Generic[T]):
    """A message of a request. Entering the context reads the message and stores its files.

    Files that do not belong to a message when the context exits are deleted again.
    """

    def __init__(
        self,
        request: web.Request,
        schema: Schema[T],
        authorize: Authorize,
        *,
        needs_payload: bool,
        payload: Any = UNSET,
    ) -> None:
        self._request = request
        self._schema = schema
        self._payload = payload  # the body as parsed JSON, if it has been read
        self._authorize = authorize
        self._needs_payload = needs_payload
        self._uploads: PendingUploads | None = None
        self._takes_reserved = True

    async def __aenter__(self) -> tuple[T, PendingUploads]:
        if not self._needs_payload:
            await self._uploads_for(None)
        try:
            payload = await self._read()
            message = self._schema.read(payload)
            uploads = await self._uploads_for(payload)
            listed = getattr(message, "attachments", None)
            if self._takes_reserved and listed is not UNSET and listed:
                await uploads.take_reserved(listed)
        except BaseException as error:
            await self.__aexit__(type(error), error, None)
            raise
        return message, uploads

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._uploads is not None:
            is_known = not isinstance(error, ServiceUnavailable)
            await self._uploads.discard_unclaimed(
                is_refused=isinstance(error, ApiError) and is_known
            )

    async def _read(self) -> Any:
        """Return the body as parsed JSON, after storing its files."""
        if self._payload is not UNSET:
            return self._payload
        kind = media_type(self._request)
        if kind == FORM:
            return await self._read_form()
        if kind == URLENCODED:
            return await self._read_urlencoded()
        return await read_json(self._request, MAX_MESSAGE_BODY)

    async def _uploads_for(self, payload: Any) -> PendingUploads:
        """Return the files of the request. The first call authorizes the sender."""
        if self._uploads is None:
            target = await self._authorize(self._request, payload)
            bounds = self._request.app[UPLOAD_BOUNDS]
            self._takes_reserved = target.takes_reserved
            self._uploads = PendingUploads(target.ctx, target.channel_id, bounds)
        return self._uploads

    async def _read_form(self) -> Any:
        """Store the files of a form; return its fields as a JSON body would have them.

        A body that names the channel has to come before the files.

        Raises MalformedBody, InvalidForm, InvalidJson, RequestTooLarge, RequestTimeout,
        TooManyAttachments, ServiceUnavailable.
        """
        file_bytes = self._request.app[UPLOAD_BOUNDS].file_bytes
        max_bytes = MAX_FILES * file_bytes + MAX_MESSAGE_BODY + _FORM_OVERHEAD
        payload: Any = {}
        fields: dict[str, Any] = {}
        left = MAX_MESSAGE_BODY  # bytes for all parts together that are not files
        others = 0  # files of parts with other names, which come after the numbered ones
        known = self._known_fields()
        async with aclosing(multipart.parts(self._request, max_bytes=max_bytes)) as parts:
            async for part in parts:
                is_field = part.name == "payload_json" or part.name in known
                if is_field and self._needs_payload and self._uploads is not None:
                    # The channel was authorized, and could be another one now.
                    raise malformed("Send the files after all other parts.")
                if part.name == "payload_json":
                    data = await _whole(part, left)
                    payload, left = parse_json(data), left - len(data)
                elif part.name in known:
                    data = await _whole(part, left)
                    fields[part.name], left = _field(known[part.name], data), left - len(data)
                elif match := _FILE.fullmatch(part.name):
                    number = int(match[1] or match[2] or 0)
                    await self._store(number, part, _merged(fields, payload))
                elif part.filename is not None:  # Discord takes files by any name
                    number = _FIRST_OTHER + others
                    others += 1
                    await self._store(number, part, _merged(fields, payload))
        return _merged(fields, payload)

    async def _read_urlencoded(self) -> Any:
        """Return the fields of a form without files as a JSON body would have them.

        Raises InvalidForm, InvalidJson, RequestTooLarge, RequestTimeout.
        """
        payload: Any = {}
        fields: dict[str, Any] = {}
        known = self._known_fields()
        for name, data in urlencoded.parse(await read_body(self._request, MAX_MESSAGE_BODY)):
            if name == "payload_json":
                payload = parse_json(data)
            elif name in known:
                fields[name] = _field(known[name], data)
        return _merged(fields, payload)

    def _known_fields(self) -> Mapping[str, object]:
        return {field.data_key or name: field for name, field in self._schema.fields.items()}

    async def _store(self, number: int, part: FormPart, payload: Any) -> None:
        uploads = await self._uploads_for(payload)
        if number in uploads.stored:
            raise malformed(f"There are two files of number {number}.")
        async with aclosing(in_blocks(part.chunks, CHUNK_BYTES)) as chunks:
            await uploads.store(number, part.filename or "unknown", chunks)


def _merged(fields: dict[str, Any], payload: Any) -> Any:
    return {**fields, **payload} if isinstance(payload, dict) else payload


class _MessageForms(Generic[T]):
    """A message as JSON, or as a form with its fields and `files[n]`.

    Files of other names work, too. The fields are parts, or keys of the JSON in `payload_json`.
    The JSON takes precedence. A form without files can be urlencoded, as aiohttp and curl send it.
    """

    required = True
    max_bytes = MAX_MESSAGE_BODY

    def __init__(
        self,
        schema: type[Schema[T]],
        *,
        authorize: Authorize = authorize_in_channel,
        needs_payload: bool = False,
        described: Any = None,
    ) -> None:
        """Read with this schema. `described` is the schema of the documentation, if it differs.

        With `needs_payload`, `authorize` receives the body.
        """
        self._schema = schema()
        has_text = "content" in self._schema.fields
        # OpenAPI 3.1, "Considerations for File Uploads": the media type of arbitrary bytes.
        file = {"contentMediaType": "application/octet-stream"}
        files = {f"files[{n}]": file for n in range(MAX_FILES)}
        text = {"type": "string", "maxLength": MESSAGE_MAX_LENGTH, **_NO_NUL}
        fields = {
            "payload_json": {
                "type": "string",
                "description": "The body as JSON; takes precedence over the other parts.",
            },
            **({"content": text} if has_text else {}),
        }
        form = {
            "type": "object",
            "description": "Fields of the JSON body can be parts: as JSON, or text fields as text.",
        }
        self.media = {
            _JSON: described or schema,
            FORM: {**form, "properties": {**fields, **files}},
            URLENCODED: {**form, "properties": fields},
        }
        self._authorize = authorize
        self._needs_payload = needs_payload

    def _incoming(self, request: web.Request, payload: Any = UNSET) -> IncomingMessage[T]:
        """Return the message of a request. `payload` is its body if that has been read as JSON."""
        return IncomingMessage(
            request,
            self._schema,
            self._authorize,
            needs_payload=self._needs_payload,
            payload=payload,
        )


class MessageBody(_MessageForms[T]):
    """A message that is read after its sender is authorized."""

    async def read(self, request: web.Request) -> IncomingMessage[T]:
        """Defer reading."""
        return self._incoming(request)


class PlainOrMessageBody(_MessageForms[T]):
    """A message as `MessageBody`. Most messages are only a text, and are read at once."""

    def __init__(self, schema: type[Schema[T]], read_plain: Callable[[Any], T | None]) -> None:
        """`read_plain` reads some bodies as the schema does, and returns None for all others."""
        super().__init__(schema)
        self._read_plain = read_plain

    async def read(self, request: web.Request) -> T | IncomingMessage[T]:
        """Return a message that is only a text; defer reading any other.

        Raises what reading a JSON body raises.
        """
        if media_type(request) != _JSON:
            return self._incoming(request)
        data: bytes | bytearray | None = arrived_body(request, MAX_MESSAGE_BODY)
        if data is None:
            data = await read_body(request, MAX_MESSAGE_BODY)
        payload = parse_json(data)
        plain = self._read_plain(payload)
        return self._incoming(request, payload) if plain is None else plain


def _field(kind: object, data: bytes) -> Any:
    """Return the value of a form field: text fields as text, other fields as parsed JSON.

    Text that is not JSON is returned as text, which the schema refuses. Rule: OpenAPI 3.1,
    "Encoding Object".
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise malformed("Send fields as UTF-8.") from None
    if isinstance(kind, Text | Nonce):
        return text
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return text


async def _whole(part: FormPart, max_bytes: int) -> bytes:
    gathered = bytearray()
    async for chunk in part.chunks:
        gathered += chunk
        if len(gathered) > max_bytes:
            raise RequestTooLarge
    return bytes(gathered)
