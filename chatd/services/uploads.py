"""Uploads: files that are stored before the message that will have them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

from chatd.context import Context
from chatd.core.errors import Busy, InvalidForm, RequestTooLarge, TooManyAttachments
from chatd.core.ids import AttachmentId, ChannelId
from chatd.core.models import Attachment
from chatd.queries import files
from chatd.services import media
from chatd.storage.storage import StorageAway
from chatd.wire.fields import UNSET
from chatd.wire.schemas.messages import WantedAttachment

log = logging.getLogger(__name__)

MAX_FILES = 10
"""How many files a message can have."""


class Uploads:
    """The files of one request, until `give_up` deletes those that no message has got."""

    def __init__(self, ctx: Context, channel_id: ChannelId, *, max_bytes: int) -> None:
        self._ctx = ctx
        self._channel_id = channel_id
        self.max_bytes = max_bytes
        """How large each of them can be."""
        self.stored: dict[int, Attachment] = {}
        """The files by the numbers that the client gave them."""
        self._begun: list[AttachmentId] = []

    async def store(self, number: int, filename: str, chunks: AsyncIterator[bytes]) -> None:
        """Store one file, as it comes in. Raises RequestTooLarge, TooManyAttachments, Busy."""
        if len(self._begun) >= MAX_FILES:
            raise TooManyAttachments
        file_id = self._ctx.new_id(AttachmentId)
        async with self._ctx.database.cursor() as cur:
            await files.begin_upload(cur, file_id)
        self._begun.append(file_id)
        measured = _Measured(chunks, self.max_bytes)
        try:
            await self._ctx.resources.storage.put(f"attachments/{file_id}", measured)
        except StorageAway as away:
            raise Busy from away
        name = media.safe_name(filename)
        nature = await media.nature_of(bytes(measured.head), name)
        self.stored[number] = Attachment(
            id=file_id,
            filename=name,
            content_type=nature.content_type,
            size=measured.size,
            width=nature.width,
            height=nature.height,
            description=None,
            url=self._ctx.resources.links.attachment(self._channel_id, file_id, name),
        )

    def described(self, wanted: Iterable[WantedAttachment]) -> list[Attachment]:
        """The files in the order of their numbers, with what the client says of them.

        Raises InvalidForm when it speaks of one that did not come.
        """
        files = dict(self.stored)
        for each in wanted:
            if each.id not in files:
                text = f"There is no file of number {each.id}."
                raise InvalidForm.of("attachments", "ATTACHMENT_NOT_FOUND", text)
            files[each.id] = self._described(files[each.id], each)
        return [files[number] for number in sorted(files)]

    def _described(self, file: Attachment, wanted: WantedAttachment) -> Attachment:
        if wanted.description is not UNSET:
            file = replace(file, description=wanted.description or None)
        if wanted.filename is not None:
            name = media.safe_name(wanted.filename)
            links = self._ctx.resources.links
            url = links.attachment(self._channel_id, file.id, name)
            file = replace(file, filename=name, url=url)
        return file

    async def give_up(self) -> None:
        """Doom what is not part of a message; the janitor deletes it from storage."""
        if self._begun:
            await self._ctx.resources.tasks.finish(self._doom())

    async def _doom(self) -> None:
        try:
            async with self._ctx.database.cursor() as cur:
                await files.give_up(cur, self._begun)
        except Busy as missed:  # the message may be there: what is left is given up a day later
            log.info("files are left to be swept: %s", missed)


class _Measured:
    """Chunks that go by, up to a limit; remembers how they began, and counts."""

    def __init__(self, chunks: AsyncIterator[bytes], most: int) -> None:
        self._chunks = chunks
        self._most = most
        self.size = 0
        self.head = bytearray()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._chunks)
        self.size += len(chunk)
        if self.size > self._most:
            raise RequestTooLarge
        if len(self.head) < media.HEAD:
            self.head += chunk[: media.HEAD - len(self.head)]
        return chunk
