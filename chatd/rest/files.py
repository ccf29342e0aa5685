"""Downloads: attachments by signed links, avatars and icons for everyone.

What users upload is never run: no type but images, sound and moving pictures is shown in place,
browsers are told to believe the type they are given, and a page that is opened all the same may
do nothing. Rule: OWASP, File Upload Cheat Sheet; RFC 9110, sections 13 and 14; RFC 6266.
"""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import aclosing
from urllib.parse import quote

from aiohttp import web
from aiohttp.helpers import content_disposition_header

from chatd.core.errors import Busy, UnknownFile
from chatd.core.ids import AttachmentId, ChannelId, parse_id
from chatd.core.models import StoredFile
from chatd.keys import RESOURCES
from chatd.queries import files
from chatd.rest.routes import ANYONE, Routes
from chatd.services import images, media
from chatd.storage.storage import NotStored, Span, StorageAway
from chatd.wire import shapes
from chatd.wire.schemas import queries

log = logging.getLogger(__name__)

routes = Routes()

_PART_S = 60.0  # how long a client may take for one part of a file
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)

_IN_PLACE = ("image/png", "image/jpeg", "image/gif", "image/webp", "audio/", "video/")
_HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Accept-Ranges": "bytes",
}
_FOR_ALL = "public, max-age=31536000, immutable"
_COLORS = ("#5865f2", "#747f8d", "#3ba55c", "#faa61a", "#ed4245", "#eb459f")
"""Of the default avatars, by their numbers."""


@routes.get(
    "/attachments/{channel}/{file}/{filename}",
    ANYONE,
    limit=None,
    query=queries.SignatureSchema,
    answers=shapes.FILE,
)
async def attachment(request: web.Request, signed: queries.Signature) -> web.StreamResponse:
    """Anyone with a link that is signed and has not expired, while the message is there."""
    resources = request.app[RESOURCES]
    path = "/attachments/{channel}/{file}/{filename}".format(**request.match_info)
    if not resources.links.is_valid(path, signed.expires, signed.made, signed.signature):
        raise UnknownFile
    channel_id = ChannelId(parse_id(request.match_info["channel"]))
    file_id = AttachmentId(parse_id(request.match_info["file"]))
    async with resources.database.cursor() as cur:
        found = await files.attachment(cur, channel_id, file_id)
    if found is None:
        raise UnknownFile
    shown = found.content_type.startswith(_IN_PLACE)
    headers = {
        "Content-Type": found.content_type,
        "Content-Disposition": content_disposition_header(
            "inline" if shown else "attachment", filename=found.filename
        ),
        "Cache-Control": "private, max-age=86400, immutable",
    }
    return await _serve(request, found, headers)


@routes.get("/avatars/{user}/{name}", ANYONE, limit=None, answers=shapes.FILE)
async def avatar(request: web.Request) -> web.StreamResponse:
    """The avatar of a user, by the hash that its user object has."""
    return await _image(request, "avatars", request.match_info["user"])


@routes.get("/icons/{guild}/{name}", ANYONE, limit=None, answers=shapes.FILE)
async def icon(request: web.Request) -> web.StreamResponse:
    """The icon of a guild, by the hash that its guild object has."""
    return await _image(request, "icons", request.match_info["guild"])


@routes.get("/embed/avatars/{name}", ANYONE, limit=None, answers=shapes.FILE)
async def default_avatar(request: web.Request) -> web.StreamResponse:
    """The avatar of those who have none."""
    number = request.match_info["name"].removesuffix(".png")
    if number not in map(str, range(len(_COLORS))):
        raise UnknownFile
    headers = {**_HARMLESS, "Content-Type": "image/png", "Cache-Control": _FOR_ALL}
    return web.Response(body=media.plain_picture(_COLORS[int(number)]), headers=headers)


async def _image(request: web.Request, folder: str, owner: str) -> web.StreamResponse:
    name = request.match_info["name"].partition(".")[0]
    storage = request.app[RESOURCES].storage
    try:
        key = images.key(folder, parse_id(owner), name)
        if not name.removeprefix("a_").isalnum() or not name.isascii():
            raise UnknownFile
        size = await storage.size(key)
        head = b"".join([chunk async for chunk in storage.read(key, Span(0, min(size, 4096)))])
    except (NotStored, ValueError):
        raise UnknownFile from None
    except StorageAway as away:
        raise Busy from away
    content_type = media.image_type(head)
    headers = {"Content-Type": content_type, "Cache-Control": _FOR_ALL}
    return await _serve(request, StoredFile(key, name, content_type, size), headers)


async def _serve(
    request: web.Request, file: StoredFile, headers: dict[str, str]
) -> web.StreamResponse:
    """Send a file, or the part of it that is asked for. A file never changes."""
    tag = web_tag(file)
    headers = {**_HARMLESS, **headers, "ETag": tag}
    if (
        tag in request.headers.get("If-None-Match", "")
        or request.headers.get("If-None-Match", "") == "*"
    ):
        return web.Response(status=304, headers=headers)
    span, status = _span(request, file, tag)
    if span is None:
        return web.Response(
            status=416, headers={**_HARMLESS, "Content-Range": f"bytes */{file.size}"}
        )
    if status == 206:
        headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{file.size}"
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = span.stop - span.start
    if request.method == "HEAD" or not response.content_length:
        await response.prepare(request)
        return response
    async with aclosing(request.app[RESOURCES].storage.read(file.key, span)) as parts:
        try:
            first = await anext(parts)
        except (NotStored, StopAsyncIteration):
            raise UnknownFile from None
        except StorageAway as away:
            raise Busy from away
        await response.prepare(request)
        try:
            await _write(response, first)
            async for part in parts:
                await _write(response, part)
            await response.write_eof()
        except ConnectionError:
            pass  # the client has left
        except (NotStored, StorageAway, TimeoutError) as broken:
            log.info("a download broke off: %s", type(broken).__name__)
            if request.transport is not None:  # the only way left to say that it is not whole
                request.transport.abort()
    return response


async def _write(response: web.StreamResponse, part: bytes) -> None:
    """Raises TimeoutError when the client does not take it: what it holds is wanted by others."""
    async with asyncio.timeout(_PART_S):
        await response.write(part)


def web_tag(file: StoredFile) -> str:
    """The entity tag of a file: its key, which never names another one."""
    return f'"{quote(file.key, safe="")}"'


def _span(request: web.Request, file: StoredFile, tag: str) -> tuple[Span | None, int]:
    """What of the file is asked for, and with which status it is sent; None when it has none."""
    whole = Span(0, file.size)
    if request.method != "GET" or request.headers.get("If-Range", tag) != tag:
        return whole, 200  # RFC 9110 section 14.2: it is GET that has ranges
    found = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if found is None or found.group(1, 2) == ("", ""):
        return whole, 200  # several ranges, or another unit: RFC 9110 lets us send everything
    first, last = found.group(1, 2)
    if not first:
        span = Span(max(file.size - int(last), 0), file.size)
    elif last and int(last) < int(first):
        return whole, 200
    else:
        span = Span(int(first), min(int(last) + 1, file.size) if last else file.size)
    return (span, 206) if span.start < span.stop else (None, 416)
