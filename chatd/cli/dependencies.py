"""Dependencies of a command: connections to the databases, and the services' dependencies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from chatd.auth.passwords import PasswordHasher
from chatd.backup.errors import BackupError
from chatd.bus.bus import WORKERS, Bus, BusUnavailable
from chatd.cli.command import EXIT_USAGE, fail, log_no_slow_statements
from chatd.config import Config, ConfigError, load
from chatd.context.dependencies import CoreDependencies
from chatd.context.lock_queue import LockQueues
from chatd.core.errors import ApiError, InvalidForm
from chatd.core.snowflake import SnowflakeGenerator
from chatd.db import migrations
from chatd.db.cursor import Cursor
from chatd.db.maintenance import StatementFailed
from chatd.db.pool import Database, NotDurable
from chatd.embedded.errors import EmbeddedError
from chatd.queries import statistics
from chatd.runtime.worker_lease import WorkerIdTaken, worker_id_lease
from chatd.storage.paths import path_exists
from chatd.transfer.errors import TransferError

T = TypeVar("T")

_TRANSFER_CONNECTIONS = 6
"""Connections of an import: several files are stored at once."""

_DEFAULT_REDIS_URL = "redis://localhost:6379"


def run_read(work: Callable[[Cursor], Awaitable[T]]) -> T:
    """Run a query on a connection. Ends the command on an error."""

    async def reading(config: Config) -> T:
        async with _database(config) as database, database.cursor() as cur:
            return await work(cur)

    return _run(reading)


def run_write(work: Callable[[CoreDependencies], Awaitable[T]], *, requires_bus: bool = True) -> T:
    """Run a service that changes something. Ends the command on an error.

    With `requires_bus`, the change must reach running instances: nothing runs without Redis.
    """

    async def acting(config: Config) -> T:
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(_database(config))
            snowflakes, worker_id = await _worker(stack, database)
            bus = Bus(config.redis_url, worker_id=worker_id)
            if requires_bus:
                await stack.enter_async_context(bus.publish_only())
            return await work(_dependencies(config, database, bus, snowflakes))
        raise AssertionError  # nothing above suppresses what is raised in it

    return _run(acting)


def run_transfer(
    work: Callable[[CoreDependencies, Config], Awaitable[T]], *, requires_bus: bool = True
) -> T:
    """Run an import or an export, which needs the settings, too. Ends the command on an error."""

    async def acting(config: Config) -> T:
        async with AsyncExitStack() as stack:
            connections = _database(config, size=_TRANSFER_CONNECTIONS)
            database = await stack.enter_async_context(connections)
            snowflakes, worker_id = await _worker(stack, database)
            bus = Bus(config.redis_url, worker_id=worker_id)
            if requires_bus:
                await stack.enter_async_context(bus.publish_only())
            return await work(_dependencies(config, database, bus, snowflakes), config)
        raise AssertionError  # nothing above suppresses what is raised in it

    return _run(acting)


@contextmanager
def servers() -> Iterator[Config]:
    """Load the settings, with the URLs of the servers that a command works on.

    Servers that DATABASE_URL and REDIS_URL do not name are the private ones of the data folder, if
    it exists. Raises ConfigError, EmbeddedError.
    """
    config = load(embedded=True)
    with ExitStack() as stack:
        yield stack.enter_context(with_servers(config))


@contextmanager
def with_servers(config: Config) -> Iterator[Config]:
    """Complete the URLs of the servers in the settings. Raises ConfigError, EmbeddedError."""
    if config.database_url and config.redis_url:
        yield config
        return
    try:
        from chatd.embedded.lifecycle import shared_servers
    except ImportError:  # the extra "embedded" is not installed
        shared_servers = None  # type: ignore[assignment]
    folder = config.data_dir.absolute()
    has_data = any(path_exists(folder / name) for name in ("postgres", "valkey"))
    if shared_servers is None or not has_data:
        if not config.database_url:
            raise ConfigError(
                {"DATABASE_URL": f"Not set, and CHATD_DATA_DIR ({folder}) has no private Postgres."}
            )
        yield replace(config, redis_url=_DEFAULT_REDIS_URL)
        return
    with shared_servers(config) as complete:
        yield complete


def describe_error(error: Exception) -> str:
    """Describe an error in one line."""
    if isinstance(error, InvalidForm):
        return " ".join(_fields(error.errors)) or error.text
    return str(error)


def _unwrap(error: Exception) -> Exception:
    """Return the only error in nested exception groups, which task groups raise."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _run(work: Callable[[Config], Awaitable[T]]) -> T:
    logging.basicConfig(level=logging.WARNING, format="chatd: %(message)s", stream=sys.stderr)
    logging.getLogger("yoyo").setLevel(logging.WARNING)
    log_no_slow_statements()

    async def checked(config: Config) -> T:
        if pending := await asyncio.to_thread(migrations.pending, config.database_url):
            raise migrations.SchemaError(
                f"the schema is not up to date ({pending[0]}); run `chatd migrate` first"
            )
        try:
            return await work(config)
        except ExceptionGroup as group:
            raise _unwrap(group) from None

    try:
        with servers() as config:
            return asyncio.run(checked(config))
    except ConfigError as error:
        fail(str(error), EXIT_USAGE)
    except (ApiError, NotDurable, BusUnavailable, WorkerIdTaken, migrations.SchemaError) as error:
        fail(describe_error(error))
    except (EmbeddedError, BackupError, TransferError) as error:
        fail(str(error))
    except StatementFailed as error:
        fail(f"the database refuses: {error}")


@asynccontextmanager
async def _database(config: Config, *, size: int = 2) -> AsyncIterator[Database]:
    database = Database(config.database_url, size=size, name=statistics.COMMAND)
    try:
        await database.open()
        yield database
    finally:
        await database.close()


async def _worker(stack: AsyncExitStack, database: Database) -> tuple[SnowflakeGenerator, int]:
    """Lease the highest free WORKER_ID; instances use the lowest ones.

    Raises WorkerIdTaken.
    """
    for worker_id in reversed(range(WORKERS)):
        snowflakes = SnowflakeGenerator(worker_id)
        with contextlib.suppress(WorkerIdTaken):
            await stack.enter_async_context(
                worker_id_lease(database, worker_id, snowflakes, timeout_s=0.0)
            )
            return snowflakes, worker_id
    raise WorkerIdTaken(f"all {WORKERS} WORKER_IDs are in use; a command needs one")


def _dependencies(
    config: Config, database: Database, bus: Bus, snowflakes: SnowflakeGenerator
) -> CoreDependencies:
    return CoreDependencies(
        database=database,
        bus=bus,
        snowflakes=snowflakes,
        passwords=PasswordHasher(),
        lock_queues=LockQueues(database.size),
        sends_mail=bool(config.smtp.host),
    )


def _fields(errors: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, inner in errors.items():
        if name == "_errors":
            for each in inner:
                yield f"{path}: {each['message']}"
        else:
            yield from _fields(inner, f"{path}.{name}" if path else name)
