"""The way of a command to the databases, and through the services to every running instance."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from chatd import migrations
from chatd.auth.bot_tokens import BotTokens
from chatd.auth.links import Links
from chatd.auth.passwords import Passwords
from chatd.auth.tokens import AccessTokens
from chatd.bus.bus import WORKERS, Bus, NotHeard
from chatd.cli.command import EXIT_MISUSED, fail
from chatd.config import Config, ConfigError, load
from chatd.context import Resources
from chatd.core.errors import InvalidForm, Refusal
from chatd.core.snowflake import SnowflakeGenerator
from chatd.db import Cursor, Database, NotDurable
from chatd.ephemeral.rate_limits import RateLimits
from chatd.storage.local import LocalStorage
from chatd.worker import WorkerIdTaken, claimed

T = TypeVar("T")

_DEFAULT_REDIS = "redis://localhost:6379"


def read(work: Callable[[Cursor], Awaitable[T]]) -> T:
    """Look something up. Ends the command when that cannot be."""

    async def reading(config: Config) -> T:
        async with _database(config) as database, database.cursor() as cur:
            return await work(cur)

    return _run(reading)


def act(work: Callable[[Resources], Awaitable[T]], *, heard: bool = True) -> T:
    """Do something as a service does. Ends the command when that cannot be.

    With `heard`, running instances have to learn of it: without Redis it is not begun.
    """

    async def acting(config: Config) -> T:
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(_database(config))
            snowflakes, worker_id = await _worker(stack, database)
            bus = Bus(config.redis_url, worker_id=worker_id)
            if heard:
                await stack.enter_async_context(bus.publishing())
            return await work(_resources(config, database, bus, snowflakes))
        raise AssertionError  # nothing above suppresses what is raised in it

    return _run(acting)


@contextmanager
def servers() -> Iterator[Config]:
    """The settings with the servers that a command works on.

    What neither DATABASE_URL nor REDIS_URL names is private to the data folder, if there is one.
    Raises ConfigError, EmbeddedError.
    """
    config = load(embedded=True)
    with ExitStack() as stack:
        yield stack.enter_context(with_servers(config))


@contextmanager
def with_servers(config: Config) -> Iterator[Config]:
    """These settings with the servers that they leave out. Raises ConfigError, EmbeddedError."""
    if config.database_url and config.redis_url:
        yield config
        return
    try:
        from chatd import embedded
    except ImportError:
        embedded = None  # type: ignore[assignment]
    folder = config.data_dir.absolute()
    if embedded is None or not any(_is_there(folder / name) for name in ("postgres", "valkey")):
        if not config.database_url:
            raise ConfigError(
                {"DATABASE_URL": f"Not set, and CHATD_DATA_DIR ({folder}) has no private Postgres."}
            )
        yield replace(config, redis_url=_DEFAULT_REDIS)
        return
    with embedded.shared_servers(config) as found:
        yield found


def _is_there(path: Path) -> bool:
    """Whether we can see it: what is in a folder that is closed to us, we cannot."""
    return os.path.exists(path)  # noqa: PTH110 - that of pathlib raises


def explained(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, InvalidForm):
        return " ".join(_fields(error.errors)) or error.text
    return str(error)


def _only(error: Exception) -> Exception:
    """What a task group has wrapped."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def is_of_embedded(error: Exception) -> bool:
    """Whether a private server could not be used. Its module needs an extra that may be missing."""
    return type(error).__module__ == "chatd.embedded"


def _run(work: Callable[[Config], Awaitable[T]]) -> T:
    logging.basicConfig(level=logging.WARNING, format="chatd: %(message)s", stream=sys.stderr)
    logging.getLogger("yoyo").setLevel(logging.WARNING)

    async def checked(config: Config) -> T:
        if waiting := await asyncio.to_thread(migrations.pending, config.database_url):
            raise migrations.SchemaError(
                f"the schema is not up to date ({waiting[0]}); run `chatd migrate` first"
            )
        try:
            return await work(config)
        except ExceptionGroup as group:
            raise _only(group) from None

    try:
        with servers() as config:
            return asyncio.run(checked(config))
    except ConfigError as error:
        fail(str(error), EXIT_MISUSED)
    except (Refusal, NotDurable, NotHeard, WorkerIdTaken, migrations.SchemaError) as error:
        fail(explained(error))
    except Exception as error:
        if is_of_embedded(error):
            fail(str(error))
        raise


@asynccontextmanager
async def _database(config: Config) -> AsyncIterator[Database]:
    database = Database(config.database_url, size=2, name="chatd command")
    try:
        await database.open()
        yield database
    finally:
        await database.close()


async def _worker(stack: AsyncExitStack, database: Database) -> tuple[SnowflakeGenerator, int]:
    """Borrow a WORKER_ID that nobody has, from the highest on: instances begin at the lowest.

    Raises WorkerIdTaken.
    """
    for worker_id in reversed(range(WORKERS)):
        snowflakes = SnowflakeGenerator(worker_id)
        with contextlib.suppress(WorkerIdTaken):
            await stack.enter_async_context(
                claimed(database, worker_id, snowflakes, patience_s=0.0)
            )
            return snowflakes, worker_id
    raise WorkerIdTaken(f"all {WORKERS} WORKER_IDs are in use; a command needs one")


def _resources(
    config: Config, database: Database, bus: Bus, snowflakes: SnowflakeGenerator
) -> Resources:
    nobodys = secrets.token_hex(32)  # a command signs nothing, and needs no JWT_SECRET
    return Resources(
        database=database,
        bus=bus,
        snowflakes=snowflakes,
        passwords=Passwords(),
        access_tokens=AccessTokens(nobodys, lifetime_s=1),
        bot_tokens=BotTokens(nobodys),
        rate_limits=RateLimits(config.redis_url),
        refresh_token_lifetime_s=config.jwt_refresh_token_expiry_s,
        # A command stores no file; what it dooms, a server deletes.
        storage=LocalStorage(config.files_dir.absolute()),
        links=Links(nobodys, config.public_url),
        registration=config.registration,
    )


def _fields(errors: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, inner in errors.items():
        if name == "_errors":
            for each in inner:
                yield f"{path}: {each['message']}"
        else:
            yield from _fields(inner, f"{path}.{name}" if path else name)
