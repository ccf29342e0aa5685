"""Files in storage: uploads, attachments, and files that are to be deleted.

The table `doomed_files` lists files for the janitor to delete from storage.
"""

from __future__ import annotations

from collections.abc import Sequence

from chatd.core.ids import AttachmentId, ChannelId, UserId
from chatd.core.models import StoredFile
from chatd.db.cursor import Cursor, Row, many, one
from chatd.queries.backups import FILES_NOT_HELD

_OWNER_LOCK = 0x66696C65  # "file": the class of these advisory locks, used for nothing else


async def attachment(
    cur: Cursor, channel_id: ChannelId, file_id: AttachmentId
) -> StoredFile | None:
    """Return an attachment of an existing channel."""
    await cur.execute(
        """
        SELECT 'attachments/' || id, filename, content_type, size
          FROM (SELECT id, filename, content_type, size FROM attachments
                 WHERE channel_id = %(channel_id)s AND id = %(id)s
                 UNION ALL
                SELECT id, filename, content_type, size FROM ephemeral_attachments
                 WHERE channel_id = %(channel_id)s AND id = %(id)s) AS found
         WHERE EXISTS (SELECT FROM channels WHERE id = %(channel_id)s)
        """,  # the janitor deletes the messages of a deleted channel later
        {"channel_id": channel_id, "id": file_id},
    )
    return await one(cur, StoredFile)


async def names(
    cur: Cursor, viewer_id: UserId, keys: Sequence[tuple[ChannelId, AttachmentId]]
) -> dict[tuple[ChannelId, AttachmentId], str]:
    """Return the names of those of these attachments that exist, for a reader of their channels.

    Files of ephemeral messages only for the user that sees the message.
    """
    await cur.execute(
        """
        WITH wanted AS (
            SELECT * FROM unnest(%(channel_ids)s::bigint[], %(ids)s::bigint[])
                          AS wanted (channel_id, id)
        )
        SELECT channel_id, id, filename FROM attachments JOIN wanted USING (channel_id, id)
         UNION ALL
        SELECT file.channel_id, file.id, file.filename
          FROM ephemeral_attachments AS file
               JOIN wanted USING (channel_id, id)
               JOIN ephemeral_messages AS message ON message.id = file.message_id
         WHERE message.user_id = %(viewer_id)s
        """,
        {
            "channel_ids": [channel_id for channel_id, _ in keys],
            "ids": [file_id for _, file_id in keys],
            "viewer_id": viewer_id,
        },
    )
    rows: list[Row] = await cur.fetchall()
    return {(ChannelId(row[0]), AttachmentId(row[1])): str(row[2]) for row in rows}


async def begin_upload(cur: Cursor, file_id: AttachmentId, owner_id: UserId) -> None:
    """Record an upload before its file is stored."""
    await cur.execute(
        "INSERT INTO uploads (id, owner_id) VALUES (%(id)s, %(owner_id)s)",
        {"id": file_id, "owner_id": owner_id},
    )


async def finish_upload(cur: Cursor, file_id: AttachmentId, owner_id: UserId, size: int) -> int:
    """Record the size of a stored file. Return the bytes that its owner has stored in total.

    Locks the owner's uploads until the transaction ends, so that two of them cannot both use the
    rest of the quota.
    """
    await cur.execute(
        "SELECT pg_advisory_xact_lock(%(lock)s, hashint8(%(owner_id)s))",
        {"lock": _OWNER_LOCK, "owner_id": owner_id},
    )
    await cur.execute(
        "UPDATE uploads SET size = %(size)s WHERE id = %(id)s", {"id": file_id, "size": size}
    )
    return await stored_bytes(cur, owner_id)


async def stored_bytes(cur: Cursor, owner_id: UserId) -> int:
    """Return the bytes of the attachments and uploads of an account."""
    await cur.execute(
        """
        SELECT ((SELECT coalesce(sum(size), 0) FROM attachments WHERE owner_id = %(owner_id)s)
              + (SELECT coalesce(sum(size), 0) FROM ephemeral_attachments
                  WHERE owner_id = %(owner_id)s)
              + (SELECT coalesce(sum(size), 0) FROM uploads WHERE owner_id = %(owner_id)s))::bigint
        """,
        {"owner_id": owner_id},
    )
    [total] = await many(cur, int)
    return total


async def discard_uploads(cur: Cursor, file_ids: Sequence[AttachmentId]) -> list[str]:
    """Schedule the deletion of those uploads that no message has claimed. Return their keys."""
    await cur.execute(
        """
        WITH unclaimed AS (DELETE FROM uploads WHERE id = ANY(%(ids)s) RETURNING id)
        INSERT INTO doomed_files (key) SELECT 'attachments/' || id FROM unclaimed
        ON CONFLICT DO NOTHING
        RETURNING key
        """,
        {"ids": list(file_ids)},
    )
    return await many(cur, str)


async def discard_old_uploads(cur: Cursor, *, limit: int) -> int:
    """Schedule the deletion of some uploads that no message claimed within a day.

    Return their number.
    """
    await cur.execute(
        """
        WITH unclaimed AS (
            DELETE FROM uploads
             WHERE id = ANY (ARRAY (SELECT id FROM uploads
                                     WHERE created_at < now() - interval '1 day'
                                     LIMIT %(limit)s))
            RETURNING id
        ), scheduled AS (
            INSERT INTO doomed_files (key) SELECT 'attachments/' || id FROM unclaimed
            ON CONFLICT DO NOTHING
        )
        SELECT FROM unclaimed
        """,
        {"limit": limit},
    )
    return cur.rowcount


async def schedule_deletion(cur: Cursor, key: str) -> None:
    """Schedule the deletion of a file that is no longer referenced."""
    await cur.execute(
        "INSERT INTO doomed_files (key) VALUES (%(key)s) ON CONFLICT DO NOTHING", {"key": key}
    )


async def reserve(cur: Cursor, key: str) -> None:
    """Record a file before it is stored: it is deleted unless it is claimed within a day."""
    await cur.execute(
        """
        INSERT INTO doomed_files (key, not_before) VALUES (%(key)s, now() + interval '1 day')
        ON CONFLICT (key) DO UPDATE SET not_before = excluded.not_before
        """,
        {"key": key},
    )


async def expire_reservation(cur: Cursor, key: str) -> list[str]:
    """End a reservation now. Return the file's key if it was not claimed, so that it is deleted."""
    await cur.execute(
        "UPDATE doomed_files SET not_before = now() WHERE key = %(key)s RETURNING key", {"key": key}
    )
    return await many(cur, str)


async def postpone_deletion(cur: Cursor, key: str) -> None:
    """Postpone the next attempt to delete a file: by a minute, doubled each time, up to a day."""
    await cur.execute(
        """
        UPDATE doomed_files
           SET failures = failures + 1,
               not_before = now() + least(interval '1 day',
                                          interval '1 minute' * 2 ^ least(failures, 20))
         WHERE key = %(key)s
        """,
        {"key": key},
    )


async def claim(cur: Cursor, key: str) -> None:
    """Cancel the deletion of a file that is referenced from now on."""
    await cur.execute("DELETE FROM doomed_files WHERE key = %(key)s", {"key": key})


async def due_deletions(cur: Cursor, *, limit: int) -> list[str]:
    """Return some files whose deletion is due; none while a backup copies files."""
    await cur.execute(
        f"""
        SELECT key FROM doomed_files
         WHERE not_before <= now() AND {FILES_NOT_HELD}
         LIMIT %(limit)s
        """,
        {"limit": limit},
    )
    return await many(cur, str)


async def mark_deleted(cur: Cursor, keys: Sequence[str]) -> None:
    """Record that these files are deleted."""
    await cur.execute("DELETE FROM doomed_files WHERE key = ANY(%(keys)s)", {"keys": list(keys)})
