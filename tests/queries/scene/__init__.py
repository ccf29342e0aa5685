"""A database in which every row has neighbors: rows that differ from it in only one column.

A statement that lacks one of its conditions touches a neighbor. The rows are written with SQL and
small ids, because the API cannot create most of these neighbors.
"""

from __future__ import annotations

from itertools import chain

import psycopg2
from psycopg2 import sql

from tests.queries.scene import accounts, applications, guilds, imports, messages, upkeep
from tests.queries.scene.values import Row

_SUBJECTS = (accounts, guilds, applications, messages, upkeep, imports)
"""In an order that foreign keys permit."""


def fill(connection: psycopg2.extensions.connection) -> None:
    """Fill a migrated, empty database, and record the rows that later statements touch."""
    with connection.cursor() as cur:
        for table, rows in chain.from_iterable(subject.rows() for subject in _SUBJECTS):
            for row in rows:
                _insert(cur, table, row)
        _record(cur)
    connection.commit()


def snapshot(connection: psycopg2.extensions.connection) -> dict[str, list[Row]]:
    """Return every row of every table."""
    with connection.cursor() as cur:
        found = {}
        for table in _tables(cur):
            cur.execute(sql.SQL("SELECT to_jsonb(t) FROM {} AS t").format(sql.Identifier(table)))
            found[table] = [row for (row,) in cur.fetchall()]
    connection.commit()
    return found


def _insert(cur: psycopg2.extensions.cursor, table: str, row: Row) -> None:
    cur.execute(
        sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Placeholder, row)),
        ),
        row,
    )


def _tables(cur: psycopg2.extensions.cursor) -> list[str]:
    cur.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        " AND tablename NOT IN ('touched') AND tablename NOT LIKE '%yoyo%'"
    )
    return [name for (name,) in cur.fetchall()]


def _record(cur: psycopg2.extensions.cursor) -> None:
    """Record the old state of every row that is updated or deleted from now on, in `touched`."""
    tables = _tables(cur)
    cur.execute("CREATE TABLE touched (tbl text NOT NULL, old jsonb NOT NULL)")
    cur.execute(
        """
        CREATE FUNCTION record_touched() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO touched VALUES (TG_TABLE_NAME, to_jsonb(OLD));
            RETURN NULL;
        END $$
        """
    )
    for table in tables:
        cur.execute(
            sql.SQL(
                "CREATE TRIGGER touched AFTER UPDATE OR DELETE ON {}"
                " FOR EACH ROW EXECUTE FUNCTION record_touched()"
            ).format(sql.Identifier(table))
        )
