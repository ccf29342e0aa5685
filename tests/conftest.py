"""What every test can have: private servers of its own, a chatd on them, and a world on that."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2
import pytest
import uvloop
from aiohttp import web
from hypothesis import HealthCheck, settings
from passlib.context import CryptContext

from chatd.auth import passwords
from chatd.config import Config
from chatd.db.pool import Database
from chatd.embedded.postgres import Postgres, running_postgres
from chatd.embedded.valkey import Valkey, running_valkey
from chatd.runtime import gc_tuning
from chatd.server import listening
from chatd.web.keys import DEPENDENCIES
from tests.helpers import clusters, contract, processes, timeouts
from tests.helpers.busy_machine import (  # noqa: F401
    long_leases,
    long_lock_timeouts,
    long_redis_timeouts,
    patient_interactions,
    rare_loop_samples,
    real_lock_timeouts,
    short_drains,
)
from tests.helpers.cli import Environment, command_environment
from tests.helpers.databases import NewDatabase, create_database
from tests.helpers.memory import folder_in_memory, put_temporary_files_in_memory
from tests.helpers.module_lists import LONGEST_MODULES, PROCESS_MODULES, SLOW_MODULES
from tests.helpers.recovery import recovered
from tests.helpers.settings import config_of
from tests.helpers.statements import record_statements
from tests.world import World, copying, world_on

# The loop of `chatd serve`. It takes a sixth less CPU time than that of asyncio.
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

# How long an example takes depends on what else the machine does.
settings.register_profile("chatd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("chatd")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Watch the timeouts of all tests with one thread; have temporary files in memory."""
    config.pluginmanager.register(timeouts)
    put_temporary_files_in_memory(config)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test as unit, api or process, unless it is marked soak; put the longest first."""
    for item in items:
        if item.get_closest_marker("soak") is None:
            item.add_marker(_kind(item))
        if "browser" in _fixtures(item):
            item.add_marker("few_processes")
        if _module(item) in SLOW_MODULES:
            item.add_marker("slow")
    ranks = {name: rank for rank, name in enumerate(LONGEST_MODULES)}
    items.sort(key=lambda item: ranks.get(_module(item), len(ranks)))


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Collect no garbage while tests are collected: it takes a quarter of the time."""
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Prepare what processes of tests share, which are forked next.

    The garbage collector scans neither the thousands of tests nor what they import.
    """
    is_forked = getattr(session.config.option, "processes", 0) > 0
    if is_forked and any(map(_is_api, session.items)):
        contract.operations()  # half a second
    processes.share()
    stack = contextlib.ExitStack()
    stack.enter_context(clusters.copied_clusters())
    session.config.add_cleanup(stack.close)
    gc_tuning.tune_gc()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Wait until the shared server has recovered, before the fixtures of a test use it."""
    if "server" in _fixtures(item) and (shared := item.config.stash.get(SHARED, None)):
        loop, server = shared
        loop.run_until_complete(recovered(server.runner.app[DEPENDENCIES]))


def _fixtures(item: pytest.Item) -> list[str]:
    names: list[str] = getattr(item, "fixturenames", [])
    return names


def _is_api(item: pytest.Item) -> bool:
    return item.get_closest_marker("api") is not None


def _module(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).with_suffix("").as_posix()


def _kind(item: pytest.Item) -> str:
    module = _module(item)
    if {module, module.partition("/")[0]} & PROCESS_MODULES:
        return "process"
    fixtures = set(_fixtures(item))
    if "browser" in fixtures:
        return "process"
    return "api" if {"postgres", "valkey"} & fixtures else "unit"


@dataclass(frozen=True)
class Server:
    """A chatd that listens."""

    config: Config
    runner: web.AppRunner
    url: str
    gateway_url: str


@pytest.fixture(scope="session", autouse=True)
def cheap_password_hashes() -> Iterator[None]:
    """Hash passwords at almost no cost: tests register thousands of accounts.

    `tests/auth/test_passwords.py` checks what a hash costs otherwise.
    """
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(
            passwords,
            "_context",
            CryptContext(
                schemes=["argon2"],
                argon2__type="ID",
                argon2__memory_cost=8,  # KiB, the least that argon2 takes
                argon2__time_cost=1,
                argon2__parallelism=1,
            ),
        )
        yield


@pytest.fixture
def real_initdb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let initdb create each data folder, for tests of the first start."""
    monkeypatch.setenv(clusters.INITDB, "1")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A private Postgres of this test process."""
    with folder_in_memory(tmp_path_factory.mktemp("postgres")) as folder:
        clusters.copy_migrated_cluster(folder / "postgres")
        with running_postgres(folder) as server:
            _bound_size(server)
            yield server


def _bound_size(postgres: Postgres) -> None:
    """Let the write-ahead log take a tenth of the memory that it takes by default."""
    connection = psycopg2.connect(postgres.url)
    connection.autocommit = True
    with connection.cursor() as cur:
        cur.execute("ALTER SYSTEM SET max_wal_size = '100MB'")
        cur.execute("SELECT pg_reload_conf()")
    connection.close()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A private Valkey of this test process."""
    with (
        folder_in_memory(tmp_path_factory.mktemp("valkey")) as folder,
        running_valkey(folder) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def new_database(postgres: Postgres) -> NewDatabase:
    """Makes an empty database on the private Postgres; returns its URL."""
    return lambda name: create_database(postgres, name)


@pytest.fixture(scope="session")
def migrated_database(postgres: Postgres) -> NewDatabase:
    """Makes a database with the current schema; returns its URL.

    It is a copy of one that is migrated once: a copy takes a tenth of the time.
    """
    return lambda name: create_database(postgres, name, template=clusters.TEMPLATE)


@pytest.fixture(scope="session")
def config(
    migrated_database: NewDatabase,
    valkey: Valkey,
    tmp_path_factory: pytest.TempPathFactory,
) -> Config:
    """Settings of a server on a migrated database, with ports that the system picks."""
    folder = tmp_path_factory.mktemp("var")
    return config_of(
        folder,
        DATABASE_URL=migrated_database("shared"),
        DATABASE_MAX_CONNECTIONS="8",
        REDIS_URL=valkey.url,
        JWT_SECRET="a secret of the tests, long enough",
        JWT_REFRESH_TOKEN_EXPIRY="3600",
        CHATD_DATA_DIR=str(folder),
        FILES_DIR=str(tmp_path_factory.mktemp("files")),
        PUBLIC_URL="http://chatd.test",
        PRIVATE_ENDPOINTS="on",  # those of the tests are on this machine
        # Clients of tests send no heartbeats, and some tests take a minute on a busy machine.
        HEARTBEAT_INTERVAL="600000",
        # All tests have one address, and more accounts, files and requests than a user has.
        RATE_LIMITS="off",
        RAID_JOINS="0",
        STORAGE_PER_USER_BYTES="0",
        SOCKETS_PER_ADDRESS="0",
        CONNECTIONS_PER_ADDRESS="0",
    )


SHARED = pytest.StashKey[tuple[asyncio.AbstractEventLoop, Server]]()
"""The server that most tests share, and the event loop that it runs in."""


@asynccontextmanager
async def serving(config: Config) -> AsyncIterator[Server]:
    """A server with these settings, for as long as the context is open."""
    async with listening(config) as runner:
        host, port = runner.addresses[0][:2]
        yield Server(config, runner, f"http://{host}:{port}", f"ws://{host}:{port}/gateway")


@pytest.fixture(scope="session")
async def server(config: Config, pytestconfig: pytest.Config) -> AsyncIterator[Server]:
    """The server that most tests share."""
    database = Database(config.database_url, size=1, name="tests")
    async with serving(config) as running:
        dependencies = running.runner.app[DEPENDENCIES]
        await database.open()
        async with copying(running.url, running.gateway_url, dependencies, database):
            pytestconfig.stash[SHARED] = asyncio.get_running_loop(), running
            yield running
            del pytestconfig.stash[SHARED]
        await database.close()


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    """People and their clients on the shared server."""
    async with world_on(server.url, server.gateway_url) as made:
        yield made


ServeMore = Callable[..., AbstractAsyncContextManager[Server]]


@pytest.fixture(scope="session")
def serve_more(config: Config) -> ServeMore:
    """Starts another server beside the shared one: `serve_more(worker_id=1, **settings)`.

    It has few connections to Postgres: each takes 5 ms of CPU time, and tests start 250 servers.
    """
    few = replace(config, database_max_connections=4)
    return lambda **settings: serving(replace(few, **settings))


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """The environment of a command that is run in this test's folder."""
    return command_environment(tmp_path)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that requests run within this test; see `record_statements`."""
    return record_statements(monkeypatch)


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture(autouse=True)
def no_bugs_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test in which the server logs a traceback has failed, whatever the client saw.

    One that plants a bug to see what it does is marked `expects_error_log`.
    """
    if request.node.get_closest_marker("expects_error_log"):
        yield
        return
    collector = _Collector()
    logger = logging.getLogger()
    logger.addHandler(collector)
    yield
    logger.removeHandler(collector)
    tracebacks = [record.getMessage() for record in collector.records if record.exc_info]
    assert tracebacks == []


def repository() -> Path:
    """The folder of the checkout."""
    return Path(__file__).parents[1]


@pytest.fixture
async def database(server: Server) -> AsyncIterator[Database]:
    """A pool of its own on the database of the shared server."""
    opened = Database(server.config.database_url, size=2)
    await opened.open()
    yield opened
    await opened.close()
