"""Files that hang on messages, keyed by channel and message first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from chatd.auth.links import Links
from chatd.core.ids import AttachmentId, ChannelId, MessageId
from chatd.core.models import Attachment
from chatd.db import Cursor

_COLUMNS = "id, filename, content_type, size, width, height, description"
"""In the order of Attachment."""


async def of_messages(
    cur: Cursor, links: Links, keys: Sequence[tuple[ChannelId, MessageId]]
) -> Mapping[MessageId, Sequence[Attachment]]:
    """The files of these messages, in the order in which they were sent."""
    await cur.execute(
        f"""
        SELECT channel_id, message_id, {_COLUMNS} FROM attachments
         WHERE (channel_id, message_id) IN (
                   SELECT * FROM unnest(%(channel_ids)s::bigint[], %(message_ids)s::bigint[]))
      ORDER BY id
        """,
        {
            "channel_ids": [channel_id for channel_id, _ in keys],
            "message_ids": [message_id for _, message_id in keys],
        },
    )
    files = defaultdict(list)
    for channel_id, message_id, *columns in await cur.fetchall():
        file_id, filename = columns[:2]
        url = links.attachment(channel_id, file_id, filename)
        files[MessageId(message_id)].append(Attachment(*(*columns, url)))
    return files


async def insert(
    cur: Cursor, channel_id: ChannelId, message_id: MessageId, files: Sequence[Attachment]
) -> None:
    """Hang files that have been uploaded on a message that is there."""
    for file in files:
        await cur.execute(
            """
            WITH claimed AS (DELETE FROM uploads WHERE id = %(id)s)
            INSERT INTO attachments (channel_id, message_id, id, filename, content_type, size,
                                     width, height, description)
            VALUES (%(channel_id)s, %(message_id)s, %(id)s, %(filename)s, %(content_type)s,
                    %(size)s, %(width)s, %(height)s, %(description)s)
            """,
            {
                "channel_id": channel_id,
                "message_id": message_id,
                "id": file.id,
                "filename": file.filename,
                "content_type": file.content_type,
                "size": file.size,
                "width": file.width,
                "height": file.height,
                "description": file.description,
            },
        )


async def delete(
    cur: Cursor, channel_id: ChannelId, message_id: MessageId, file_ids: Sequence[AttachmentId]
) -> None:
    """Take files off a message; they are deleted from storage afterwards."""
    await cur.execute(
        """
        DELETE FROM attachments
         WHERE channel_id = %(channel_id)s AND message_id = %(message_id)s AND id = ANY(%(ids)s)
        """,
        {"channel_id": channel_id, "message_id": message_id, "ids": list(file_ids)},
    )


async def describe(
    cur: Cursor, channel_id: ChannelId, message_id: MessageId, file: Attachment
) -> None:
    """Change what is said of a file."""
    await cur.execute(
        """
        UPDATE attachments SET description = %(description)s
         WHERE channel_id = %(channel_id)s AND message_id = %(message_id)s AND id = %(id)s
        """,
        {
            "channel_id": channel_id,
            "message_id": message_id,
            "id": file.id,
            "description": file.description,
        },
    )
