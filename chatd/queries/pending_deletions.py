"""Pending deletions: rows that are deleted later, in batches. sql/0013 has the reasons."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from chatd.core.ids import ChannelId, GuildId, MessageId, UserId
from chatd.db.cursor import Cursor, one

Details = Mapping[str, Any]
"""The rows to delete, and the progress of the deletion."""


@dataclass(frozen=True, slots=True)
class PendingDeletion:
    """A deletion that an instance has leased."""

    id: int
    kind: str
    details: Details


@dataclass(frozen=True, slots=True)
class AuthoredMessages:
    """The details of the kind "messages": messages of some authors in a guild, between two ids.

    `channel_id` and `after` are the progress. Channels are processed in the order of their ids.
    """

    guild_id: GuildId
    author_ids: Collection[UserId]
    after: int
    until: int
    since: int
    channel_id: int = 0

    def details(self) -> Details:
        """Return the details in the form in which they are stored."""
        return {
            "guild_id": self.guild_id,
            "author_ids": [*self.author_ids],
            "after": self.after,
            "until": self.until,
            "since": self.since,
            "channel_id": self.channel_id,
        }


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one channel to delete, and the id up to which the channel was read."""

    channel_id: ChannelId
    message_ids: list[MessageId]
    read_to: int


MESSAGES = "messages"
PRUNE = "prune"
READ_STATES_OF_USER = "read_states_of_user"
USERS_OF_APPLICATION = "users_of_application"
COMMAND_PERMISSIONS = "command_permissions"


def _of_guild_or_application(table: str) -> str:
    """Return the rows of a deleted guild, or of a deleted application."""
    return f"""
        {table}
         WHERE (guild_id = (%(details)s::jsonb ->> 'guild_id')::bigint
                OR application_id = (%(details)s::jsonb ->> 'application_id')::bigint)
    """


SWEPT = {
    "members": "guild_members WHERE guild_id = (%(details)s::jsonb ->> 'guild_id')::bigint",
    "bans": "bans WHERE guild_id = (%(details)s::jsonb ->> 'guild_id')::bigint",
    "audit_logs": "audit_logs WHERE guild_id = (%(details)s::jsonb ->> 'guild_id')::bigint",
    "webhook_avatars": """
        webhook_avatars WHERE guild_id = (%(details)s::jsonb ->> 'guild_id')::bigint
    """,
    "member_roles": """
        member_roles
         WHERE guild_id = (%(details)s::jsonb ->> 'guild_id')::bigint
           AND role_id = ANY (ARRAY (SELECT value::bigint FROM jsonb_array_elements_text(
                                       %(details)s::jsonb -> 'role_ids')))
    """,
    "read_states": """
        read_states
         WHERE channel_id = ANY (ARRAY (SELECT value::bigint FROM jsonb_array_elements_text(
                                          %(details)s::jsonb -> 'channel_ids')))
    """,
    READ_STATES_OF_USER: """
        read_states WHERE user_id = (%(details)s::jsonb ->> 'user_id')::bigint
    """,
    USERS_OF_APPLICATION: """
        user_integrations WHERE application_id = (%(details)s::jsonb ->> 'application_id')::bigint
    """,
    COMMAND_PERMISSIONS: """
        application_command_permissions
         WHERE application_id = (%(details)s::jsonb ->> 'application_id')::bigint
           AND command_id = ANY (ARRAY (SELECT value::bigint FROM jsonb_array_elements_text(
                                          %(details)s::jsonb -> 'command_ids')))
           AND NOT EXISTS (SELECT FROM application_commands AS commands
                            WHERE commands.id = command_id
                              AND commands.permissions_generation = generation)
    """,
    **{
        table: _of_guild_or_application(table)
        for table in (
            "application_commands",
            "application_command_scopes",
            "application_command_permissions",
        )
    },
    "reactions": """
        reactions
         WHERE channel_id = (%(details)s::jsonb ->> 'channel_id')::bigint
           AND message_id = (%(details)s::jsonb ->> 'message_id')::bigint
           AND (%(details)s::jsonb ->> 'emoji' IS NULL OR emoji = %(details)s::jsonb ->> 'emoji')
           AND created_at <= coalesce((%(details)s::jsonb ->> 'until')::timestamptz, 'infinity')
    """,
}
"""The rows of each kind that queries no longer find. Deleting them needs no lock of a stream."""


async def insert(cur: Cursor, kind: str, details: Details, *, wait_s: float = 0) -> PendingDeletion:
    """Add a deletion. Background tasks do not take it within the first `wait_s` seconds."""
    await cur.execute(
        """
        INSERT INTO pending_deletions (kind, details, due_at)
        VALUES (%(kind)s, %(details)s, now() + make_interval(secs => %(wait_s)s))
        RETURNING id
        """,
        {"kind": kind, "details": _json(details), "wait_s": wait_s},
    )
    row = await cur.fetchone()
    assert row is not None
    return PendingDeletion(row[0], kind, details)


async def take(cur: Cursor, kinds: Collection[str], *, lease_s: float) -> PendingDeletion | None:
    """Lease the deletion that is due longest, for `lease_s`; None when none is due."""
    await cur.execute(
        """
        UPDATE pending_deletions SET due_at = now() + make_interval(secs => %(lease_s)s)
         WHERE id = (SELECT id FROM pending_deletions
                      WHERE due_at <= now() AND kind = ANY(%(kinds)s)
                   ORDER BY due_at, id
                      LIMIT 1
                        FOR UPDATE SKIP LOCKED)
        RETURNING id, kind, details
        """,
        {"kinds": list(kinds), "lease_s": lease_s},
    )
    return await one(cur, PendingDeletion)


async def is_pending(cur: Cursor, deletion: PendingDeletion) -> bool:
    """Return whether a deletion has had no progress since it was taken. Locks its row."""
    await cur.execute(
        """
        SELECT FROM pending_deletions WHERE id = %(id)s AND details = %(details)s FOR UPDATE
        """,
        {"id": deletion.id, "details": _json(deletion.details)},
    )
    return await cur.fetchone() is not None


async def advance(cur: Cursor, deletion: PendingDeletion, details: Details) -> None:
    """Record the progress of a deletion, unless another instance has done so."""
    await cur.execute(
        """
        UPDATE pending_deletions SET details = %(details)s
         WHERE id = %(id)s AND details = %(before)s
        """,
        {"id": deletion.id, "details": _json(details), "before": _json(deletion.details)},
    )


async def release(cur: Cursor, deletion_id: int) -> None:
    """End the lease of a deletion, which is due again, after those that are due longer."""
    await cur.execute(
        "UPDATE pending_deletions SET due_at = now() WHERE id = %(id)s", {"id": deletion_id}
    )


async def delete(cur: Cursor, deletion: PendingDeletion) -> None:
    """Delete the record of a completed deletion, unless another instance goes on with it.

    An instance whose lease has expired skips what the other one has not yet done.
    """
    await cur.execute(
        "DELETE FROM pending_deletions WHERE id = %(id)s AND details = %(details)s",
        {"id": deletion.id, "details": _json(deletion.details)},
    )


async def sweep(cur: Cursor, deletion: PendingDeletion, *, limit: int) -> int:
    """Delete some rows of one of the SWEPT kinds. Return their number; 0 means that none is left.

    A row that a concurrent request changes stays if it counts again, such as a reaction that its
    user adds again. The condition is repeated, since Postgres before 18.1, 17.7, 16.11, 15.15 and
    14.20 does not compare `ctid` with that of the changed row.
    """
    table, condition = SWEPT[deletion.kind].split("WHERE", maxsplit=1)
    await cur.execute(
        f"""
        DELETE FROM {table}
         WHERE ctid = ANY (ARRAY (SELECT ctid FROM {table} WHERE {condition} LIMIT %(limit)s))
           AND {condition}
        """,
        {"details": _json(deletion.details), "limit": limit},
    )
    return cur.rowcount


_LOOKED = """
    SELECT m.id, m.author_id
      FROM place CROSS JOIN LATERAL (
               SELECT id, author_id FROM messages
                WHERE messages.channel_id = place.channel_id
                  AND messages.id > place.after AND messages.id <= %(until)s
             ORDER BY messages.id
                LIMIT %(read)s) AS m
"""


async def find(cur: Cursor, wanted: AuthoredMessages, *, read: int, limit: int) -> Batch | None:
    """Return the next messages to delete; None when all channels were read.

    Reads at most `read` messages of one channel, since there is no index by author. Returns at
    most `limit` of them.
    """
    await cur.execute(
        f"""
        WITH place AS MATERIALIZED (
            SELECT channels.id AS channel_id, start.id AS after
              FROM channels,
                   LATERAL (SELECT CASE WHEN channels.id = %(channel_id)s THEN %(after)s
                                        ELSE %(since)s END AS id) AS start
             WHERE guild_id = %(guild_id)s AND channels.id >= %(channel_id)s
               AND EXISTS (SELECT FROM messages
                            WHERE messages.channel_id = channels.id
                              AND messages.id > start.id AND messages.id <= %(until)s)
          ORDER BY channels.id
             LIMIT 1
        ), hits AS MATERIALIZED (
            SELECT looked.id FROM ({_LOOKED}) AS looked
             WHERE looked.author_id = ANY(%(author_ids)s::bigint[])
             LIMIT %(limit)s
        )
        SELECT channel_id, ARRAY (SELECT id FROM hits ORDER BY id),
               CASE WHEN (SELECT count(*) FROM hits) < %(limit)s
                    THEN (SELECT max(looked.id) FROM ({_LOOKED}) AS looked)
                    ELSE (SELECT max(id) FROM hits) END
          FROM place
        """,
        {
            "guild_id": wanted.guild_id,
            "channel_id": wanted.channel_id,
            "after": wanted.after,
            "since": wanted.since,
            "until": wanted.until,
            "author_ids": list(wanted.author_ids),
            "read": read,
            "limit": limit,
        },
    )
    row = await cur.fetchone()
    if row is None:
        return None
    return Batch(*row)


def _json(details: Details) -> str:
    return orjson.dumps(details).decode()
