"""Files that hang on messages, keyed by channel and message first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from chatd.core.ids import ChannelId, MessageId
from chatd.core.models import Attachment
from chatd.db import Cursor

_COLUMNS = "id, filename, content_type, size, width, height, description"
"""In the order of Attachment."""


async def of_messages(
    cur: Cursor, keys: Sequence[tuple[ChannelId, MessageId]]
) -> Mapping[MessageId, Sequence[Attachment]]:
    """The files of these messages, in the order in which they were sent."""
    await cur.execute(
        f"""
        SELECT message_id, {_COLUMNS} FROM attachments
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
    for message_id, *columns in await cur.fetchall():
        files[MessageId(message_id)].append(Attachment(*columns))
    return files
