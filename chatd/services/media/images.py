"""Avatars and icons: public images that clients send as data URIs.

Rule: Discord docs, Reference, "Image Data".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.errors import InvalidForm, ServiceUnavailable
from chatd.core.ids import AttachmentId
from chatd.core.unset import UNSET, Unset
from chatd.queries import files
from chatd.services.media import file_types
from chatd.services.media.uploads import delete_now
from chatd.storage.base import StorageUnavailable

log = logging.getLogger(__name__)

MAX_IMAGE_BYTES = 2 * 2**20
"""Size of an avatar or icon, at most."""

_DATA_URI = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,", re.ASCII)


@asynccontextmanager
async def stored(
    ctx: Context, folder: str, owner_id: int, field: str, data_uri: str | Unset | None
) -> AsyncIterator[str | None]:
    """Yield the hash of an image that `store` has stored, or None without an image.

    Deletes the image if the block raises. Raises InvalidForm, ServiceUnavailable.
    """
    if data_uri is UNSET or data_uri is None:
        yield None
        return
    name = await store(ctx, folder, owner_id, field, data_uri)
    try:
        yield name
    except Exception:  # not a cancellation: then the commit may go on, and the janitor decides
        await ctx.dependencies.tasks.run_shielded(_delete(ctx, key(folder, owner_id, name)))
        raise


async def _delete(ctx: Context, file_key: str) -> None:
    """Delete an image, unless a commit has claimed it."""
    try:
        async with ctx.database.cursor() as cur:
            keys = await files.expire_reservation(cur, file_key)
        await delete_now(ctx.dependencies, keys)
    except ServiceUnavailable as error:
        log.info("unclaimed image left for the janitor: %s", error)


async def store(ctx: Context, folder: str, owner_id: int, field: str, data_uri: str) -> str:
    """Store an image of a user or guild, and return the hash by which clients request it.

    `folder` is "avatars" or "icons". `field` is the form field that errors name. The janitor
    deletes the image after a day, unless a commit claims it with `swap`. Raises InvalidForm,
    ServiceUnavailable.
    """
    data = _decoded(field, data_uri)
    try:
        data, animated = await file_types.check_image(ctx.dependencies.media_threads, data)
    except file_types.InvalidImage:
        raise InvalidForm.of(field, "IMAGE_INVALID", "Invalid image") from None
    # The salt makes each hash unique: a file with a pending deletion is never stored again.
    salt = str(ctx.new_id(AttachmentId)).encode()
    digest = hashlib.sha256(data + salt).hexdigest()[:32]
    name = f"a_{digest}" if animated else digest

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    async with ctx.database.cursor() as cur:
        await files.reserve(cur, key(folder, owner_id, name))
    try:
        await ctx.dependencies.storage.put(key(folder, owner_id, name), chunks())
    except StorageUnavailable as error:
        raise ServiceUnavailable from error
    return name


async def swap(
    work: UnitOfWork, folder: str, owner_id: int, *, old: str | None, new: str | None
) -> None:
    """Schedule the deletion of the old image and claim the new one, with the commit."""
    if old is not None:
        await files.schedule_deletion(work.cur, key(folder, owner_id, old))
    if new is not None:
        await files.claim(work.cur, key(folder, owner_id, new))


def key(folder: str, owner_id: int, name: str) -> str:
    """Return the storage key of an image."""
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
    if len(data) > MAX_IMAGE_BYTES:
        text = f"File cannot be larger than {MAX_IMAGE_BYTES // 1024} kb."
        raise InvalidForm.of(field, "BINARY_TYPE_MAX_SIZE", text)
    return data
