"""Seeds chatd's database by SQL: accounts, guilds with members, and a long history."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from chatd.core.ids import LoginId, UserId
from chatd.core.permissions import EVERYONE
from chatd.core.snowflake import EPOCH_MS

STEP = 1 << 22
"""The distance of two ids that are a millisecond apart."""

_HOUR_MS = 3_600_000
_BITE = 100_000  # rows in a statement
_WORKER = 31 << 17

Account = tuple[UserId, LoginId]


@dataclass(frozen=True)
class FilledGuild:
    """The channel of a guild, and its members, the owner first."""

    channel_id: int
    members: list[Account]


@dataclass(frozen=True)
class Filled:
    """The ids of the data."""

    guilds: list[FilledGuild]
    busy: Account
    reader: Account
    long_channel_id: int
    deep_id: int


class Filler:
    """Creates rows whose ids are of the last hour, so that the ids of servers come later."""

    def __init__(self, cur: Cursor, *, ago_ms: int = _HOUR_MS) -> None:
        self._cur = cur
        self._next_ms = int(time.time() * 1000) - EPOCH_MS - ago_ms

    def ids(self, count: int) -> int:
        """Reserve ids, which are a millisecond apart; return the first one."""
        first = self._next_ms * STEP | _WORKER
        self._next_ms += count
        return first

    def accounts(self, count: int) -> list[Account]:
        """Create accounts, each with a login and without a password."""
        users, logins = self.ids(count), self.ids(count)
        self._cur.execute(
            """
            INSERT INTO users (id, username, username_key, email, email_key, password_hash)
            SELECT id, 'u' || id, 'u' || id, id || '@bench', id || '@bench', '!'
              FROM (SELECT %(users)s + %(step)s * n AS id
                      FROM generate_series(0::bigint, %(count)s - 1) AS n) AS made;
            INSERT INTO logins (id, user_id)
            SELECT %(logins)s + %(step)s * n, %(users)s + %(step)s * n
              FROM generate_series(0::bigint, %(count)s - 1) AS n;
            INSERT INTO streams (id)
            SELECT %(users)s + %(step)s * n FROM generate_series(0::bigint, %(count)s - 1) AS n
            """,
            {"users": users, "logins": logins, "count": count, "step": STEP},
        )
        return [
            (UserId(users + STEP * each), LoginId(logins + STEP * each)) for each in range(count)
        ]

    def guild(self, members: int, channels: int) -> FilledGuild:
        """Create a guild whose members are in no other guild."""
        accounts = self.accounts(members)
        guild_id, channel_id = self.guilds([accounts[0][0]])
        self.channels(guild_id, channels - 1)
        self.join(guild_id, 1, [user_id for user_id, _ in accounts[1:]])
        return FilledGuild(channel_id, accounts)

    def guilds(self, owners: Sequence[UserId]) -> tuple[int, int]:
        """Create guilds of these owners, with a channel each.

        Returns the first id of the guilds and the channels.
        """
        count = len(owners)
        guilds, channels = self.ids(count), self.ids(count)
        self._cur.execute(
            """
            CREATE TEMPORARY TABLE made ON COMMIT DROP AS
            SELECT %(guilds)s + %(step)s * n AS guild, %(channels)s + %(step)s * n AS channel,
                   (%(owners)s::bigint[])[1 + n] AS owner
              FROM generate_series(0::bigint, %(count)s - 1) AS n;
            INSERT INTO guilds (id, name, owner_id) SELECT guild, 'bench', owner FROM made;
            INSERT INTO roles (id, guild_id, name, permissions)
            SELECT guild, guild, '@everyone', %(permissions)s FROM made;
            INSERT INTO channels (id, guild_id, type, name)
            SELECT channel, guild, 0, 'general' FROM made;
            INSERT INTO streams (id) SELECT guild FROM made;
            INSERT INTO guild_members (guild_id, user_id) SELECT guild, owner FROM made;
            DROP TABLE made
            """,
            {
                "guilds": guilds,
                "channels": channels,
                "count": count,
                "step": STEP,
                "owners": list(owners),
                "permissions": int(EVERYONE),
            },
        )
        return guilds, channels

    def channels(self, guild_id: int, count: int) -> list[int]:
        """Create further channels of a guild; return their ids."""
        first = self.ids(count)
        self._cur.execute(
            """
            INSERT INTO channels (id, guild_id, type, name, position)
            SELECT %(first)s + %(step)s * n, %(guild_id)s, 0, 'channel-' || (n + 1), n + 1
              FROM generate_series(0::bigint, %(count)s - 1) AS n
            """,
            {"first": first, "step": STEP, "guild_id": guild_id, "count": count},
        )
        return [first + STEP * number for number in range(count)]

    def join(self, first_guild: int, count: int, users: list[UserId]) -> None:
        """Make users members of guilds."""
        self._cur.execute(
            """
            INSERT INTO guild_members (guild_id, user_id)
            SELECT %(first)s + %(step)s * n, user_id
              FROM generate_series(0::bigint, %(count)s - 1) AS n,
                   unnest(%(users)s::bigint[]) AS user_id
            """,
            {"first": first_guild, "count": count, "step": STEP, "users": users},
        )

    def join_each(self, pairs: Sequence[tuple[int, UserId]]) -> None:
        """Make users members of guilds, by pairs of a guild and a user."""
        self._cur.execute(
            """
            INSERT INTO guild_members (guild_id, user_id)
            SELECT * FROM unnest(%(guilds)s::bigint[], %(users)s::bigint[])
            """,
            {"guilds": [guild for guild, _ in pairs], "users": [user for _, user in pairs]},
        )

    def histories(self, channels: Sequence[int], authors: Sequence[UserId], count: int) -> None:
        """Create `count` messages in each channel, each channel's by one author, in the past."""
        rows = len(channels) * count
        newest_ms = int(time.time() * 1000) - EPOCH_MS - 2 * _HOUR_MS
        self._cur.execute(
            """
            INSERT INTO messages (channel_id, id, author_id, content)
            SELECT channel, %(first)s + %(step)s * (n * %(channels)s + place), author,
                   'message ' || n || ' of a long history, as long as people write'
              FROM unnest(%(ids)s::bigint[], %(authors)s::bigint[])
                   WITH ORDINALITY AS listed (channel, author, place),
                   generate_series(0::bigint, %(count)s - 1) AS n
            """,
            {
                "first": (newest_ms - rows) * STEP | _WORKER,
                "step": STEP,
                "channels": len(channels),
                "ids": list(channels),
                "authors": list(authors),
                "count": count,
            },
        )

    def history(self, channel_id: int, authors: list[UserId], count: int) -> int:
        """Create messages, a second apart, up to two hours ago; return the id in the middle."""
        newest_ms = int(time.time() * 1000) - EPOCH_MS - 2 * _HOUR_MS
        first = (newest_ms - count * 1000) * STEP | _WORKER
        for start in range(0, count, _BITE):
            self._cur.execute(
                """
                INSERT INTO messages (channel_id, id, author_id, content)
                SELECT %(channel_id)s, %(first)s + %(step)s * n,
                       (%(authors)s::bigint[])[1 + n %% %(people)s],
                       'message ' || n || ' of a long history, as long as people write'
                  FROM generate_series(%(start)s::bigint, %(end)s) AS n
                """,
                {
                    "channel_id": channel_id,
                    "first": first,
                    "step": 1000 * STEP,
                    "authors": authors,
                    "people": len(authors),
                    "start": start,
                    "end": min(start + _BITE, count) - 1,
                },
            )
        return first + 1000 * STEP * (count // 2)

    def look_for_segments(self, guilds: Sequence[int]) -> None:
        """Let the search indexer have looked at these guilds just now, as it does once an hour.

        Otherwise it would look at all of them while something else is measured.
        """
        self._cur.execute(
            """
            INSERT INTO search_streams (stream_id, looked_seq, looked_to)
            SELECT id, seq, %(now)s FROM streams WHERE id = ANY(%(guilds)s)
            """,
            {"guilds": list(guilds), "now": (int(time.time() * 1000) - EPOCH_MS) * STEP},
        )

    def talk(
        self,
        guild_id: int,
        channels: list[int],
        authors: list[UserId],
        texts: Iterator[str],
        count: int,
    ) -> None:
        """Create messages, a second apart, in turn in each channel, up to two hours ago."""
        newest_ms = int(time.time() * 1000) - EPOCH_MS - 2 * _HOUR_MS
        first = (newest_ms - count * 1000) * STEP | _WORKER
        for start in range(0, count, _BITE):
            lines = StringIO()
            for number, text in zip(range(start, min(start + _BITE, count)), texts, strict=False):
                channel, author = channels[number % len(channels)], authors[number % len(authors)]
                lines.write(f"{channel}\t{first + 1000 * STEP * number}\t{author}\t{text}\n")
            lines.seek(0)
            self._cur.copy_expert(
                "COPY messages (channel_id, id, author_id, content) FROM STDIN", lines
            )
        self._cur.execute(
            """
            UPDATE streams SET seq = seq + %(count)s, last_message_id = %(last)s
             WHERE id = %(guild_id)s
            """,
            {"count": count, "last": first + 1000 * STEP * (count - 1), "guild_id": guild_id},
        )


def settle(connection: Connection) -> None:
    """Vacuum and write all to disk, so that neither begins during a measurement.

    Empty tables are left alone: after a vacuum, Postgres would know that they are empty, and plan
    prepared statements that read them as a whole. As the tables grow, that would be measured until
    they are analyzed again, after a minute.
    """
    connection.autocommit = True
    with connection.cursor() as cur:
        cur.execute(
            """
            SELECT string_agg(oid::regclass::text, ', ') FROM pg_class
             WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
               AND pg_relation_size(oid) > 0
            """
        )
        [(filled,)] = cur.fetchall()
        cur.execute(f"VACUUM ANALYZE {filled}")
        cur.execute("CHECKPOINT")


def talk(url: str, texts: Iterator[str], count: int) -> tuple[int, list[Account]]:
    """Create a guild of fifty members and ten channels with this many messages."""
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cur:
            filler = Filler(cur, ago_ms=_HOUR_MS // 4)  # other ids than those of `fill`
            made = filler.guild(50, 10)
            cur.execute(
                """
                SELECT id, guild_id FROM channels
                 WHERE guild_id = (SELECT guild_id FROM channels WHERE id = %(channel_id)s)
                """,
                {"channel_id": made.channel_id},
            )
            found = cur.fetchall()
            guild_id = int(found[0][1])
            channels, authors = [row[0] for row in found], [user_id for user_id, _ in made.members]
            filler.talk(guild_id, channels, authors, texts, count)
        settle(connection)
    finally:
        connection.close()
    return guild_id, made.members


def fill(
    url: str, *, places: int, members: int, channels: int, guilds: int, messages: int
) -> Filled:
    """Create `places` guilds, a user in `guilds` guilds, and a channel with `messages` messages."""
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cur:
            filler = Filler(cur)
            made = [filler.guild(members, channels) for _ in range(places)]
            busy, landlord, reader = filler.accounts(3)
            many, _ = filler.guilds([landlord[0]] * guilds)
            filler.join(many, guilds, [busy[0]])
            _, long_channel_id = filler.guilds([reader[0]])
            authors = [user_id for user_id, _ in made[0].members[:50]]
            deep_id = filler.history(long_channel_id, authors, messages)
        settle(connection)
    finally:
        connection.close()
    return Filled(made, busy, reader, long_channel_id, deep_id)
