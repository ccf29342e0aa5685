"""Attachments of messages. Rows are keyed by channel and message first."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from chatd.auth.signed_urls import SignedUrls
from chatd.core.ids import AttachmentId, ChannelId, MessageId
from chatd.core.models import Attachment
from chatd.db.cursor import Cursor, PreparedStatement

COLUMNS = "id, filename, content_type, size, width, height, description"
"""In the order of Attachment."""

_MADE_AT_ONCE = 50
"""Attachments that are made without a pause. Quoting and signing the longest name takes 55 us, and
the messages of a page have up to 1,000 files."""


def columns(file: Attachment) -> dict[str, object]:
    """Return the values of the columns of an attachment, by name."""
    return {
        "id": file.id,
        "filename": file.filename,
        "content_type": file.content_type,
        "size": file.size,
        "width": file.width,
        "height": file.height,
        "description": file.description,
    }


Table = Literal["attachments", "ephemeral_attachments"]
"""Files of messages, and files of messages that only one user sees."""


def make(urls: SignedUrls, channel_id: ChannelId, row: Sequence[Any]) -> Attachment:
    """Return the attachment of a row of COLUMNS. `channel_id` is the channel of its message."""
    file_id, filename = row[:2]
    url = urls.attachment_url(channel_id, file_id, filename)
    return Attachment(*(*row, url))


async def make_all(
    urls: SignedUrls, rows: Iterable[Sequence[Any]]
) -> dict[MessageId, list[Attachment]]:
    """Return the attachments of each message, in the order of the rows, in time slices.

    A row has the ids of its channel and of its message before COLUMNS.
    """
    files: defaultdict[MessageId, list[Attachment]] = defaultdict(list)
    for number, (channel_id, message_id, *row) in enumerate(rows, 1):
        files[message_id].append(make(urls, channel_id, row))
        if number % _MADE_AT_ONCE == 0:
            await asyncio.sleep(0)
    return files


def _by_message(table: Table) -> PreparedStatement:
    # With OFFSET, Postgres searches for each message: it would scan all rows of a small table.
    return PreparedStatement(
        f"""
        SELECT in_channel, of_message, {COLUMNS}
          FROM unnest(%(channel_ids)s, %(message_ids)s) AS wanted (in_channel, of_message)
               CROSS JOIN LATERAL (
                   SELECT {COLUMNS} FROM {table}
                    WHERE channel_id = in_channel AND message_id = of_message
                   OFFSET 0
               ) AS found
      ORDER BY id
        """,
        channel_ids="bigint[]",
        message_ids="bigint[]",
    )


_OF_MESSAGES = _by_message("attachments")
_OF_EPHEMERAL_MESSAGES = _by_message("ephemeral_attachments")


async def by_message(
    cur: Cursor,
    urls: SignedUrls,
    keys: Collection[tuple[ChannelId, MessageId]],
    *,
    table: Table = "attachments",
) -> Mapping[MessageId, Sequence[Attachment]]:
    """Return the attachments of these messages, each message's in the order of upload.

    No message is twice in `keys`.
    """
    await cur.run(
        _OF_MESSAGES if table == "attachments" else _OF_EPHEMERAL_MESSAGES,
        {
            "channel_ids": [channel_id for channel_id, _ in keys],
            "message_ids": [message_id for _, message_id in keys],
        },
    )
    return await make_all(urls, await cur.fetchall())


async def insert(
    cur: Cursor,
    channel_id: ChannelId,
    message_id: MessageId,
    files: Sequence[Attachment],
    *,
    table: Table = "attachments",
) -> None:
    """Attach uploaded files to an existing message."""
    for file in files:
        await cur.execute(
            f"""
            WITH claimed AS (DELETE FROM uploads WHERE id = %(id)s RETURNING owner_id)
            INSERT INTO {table} (channel_id, message_id, id, filename, content_type, size,
                                     width, height, description, owner_id)
            VALUES (%(channel_id)s, %(message_id)s, %(id)s, %(filename)s, %(content_type)s,
                    %(size)s, %(width)s, %(height)s, %(description)s,
                    (SELECT owner_id FROM claimed))
            """,
            {
                "channel_id": channel_id,
                "message_id": message_id,
                **columns(file),
            },
        )


async def delete(
    cur: Cursor,
    channel_id: ChannelId,
    message_id: MessageId,
    file_ids: Sequence[AttachmentId],
    *,
    table: Table = "attachments",
) -> None:
    """Remove attachments from a message. A trigger schedules their deletion from storage."""
    await cur.execute(
        f"""
        DELETE FROM {table}
         WHERE channel_id = %(channel_id)s AND message_id = %(message_id)s AND id = ANY(%(ids)s)
        """,
        {"channel_id": channel_id, "message_id": message_id, "ids": list(file_ids)},
    )


async def set_description(
    cur: Cursor,
    channel_id: ChannelId,
    message_id: MessageId,
    file: Attachment,
    *,
    table: Table = "attachments",
) -> None:
    """Change the description of an attachment."""
    await cur.execute(
        f"""
        UPDATE {table} AS file SET description = %(description)s
         WHERE channel_id = %(channel_id)s AND message_id = %(message_id)s AND id = %(id)s
        """,
        {
            "channel_id": channel_id,
            "message_id": message_id,
            "id": file.id,
            "description": file.description,
        },
    )
