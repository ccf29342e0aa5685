"""The plans of prepared statements on large tables.

They are planned once per connection, without parameters, so a plan must be good for the largest
channel and the largest guild.
"""

from __future__ import annotations

import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module

import psycopg2
import pytest

from chatd import queries
from chatd.db.cursor import PreparedStatement
from chatd.queries import message_inserts
from tests.helpers.databases import NewDatabase

USERS = 20_000
MESSAGES = 60_000
CHANNELS = 3  # all of one guild, which has all users as members

_FILL = f"""
    INSERT INTO users (id, username, username_key, email, email_key, password_hash)
    SELECT n, name, name, name, name, ''
      FROM generate_series(1, {USERS}) AS n, concat('user', n) AS name;
    INSERT INTO streams (id) SELECT generate_series(1, {USERS});
    INSERT INTO guilds (id, name, owner_id) VALUES (1, 'guild', 1);
    INSERT INTO roles (id, guild_id, name, permissions) VALUES (1, 1, '@everyone', 0);
    INSERT INTO guild_members (guild_id, user_id) SELECT 1, generate_series(1, {USERS});
    INSERT INTO channels (id, guild_id, type, name)
    SELECT n, 1, 0, 'channel' FROM generate_series(0, {CHANNELS - 1}) AS n;
    INSERT INTO messages (channel_id, id, author_id, content)
    SELECT n % {CHANNELS}, n, 1 + floor(random() * {USERS}), 'hello'
      FROM generate_series(1, {MESSAGES}) AS n;
    INSERT INTO reactions (channel_id, message_id, emoji, user_id)
    SELECT n % {CHANNELS}, n, '+', 1 FROM generate_series(1, {MESSAGES}) AS n;
    INSERT INTO attachments (channel_id, message_id, id, filename, content_type, size)
    SELECT n % {CHANNELS}, n, n, 'file', 'text/plain', 1
      FROM generate_series(1, {MESSAGES}) AS n;
    ANALYZE;
"""


def _statements() -> Iterator[tuple[str, PreparedStatement]]:
    """Yield all prepared statements with their names."""
    for module in pkgutil.iter_modules(queries.__path__):
        found = import_module(f"{queries.__name__}.{module.name}")
        for name, each in vars(found).items():
            if isinstance(each, PreparedStatement):
                yield f"{module.name}.{name}", each
    for every_part in (False, True):
        parts = (every_part,) * 3
        yield f"message_inserts._insert({every_part})", message_inserts._insert(True, *parts)
    yield "message_inserts._insert_text", message_inserts._insert_text(True)


STATEMENTS = dict(_statements())
del STATEMENTS["members._COUNTS"]  # it counts all members


@pytest.fixture(scope="module")
def filled(migrated_database: NewDatabase) -> Iterator[psycopg2.extensions.connection]:
    """Provide a database with large tables."""
    url = migrated_database("plans")
    connection = psycopg2.connect(url, options="-c plan_cache_mode=force_generic_plan")
    connection.autocommit = True
    with connection.cursor() as cur:
        cur.execute(_FILL)
    yield connection
    connection.close()


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_scans_a_large_table(
    filled: psycopg2.extensions.connection, name: str
) -> None:
    statement = STATEMENTS[name]
    with filled.cursor() as cur:
        cur.execute(statement.prepare)
        cur.execute(f"EXPLAIN {statement.execute}", defaultdict(lambda: None))
        plan = "\n".join(row[0] for row in cur.fetchall())
    for table in ("users", "streams", "guild_members", "messages", "reactions", "attachments"):
        assert f"Seq Scan on {table}" not in plan, plan
