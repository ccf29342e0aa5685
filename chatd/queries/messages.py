"""Changing and deleting messages. `message_inserts` inserts them, `history` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatd.core.ids import ChannelId, MessageId, RoleId, StreamId, UserId
from chatd.core.models import Component, Embed
from chatd.db.cursor import Cursor, many
from chatd.queries.message_inserts import id_array, json_array


@dataclass(frozen=True, slots=True)
class MessageEdit:
    """The columns of a message that an edit can change."""

    content: str
    flags: int
    embeds: Sequence[Embed]
    mentions: Sequence[UserId]
    mention_roles: Sequence[RoleId]
    mention_everyone: bool
    attachment_count: int
    components: Sequence[Component] = ()


EDITED = """
    content = %(content)s, flags = %(flags)s, embeds = %(embeds)s,
    mentions = %(mentions)s::bigint[], mention_roles = %(mention_roles)s::bigint[],
    mention_everyone = %(mention_everyone)s,
    attachment_count = %(attachment_count)s, components = %(components)s,
    edited_at = CASE WHEN %(edited)s THEN now() ELSE edited_at END
"""
"""The columns that an edit sets, to the values of `edit_parameters`."""


def edit_parameters(row: MessageEdit, *, edited: bool) -> dict[str, object]:
    """Return the values of an edit; `edited` sets the time of the edit."""
    return {
        "content": row.content,
        "flags": row.flags,
        "embeds": json_array(row.embeds),
        "mentions": id_array(row.mentions),
        "mention_roles": id_array(row.mention_roles),
        "mention_everyone": row.mention_everyone,
        "attachment_count": row.attachment_count,
        "components": json_array(row.components),
        "edited": edited,
    }


async def update(
    cur: Cursor, channel_id: ChannelId, message_id: MessageId, row: MessageEdit, *, edited: bool
) -> None:
    """Write an edit; `edited` sets the time of the edit."""
    await cur.execute(
        f"""
        WITH marked AS (
            INSERT INTO search_edits (channel_id, message_id) VALUES (%(channel_id)s, %(id)s)
        )
        UPDATE messages
           SET {EDITED}
         WHERE channel_id = %(channel_id)s AND id = %(id)s
        """,
        {**edit_parameters(row, edited=edited), "channel_id": channel_id, "id": message_id},
    )


async def set_flags(cur: Cursor, channel_id: ChannelId, message_id: MessageId, flags: int) -> None:
    """Set the flags of a message, which is no edit of it."""
    await cur.execute(
        """
        UPDATE messages SET flags = %(flags)s
         WHERE channel_id = %(channel_id)s AND id = %(id)s
        """,
        {"channel_id": channel_id, "id": message_id, "flags": flags},
    )


async def delete(cur: Cursor, channel_id: ChannelId, message_id: MessageId) -> bool:
    """Delete a message. False when there is none."""
    await cur.execute(
        "DELETE FROM messages WHERE channel_id = %(channel_id)s AND id = %(id)s",
        {"channel_id": channel_id, "id": message_id},
    )
    return cur.rowcount == 1


async def delete_many(
    cur: Cursor, channel_id: ChannelId, message_ids: Sequence[MessageId]
) -> list[MessageId]:
    """Delete messages of a channel. Return the ids of those that existed, in order."""
    await cur.execute(
        """
        DELETE FROM messages WHERE channel_id = %(channel_id)s AND id = ANY(%(ids)s)
        RETURNING id
        """,
        {"channel_id": channel_id, "ids": list(message_ids)},
    )
    return sorted(await many(cur, MessageId))


async def last_of_stream(cur: Cursor, stream_id: StreamId) -> MessageId:
    """Return the newest message id of a stream. The next one must be above it."""
    await cur.execute("SELECT last_message_id FROM streams WHERE id = %(id)s", {"id": stream_id})
    row = await cur.fetchone()
    return MessageId(row[0] if row else 0)


async def delete_orphaned(cur: Cursor, *, limit: int) -> int:
    """Delete some messages of deleted channels. Return their number; 0 when none is left."""
    await cur.execute(
        """
        WITH purge AS (
            SELECT channel_id FROM purges ORDER BY channel_id LIMIT 1 FOR UPDATE SKIP LOCKED
        ), orphaned AS (
            SELECT channel_id, id FROM messages
             WHERE channel_id = (SELECT channel_id FROM purge)
             LIMIT %(limit)s
        ), deleted AS (
            DELETE FROM messages USING orphaned
             WHERE messages.channel_id = orphaned.channel_id AND messages.id = orphaned.id
            RETURNING 1
        ), done AS (
            DELETE FROM purges
             WHERE channel_id = (SELECT channel_id FROM purge)
               AND NOT EXISTS (SELECT FROM orphaned)
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM deleted) + (SELECT count(*) FROM done)
        """,
        {"limit": limit},
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0
