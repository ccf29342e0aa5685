"""The audit log of a guild."""

from __future__ import annotations

import orjson

from chatd.core.ids import GuildId
from chatd.core.models import AuditEntry
from chatd.db import Cursor, many

_COLUMNS = "id, guild_id, user_id, target_id, action_type, reason, changes, options"


async def insert(cur: Cursor, entry: AuditEntry) -> None:
    """Add an entry."""
    await cur.execute(
        f"""
        INSERT INTO audit_logs ({_COLUMNS})
        VALUES (%(id)s, %(guild_id)s, %(user_id)s, %(target_id)s, %(action_type)s, %(reason)s,
                %(changes)s, %(options)s)
        """,
        {
            "id": entry.id,
            "guild_id": entry.guild_id,
            "user_id": entry.user_id,
            "target_id": entry.target_id,
            "action_type": int(entry.action),
            "reason": entry.reason,
            "changes": orjson.dumps(entry.changes).decode(),
            "options": orjson.dumps(entry.options).decode(),
        },
    )


async def page(
    cur: Cursor,
    guild_id: GuildId,
    *,
    user_id: int | None,
    action: int | None,
    before: int,
    after: int | None,
    limit: int,
) -> list[AuditEntry]:
    """Entries between two ids, newest first; with `after`, those nearest to it, oldest first."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM audit_logs
         WHERE guild_id = %(guild_id)s AND id > %(after)s AND id < %(before)s
           AND (%(user_id)s::bigint IS NULL OR user_id = %(user_id)s)
           AND (%(action)s::integer IS NULL OR action_type = %(action)s)
      ORDER BY id {"DESC" if after is None else "ASC"}
         LIMIT %(limit)s
        """,
        {
            "guild_id": guild_id,
            "user_id": user_id,
            "action": action,
            "before": before,
            "after": after or 0,
            "limit": limit,
        },
    )
    return await many(cur, AuditEntry.make)
