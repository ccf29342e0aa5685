"""Guilds of the largest size, written to the database: through the API it takes minutes."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg2

from chatd.services.access.overwrites import MAX_IN_GUILD
from chatd.services.guilds.channels import MAX_CHANNELS
from chatd.services.guilds.roles import MAX_ROLES

_FILL = """
    INSERT INTO roles (id, guild_id, name, permissions, position)
    SELECT %(guild_id)s + 1000 + n, %(guild_id)s, repeat('r', 100), 1024, n
      FROM generate_series(1, %(roles)s) AS n;

    INSERT INTO channels (id, guild_id, type, name, topic, position)
    SELECT %(guild_id)s + 10000 + n, %(guild_id)s, 0, repeat('c', 100), repeat('t', 1024), n
      FROM generate_series(1, %(channels)s) AS n;

    INSERT INTO overwrites (guild_id, channel_id, target_id, type, allow, deny)
    SELECT %(guild_id)s, %(guild_id)s + 10000 + c, %(guild_id)s + 1000 + r, 0,
           %(bits)s, 0
      FROM generate_series(1, %(channels)s) AS c, generate_series(1, %(each)s) AS r;

    UPDATE streams SET version = version + 1 WHERE id = %(guild_id)s
"""


@dataclass(frozen=True)
class Size:
    """How much a guild gets in addition to @everyone and its first channel."""

    channels: int = MAX_CHANNELS - 1
    roles: int = MAX_ROLES - 1
    overwrites: int = MAX_IN_GUILD


def fill(database_url: str, guild_id: int, size: Size | None = None) -> None:
    """Fill a guild up to its bounds. No member may be connected: no events are sent."""
    wanted = size or Size()
    database = psycopg2.connect(database_url)
    with database, database.cursor() as cur:
        cur.execute(
            _FILL,
            {
                "guild_id": guild_id,
                "roles": wanted.roles,
                "channels": wanted.channels,
                "each": wanted.overwrites // max(1, wanted.channels),
                "bits": 2**50 - 1 - 8,
            },
        )
    database.close()
