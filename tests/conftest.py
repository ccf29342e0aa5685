"""What every test can have: private servers of its own, a chatd on them, and a world on that."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2
import pytest
from aiohttp import web
from psycopg2 import sql

from chatd import embedded, migrations
from chatd.app import listening
from chatd.config import Config
from tests.world import World, world_on


@dataclass(frozen=True)
class Server:
    """A chatd that listens."""

    config: Config
    runner: web.AppRunner
    url: str
    gateway_url: str


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Postgres]:
    """A private Postgres of this test process."""
    with embedded.postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Valkey]:
    """A private Valkey of this test process."""
    with embedded.valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def new_database(postgres: embedded.Postgres) -> Callable[[str], str]:
    """Makes an empty database on the private Postgres; returns its URL."""

    def make(name: str) -> str:
        connection = psycopg2.connect(postgres.url)
        connection.autocommit = True
        with connection.cursor() as cur:
            cur.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        connection.close()
        return postgres.url_of(name)

    return make


@pytest.fixture(scope="session")
def config(
    new_database: Callable[[str], str],
    valkey: embedded.Valkey,
    tmp_path_factory: pytest.TempPathFactory,
) -> Config:
    """Settings of a server on a migrated database, with ports that the system picks."""
    url = new_database("shared")
    migrations.apply(url)
    return Config(
        app_env="development",
        api_host="127.0.0.1",
        api_port=0,
        gateway_host="127.0.0.1",
        gateway_port=0,
        database_url=url,
        database_max_connections=8,
        redis_url=valkey.url,
        jwt_secret="a secret of the tests, long enough",
        jwt_access_token_expiry_s=900,
        jwt_refresh_token_expiry_s=3600,
        worker_id=0,
        data_dir=tmp_path_factory.mktemp("var"),
        log_level="info",
        log_format="plain",
        metrics_host="127.0.0.1",
        metrics_port=0,
        heartbeat_interval_ms=45_000,
        resume_window_s=120,
        replay_max_bytes=256 * 2**20,
        outbox_max_bytes=256 * 2**20,
        sessions_per_user=100,
        sockets_per_address=0,
        shutdown_timeout_s=20,
        files_dir=tmp_path_factory.mktemp("files"),
        upload_max_bytes=10 * 2**20,
        public_url="http://chatd.test",
        s3_bucket=None,
        s3_endpoint_url=None,
        s3_region="us-east-1",
        s3_access_key_id=None,
        s3_secret_access_key=None,
        rate_limits=False,
        trusted_proxies=(),
        cors_origins=(),
        registration="open",
    )


@asynccontextmanager
async def serving(config: Config) -> AsyncIterator[Server]:
    """A server with these settings, for as long as the context is open."""
    async with listening(config) as runner:
        host, port = runner.addresses[0][:2]
        yield Server(config, runner, f"http://{host}:{port}", f"ws://{host}:{port}/gateway")


@pytest.fixture(scope="session")
async def server(config: Config) -> AsyncIterator[Server]:
    """The server that most tests share."""
    async with serving(config) as running:
        yield running


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    """People and their clients on the shared server."""
    async with world_on(server.url, server.gateway_url) as made:
        yield made


ServeMore = Callable[..., AbstractAsyncContextManager[Server]]


@pytest.fixture(scope="session")
def serve_more(config: Config) -> ServeMore:
    """Starts another server beside the shared one: `serve_more(worker_id=1, **settings)`."""
    return lambda **settings: serving(replace(config, **settings))


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture(autouse=True)
def no_bugs_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test in which the server logs a traceback has failed, whatever the client saw.

    One that plants a bug to see what it does is marked `plants_a_bug`.
    """
    if request.node.get_closest_marker("plants_a_bug"):
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
