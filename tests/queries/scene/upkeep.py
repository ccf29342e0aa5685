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
    yield (
        "guild_retentions",
        [{"guild_id": 100, "due_at": PAST}, {"guild_id": 200, "due_at": FUTURE}],
    )
    yield (
        "reports",
        [
            {
                "id": number,
                "reporter_id": reporter,
                "kind": kind,
                "subject_id": subject,
                "category": "spam",
                "comment": "",
                "evidence": "{}",
                **more,
            }
            for number, reporter, kind, subject, more in (
                (6001, 1, "user", 2, {}),
                (6002, 3, "user", 2, {}),
                (6003, 1, "user", 3, {}),
                (6004, 1, "guild", 2, {}),
                (6005, 1, "user", 2, {"resolved_at": PAST, "outcome": "other"}),
                (6006, 1, "guild", 3, {"claimed_until": FUTURE}),
            )
        ],
    )
    yield "guild_joins", [{"guild_id": each, "since": PAST, "user_ids": [1]} for each in (100, 200)]
    yield "registration_requests", [{"user_id": 3}, {"user_id": 4}]
    yield (
        "registration_blocks",
        [
            {"domain": "a.example", "network": None},
            {"domain": "b.example", "network": None},
            {"domain": None, "network": "192.0.2.0/24"},
            {"domain": None, "network": "192.0.2.0/25"},
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
