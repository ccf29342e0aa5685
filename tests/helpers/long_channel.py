"""A channel with very many messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg2

from chatd.core import snowflake
from tests.world import Guild


def fill(database_url: str, guild: Guild, count: int) -> datetime:
    """Insert messages into the general channel, one a minute until now. Return the first moment."""
    start = datetime.now(UTC) - timedelta(minutes=count)
    connection = psycopg2.connect(database_url)
    with connection, connection.cursor() as cur:
        cur.execute(
            """
            INSERT INTO messages (channel_id, id, author_id, content)
            SELECT %(channel)s, %(first)s + (n::bigint * 60000 << 22), %(author)s, 'number ' || n
              FROM generate_series(0, %(count)s - 1) AS n
            """,
            {
                "channel": guild.general.id,
                "first": snowflake.at(start),
                "author": guild.owner.id,
                "count": count,
            },
        )
    connection.close()
    return start
