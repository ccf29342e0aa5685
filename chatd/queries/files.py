"""Files in storage: those being uploaded, those of messages, and those to be deleted."""

from __future__ import annotations

from collections.abc import Sequence

from chatd.core.ids import AttachmentId, ChannelId
from chatd.core.models import StoredFile
from chatd.db import Cursor, many, one


async def attachment(
    cur: Cursor, channel_id: ChannelId, file_id: AttachmentId
) -> StoredFile | None:
    """A file of a message that is still there."""
    await cur.execute(
        """
        SELECT 'attachments/' || id, filename, content_type, size FROM attachments
         WHERE channel_id = %(channel_id)s AND id = %(id)s
           AND EXISTS (SELECT FROM channels WHERE id = %(channel_id)s)
        """,  # the messages of a channel are deleted some time after it
        {"channel_id": channel_id, "id": file_id},
    )
    return await one(cur, StoredFile)


async def begin_upload(cur: Cursor, file_id: AttachmentId) -> None:
    """Note a file before it is stored."""
    await cur.execute("INSERT INTO uploads (id) VALUES (%(id)s)", {"id": file_id})


async def give_up(cur: Cursor, file_ids: Sequence[AttachmentId]) -> None:
    """Of these uploads, doom those that no message has got."""
    await cur.execute(
        """
        WITH given_up AS (DELETE FROM uploads WHERE id = ANY(%(ids)s) RETURNING id)
        INSERT INTO doomed_files (key) SELECT 'attachments/' || id FROM given_up
        ON CONFLICT DO NOTHING
        """,
        {"ids": list(file_ids)},
    )


async def give_up_old(cur: Cursor) -> None:
    """Doom what was uploaded a day ago and no message has got."""
    await cur.execute(
        """
        WITH given_up AS (
            DELETE FROM uploads WHERE created_at < now() - interval '1 day' RETURNING id
        )
        INSERT INTO doomed_files (key) SELECT 'attachments/' || id FROM given_up
        ON CONFLICT DO NOTHING
        """
    )


async def doom(cur: Cursor, key: str) -> None:
    """Say that nobody refers to a file any more."""
    await cur.execute(
        "INSERT INTO doomed_files (key) VALUES (%(key)s) ON CONFLICT DO NOTHING", {"key": key}
    )


async def doom_unless_claimed(cur: Cursor, key: str) -> None:
    """Note a file before it is stored: unless it is claimed within a day, it is deleted."""
    await cur.execute(
        """
        INSERT INTO doomed_files (key, not_before) VALUES (%(key)s, now() + interval '1 day')
        """,
        {"key": key},
    )


async def claim(cur: Cursor, key: str) -> None:
    """Say that a file is referred to from now on."""
    await cur.execute("DELETE FROM doomed_files WHERE key = %(key)s", {"key": key})


async def doomed(cur: Cursor, *, limit: int) -> list[str]:
    """Some of the files to be deleted now."""
    await cur.execute(
        "SELECT key FROM doomed_files WHERE not_before <= now() LIMIT %(limit)s", {"limit": limit}
    )
    return await many(cur, str)


async def forget_doomed(cur: Cursor, keys: Sequence[str]) -> None:
    """Say that these are deleted."""
    await cur.execute("DELETE FROM doomed_files WHERE key = ANY(%(keys)s)", {"keys": list(keys)})
