"""Uploads by reference: files that are sent before the message that will have them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from aiohttp import web

from chatd.core.errors import UnknownFile
from chatd.core.ids import ChannelId, UploadId, parse_id
from chatd.core.permissions import Permissions as P
from chatd.ratelimit.window import Limit
from chatd.rest.request import JsonBody, path_id, read_chunks
from chatd.rest.response import json_response, no_content
from chatd.rest.routing import AUTHENTICATED, PUBLIC, Routes
from chatd.services.media import links, reserved_uploads
from chatd.services.media.uploads import uploaded_filename
from chatd.storage.base import CHUNK_BYTES, in_blocks
from chatd.web.keys import CONTEXT, DEPENDENCIES, MESSAGE_SENDER, UPLOAD_BOUNDS
from chatd.wire import responses
from chatd.wire.schemas import query_strings
from chatd.wire.schemas import uploads as schemas

routes = Routes()

_MAX_URLS = 112 * 1024  # bytes; 50 links of 2 KiB


class _FileBody:
    """A file as the whole body. It is stored while it arrives."""

    media: Mapping[str, Any] = {"application/octet-stream": {}}
    required = False  # an empty file has no body
    max_bytes = 2**30
    """The largest value of UPLOAD_MAX_BYTES, which is the limit."""

    async def read(self, request: web.Request) -> AsyncGenerator[bytes, None]:
        """Return the chunks of the body. Reading them raises RequestTooLarge, RequestTimeout."""
        return read_chunks(request, max_bytes=request.app[UPLOAD_BOUNDS].file_bytes)


@routes.post(
    "/channels/{channel_id}/attachments",
    P.SEND_MESSAGES | P.ATTACH_FILES,
    limit=Limit(10, 10.0),
    body=JsonBody(schemas.NewUploadsSchema),
    answers=responses.RESERVED_UPLOADS,
)
async def reserve(request: web.Request, body: schemas.NewUploads) -> web.Response:
    """Get addresses to which files of a message can be uploaded before it is sent.

    PUT each file to its `upload_url` within an hour, then name the file in `attachments` of the
    message, with its `upload_filename` as `uploaded_filename`. A file is deleted after a day
    unless a message has it.
    """
    ctx, channel_id = request[CONTEXT], path_id(request, ChannelId, "channel_id")
    await request.app[MESSAGE_SENDER].require_upload(ctx, channel_id)
    bounds = request.app[UPLOAD_BOUNDS]
    reserved = await reserved_uploads.reserve(ctx, channel_id, body.files, bounds)
    urls = ctx.dependencies.signed_urls
    return json_response(
        {
            "attachments": [
                {
                    "id": None if wanted.id is None else str(wanted.id),
                    "upload_url": urls.upload_url(each.id),
                    "upload_filename": uploaded_filename(each.id, each.filename),
                }
                for wanted, each in zip(body.files, reserved, strict=True)
            ]
        }
    )


@routes.put(
    "/uploads/{upload}",
    PUBLIC,
    limit=Limit(20, 10.0),
    body=_FileBody(),
    query=query_strings.SignatureSchema,
    answers={200: None, 403: responses.ERROR},
)
async def store(
    request: web.Request, chunks: AsyncGenerator[bytes, None], signed: query_strings.Signature
) -> web.Response:
    """Upload a file. Needs the signed address of a reserved upload; each takes one file."""
    dependencies = request.app[DEPENDENCIES]
    path = f"/uploads/{request.match_info['upload']}"
    if not dependencies.signed_urls.is_valid(path, signed.expires, signed.made, signed.signature):
        raise UnknownFile
    upload_id = UploadId(parse_id(request.match_info["upload"]))
    async with aclosing(chunks), aclosing(in_blocks(chunks, CHUNK_BYTES)) as blocks:
        bounds = request.app[UPLOAD_BOUNDS]
        await reserved_uploads.store(dependencies, upload_id, blocks, bounds)
    return web.Response()


@routes.post(
    "/attachments/refresh-urls",
    AUTHENTICATED,
    limit=Limit(20, 10.0),
    body=JsonBody(schemas.AttachmentUrlsSchema, max_bytes=_MAX_URLS),
    answers=responses.REFRESHED_URLS,
)
async def refresh_urls(request: web.Request, body: schemas.AttachmentUrls) -> web.Response:
    """Get valid links for links to attachments, which may have expired.

    A link is returned as it is if the caller may not read the message of the file. Clients of
    Spacebar on a page of another site get texts instead of objects, because they expect these.
    """
    refreshed = await links.refresh(request[CONTEXT], body.attachment_urls)
    if _is_of_spacebar(request):
        return json_response({"refreshed_urls": refreshed})
    pairs = zip(body.attachment_urls, refreshed, strict=True)
    return json_response(
        {"refreshed_urls": [{"original": old, "refreshed": new} for old, new in pairs]}
    )


def _is_of_spacebar(request: web.Request) -> bool:
    """Return whether a page sends the request, without the header that Discord's clients have."""
    return "Origin" in request.headers and "X-Super-Properties" not in request.headers


@routes.delete("/attachments/{uploaded_filename}", AUTHENTICATED, answers=None)
async def delete(request: web.Request) -> web.Response:
    """Delete an upload of the caller that no message has used."""
    await reserved_uploads.delete(request[CONTEXT], request.match_info["uploaded_filename"])
    return no_content()
