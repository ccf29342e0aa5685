"""Databases on a private Postgres."""

from __future__ import annotations

from collections.abc import Callable

import psycopg2
from psycopg2 import sql

from chatd.embedded.postgres import Postgres

NewDatabase = Callable[[str], str]
"""Creates a database of this name; returns its URL."""


def create_database(postgres: Postgres, name: str, *, template: str = "template1") -> str:
    """Create a database as a copy of a template; return its URL."""
    connection = psycopg2.connect(postgres.url)
    connection.autocommit = True
    with connection.cursor() as cur:
        cur.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    connection.close()
    return postgres.url_of(name)
