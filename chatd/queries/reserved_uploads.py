"""Reserved uploads: files that a client uploads before the message that will have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chatd.core.ids import AttachmentId, ChannelId, UploadId, UserId
from chatd.core.models import Attachment
from chatd.db.cursor import Cursor, many, one


@dataclass(frozen=True, slots=True)
class Reservation:
    """The right to upload one file."""

    id: UploadId
    owner_id: UserId
    channel_id: ChannelId
    filename: str
    is_used: bool
    """Whether the file has arrived."""


@dataclass(frozen=True, slots=True)
class ReservedFile:
    """A file that has arrived, and that one message can have."""

    id: UploadId
    file_id: AttachmentId
    filename: str
    content_type: str
    size: int
    width: int | None
    height: int | None

    def attachment(self, url: str) -> Attachment:
        """Return the attachment of a message, with its signed URL."""
        return Attachment(
            self.file_id,
            self.filename,
            self.content_type,
            self.size,
            self.width,
            self.height,
            None,
            url,
        )


async def insert(
    cur: Cursor, upload_id: UploadId, owner_id: UserId, channel_id: ChannelId, filename: str
) -> None:
    """Reserve an upload."""
    await cur.execute(
        """
        INSERT INTO reserved_uploads (id, owner_id, channel_id, filename)
        VALUES (%(id)s, %(owner_id)s, %(channel_id)s, %(filename)s)
        """,
        {
            "id": upload_id,
            "owner_id": owner_id,
            "channel_id": channel_id,
            "filename": filename,
        },
    )


async def count(cur: Cursor, owner_id: UserId) -> int:
    """Return the number of reserved uploads of a user."""
    await cur.execute(
        "SELECT count(*) FROM reserved_uploads WHERE owner_id = %(owner_id)s",
        {"owner_id": owner_id},
    )
    return await one(cur, int) or 0


async def get(cur: Cursor, upload_id: UploadId) -> Reservation | None:
    """Return a reserved upload."""
    await cur.execute(
        """
        SELECT id, owner_id, channel_id, filename, file_id IS NOT NULL FROM reserved_uploads
         WHERE id = %(id)s
        """,
        {"id": upload_id},
    )
    return await one(cur, Reservation)


async def fill(cur: Cursor, upload_id: UploadId, file: Attachment) -> bool:
    """Record the stored file of an upload. Return False if it has one, or was deleted."""
    await cur.execute(
        """
        UPDATE reserved_uploads
           SET file_id = %(file_id)s, content_type = %(content_type)s, size = %(size)s,
               width = %(width)s, height = %(height)s
         WHERE id = %(id)s AND file_id IS NULL
        """,
        {
            "id": upload_id,
            "file_id": file.id,
            "content_type": file.content_type,
            "size": file.size,
            "width": file.width,
            "height": file.height,
        },
    )
    return cur.rowcount == 1


async def take(
    cur: Cursor, upload_id: UploadId, owner_id: UserId, channel_id: ChannelId
) -> ReservedFile | None:
    """Take the file of an upload for a message, so that no other message can have it.

    Returns None if it has not arrived, if it is not of this user and channel, or if it expires
    soon: the janitor deletes files after a day that no message has claimed.
    """
    await cur.execute(
        """
        DELETE FROM reserved_uploads AS reserved
         USING uploads
         WHERE reserved.id = %(id)s AND reserved.owner_id = %(owner_id)s
           AND reserved.channel_id = %(channel_id)s
           AND uploads.id = reserved.file_id
           AND uploads.created_at > now() - interval '20 hours'
        RETURNING reserved.id, file_id, filename, content_type, reserved.size, width, height
        """,
        {"id": upload_id, "owner_id": owner_id, "channel_id": channel_id},
    )
    return await one(cur, ReservedFile)


async def give_back(
    cur: Cursor, owner_id: UserId, channel_id: ChannelId, files: Sequence[ReservedFile]
) -> None:
    """Make files that no message has claimed available to another message."""
    for file in files:
        await cur.execute(
            """
            INSERT INTO reserved_uploads (id, owner_id, channel_id, filename, file_id,
                                          content_type, size, width, height)
            SELECT %(id)s, %(owner_id)s, %(channel_id)s, %(filename)s, uploads.id,
                   %(content_type)s, %(size)s, %(width)s, %(height)s
              FROM uploads
             WHERE uploads.id = %(file_id)s
            """,
            {
                "id": file.id,
                "owner_id": owner_id,
                "channel_id": channel_id,
                "filename": file.filename,
                "file_id": file.file_id,
                "content_type": file.content_type,
                "size": file.size,
                "width": file.width,
                "height": file.height,
            },
        )


async def delete(cur: Cursor, upload_id: UploadId, owner_id: UserId) -> list[AttachmentId] | None:
    """Delete a reserved upload of a user. Return its file, if it has arrived; None without one."""
    await cur.execute(
        """
        DELETE FROM reserved_uploads WHERE id = %(id)s AND owner_id = %(owner_id)s
        RETURNING file_id
        """,
        {"id": upload_id, "owner_id": owner_id},
    )
    rows: list[Any] = await many(cur, lambda file_id: file_id)
    return [AttachmentId(each) for each in rows if each is not None] if rows else None


async def delete_expired(cur: Cursor, *, limit: int) -> int:
    """Delete reserved uploads after a day, as their files are, or after two hours without a file.

    Returns their number.
    """
    await cur.execute(
        """
        DELETE FROM reserved_uploads WHERE id = ANY (ARRAY (
            SELECT id FROM reserved_uploads
             WHERE created_at < now() - interval '2 hours'
               AND (file_id IS NULL OR created_at < now() - interval '1 day')
             LIMIT %(limit)s))
        """,
        {"limit": limit},
    )
    return cur.rowcount
