"""Imports of guilds: what was imported, and the rows that imports add.

Messages are loaded by `bulk_messages`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chatd.core.ids import GuildId, RoleId, UserId
from chatd.db.cursor import Cursor, many, one

_LOCK = 0x63686174_696D706F  # "chatimpo"


@dataclass(frozen=True, slots=True)
class Import:
    """An import of a guild, into the guild that it has created."""

    id: int
    guild_id: GuildId


@dataclass(frozen=True, slots=True)
class NewPlaceholder:
    """An account to add for an author, with its membership."""

    source_id: int
    id: UserId
    username: str
    username_key: str
    global_name: str | None
    bot: bool


@dataclass(frozen=True, slots=True)
class NewMember:
    """A membership to add."""

    source_id: int
    user_id: UserId
    nick: str | None
    joined_at: datetime
    roles: Sequence[RoleId]


async def try_lock(cur: Cursor) -> bool:
    """Exclude other imports until the connection ends. False while another one runs."""
    await cur.execute("SELECT pg_try_advisory_lock(%(lock)s)", {"lock": _LOCK})
    return await cur.fetchone() == (True,)


async def unlock(cur: Cursor) -> None:
    """End `try_lock` at once. Postgres notices the end of a connection a little later."""
    await cur.execute("SELECT pg_advisory_unlock(%(lock)s)", {"lock": _LOCK})


async def find(cur: Cursor, source: str, source_guild_id: int) -> Import | None:
    """Return the newest import of a guild, if the guild that it created still exists."""
    await cur.execute(
        """
        SELECT imports.id, guild_id FROM imports JOIN guilds ON guilds.id = guild_id
         WHERE source = %(source)s AND source_guild_id = %(source_guild_id)s
      ORDER BY imports.id DESC
         LIMIT 1
        """,
        {"source": source, "source_guild_id": source_guild_id},
    )
    return await one(cur, Import)


async def insert(cur: Cursor, source: str, source_guild_id: int, guild_id: GuildId) -> Import:
    """Record an import that creates a guild."""
    await cur.execute(
        """
        INSERT INTO imports (source, source_guild_id, guild_id)
        VALUES (%(source)s, %(source_guild_id)s, %(guild_id)s)
        RETURNING id, guild_id
        """,
        {"source": source, "source_guild_id": source_guild_id, "guild_id": guild_id},
    )
    created = await one(cur, Import)
    assert created is not None
    return created


async def objects(
    cur: Cursor, import_id: int, kind: str, source_ids: Iterable[int] | None = None
) -> dict[int, int]:
    """Return the objects of a kind that an import has created, or of these: their ids."""
    await cur.execute(
        """
        SELECT source_id, id FROM imported_objects
         WHERE import_id = %(import_id)s AND kind = %(kind)s
           AND (%(source_ids)s::bigint[] IS NULL OR source_id = ANY(%(source_ids)s::bigint[]))
        """,
        {
            "import_id": import_id,
            "kind": kind,
            "source_ids": None if source_ids is None else list(source_ids),
        },
    )
    return {row[0]: row[1] for row in await cur.fetchall()}


async def add_objects(cur: Cursor, import_id: int, kind: str, ids: Mapping[int, int]) -> None:
    """Record objects that an import creates: their ids by those of the source."""
    await cur.execute(
        """
        INSERT INTO imported_objects (import_id, kind, source_id, id)
        SELECT %(import_id)s, %(kind)s, source_id, id
          FROM unnest(%(source_ids)s::bigint[], %(ids)s::bigint[]) AS made (source_id, id)
        """,
        {
            "import_id": import_id,
            "kind": kind,
            "source_ids": list(ids),
            "ids": list(ids.values()),
        },
    )


async def attachments(
    cur: Cursor, import_id: int, source_ids: Iterable[int]
) -> set[tuple[int, int]]:
    """Return those of these attachments that an import has added: their and their messages' ids."""
    await cur.execute(
        """
        SELECT source_id, parent_id FROM imported_objects
         WHERE import_id = %(import_id)s AND kind = 'attachment'
           AND source_id = ANY(%(source_ids)s::bigint[])
        """,
        {"import_id": import_id, "source_ids": list(source_ids)},
    )
    return {(row[0], row[1]) for row in await cur.fetchall()}


async def taken_guild_ids(cur: Cursor, ids: Iterable[int]) -> set[int]:
    """Return those of these ids that a guild, a role or an author has, or that a guild has had.

    Authors are users and webhooks: with the id of a webhook, an account would own its messages.
    """
    await cur.execute(
        """
        SELECT id FROM unnest(%(ids)s::bigint[]) AS wanted (id)
         WHERE EXISTS (SELECT FROM streams WHERE streams.id = wanted.id)
            OR EXISTS (SELECT FROM imports WHERE imports.guild_id = wanted.id)
            OR EXISTS (SELECT FROM roles WHERE roles.id = wanted.id)
            OR EXISTS (SELECT FROM users WHERE users.id = wanted.id)
            OR EXISTS (SELECT FROM webhooks WHERE webhooks.id = wanted.id)
        """,
        {"ids": list(ids)},
    )
    return set(await many(cur, int))


async def taken_channel_ids(cur: Cursor, ids: Iterable[int]) -> set[int]:
    """Return those of these ids that a channel has, or that an imported one has had.

    The messages of a deleted channel are deleted later: another one with its id would lose them.
    """
    await cur.execute(
        """
        SELECT id FROM unnest(%(ids)s::bigint[]) AS wanted (id)
         WHERE EXISTS (SELECT FROM channels WHERE channels.id = wanted.id)
            OR EXISTS (SELECT FROM streams WHERE streams.id = wanted.id)
            OR EXISTS (SELECT FROM purges WHERE purges.channel_id = wanted.id)
            OR EXISTS (SELECT FROM imported_objects AS made
                        WHERE made.kind = 'channel' AND made.id = wanted.id)
        """,
        {"ids": list(ids)},
    )
    return set(await many(cur, int))


async def taken_names(cur: Cursor, keys: Iterable[str]) -> set[str]:
    """Return those of these folded usernames that accounts have."""
    await cur.execute(
        "SELECT username_key FROM users WHERE username_key = ANY(%(keys)s)", {"keys": list(keys)}
    )
    return set(await many(cur, str))


async def users(cur: Cursor, source: str, source_ids: Iterable[int]) -> dict[int, UserId]:
    """Return the accounts of authors, by the ids of the source."""
    await cur.execute(
        """
        SELECT source_id, user_id FROM imported_users
         WHERE source = %(source)s AND source_id = ANY(%(source_ids)s::bigint[])
        """,
        {"source": source, "source_ids": list(source_ids)},
    )
    return {row[0]: UserId(row[1]) for row in await cur.fetchall()}


async def placeholders(cur: Cursor, user_ids: Iterable[UserId]) -> set[UserId]:
    """Return those of these accounts that are unclaimed placeholders, and not deleted."""
    await cur.execute(
        """
        SELECT id FROM users
         WHERE id = ANY(%(ids)s::bigint[]) AND is_placeholder AND deleted_at IS NULL
        """,
        {"ids": list(user_ids)},
    )
    return set(await many(cur, UserId))


async def insert_placeholders(cur: Cursor, source: str, accounts: Sequence[NewPlaceholder]) -> None:
    """Add accounts for authors. Raises UniqueViolation when a name or an id is taken."""
    parameters = {
        "source": source,
        "source_ids": [each.source_id for each in accounts],
        "ids": [each.id for each in accounts],
        "usernames": [each.username for each in accounts],
        "keys": [each.username_key for each in accounts],
        "global_names": [each.global_name for each in accounts],
        "bots": [each.bot for each in accounts],
    }
    await cur.execute(
        """
        INSERT INTO users (id, username, username_key, global_name, bot, is_placeholder)
        SELECT id, username, username_key, global_name, bot, true
          FROM unnest(%(ids)s::bigint[], %(usernames)s::text[], %(keys)s::text[],
                      %(global_names)s::text[], %(bots)s::boolean[])
               AS new (id, username, username_key, global_name, bot)
        """,
        parameters,
    )
    await cur.execute(
        "INSERT INTO streams (id) SELECT unnest(%(ids)s::bigint[]) ON CONFLICT DO NOTHING",
        parameters,
    )
    await cur.execute(
        """
        INSERT INTO imported_users (source, source_id, user_id)
        SELECT %(source)s, source_id, user_id
          FROM unnest(%(source_ids)s::bigint[], %(ids)s::bigint[]) AS new (source_id, user_id)
        """,
        parameters,
    )


async def insert_members(
    cur: Cursor, import_id: int, guild_id: GuildId, members: Sequence[NewMember]
) -> None:
    """Add members with their roles, and record that this import has added them."""
    parameters = {
        "import_id": import_id,
        "guild_id": guild_id,
        "source_ids": [each.source_id for each in members],
        "ids": [each.user_id for each in members],
        "nicks": [each.nick for each in members],
        "joined": [each.joined_at for each in members],
        "with_roles": [each.user_id for each in members for _ in each.roles],
        "roles": [role_id for each in members for role_id in each.roles],
    }
    await cur.execute(
        """
        INSERT INTO guild_members (guild_id, user_id, nick, joined_at)
        SELECT %(guild_id)s, user_id, nick, joined_at
          FROM unnest(%(ids)s::bigint[], %(nicks)s::text[], %(joined)s::timestamptz[])
               AS new (user_id, nick, joined_at)
        ON CONFLICT DO NOTHING
        """,
        parameters,
    )
    await cur.execute(
        """
        INSERT INTO member_roles (guild_id, user_id, role_id)
        SELECT %(guild_id)s, user_id, role_id
          FROM unnest(%(with_roles)s::bigint[], %(roles)s::bigint[]) AS new (user_id, role_id)
               JOIN roles ON roles.id = role_id AND roles.guild_id = %(guild_id)s
        ON CONFLICT DO NOTHING
        """,
        parameters,
    )
    await cur.execute(
        """
        INSERT INTO imported_objects (import_id, kind, source_id, id)
        SELECT %(import_id)s, 'member', source_id, user_id
          FROM unnest(%(source_ids)s::bigint[], %(ids)s::bigint[]) AS new (source_id, user_id)
        """,
        parameters,
    )


async def finished_files(cur: Cursor, import_id: int) -> set[tuple[str, int, int]]:
    """Return the files that were imported completely: name, size and time of modification."""
    await cur.execute(
        "SELECT name, size, modified_ns FROM imported_files WHERE import_id = %(id)s",
        {"id": import_id},
    )
    return {(row[0], row[1], row[2]) for row in await cur.fetchall()}


async def finish_file(cur: Cursor, import_id: int, name: str, size: int, modified_ns: int) -> None:
    """Record that a file was imported completely."""
    await cur.execute(
        """
        INSERT INTO imported_files (import_id, name, size, modified_ns)
        VALUES (%(import_id)s, %(name)s, %(size)s, %(modified_ns)s)
        ON CONFLICT (import_id, name)
        DO UPDATE SET size = excluded.size, modified_ns = excluded.modified_ns
        """,
        {"import_id": import_id, "name": name, "size": size, "modified_ns": modified_ns},
    )


async def needs_index(cur: Cursor, import_id: int) -> bool:
    """Return whether messages of an import are not in the search index yet."""
    await cur.execute("SELECT needs_index FROM imports WHERE id = %(id)s", {"id": import_id})
    return await cur.fetchone() == (True,)


async def restart_index(cur: Cursor, import_id: int, guild_id: GuildId) -> None:
    """Empty the search index of a guild, so that all its messages are indexed again.

    The index takes a message only if its id is above those that it has, and imported messages are
    older. Needs the lock of the indexer. Until a message is indexed, searches read it.
    """
    parameters = {"guild_id": guild_id, "import_id": import_id}
    for table in ("search_postings", "search_documents", "search_segments", "search_streams"):
        await cur.execute(f"DELETE FROM {table} WHERE stream_id = %(guild_id)s", parameters)
    await cur.execute(
        """
        UPDATE streams SET last_message_id = greatest(last_message_id, newest.id)
          FROM (SELECT max((SELECT max(messages.id) FROM messages
                             WHERE messages.channel_id = channels.id)) AS id
                  FROM channels
                 WHERE guild_id = %(guild_id)s) AS newest
         WHERE streams.id = %(guild_id)s AND newest.id IS NOT NULL
        """,
        parameters,
    )
    await cur.execute("UPDATE imports SET needs_index = false WHERE id = %(import_id)s", parameters)
