"""Uploads by reference: a client sends a file first, and later a message that names it.

The address for a file is signed and expires after an hour. It needs no login, since clients send
files without one. Each address takes one file. The file is deleted after a day unless a message of
its owner in the same channel has it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.core.errors import RequestTooLarge, TooManyReservedUploads, UnknownFile
from chatd.core.ids import AttachmentId, ChannelId, UploadId
from chatd.queries import files, reserved_uploads
from chatd.queries.reserved_uploads import Reservation
from chatd.services.access import access
from chatd.services.media import file_types
from chatd.services.media.uploads import (
    UploadBounds,
    Uploader,
    delete_now,
    uploaded_id,
)
from chatd.wire.schemas.uploads import UploadInput

MAX_RESERVED = 100
"""Reserved uploads of one user that have neither expired nor been used."""


async def reserve(
    ctx: Context, channel_id: ChannelId, wanted: Sequence[UploadInput], bounds: UploadBounds
) -> list[Reservation]:
    """Reserve uploads for a message in a channel, to which the caller may send files.

    The permissions are checked again when a message has the files. Raises RequestTooLarge,
    TooMuchStored, TooManyReservedUploads.
    """
    if any(each.file_size > bounds.file_bytes for each in wanted):
        raise RequestTooLarge
    async with ctx.begin() as work:
        await work.ensure_and_lock(ctx.user.id)
        await access.require_account(work.cur, ctx.user.id)
        await Uploader(ctx.dependencies, ctx.user.id, bounds).require_storage(work.cur)
        if await reserved_uploads.count(work.cur, ctx.user.id) + len(wanted) > MAX_RESERVED:
            raise TooManyReservedUploads
        reserved = [
            Reservation(
                ctx.new_id(UploadId),
                ctx.user.id,
                channel_id,
                file_types.safe_name(each.filename),
                is_used=False,
            )
            for each in wanted
        ]
        for each in reserved:
            await reserved_uploads.insert(
                work.cur, each.id, each.owner_id, each.channel_id, each.filename
            )
    return reserved


async def store(
    dependencies: Dependencies,
    upload_id: UploadId,
    chunks: AsyncIterator[bytes],
    bounds: UploadBounds,
) -> None:
    """Store the file of an upload while it arrives.

    Raises UnknownFile if there is no such upload, or it has a file. Raises RequestTooLarge,
    TooMuchStored, ServiceUnavailable.
    """
    async with dependencies.database.cursor() as cur:
        reserved = await reserved_uploads.get(cur, upload_id)
    if reserved is None or reserved.is_used:
        raise UnknownFile
    uploader = Uploader(dependencies, reserved.owner_id, bounds)
    file_id = dependencies.new_id(AttachmentId)
    is_filled = False
    try:
        file = await uploader.store(file_id, reserved.channel_id, reserved.filename, chunks)
        async with dependencies.database.cursor() as cur:
            is_filled = await reserved_uploads.fill(cur, upload_id, file)
    finally:
        if not is_filled:
            await dependencies.tasks.run_shielded(_discard(dependencies, file_id))
    if not is_filled:
        raise UnknownFile


async def delete(ctx: Context, name: str) -> None:
    """Delete an upload of the caller that no message has used. Raises UnknownFile."""
    upload_id = uploaded_id(name)
    found = None
    if upload_id is not None:
        async with ctx.database.cursor() as cur:
            found = await reserved_uploads.delete(cur, upload_id, ctx.user.id)
    if found is None:
        raise UnknownFile
    for file_id in found:
        await ctx.dependencies.tasks.run_shielded(_discard(ctx.dependencies, file_id))


async def _discard(dependencies: Dependencies, file_id: AttachmentId) -> None:
    async with dependencies.database.cursor() as cur:
        keys = await files.discard_uploads(cur, [file_id])
    await delete_now(dependencies, keys)
