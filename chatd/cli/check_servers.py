"""What `check` looks at in Postgres and Redis: versions, settings, schema, clocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from chatd import migrations
from chatd.bus.bus import NotHeard
from chatd.bus.inspection import inspect
from chatd.cli.finding import Finding, well
from chatd.config import Config
from chatd.core.errors import DatabaseAway
from chatd.core.snowflake import EPOCH_MS
from chatd.db import Cursor, Database
from chatd.queries import statistics

_POSTGRES = 140_000
_REDIS = (6, 2)
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
_RESERVED = 3  # connections that Postgres keeps for superusers
_CLOCKS_S = (1.0, 30.0)  # a warning, an error
_AHEAD_S = 5.0  # ids are reserved for two seconds, and clocks differ a little


async def postgres(config: Config) -> AsyncIterator[Finding]:
    """The database."""
    database = Database(config.database_url, size=1, name="chatd check")
    try:
        async with database.own_connection() as cur:
            async for finding in _server(cur, config):
                yield finding
            is_whole = True
            async for finding in _schema(config):
                is_whole = is_whole and finding.state == "ok"
                yield finding
            if is_whole:
                async for finding in _ids(cur):
                    yield finding
    except DatabaseAway as error:
        remedy = "Start Postgres, or correct DATABASE_URL."
        yield Finding("database", "error", f"cannot reach the database: {error}", remedy)


async def _server(cur: Cursor, config: Config) -> AsyncIterator[Finding]:
    before = datetime.now(UTC)
    found = await statistics.postgres(cur)
    here = before + (datetime.now(UTC) - before) / 2
    version = f"Postgres {found.version // 10_000}.{found.version % 10_000}"
    if found.version < _POSTGRES:
        text, remedy = f"{version} is too old", "Upgrade to Postgres 14 or later."
        yield Finding("database", "error", text, remedy)
    else:
        yield well("database", version)
    for name in _DURABLE:
        if await statistics.setting(cur, name) == "off":
            text = f"{name} is off: it would forget what it has acknowledged"
            remedy = f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();"
            yield Finding("database", "error", text, remedy)
    if found.encoding != "UTF8":
        text = f"its encoding is {found.encoding}"
        remedy = "Make it anew: CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8'."
        yield Finding("database", "error", text, remedy)
    if not found.may_create:
        text = "its role may not make tables"
        remedy = "Make it the owner: ALTER DATABASE ... OWNER TO ...; or GRANT CREATE ON SCHEMA."
        yield Finding("database", "error", text, remedy)
    needed = config.database_max_connections + 1
    if found.max_connections - _RESERVED < needed:
        text = f"max_connections is {found.max_connections}; one instance takes {needed}"
        remedy = "Raise max_connections in Postgres, or lower DATABASE_MAX_CONNECTIONS."
        yield Finding("database", "error", text, remedy)
    yield _clock(abs((found.now - here).total_seconds()))


def _clock(apart_s: float) -> Finding:
    warning, error = _CLOCKS_S
    text = f"the database's clock and this one are {apart_s:.1f} s apart"
    remedy = "Let NTP set the clock of every machine: timedatectl set-ntp true."
    if apart_s >= error:
        return Finding("clock", "error", text, remedy)
    if apart_s >= warning:
        return Finding("clock", "warning", text, remedy)
    return well("clock", text)


async def _schema(config: Config) -> AsyncIterator[Finding]:
    try:
        waiting = await asyncio.to_thread(migrations.pending, config.database_url)
    except migrations.SchemaError as error:
        yield Finding("schema", "error", str(error), "Install the version of chatd that made it.")
        return
    if waiting:
        text = f"{len(waiting)} migrations wait, the first is {waiting[0]}"
        yield Finding("schema", "error", text, "Run `chatd migrate`.")
    else:
        yield well("schema", f"up to date, {migrations.newest()}")


async def _ids(cur: Cursor) -> AsyncIterator[Finding]:
    reserved = await statistics.newest_reserved_ms(cur)
    ahead_s = (reserved + EPOCH_MS) / 1000 - datetime.now(UTC).timestamp()
    if ahead_s > _AHEAD_S:
        text = f"ids were made that are {ahead_s:.0f} s ahead of this clock: it stepped back"
        remedy = "Set the clock right. Until it has caught up, new ids bear a time that is late."
        yield Finding("clock", "warning", text, remedy)
    running = await statistics.instances(cur)
    if running:
        ids = ", ".join(str(each.worker_id) for each in running)
        yield well("instances", f"running with WORKER_ID {ids}")
    else:
        yield well("instances", "none is running")


async def redis(config: Config) -> AsyncIterator[Finding]:
    """Redis, or what stands in for it."""
    try:
        found = await inspect(config.redis_url)
    except NotHeard as error:
        remedy = "Start Redis or Valkey, or correct REDIS_URL. Without it instances are alone."
        yield Finding("redis", "error", str(error), remedy)
        return
    version = f"{found.name} {found.version}"
    if found.compatible < _REDIS:
        text, remedy = f"{version} is too old", "Upgrade to Redis 6.2 or later, or Valkey."
        yield Finding("redis", "error", text, remedy)
    else:
        yield well("redis", version)
    if found.evicts is not None:
        text = f"it forgets keys when its memory is full ({found.evicts}): events would be lost"
        yield Finding("redis", "warning", text, "CONFIG SET maxmemory-policy noeviction")
    if found.max_bytes and found.used_bytes > 0.9 * found.max_bytes:
        text = f"{found.used_bytes} of {found.max_bytes} bytes of its memory are used"
        yield Finding("redis", "warning", text, "Raise maxmemory.")
