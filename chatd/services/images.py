"""Avatars and icons: images that come as data URIs and are shown to everyone.

Rule: Discord docs, Reference, "Image Data".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import AsyncIterator

from chatd.context import Context, Work
from chatd.core.errors import Busy, InvalidForm
from chatd.core.ids import AttachmentId
from chatd.queries import files
from chatd.services import media
from chatd.storage.storage import StorageAway

MAX_IMAGE = 2 * 2**20
"""How large an avatar or an icon can be, in bytes."""

_DATA_URI = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,", re.ASCII)


async def store(ctx: Context, folder: str, owner_id: int, field: str, data_uri: str) -> str:
    """Store an image of a user or a guild; returns the hash by which clients ask for it.

    `folder` is "avatars" or "icons"; `field` is named when the image is refused. Unless a
    commit claims it by `replace`, it is deleted again. Raises InvalidForm, Busy.
    """
    data = _decoded(field, data_uri)
    try:
        animated = await media.check_image(data)
    except media.NoImage:
        raise InvalidForm.of(field, "IMAGE_INVALID", "Invalid image") from None
    # The hash is new each time: what is doomed is never wanted again.
    salt = str(ctx.new_id(AttachmentId)).encode()
    digest = hashlib.sha256(data + salt).hexdigest()[:32]
    name = f"a_{digest}" if animated else digest

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    async with ctx.database.cursor() as cur:
        await files.doom_unless_claimed(cur, key(folder, owner_id, name))
    try:
        await ctx.resources.storage.put(key(folder, owner_id, name), chunks())
    except StorageAway as away:
        raise Busy from away
    return name


async def replace(
    work: Work, folder: str, owner_id: int, *, old: str | None, new: str | None
) -> None:
    """With this work one image is shown no longer, and another from now on."""
    if old is not None:
        await files.doom(work.cur, key(folder, owner_id, old))
    if new is not None:
        await files.claim(work.cur, key(folder, owner_id, new))


def key(folder: str, owner_id: int, name: str) -> str:
    """Where an image is stored."""
    return f"{folder}/{owner_id}/{name}"


def _decoded(field: str, data_uri: str) -> bytes:
    match = _DATA_URI.match(data_uri)
    if match is None:
        text = "Not an image as data:image/png;base64,..."
        raise InvalidForm.of(field, "IMAGE_INVALID", text)
    try:
        data = base64.b64decode(data_uri[match.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise InvalidForm.of(field, "IMAGE_INVALID", "Not in base64") from None
    if len(data) > MAX_IMAGE:
        text = f"File cannot be larger than {MAX_IMAGE // 1024} kb."
        raise InvalidForm.of(field, "BINARY_TYPE_MAX_SIZE", text)
    return data
