"""How Postgres runs the statements that are called the most, where there is much of everything.

They are planned once for each connection, whatever they will be asked: a plan must be good for the
largest channel and the largest guild.
"""

from __future__ import annotations

import pkgutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib import import_module

import psycopg2
import pytest

from chatd import migrations, queries
from chatd.db import Prepared
from chatd.queries import messages

USERS = 20_000
MESSAGES = 60_000
CHANNELS = 3  # all of one guild, in which everybody is

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
    ANALYZE;
"""


def _statements() -> Iterator[tuple[str, Prepared]]:
    """All that are prepared, by their names."""
    for module in pkgutil.iter_modules(queries.__path__):
        found = import_module(f"{queries.__name__}.{module.name}")
        for name, each in vars(found).items():
            if isinstance(each, Prepared):
                yield f"{module.name}.{name}", each
    for guarded in (False, True):
        yield f"messages._insert({guarded})", messages._insert(True, guarded, guarded)


STATEMENTS = dict(_statements())
del STATEMENTS["members._COUNTS"]  # counts all members there are


@pytest.fixture(scope="module")
def filled(new_database: Callable[[str], str]) -> Iterator[psycopg2.extensions.connection]:
    """A database with much of everything."""
    url = new_database("plans")
    migrations.apply(url)
    connection = psycopg2.connect(url, options="-c plan_cache_mode=force_generic_plan")
    connection.autocommit = True
    with connection.cursor() as cur:
        cur.execute(_FILL)
    yield connection
    connection.close()


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_reads_all_there_is(filled: psycopg2.extensions.connection, name: str) -> None:
    statement = STATEMENTS[name]
    with filled.cursor() as cur:
        cur.execute(statement.prepare)
        cur.execute(f"EXPLAIN {statement.execute}", defaultdict(lambda: None))
        plan = "\n".join(row[0] for row in cur.fetchall())
    for table in ("users", "streams", "guild_members", "messages", "reactions"):
        assert f"Seq Scan on {table}" not in plan, plan
