"""Files, uploads and pending deletions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.queries.scene.values import (
    CHANNELS,
    FUTURE,
    PAST,
    Row,
    rows_of,
)


def rows() -> Iterable[tuple[str, Sequence[Row]]]:
    """Yield tables and their rows, in an order that foreign keys permit."""
    yield (
        "pending_deletions",
        [
            {"id": number, "kind": kind, "details": "{}", "due_at": PAST}
            for number, kind in enumerate(("bans", "bans", "members", "members"), -4)
        ],
    )
    yield "uploads", [{"id": n, "created_at": PAST if n < 3 else FUTURE} for n in (1, 2, 3, 4)]
    yield (
        "reserved_uploads",
        [
            {"id": n, "owner_id": owner, "channel_id": channel, "filename": "x", **rest}
            for n, owner, channel, rest in (
                (1, 2, CHANNELS[0], {"file_id": 3, "created_at": PAST}),
                (2, 2, CHANNELS[0], {"created_at": FUTURE}),
                (3, 2, CHANNELS[1], {"file_id": 4, "created_at": FUTURE}),
                (4, 1, CHANNELS[0], {"created_at": FUTURE}),
            )
        ],
    )
    yield "doomed_files", rows_of(key=("first", "second", "third"))
