"""Uploads: attachments that are stored before the message that will have them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace

from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.core.errors import (
    InvalidForm,
    RequestTooLarge,
    ServiceUnavailable,
    TooManyAttachments,
    TooMuchStored,
)
from chatd.core.ids import AttachmentId, ChannelId, UploadId, UserId, parse_id
from chatd.core.models import Attachment
from chatd.core.unset import UNSET
from chatd.db.cursor import Cursor
from chatd.queries import files, reserved_uploads
from chatd.queries.reserved_uploads import ReservedFile
from chatd.services.media import file_types
from chatd.storage.base import StorageUnavailable, StoredFileMissing
from chatd.wire.schemas.messages import AttachmentInput

log = logging.getLogger(__name__)

_ROTATED = (5, 6, 7, 8)  # orientations of Exif that swap width and height

MAX_FILES = 10
"""Attachments of a message, at most, as on Discord."""


@dataclass(frozen=True, slots=True)
class UploadBounds:
    """Limits on uploads, from the settings."""

    file_bytes: int
    """Size of a file, at most."""
    user_bytes: int
    """Size of all stored files of an account, at most; 0 is unlimited."""
    strip_metadata: bool
    """Whether the metadata of images is removed."""


class PendingUploads:
    """The files of one request. `discard_unclaimed` deletes those that no message has claimed."""

    def __init__(self, ctx: Context, channel_id: ChannelId, bounds: UploadBounds) -> None:
        self._ctx = ctx
        self._channel_id = channel_id
        self.max_bytes = bounds.file_bytes
        """Size of each file, at most."""
        self._bounds = bounds
        self.stored: dict[int, Attachment] = {}
        """The stored files by the numbers that the client has given them."""
        self._started: list[AttachmentId] = []
        self._reserved: list[ReservedFile] = []

    async def store(self, number: int, filename: str, chunks: AsyncIterator[bytes]) -> None:
        """Store one file while it arrives.

        Raises RequestTooLarge, TooManyAttachments, TooMuchStored, ServiceUnavailable.
        """
        if len(self._started) >= MAX_FILES:
            raise TooManyAttachments
        file_id = self._ctx.new_id(AttachmentId)
        self._started.append(file_id)  # first, so that a refused file is discarded, too
        uploader = Uploader(self._ctx.dependencies, self._ctx.user.id, self._bounds)
        self.stored[number] = await uploader.store(file_id, self._channel_id, filename, chunks)

    async def take_reserved(self, wanted: Iterable[AttachmentInput]) -> None:
        """Take the files that were uploaded before and that the message names.

        Raises TooManyAttachments. Raises InvalidForm for a name that is not of the caller and the
        channel, or that another message has used.
        """
        for each in wanted:
            if each.uploaded_filename is None:
                continue
            if len(self.stored) >= MAX_FILES:
                raise TooManyAttachments
            upload_id = uploaded_id(each.uploaded_filename)
            found = None
            if upload_id is not None and each.id not in self.stored:
                async with self._ctx.database.cursor() as cur:
                    found = await reserved_uploads.take(
                        cur, upload_id, self._ctx.user.id, self._channel_id
                    )
            if found is None:
                text = f"There is no upload for the file of number {each.id}."
                raise InvalidForm.of("attachments", "ATTACHMENT_NOT_FOUND", text)
            self._reserved.append(found)
            urls = self._ctx.dependencies.signed_urls
            url = urls.attachment_url(self._channel_id, found.file_id, found.filename)
            self.stored[each.id] = found.attachment(url)

    def in_order_with_metadata(self, wanted: Sequence[AttachmentInput]) -> list[Attachment]:
        """Return the files by ascending number, with the metadata that the client has sent.

        Raises InvalidForm for metadata of a file that was not uploaded.
        """
        if not self.stored and not wanted:
            return []
        files = dict(self.stored)
        for each in wanted:
            if each.id not in files:
                text = f"There is no file of number {each.id}."
                raise InvalidForm.of("attachments", "ATTACHMENT_NOT_FOUND", text)
            files[each.id] = self._with_metadata(files[each.id], each)
        return [files[number] for number in sorted(files)]

    def _with_metadata(self, file: Attachment, wanted: AttachmentInput) -> Attachment:
        if wanted.description is not UNSET:
            file = replace(file, description=wanted.description or None)
        if wanted.filename is not None:
            name = file_types.safe_name(wanted.filename)
            urls = self._ctx.dependencies.signed_urls
            url = urls.attachment_url(self._channel_id, file.id, name)
            file = replace(file, filename=name, url=url)
        return file

    async def discard_unclaimed(self, *, is_refused: bool = False) -> None:
        """Delete the files that no message has claimed. What fails is left for the janitor.

        If the message was refused, files that were uploaded before it stay, so that the client can
        send it again.
        """
        if is_refused and self._reserved:
            await self._ctx.dependencies.tasks.run_shielded(self._give_back())
        if self._started:
            await self._ctx.dependencies.tasks.run_shielded(self._discard())

    async def _give_back(self) -> None:
        try:
            async with self._ctx.begin() as work:
                await reserved_uploads.give_back(
                    work.cur, self._ctx.user.id, self._channel_id, self._reserved
                )
        except ServiceUnavailable as error:
            log.info("unclaimed uploads left for the janitor: %s", error)

    async def _discard(self) -> None:
        try:
            async with self._ctx.database.cursor() as cur:
                keys = await files.discard_uploads(cur, self._started)
            await delete_now(self._ctx.dependencies, keys)
        except ServiceUnavailable as error:
            # A commit may still claim the files, so the janitor waits for a day.
            log.info("unclaimed uploads left for the janitor: %s", error)


async def delete_now(dependencies: Dependencies, keys: Sequence[str]) -> None:
    """Delete files with a pending deletion now, instead of with the next run of the janitor."""
    deleted = []
    for key in keys:
        try:
            await dependencies.storage.delete(key)
            deleted.append(key)
        except (StorageUnavailable, StoredFileMissing) as error:
            log.info("file left for the janitor: %s", error)
    if deleted:
        async with dependencies.database.cursor() as cur:
            await files.mark_deleted(cur, deleted)


class Uploader:
    """Stores files of an account."""

    def __init__(self, dependencies: Dependencies, owner_id: UserId, bounds: UploadBounds) -> None:
        self._dependencies = dependencies
        self._owner_id = owner_id
        self._bounds = bounds

    async def store(
        self,
        file_id: AttachmentId,
        channel_id: ChannelId,
        filename: str,
        chunks: AsyncIterator[bytes],
    ) -> Attachment:
        """Store one file while it arrives. It is deleted after a day unless a message claims it.

        Raises RequestTooLarge, TooMuchStored, ServiceUnavailable.
        """
        async with self._dependencies.database.cursor() as cur:
            await files.begin_upload(cur, file_id, self._owner_id)
            await self.require_storage(cur)
        threads = self._dependencies.media_threads
        measured = _MeasuredChunks(chunks, self._bounds.file_bytes)
        keep_metadata = not self._bounds.strip_metadata
        stripped = file_types.StrippedChunks(threads, measured, keep=keep_metadata)
        counted = _CountedChunks(stripped.all())
        try:
            await self._dependencies.storage.put(f"attachments/{file_id}", counted)
        except StorageUnavailable as error:
            raise ServiceUnavailable from error
        async with self._dependencies.begin() as work:
            total = await files.finish_upload(work.cur, file_id, self._owner_id, counted.size)
        self._check_storage(total)
        name = file_types.safe_name(filename)
        file_type = await file_types.detect(threads, bytes(measured.head), name)
        if stripped.orientation in _ROTATED:
            file_type = replace(file_type, width=file_type.height, height=file_type.width)
        return Attachment(
            id=file_id,
            filename=name,
            content_type=file_type.content_type,
            size=counted.size,
            width=file_type.width,
            height=file_type.height,
            description=None,
            url=self._dependencies.signed_urls.attachment_url(channel_id, file_id, name),
        )

    async def require_storage(self, cur: Cursor) -> None:
        """Raise TooMuchStored before a file is read, if the account may not store another byte."""
        if self._bounds.user_bytes:
            self._check_storage(await files.stored_bytes(cur, self._owner_id) + 1)

    def _check_storage(self, total: int) -> None:
        if 0 < self._bounds.user_bytes < total:
            raise TooMuchStored(self._bounds.user_bytes)


def uploaded_filename(upload_id: UploadId, filename: str) -> str:
    """Return the name by which a message refers to an upload."""
    return f"{upload_id}/{filename}"


def uploaded_id(name: str) -> UploadId | None:
    """Return the upload of a name that `uploaded_filename` has made; None for another name."""
    try:
        return UploadId(parse_id(name.partition("/")[0]))
    except ValueError:
        return None


class _CountedChunks:
    """Iterates over chunks and counts their bytes."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.size = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._chunks)
        self.size += len(chunk)
        return chunk


class _MeasuredChunks:
    """Iterates over chunks, counts their bytes, and keeps the first ones.

    Raises RequestTooLarge above a limit.
    """

    def __init__(self, chunks: AsyncIterator[bytes], max_bytes: int) -> None:
        self._chunks = chunks
        self._max_bytes = max_bytes
        self.size = 0
        self.head = bytearray()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._chunks)
        self.size += len(chunk)
        if self.size > self._max_bytes:
            raise RequestTooLarge
        if len(self.head) < file_types.HEAD_BYTES:
            self.head += chunk[: file_types.HEAD_BYTES - len(self.head)]
        return chunk
