"""Old messages and audit log entries: finding, counting and deleting them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatd.core.ids import ChannelId, GuildId, MessageId, StreamId
from chatd.db.cursor import Cursor, Row, many, one

PURGE = "purge"
OLD_AUDIT_LOGS = "old_audit_logs"
SEARCH_SEGMENTS = "search_segments"
"""The kinds of pending deletions of a purge."""

AUDIT_LOG_DAYS = 45
"""How long a guild keeps the entries of its audit log at least, as long as Discord does. So a
moderator cannot hide an action by a short retention."""

_MAX_POSTINGS = 20_000  # deleted in one transaction, which takes about 0.2 s


@dataclass(frozen=True, slots=True)
class PurgedChannel:
    """A channel with messages to delete. A private channel has no guild."""

    id: ChannelId
    guild_id: GuildId | None

    @property
    def stream_id(self) -> StreamId:
        """The stream in which the search index has its messages."""
        return StreamId(self.guild_id or self.id)


@dataclass(frozen=True, slots=True)
class OldMessages:
    """Which messages of a channel are deleted: those with ids below `before`."""

    before: int
    keep_pins: bool


@dataclass(frozen=True, slots=True)
class Count:
    """What a part of a channel has to delete. The part ends at `last_id`."""

    messages: int
    files: int
    file_bytes: int
    last_id: int


async def schedule(cur: Cursor, guild_id: GuildId, *, days: int | None, wait_s: float) -> None:
    """Apply the rule of a guild in `wait_s` seconds, then once a day; never without `days`."""
    if days is None:
        await cur.execute(
            "DELETE FROM guild_retentions WHERE guild_id = %(guild_id)s", {"guild_id": guild_id}
        )
        return
    await cur.execute(
        """
        INSERT INTO guild_retentions (guild_id, due_at)
        VALUES (%(guild_id)s, now() + make_interval(secs => %(wait_s)s))
        ON CONFLICT (guild_id) DO UPDATE SET due_at = excluded.due_at
        """,
        {"guild_id": guild_id, "wait_s": wait_s},
    )


async def begin_due(cur: Cursor, *, limit: int) -> int:
    """Add the pending deletions of up to `limit` guilds whose rule is due. Return their number.

    While a deletion of the day before is pending for a guild, it gets no other one.
    """
    await cur.execute(
        f"""
        WITH due AS MATERIALIZED (
            SELECT guild_id FROM guild_retentions
             WHERE due_at <= now()
          ORDER BY due_at
             LIMIT %(limit)s
               FOR UPDATE SKIP LOCKED
        ), taken AS (
            UPDATE guild_retentions SET due_at = now() + interval '1 day'
              FROM due WHERE guild_retentions.guild_id = due.guild_id
            RETURNING guild_retentions.guild_id
        ), rules AS (
            SELECT id, retention_days FROM taken JOIN guilds ON guilds.id = taken.guild_id
             WHERE retention_days IS NOT NULL
        ), added AS (
            INSERT INTO pending_deletions (kind, details)
            SELECT kind, jsonb_build_object('guild_id', id, 'before', greatest(0,
                       1000 * (extract(epoch FROM now()) - 1420070400 - 86400 * days))::bigint
                       << 22)
              FROM rules CROSS JOIN LATERAL (
                       VALUES ('{PURGE}', retention_days),
                              ('{OLD_AUDIT_LOGS}', greatest(retention_days, {AUDIT_LOG_DAYS}))
                   ) AS part (kind, days)
             WHERE NOT EXISTS (SELECT FROM pending_deletions AS others
                                WHERE others.kind = part.kind
                                  AND (others.details ->> 'guild_id')::bigint = rules.id)
        )
        SELECT count(*) FROM taken
        """,
        {"limit": limit},
    )
    row = await cur.fetchone()
    assert row is not None
    return int(row[0])


async def retention_days(cur: Cursor, guild_id: GuildId) -> int | None:
    """Return the retention of a guild; None without one, or without the guild."""
    await cur.execute("SELECT retention_days FROM guilds WHERE id = %(id)s", {"id": guild_id})
    row = await cur.fetchone()
    return row[0] if row else None


async def next_channel(
    cur: Cursor, guild_id: GuildId, old: OldMessages, *, channel_id: int, after: int
) -> tuple[PurgedChannel, int] | None:
    """Return the next channel of a guild with messages to delete, and the id they follow.

    Channels are taken in the order of their ids. In the channel with `channel_id`, all up to
    `after` is done.
    """
    await cur.execute(
        """
        SELECT channels.id, channels.guild_id, start.id
          FROM channels,
               LATERAL (SELECT CASE WHEN channels.id = %(channel_id)s THEN %(after)s
                                    ELSE 0 END AS id) AS start
         WHERE guild_id = %(guild_id)s AND channels.id >= %(channel_id)s
           AND EXISTS (SELECT FROM messages
                        WHERE messages.channel_id = channels.id
                          AND messages.id > start.id AND messages.id < %(before)s
                          AND (messages.pinned_at IS NULL OR NOT %(keep_pins)s))
      ORDER BY channels.id
         LIMIT 1
        """,
        {
            "guild_id": guild_id,
            "channel_id": channel_id,
            "after": after,
            "before": old.before,
            "keep_pins": old.keep_pins,
        },
    )
    row = await cur.fetchone()
    return (PurgedChannel(row[0], row[1]), int(row[2])) if row else None


async def channels_with_old(
    cur: Cursor,
    *,
    guild_id: GuildId | None,
    channel_id: ChannelId | None,
    after: int,
    before: int,
    limit: int,
) -> list[PurgedChannel]:
    """Return channels above the id `after` that have messages below `before`.

    They are those of a guild, or one channel, or with neither all of the server.
    """
    await cur.execute(
        """
        SELECT id, guild_id FROM channels
         WHERE id > %(after)s
           AND (%(guild_id)s::bigint IS NULL OR guild_id = %(guild_id)s)
           AND (%(channel_id)s::bigint IS NULL OR id = %(channel_id)s)
           AND EXISTS (SELECT FROM messages
                        WHERE messages.channel_id = channels.id AND messages.id < %(before)s)
      ORDER BY id
         LIMIT %(limit)s
        """,
        {
            "guild_id": guild_id,
            "channel_id": channel_id,
            "after": after,
            "before": before,
            "limit": limit,
        },
    )
    return await many(cur, PurgedChannel)


async def channel_name(cur: Cursor, channel_id: ChannelId) -> str | None:
    """Return how to call a channel: its name, or what kind it is; None if it does not exist."""
    await cur.execute(
        """
        SELECT coalesce(name, CASE WHEN guild_id IS NULL THEN 'private channel' ELSE '' END)
          FROM channels WHERE id = %(id)s
        """,
        {"id": channel_id},
    )
    row = await cur.fetchone()
    return str(row[0]) if row else None


async def vacuum(cur: Cursor, table: str, *, full: bool) -> None:
    """Vacuum a table. With `full`, rewrite it, which locks it. Needs autocommit, and time."""
    await cur.execute(f"VACUUM ({'FULL, ' if full else ''}ANALYZE) {table}")


async def count(
    cur: Cursor, channel_id: ChannelId, old: OldMessages, *, after: int, limit: int
) -> Count | None:
    """Count what up to `limit` messages above `after` would delete; None when none is left."""
    await cur.execute(
        """
        WITH part AS MATERIALIZED (
            SELECT id FROM messages
             WHERE channel_id = %(channel_id)s AND id > %(after)s AND id < %(before)s
               AND (pinned_at IS NULL OR NOT %(keep_pins)s)
          ORDER BY id
             LIMIT %(limit)s
        ), files AS (
            SELECT count(*) AS number, coalesce(sum(size), 0)::bigint AS bytes
              FROM attachments
             WHERE channel_id = %(channel_id)s
               AND message_id BETWEEN (SELECT min(id) FROM part) AND (SELECT max(id) FROM part)
               AND message_id IN (SELECT id FROM part)
        )
        SELECT (SELECT count(*) FROM part), number, bytes, (SELECT max(id) FROM part) FROM files
         WHERE EXISTS (SELECT FROM part)
        """,
        {
            "channel_id": channel_id,
            "after": after,
            "before": old.before,
            "keep_pins": old.keep_pins,
            "limit": limit,
        },
    )
    return await one(cur, Count)


async def find(
    cur: Cursor, channel_id: ChannelId, old: OldMessages, *, after: int, limit: int
) -> list[MessageId]:
    """Return up to `limit` messages to delete above the id `after`, the oldest first."""
    await cur.execute(
        """
        SELECT id FROM messages
         WHERE channel_id = %(channel_id)s AND id > %(after)s AND id < %(before)s
           AND (pinned_at IS NULL OR NOT %(keep_pins)s)
      ORDER BY id
         LIMIT %(limit)s
        """,
        {
            "channel_id": channel_id,
            "after": after,
            "before": old.before,
            "keep_pins": old.keep_pins,
            "limit": limit,
        },
    )
    return await many(cur, MessageId)


async def delete(
    cur: Cursor, channel_id: ChannelId, message_ids: Sequence[MessageId], *, keep_pins: bool
) -> list[MessageId]:
    """Delete messages of a channel; with `keep_pins`, none that is pinned. Return their ids."""
    await cur.execute(
        """
        DELETE FROM messages
         WHERE channel_id = %(channel_id)s AND id = ANY(%(ids)s::bigint[])
           AND (pinned_at IS NULL OR NOT %(keep_pins)s)
        RETURNING id
        """,
        {"channel_id": channel_id, "ids": list(message_ids), "keep_pins": keep_pins},
    )
    return sorted(await many(cur, MessageId))


async def old_audit_logs(
    cur: Cursor, guild_id: GuildId | None, *, after: int, before: int, limit: int
) -> dict[GuildId, int]:
    """Return how many entries below an id each guild has, for up to `limit` guilds above `after`.

    They are one guild, or all. Guilds without such entries are omitted.
    """
    await cur.execute(
        """
        SELECT guilds.id, (SELECT count(*) FROM audit_logs
                            WHERE audit_logs.guild_id = guilds.id AND audit_logs.id < %(before)s)
          FROM guilds
         WHERE guilds.id > %(after)s
           AND (%(guild_id)s::bigint IS NULL OR guilds.id = %(guild_id)s)
           AND EXISTS (SELECT FROM audit_logs
                        WHERE audit_logs.guild_id = guilds.id AND audit_logs.id < %(before)s)
      ORDER BY guilds.id
         LIMIT %(limit)s
        """,
        {"guild_id": guild_id, "after": after, "before": before, "limit": limit},
    )
    rows: list[Row] = await cur.fetchall()
    return {GuildId(row[0]): int(row[1]) for row in rows}


async def delete_audit_logs(cur: Cursor, guild_id: GuildId, *, before: int, limit: int) -> int:
    """Delete up to `limit` entries of a guild below an id. Return their number."""
    await cur.execute(
        """
        DELETE FROM audit_logs
         WHERE guild_id = %(guild_id)s
           AND id IN (SELECT id FROM audit_logs
                       WHERE guild_id = %(guild_id)s AND id < %(before)s
                    ORDER BY id
                       LIMIT %(limit)s)
        """,
        {"guild_id": guild_id, "before": before, "limit": limit},
    )
    return cur.rowcount


async def delete_search_segment(
    cur: Cursor, stream_id: StreamId, *, after: int, before: int
) -> int | None:
    """Delete a part of a segment all of whose messages are deleted. None when none follows.

    Looks at the first segment of a stream after the number `after` that ends below the id
    `before`, and returns the number that the next call continues after.
    """
    await cur.execute(
        """
        WITH next AS MATERIALIZED (
            SELECT segment FROM search_segments
             WHERE stream_id = %(stream_id)s AND segment > %(after)s AND last_id < %(before)s
          ORDER BY segment
             LIMIT 1
        ), gone AS MATERIALIZED (
            SELECT segment FROM next
             WHERE NOT EXISTS (SELECT FROM search_documents AS d
                                 JOIN messages AS m
                                   ON m.channel_id = d.channel_id AND m.id = d.message_id
                                WHERE d.stream_id = %(stream_id)s AND d.segment = next.segment)
        ), postings AS (
            DELETE FROM search_postings
             WHERE ctid = ANY (ARRAY (
                       SELECT p.ctid FROM gone JOIN search_postings AS p USING (segment)
                        WHERE p.stream_id = %(stream_id)s
                        LIMIT %(limit)s))
            RETURNING 1
        ), deleted AS (
            SELECT count(*) AS number FROM postings
        ), documents AS (
            DELETE FROM search_documents AS d USING gone, deleted
             WHERE d.stream_id = %(stream_id)s AND d.segment = gone.segment
               AND deleted.number < %(limit)s
        ), described AS (
            DELETE FROM search_segments AS s USING gone, deleted
             WHERE s.stream_id = %(stream_id)s AND s.segment = gone.segment
               AND deleted.number < %(limit)s
        )
        SELECT CASE WHEN deleted.number < %(limit)s THEN next.segment ELSE %(after)s END
          FROM next, deleted
        """,
        {"stream_id": stream_id, "after": after, "before": before, "limit": _MAX_POSTINGS},
    )
    row = await cur.fetchone()
    return int(row[0]) if row else None
