"""Imports, their records, exports of accounts, and codes to claim placeholders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.queries.scene.values import FUTURE, GUILDS, PAST, PEOPLE, Row


def rows() -> Iterable[tuple[str, Sequence[Row]]]:
    """Yield tables and their rows, in an order that foreign keys permit."""
    yield (
        "account_claims",
        [
            {"user_id": n, "code_hash": bytes([n]), "expires_at": PAST if n == 4 else FUTURE}
            for n in PEOPLE
        ],
    )
    attempts = {1: 3, 2: 0, 3: 0, 4: 0}
    due = {1: PAST, 2: FUTURE, 3: PAST, 4: None}
    yield (
        "user_exports",
        [
            {
                "user_id": n,
                "id": 9000 + n,
                "requested_at": PAST if n == 4 else FUTURE,
                "due_at": due[n],
                "attempts": attempts[n],
            }
            for n in PEOPLE
        ],
    )
    yield (
        "imports",
        [
            {"id": -guild, "source": "discord", "source_guild_id": guild, "guild_id": guild}
            for guild in GUILDS
        ],
    )
    yield (
        "imported_users",
        [{"source": "discord", "source_id": 1000 + n, "user_id": n} for n in PEOPLE],
    )
    yield (
        "imported_objects",
        [{"import_id": -guild, "kind": "channel", "source_id": 1, "id": 1} for guild in GUILDS],
    )
    yield (
        "imported_files",
        [{"import_id": -guild, "name": "x", "size": 1, "modified_ns": 1} for guild in GUILDS],
    )
