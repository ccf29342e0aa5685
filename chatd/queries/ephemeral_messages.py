"""Ephemeral messages, which only one user sees, and files that live as long as they do."""

from __future__ import annotations

from dataclasses import replace

from chatd.core.ids import MessageId, UserId
from chatd.core.models import Message
from chatd.db.cursor import Cursor
from chatd.queries import attachments, history
from chatd.queries.attachments import Table
from chatd.queries.history import Viewer
from chatd.queries.message_inserts import NewRow, message_parameters
from chatd.queries.messages import EDITED, MessageEdit, edit_parameters

TABLE: Table = "ephemeral_attachments"
"""The table of the files, for the functions of `attachments`."""

_COLUMNS = """
    false, channels.guild_id, m.id, m.channel_id, m.type, m.content, m.flags, m.tts, m.edited_at,
    m.reference_id, false, m.embeds::text, m.mentions, m.mention_roles, m.mention_everyone, 0,
    m.components::text, m.origin::text,
    author.id, author.username, author.global_name, author.avatar, author.bot
"""
"""In the order of `history.COLUMNS`. There are no reactions and pins; files are read separately."""


async def insert(cur: Cursor, message_id: MessageId, user_id: UserId, row: NewRow) -> None:
    """Add a message that only this user sees."""
    await cur.execute(
        """
        INSERT INTO ephemeral_messages (
            id, user_id, channel_id, author_id, type, content, flags, tts, reference_id, embeds,
            mentions, mention_roles, mention_everyone, attachment_count, components, origin)
        VALUES (%(id)s, %(user_id)s, %(channel_id)s, %(author_id)s, %(type)s, %(content)s,
                %(flags)s, %(tts)s, %(reference_id)s, %(embeds)s, %(mentions)s::bigint[],
                %(mention_roles)s::bigint[], %(mention_everyone)s, %(attachment_count)s,
                %(components)s, %(origin)s)
        """,
        {**message_parameters(message_id, row), "user_id": user_id},
    )
    await attachments.insert(cur, row.channel_id, message_id, row.attachments, table=TABLE)


async def get(
    cur: Cursor, viewer: Viewer, user_id: UserId, message_id: MessageId
) -> Message | None:
    """Return a message that this user sees."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM ephemeral_messages AS m {history.JOINS}
         WHERE m.id = %(id)s AND m.user_id = %(user_id)s
        """,
        {"id": message_id, "user_id": user_id},
    )
    found = await history.read(cur, viewer)
    if not found:
        return None
    key = (found[0].channel_id, message_id)
    files = await attachments.by_message(cur, viewer.signed_urls, [key], table=TABLE)
    return replace(found[0], attachments=tuple(files.get(message_id, ())))


async def update(
    cur: Cursor, user_id: UserId, message_id: MessageId, row: MessageEdit, *, edited: bool
) -> None:
    """Write an edit; `edited` sets the time of the edit."""
    await cur.execute(
        f"""
        UPDATE ephemeral_messages
           SET {EDITED}
         WHERE id = %(id)s AND user_id = %(user_id)s
        """,
        {**edit_parameters(row, edited=edited), "id": message_id, "user_id": user_id},
    )


async def delete(cur: Cursor, user_id: UserId, message_id: MessageId) -> bool:
    """Delete a message with its files. False when there is none."""
    await cur.execute(
        """
        WITH deleted AS (
            DELETE FROM ephemeral_messages WHERE id = %(id)s AND user_id = %(user_id)s
            RETURNING channel_id, id
        ), deleted_files AS (
            DELETE FROM ephemeral_attachments USING deleted
             WHERE ephemeral_attachments.channel_id = deleted.channel_id
               AND ephemeral_attachments.message_id = deleted.id
        )
        SELECT FROM deleted
        """,
        {"id": message_id, "user_id": user_id},
    )
    return cur.rowcount == 1


async def delete_old(cur: Cursor, *, before: int, limit: int) -> int:
    """Delete some messages below an id, without their files. Return their number."""
    await cur.execute(
        """
        DELETE FROM ephemeral_messages
         WHERE id = ANY (ARRAY (SELECT id FROM ephemeral_messages WHERE id < %(before)s
                              ORDER BY id LIMIT %(limit)s))
        """,
        {"before": before, "limit": limit},
    )
    return cur.rowcount


async def delete_old_files(cur: Cursor, *, before: int, limit: int) -> int:
    """Delete some files below an id. Return their number."""
    await cur.execute(
        """
        DELETE FROM ephemeral_attachments
         WHERE id = ANY (ARRAY (SELECT id FROM ephemeral_attachments WHERE id < %(before)s
                              ORDER BY id LIMIT %(limit)s))
        """,
        {"before": before, "limit": limit},
    )
    return cur.rowcount
