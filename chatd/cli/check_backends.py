"""Checks of Postgres and Redis: versions, settings, schema, clocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from chatd.bus.bus import BusUnavailable
from chatd.bus.redis_info import inspect
from chatd.cli.finding import Finding, ok
from chatd.config import Config
from chatd.core.errors import DatabaseUnavailable
from chatd.core.snowflake import EPOCH_MS
from chatd.db import migrations
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.queries import administration, statistics
from chatd.queries.statistics import Instance

_MIN_POSTGRES = 140_000  # as in server_version_num
_MIN_REDIS = (6, 2)
_DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")
_RESERVED = 3  # superuser_reserved_connections

_NAMED = 10  # administrators in one finding

_MAX_SKEW_S = (1.0, 30.0)
"""Difference between the clocks above which there is a warning, and an error."""

_MAX_AHEAD_S = 5.0
"""How far ids may be ahead of the clock: they are reserved for 2 s, and clocks differ a little."""


async def postgres(config: Config) -> AsyncIterator[Finding]:
    """Check the database: version, settings, schema, clock and ids."""
    database = Database(config.database_url, size=1, name="chatd check")
    try:
        async with database.dedicated_connection() as cur:
            async for finding in _server(cur, config):
                yield finding
            is_current = True
            async for finding in _schema(config):
                is_current = is_current and finding.state == "ok"
                yield finding
            if is_current:
                async for finding in _ids(cur):
                    yield finding
                async for finding in _administrators(cur, config):
                    yield finding
    except DatabaseUnavailable as error:
        remedy = "Start Postgres or correct DATABASE_URL, then check again."
        text = f"cannot reach the database: {error}; schema and instances were not checked"
        yield Finding("database", "error", text, remedy)


async def instances(config: Config) -> list[Instance] | None:
    """Return the running instances; None while Postgres is unavailable."""
    database = Database(config.database_url, size=1, name="chatd check")
    try:
        async with database.dedicated_connection() as cur:
            return await statistics.list_instances(cur)
    except DatabaseUnavailable:
        return None


async def _server(cur: Cursor, config: Config) -> AsyncIterator[Finding]:
    before = datetime.now(UTC)
    found = await statistics.server_info(cur)
    skew_s = clock_skew_s(found.now, before, datetime.now(UTC))
    version = f"Postgres {found.version // 10_000}.{found.version % 10_000}"
    if found.version < _MIN_POSTGRES:
        text, remedy = f"{version} is too old", "Upgrade to Postgres 14 or later."
        yield Finding("database", "error", text, remedy)
    else:
        yield ok("database", version)
    for name in _DURABILITY:
        if await statistics.get_setting(cur, name) == "off":
            text = f"{name} is off: a crash would lose committed data"
            remedy = f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();"
            yield Finding("database", "error", text, remedy)
    if found.encoding != "UTF8":
        text = f"its encoding is {found.encoding}"
        remedy = "Create it again: CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8'."
        yield Finding("database", "error", text, remedy)
    if not found.may_create:
        text = "the role in DATABASE_URL cannot create tables"
        remedy = "Make it the owner: ALTER DATABASE ... OWNER TO ...; or GRANT CREATE ON SCHEMA."
        yield Finding("database", "error", text, remedy)
    needed = config.database_max_connections + 1
    if found.max_connections - _RESERVED < needed:
        text = f"max_connections is {found.max_connections}; one instance needs {needed}"
        remedy = "Raise max_connections in Postgres, or lower DATABASE_MAX_CONNECTIONS."
        yield Finding("database", "error", text, remedy)
    yield _clock(skew_s)


def clock_skew_s(now: datetime, before: datetime, after: datetime) -> float:
    """Return by how much the database's clock differs at least.

    It was read at some time between `before` and `after`: a slow answer is no difference.
    """
    return max((before - now).total_seconds(), (now - after).total_seconds(), 0.0)


def _clock(skew_s: float) -> Finding:
    warning, error = _MAX_SKEW_S
    text = f"the clocks of the database and of this machine differ by {skew_s:.1f} s"
    remedy = "Synchronize the clock of every machine by NTP: timedatectl set-ntp true."
    if skew_s >= error:
        return Finding("clock", "error", text, remedy)
    if skew_s >= warning:
        return Finding("clock", "warning", text, remedy)
    return ok("clock", text)


async def _schema(config: Config) -> AsyncIterator[Finding]:
    try:
        pending = await asyncio.to_thread(migrations.pending, config.database_url)
    except migrations.SchemaError as error:
        remedy = "Install the version of chatd that migrated it."
        yield Finding("schema", "error", str(error), remedy)
        return
    if pending:
        text = f"{len(pending)} migrations are pending, the first is {pending[0]}"
        yield Finding("schema", "error", text, "Run `chatd migrate`.")
    else:
        yield ok("schema", f"up to date, {migrations.newest()}")


async def _ids(cur: Cursor) -> AsyncIterator[Finding]:
    reserved = await statistics.newest_reserved_ms(cur)
    ahead_s = (reserved + EPOCH_MS) / 1000 - datetime.now(UTC).timestamp()
    if ahead_s > _MAX_AHEAD_S:
        text = f"the newest ids are {ahead_s:.0f} s ahead of this clock: it has stepped back"
        remedy = "Correct the clock. Until it has caught up, the time in new ids is too late."
        yield Finding("clock", "warning", text, remedy)


async def _administrators(cur: Cursor, config: Config) -> AsyncIterator[Finding]:
    if config.require_mfa == "off":
        return
    names = await administration.administrators_without_factor(cur, limit=_NAMED)
    if names:
        text = f"REQUIRE_MFA keeps these administrators from their work: {', '.join(names)}"
        remedy = "They enable a second factor in the settings of their accounts."
        yield Finding("second factors", "warning", text, remedy)


async def redis(config: Config) -> AsyncIterator[Finding]:
    """Check Redis or Valkey."""
    try:
        found = await inspect(config.redis_url)
    except BusUnavailable as error:
        remedy = "Start Redis or Valkey, or correct REDIS_URL. Instances need it to share events."
        yield Finding("redis", "error", str(error), remedy)
        return
    version = f"{found.name} {found.version}"
    if found.compatible < _MIN_REDIS:
        text, remedy = f"{version} is too old", "Upgrade to Redis 6.2 or later, or Valkey."
        yield Finding("redis", "error", text, remedy)
    else:
        yield ok("redis", version)
    if found.evicts is not None:
        text = f"it evicts keys when its memory is full ({found.evicts}), which loses events"
        yield Finding("redis", "warning", text, "CONFIG SET maxmemory-policy noeviction")
    if found.max_bytes and found.used_bytes > 0.9 * found.max_bytes:
        text = f"{found.used_bytes} of {found.max_bytes} bytes of memory are used"
        yield Finding("redis", "warning", text, "Raise maxmemory.")
