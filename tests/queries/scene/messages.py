"""Messages and what belongs to them; the search index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.queries.scene.values import (
    CHANNELS,
    DMS,
    FUTURE,
    GONE,
    GUILDS,
    PAST,
    TIMELESS,
    Row,
    rows_of,
)

_DELETED_STREAMS = (900, 901)


def rows() -> Iterable[tuple[str, Sequence[Row]]]:
    """Yield tables and their rows, in an order that foreign keys permit."""
    yield (
        "messages",
        [
            *rows_of(
                channel_id=CHANNELS + DMS[:1] + GONE, id=(1001, 1003), author_id=1, content="text"
            ),
            *rows_of(
                channel_id=CHANNELS + DMS[:1] + GONE, id=(1002, 1004), author_id=2, content="text"
            ),
        ],
    )
    yield (
        "attachments",
        [
            {
                "channel_id": channel,
                "message_id": message,
                "id": message * 10 + n,
                "filename": "a",
                "content_type": "b",
                "size": 1,
            }
            for channel in CHANNELS
            for message in (1001, 1002)
            for n in (1, 2)
        ],
    )
    yield (
        "reactions",
        rows_of(channel_id=CHANNELS, message_id=(1001, 1002), emoji=("+", "-"), user_id=(1, 2)),
    )
    yield "purges", rows_of(channel_id=GONE)
    yield (
        "nonces",
        [
            {**row, "message_id": TIMELESS + n if row["nonce"] == "new" else n}
            for n, row in enumerate(
                rows_of(channel_id=CHANNELS, author_id=(1, 2), nonce=("old", "new")), 1
            )
        ],
    )
    yield (
        "slow_modes",
        [
            {**row, "message_id": TIMELESS + n if row["user_id"] == 2 else n, "gap": 1}
            for n, row in enumerate(rows_of(channel_id=CHANNELS, user_id=(1, 2)), 1)
        ],
    )
    yield (
        "ephemeral_messages",
        [
            {
                "id": n if n < 8003 else TIMELESS + n,
                "user_id": 2 if n % 2 else 3,
                "channel_id": 110,
                "author_id": 8,
                "type": 0,
                "content": "text",
                "flags": 64,
                "tts": False,
                "mention_everyone": False,
                "attachment_count": 2,
                "origin": "{}",
            }
            for n in (8001, 8002, 8003, 8004)
        ],
    )
    yield (
        "ephemeral_attachments",
        [
            {
                **row,
                "id": n if n < 3 else TIMELESS + n,
                "filename": "a",
                "content_type": "b",
                "size": 1,
            }
            for n, row in enumerate(rows_of(channel_id=(110, 111), message_id=(8001, 8002)), 1)
        ],
    )
    yield (
        "crossposts",
        [
            {
                **row,
                "last_id": 0,
                "due_at": PAST if row["message_id"] == 1001 else FUTURE,
            }
            for row in rows_of(channel_id=CHANNELS, message_id=(1001, 1002))
        ],
    )
    yield (
        "crosspost_copies",
        [
            {**row, "channel_id": 210, "message_id": 1003, "revision": row["webhook_id"] - 1101}
            for row in rows_of(
                source_channel_id=CHANNELS,
                source_message_id=(1001, 1002),
                webhook_id=(1101, 1102),
            )
        ],
    )
    yield "search_streams", rows_of(stream_id=GUILDS + DMS[:1])
    yield (
        "search_segments",
        [
            {"stream_id": stream, "segment": n, "first_id": 1, "last_id": 2}
            for stream in (100, 200, *_DELETED_STREAMS)
            for n in (0, 1)
        ],
    )
    yield (
        "search_documents",
        [
            {
                "stream_id": stream,
                "segment": n,
                "position": 0,
                "channel_id": 110,
                "message_id": 9 if stream == 200 else 1001,  # there is no message 9
            }
            for stream in (100, 200, *_DELETED_STREAMS)
            for n in (0, 1)
        ],
    )
    yield (
        "search_postings",
        [
            {"stream_id": stream, "segment": n, "key": "tex", "positions": [0]}
            for stream in (100, 200, *_DELETED_STREAMS)
            for n in (0, 1)
        ],
    )
    yield "search_unindexed", rows_of(channel_id=CHANNELS, message_id=(9, 1001))
    yield "search_edits", rows_of(channel_id=CHANNELS, message_id=(1001, 1002))
