"""The audit log of a guild."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from chatd.core.audit import AuditAction, AuditEntry
from chatd.core.ids import ChannelId, GuildId
from chatd.core.overwrites import Overwrite, OverwriteType
from chatd.db.cursor import Cursor, Row, many

_COLUMNS = "id, guild_id, user_id, target_id, action_type, reason, changes, options"


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries a page has: by actor, target and action, and between two ids."""

    user_id: int | None
    target_id: int | None
    action: int | None
    before: int
    after: int | None

    def from_entry(self, last: AuditEntry) -> AuditFilter:
        """Return a filter of the entries that follow the last one of a page."""
        if self.after is None:
            return replace(self, before=last.id)
        return replace(self, after=last.id)


async def insert(cur: Cursor, *entries: AuditEntry) -> None:
    """Add entries in one statement."""
    await cur.execute(
        f"""
        INSERT INTO audit_logs ({_COLUMNS})
        SELECT * FROM unnest(%(ids)s::bigint[], %(guild_ids)s::bigint[], %(user_ids)s::bigint[],
                             %(target_ids)s::bigint[], %(action_types)s::smallint[],
                             %(reasons)s::text[], %(changes)s::jsonb[], %(options)s::jsonb[])
        """,
        {
            "ids": [entry.id for entry in entries],
            "guild_ids": [entry.guild_id for entry in entries],
            "user_ids": [entry.user_id for entry in entries],
            "target_ids": [entry.target_id for entry in entries],
            "action_types": [int(entry.action) for entry in entries],
            "reasons": [entry.reason for entry in entries],
            "changes": [orjson.dumps(entry.changes).decode() for entry in entries],
            "options": [orjson.dumps(entry.options).decode() for entry in entries],
        },
    )


async def page(
    cur: Cursor,
    guild_id: GuildId,
    wanted: AuditFilter,
    *,
    hidden: Sequence[ChannelId],
    limit: int,
) -> list[AuditEntry]:
    """Return up to `limit` entries: the newest first, or with `wanted.after` the oldest first.

    Entries about `hidden` channels are omitted, by the same rules as `AuditEntry.channel_id`.
    """
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM audit_logs
         WHERE guild_id = %(guild_id)s AND id > %(after)s AND id < %(before)s
           AND (%(user_id)s::bigint IS NULL OR user_id = %(user_id)s)
           AND (%(target_id)s::bigint IS NULL OR target_id = %(target_id)s)
           AND (%(action)s::integer IS NULL OR action_type = %(action)s)
           AND (target_id = ANY(%(hidden)s::bigint[])) IS NOT TRUE
           AND ((options->>'channel_id')::bigint = ANY(%(hidden)s::bigint[])) IS NOT TRUE
           AND NOT EXISTS (
                   SELECT FROM jsonb_array_elements(changes) AS change
                    WHERE change->>'key' = 'channel_id'
                      AND coalesce(change->>'new_value', change->>'old_value')::bigint
                          = ANY(%(hidden)s::bigint[]))
      ORDER BY id {"DESC" if wanted.after is None else "ASC"}
         LIMIT %(limit)s
        """,
        {
            "guild_id": guild_id,
            "hidden": list(hidden),
            "user_id": wanted.user_id,
            "target_id": wanted.target_id,
            "action": wanted.action,
            "before": wanted.before,
            "after": wanted.after or 0,
            "limit": limit,
        },
    )
    return await many(cur, AuditEntry.from_row)


async def overwrites_at_deletion(
    cur: Cursor, guild_id: GuildId, channel_ids: Collection[ChannelId]
) -> dict[ChannelId, list[Overwrite]]:
    """Return the overwrites of deleted channels, from the entries of their deletion.

    Channels without such an entry are omitted.
    """
    await cur.execute(
        """
        SELECT target_id, change->'old_value'
          FROM audit_logs, jsonb_array_elements(changes) AS change
         WHERE guild_id = %(guild_id)s AND target_id = ANY(%(channel_ids)s::bigint[])
           AND action_type = %(action)s AND change->>'key' = 'permission_overwrites'
        """,
        {
            "guild_id": guild_id,
            "channel_ids": list(channel_ids),
            "action": int(AuditAction.CHANNEL_DELETE),
        },
    )
    rows: list[Row] = await cur.fetchall()
    return {
        ChannelId(channel_id): [_overwrite(each) for each in found] for channel_id, found in rows
    }


def _overwrite(kept: Mapping[str, Any]) -> Overwrite:
    target, kind = int(kept["id"]), OverwriteType(int(kept["type"]))
    return Overwrite(target, kind, int(kept["allow"]), int(kept["deny"]))
