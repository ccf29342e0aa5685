"""Downloads: attachments by signed links, and public avatars and icons.

Only images, audio and video are displayed by browsers; other types are always downloaded.
Rule: OWASP, File Upload Cheat Sheet.
"""

from __future__ import annotations

from string import ascii_letters, digits
from urllib.parse import quote

from aiohttp import web

from chatd.core.errors import UnknownFile
from chatd.core.ids import AttachmentId, ChannelId, parse_id
from chatd.rest.file_response import SAFE_HEADERS, content_disposition, file_response
from chatd.rest.routing import PUBLIC, Routes
from chatd.services.media import downloads, file_types
from chatd.web.keys import DEPENDENCIES
from chatd.wire import responses
from chatd.wire.schemas import query_strings

routes = Routes()

_DISPLAYED = ("image/png", "image/jpeg", "image/gif", "image/webp", "audio/", "video/")

# Shared caches may store images for a year: the address of an image contains its hash.
_PUBLIC_CACHE = "public, max-age=31536000, immutable"

# An attachment may be stored by its browser for a day, which is the lifetime of its signed link.
_PRIVATE_CACHE = "private, max-age=86400, immutable"

_REDIRECT = {"Cache-Control": "public, max-age=86400", "Referrer-Policy": "no-referrer"}
"""Headers of redirects to pictures elsewhere, whose servers need not know the page."""

_URL_CHARACTERS = ascii_letters + digits + "-._~:/?#[]@!$&'()*+,;=%"
"""The characters that a URL can have (RFC 3986, appendix A). Others are percent-encoded."""

_COLORS = ("#5865f2", "#747f8d", "#3ba55c", "#faa61a", "#ed4245", "#eb459f")
"""The colors of the default avatars, by number."""


@routes.get(
    "/attachments/{channel}/{file}/{filename}",
    PUBLIC,
    limit=None,
    query=query_strings.SignatureSchema,
    answers=responses.FILE,
)
async def attachment(request: web.Request, signed: query_strings.Signature) -> web.StreamResponse:
    """Download an attachment.

    Needs a signed link that has not expired. The file exists as long as its message.
    """
    dependencies = request.app[DEPENDENCIES]
    path = "/attachments/{channel}/{file}/{filename}".format(**request.match_info)
    if not dependencies.signed_urls.is_valid(path, signed.expires, signed.made, signed.signature):
        raise UnknownFile
    channel_id = ChannelId(parse_id(request.match_info["channel"]))
    file_id = AttachmentId(parse_id(request.match_info["file"]))
    found = await downloads.attachment(dependencies, channel_id, file_id)
    kind = "inline" if found.content_type.startswith(_DISPLAYED) else "attachment"
    headers = {
        "Content-Type": found.content_type,
        "Content-Disposition": content_disposition(kind, found.filename),
        "Cache-Control": _PRIVATE_CACHE,
    }
    return await file_response(request, found, headers)


@routes.get("/avatars/{user}/{name}", PUBLIC, limit=None, answers={**responses.FILE, 302: None})
async def avatar(request: web.Request) -> web.StreamResponse:
    """Download the avatar of a user or a webhook, by the hash in the user object.

    The answer for a picture that a message of a webhook names by its URL is a redirect to it.
    """
    try:
        return await _image(request, "avatars", "user")
    except UnknownFile:
        if request.headers.get("Sec-Fetch-Mode") == "navigate":
            raise  # links to this server must not lead a person to another one
        url = await downloads.named_avatar(request.app[DEPENDENCIES], *_image_key(request, "user"))
    headers = {**SAFE_HEADERS, **_REDIRECT, "Location": quote(url, safe=_URL_CHARACTERS)}
    return web.Response(status=302, headers=headers)


@routes.get("/icons/{guild}/{name}", PUBLIC, limit=None, answers=responses.FILE)
async def icon(request: web.Request) -> web.StreamResponse:
    """Download the icon of a guild, by the hash in the guild object."""
    return await _image(request, "icons", "guild")


@routes.get("/app-icons/{application}/{name}", PUBLIC, limit=None, answers=responses.FILE)
async def application_icon(request: web.Request) -> web.StreamResponse:
    """Download the icon of an application, by the hash in the application object."""
    return await _image(request, "app-icons", "application")


@routes.get("/embed/avatars/{name}", PUBLIC, limit=None, answers=responses.FILE)
async def default_avatar(request: web.Request) -> web.StreamResponse:
    """Download a default avatar, for users without an avatar."""
    number = request.match_info["name"].removesuffix(".png")
    if number not in map(str, range(len(_COLORS))):
        raise UnknownFile
    headers = {**SAFE_HEADERS, "Content-Type": "image/png", "Cache-Control": _PUBLIC_CACHE}
    return web.Response(body=file_types.solid_color_png(_COLORS[int(number)]), headers=headers)


async def _image(request: web.Request, folder: str, owner: str) -> web.StreamResponse:
    owner_id, name = _image_key(request, owner)
    found = await downloads.image(request.app[DEPENDENCIES], folder, owner_id, name)
    headers = {"Content-Type": found.content_type, "Cache-Control": _PUBLIC_CACHE}
    return await file_response(request, found, headers)


def _image_key(request: web.Request, owner: str) -> tuple[int, str]:
    """Return the owner and the hash of the image in the path. Raises UnknownFile."""
    try:
        owner_id = parse_id(request.match_info[owner])
    except ValueError:
        raise UnknownFile from None
    return owner_id, request.match_info["name"].partition(".")[0]
