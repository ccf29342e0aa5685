"""What tests of the API can have besides a world."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import pytest
from redis import Redis

from chatd.config import Config
from chatd.core.ids import StreamId
from chatd.db.pool import Database
from chatd.embedded.valkey import Valkey
from chatd.queries import search_index
from chatd.ratelimit import limiter
from chatd.services.accounts.mfa import factors, verification
from tests.conftest import ServeMore, Server, serving
from tests.helpers.attachments import Counted, uploads_of
from tests.helpers.browser import running_browser
from tests.helpers.clock import Clock
from tests.helpers.commands import Commands
from tests.helpers.mfa import CodeClock
from tests.helpers.servers import free_ports
from tests.helpers.shared_stages import SharedStages
from tests.rest.searching import Index, alone
from tests.world import World, world_on

PassTime = Callable[[float], None]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[None]:
    """A browser for `browsing`."""
    async with running_browser():
        yield


@pytest.fixture(scope="session")
def web_port() -> int:
    """The port of all servers of `web`: the browser has their files, after those of the first."""
    [port] = free_ports(1)
    return port


@pytest.fixture(scope="module")
async def web(config: Config, web_port: int) -> AsyncIterator[Server]:
    """A server that serves the web client, for all tests of a module."""
    settings = replace(config, worker_id=9, web_client=True)
    async with serving(replace(settings, api_port=web_port, gateway_port=web_port)) as server:
        yield server


@pytest.fixture
async def web_world(web: Server) -> AsyncIterator[World]:
    """People and their clients on the server with the web client."""
    async with world_on(web.url, web.gateway_url) as world:
        yield world


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch, valkey: Valkey) -> PassTime:
    """Advances the windows of all rate limits by seconds, on the instances and in Redis."""
    clock = Clock()
    monkeypatch.setattr(limiter, "time", clock)

    def advance(seconds: float) -> None:
        clock.advance(seconds)
        with Redis.from_url(valkey.url) as redis:
            for key in redis.scan_iter("chatd:limits:*"):
                redis.pexpire(key, max(redis.pttl(key) - int(seconds * 1000), 0))

    return advance


@pytest.fixture
async def other(world: World, serve_more: ServeMore) -> AsyncIterator[World]:
    """The same people on another instance."""
    async with (
        serve_more(worker_id=1) as second,
        world_on(second.url, second.gateway_url) as made,
    ):
        made.share_people(world)
        yield made


@pytest.fixture(scope="module")
async def stages(server: Server) -> AsyncIterator[SharedStages]:
    """Stages that the tests of a module share."""
    made = SharedStages(server.url, server.gateway_url)
    yield made
    await made.aclose()


@pytest.fixture(params=[0, 1, 3], ids=["read", "indexed", "both"])
def index(request: pytest.FixtureRequest, database: Database) -> Index:
    """Indexes a stream: not at all, all of it, or all but up to two messages."""

    async def run(stream_id: str) -> None:
        if request.param:
            stream = StreamId(int(stream_id))
            await alone(database, lambda cur: search_index.extend(cur, stream, size=request.param))

    return run


@pytest.fixture(params=["global", "guild"])
async def commands(world: World, request: pytest.FixtureRequest) -> Commands:
    """The commands of a bot, globally and in a guild."""
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", "alice", guild)
    return Commands(bot, guild if request.param == "guild" else None)


@pytest.fixture
def problems() -> Iterator[list[str]]:
    """Collect the errors that the browser reports; there must be none."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def code_clock(monkeypatch: pytest.MonkeyPatch) -> CodeClock:
    """The time of one-time codes on all instances of this process."""
    clock = CodeClock()
    monkeypatch.setattr(factors, "time", clock)
    monkeypatch.setattr(verification, "time", clock)
    return clock


@pytest.fixture
def pending_uploads(server: Server) -> Counted:
    """Counts the pending uploads of this test: the server may still delete those of others."""
    others = uploads_of(server)
    return lambda: len(uploads_of(server) - others)
