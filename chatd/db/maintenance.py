"""A connection for work that takes long, such as a backup: without timeouts for statements."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from chatd.core.errors import DatabaseUnavailable
from chatd.core.text import first_line
from chatd.db.connection import connect
from chatd.db.cursor import Cursor
from chatd.db.pool import connection_parameters
from chatd.observability.metrics import Counters

_TIMEOUT_S = 30 * 86400.0
"""How long a statement may take. A count of all messages takes minutes."""

LONG_OPTIONS = (
    " -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0"
    " -c timezone=UTC"
)
"""What the sessions of such connections have: no timeouts."""


class StatementFailed(Exception):
    """Postgres refuses a statement, for example for lack of a right. The message says why."""


@asynccontextmanager
async def maintenance_cursor(url: str, *, name: str) -> AsyncIterator[Cursor]:
    """Provide a cursor in autocommit mode. `name` is the `application_name`.

    Raises DatabaseUnavailable, StatementFailed.
    """
    parameters = connection_parameters(url)
    parameters["options"] += LONG_OPTIONS
    try:
        connection = await connect(url, timeout_s=_TIMEOUT_S, application_name=name, **parameters)
    except Exception as error:
        raise DatabaseUnavailable(first_line(error)) from error
    try:
        yield Cursor(connection, Counters())
    except psycopg2.Error as error:
        raise StatementFailed(first_line(error)) from error
    finally:
        await connection.close()


def split_password(url: str) -> tuple[str, str | None]:
    """Return a connection string without its password, and the password.

    Other users of a machine can read the arguments of a process, but not its environment.
    """
    parameters = parse_dsn(url)
    password = parameters.pop("password", None)
    return make_dsn(**parameters), password
