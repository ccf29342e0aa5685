"""create_app(config): the whole server, in the order in which it starts."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import resource
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError

from chatd.auth.bot_tokens import BotTokens
from chatd.auth.links import Links
from chatd.auth.passwords import Passwords
from chatd.auth.tokens import AccessTokens
from chatd.bus.bus import Bus
from chatd.config import Config
from chatd.context import Resources
from chatd.core.errors import DatabaseAway
from chatd.core.snowflake import SnowflakeGenerator
from chatd.db import Database, NotDurable
from chatd.ephemeral.rate_limits import RateLimits
from chatd.gateway import handler
from chatd.gateway.aside import Pace
from chatd.gateway.connection import Gateway
from chatd.gateway.connections import Connections
from chatd.gateway.deliveries import Deliveries
from chatd.gateway.dispatcher import Dispatcher
from chatd.gateway.frames import Dispatch
from chatd.gateway.outboxes import Outboxes
from chatd.gateway.parking import Parking
from chatd.gateway.presence import Presences
from chatd.gateway.recent import Recent
from chatd.gateway.registry import Registry
from chatd.gateway.turnstile import Turnstile
from chatd.keys import (
    CALLERS,
    METRICS,
    OPEN_HANDLERS,
    READER,
    RESOURCES,
    SENDER,
    TRUSTED_PROXIES,
    UPLOAD_MAX_BYTES,
)
from chatd.metrics import Metrics
from chatd.rest import cors, measured, middlewares, parse, rate_limits, routes
from chatd.services import indexer, janitor
from chatd.services.callers import Callers
from chatd.services.grants import Grants
from chatd.services.group_commit import MessageWriter
from chatd.services.reading import Reader
from chatd.services.sending import Sender
from chatd.stopping import Farewell
from chatd.storage.local import LocalStorage
from chatd.storage.storage import Storage
from chatd.systemd import Notifier, watched
from chatd.watching import loop_watched, metrics_app
from chatd.worker import WorkerIdTaken, claimed

log = logging.getLogger(__name__)

FAREWELL = web.AppKey("FAREWELL", Farewell)

_KEEPALIVE_S = 75.0
_ENTERING = 8  # sockets that are opened or resumed in one turn of the loop: about 4 ms
_BACKLOG = 4096
_LOOKS = 50  # for silent clients, in a heartbeat interval


_S3_EXTRA = "scripts/install --extras s3, or pip install '.[s3]' in the checkout"


class StartError(Exception):
    """The server cannot start; the text is one line for the person who started it."""


def create_app(config: Config) -> web.Application:
    """The application with everything it needs, started and stopped with it."""
    parts = _Parts(config)
    app = web.Application(
        client_max_size=parse.MAX_IMAGE_BODY,
        middlewares=[
            measured.measured,
            middlewares.errors,
            middlewares.limits,
            middlewares.callers,
        ],
    )
    app[RESOURCES] = parts.resources
    app[CALLERS] = parts.callers
    app[METRICS] = parts.metrics
    grants = Grants()
    app[SENDER], app[READER] = Sender(parts.writer, grants), Reader(grants)
    app[UPLOAD_MAX_BYTES] = config.upload_max_bytes
    app[TRUSTED_PROXIES] = config.trusted_proxies
    app[handler.CONNECTIONS] = Connections(per_address=config.sockets_per_address)
    app[handler.GATEWAY] = parts.gateway
    _add_gauges(parts.metrics, app)
    app.cleanup_ctx.extend(
        [
            parts.watching,
            parts.connections,
            parts.worker_id,
            parts.fan_out,
            parts.writing,
            parts.housekeeping,
        ]
    )
    app.on_shutdown.append(_goodbye)
    app[FAREWELL] = Farewell(within_s=config.shutdown_timeout_s / 4)
    app.on_response_prepare.append(app[FAREWELL].sign)
    for prefix in routes.PREFIXES:
        for path in ("/gateway", "/gateway/"):
            app.router.add_get(prefix + path, handler.gateway, expect_handler=parse.expecting)
        path = f"{prefix}/gateway/bot"
        app.router.add_get(path, handler.bot, expect_handler=parse.expecting)
    routes.add_to(app)
    preflights = cors.allow(app, config.cors_origins)
    app[OPEN_HANDLERS] = routes.open_to_anyone() | {handler.gateway} | preflights
    if config.rate_limits:
        rate_limits.add_to(app)
    return app


class _Parts:
    """What the server is made of, and how long each part of it lives."""

    def __init__(self, config: Config) -> None:
        self._worker_id = config.worker_id
        self.metrics = Metrics()
        self._database = Database(
            config.database_url,
            size=config.database_max_connections,
            name=f"chatd {config.worker_id}",
            tally=self.metrics.tally,
        )
        self._bus = Bus(
            config.redis_url, worker_id=config.worker_id, history_s=config.resume_window_s
        )
        self._snowflakes = SnowflakeGenerator(config.worker_id)
        tokens = AccessTokens(config.jwt_secret, lifetime_s=config.jwt_access_token_expiry_s)
        bot_tokens = BotTokens(config.jwt_secret)
        self.resources = Resources(
            database=self._database,
            bus=self._bus,
            snowflakes=self._snowflakes,
            passwords=Passwords(),
            access_tokens=tokens,
            bot_tokens=bot_tokens,
            rate_limits=RateLimits(config.redis_url),
            storage=_storage(config),
            links=Links(config.jwt_secret, config.public_url),
            refresh_token_lifetime_s=config.jwt_refresh_token_expiry_s,
            registration=config.registration,
        )
        self.writer = MessageWriter(self._database, self._bus, self._snowflakes, self.metrics)
        self.callers = Callers(self._database, tokens, bot_tokens)
        outboxes = Outboxes(max_bytes=config.outbox_max_bytes)
        self.gateway = Gateway(
            database=self._database,
            callers=self.callers,
            registry=Registry(
                resume_window_s=config.resume_window_s,
                replay_max_bytes=config.replay_max_bytes,
                sessions_per_user=config.sessions_per_user,
                presences=self.resources.presences,
                deliveries=Deliveries(outboxes, self.metrics.tally),
                tally=self.metrics.tally,
            ),
            parking=Parking(
                config.redis_url,
                lasting_s=config.resume_window_s,
                within_s=config.shutdown_timeout_s / 4,
            ),
            recent=Recent(lasting_s=config.resume_window_s),
            outboxes=outboxes,
            turnstile=Turnstile(_ENTERING),
            pace=Pace(),
            starts=asyncio.Semaphore(max(2, config.database_max_connections // 4)),
            heartbeat_interval_ms=config.heartbeat_interval_ms,
            rate_limits=self.resources.rate_limits if config.rate_limits else None,
        )

    async def watching(self, _: web.Application) -> AsyncIterator[None]:
        """The event loop is watched."""
        async with loop_watched(self.metrics):
            yield

    async def connections(self, _: web.Application) -> AsyncIterator[None]:
        """Connected to Postgres."""
        await self._database.open()
        yield
        await self._database.close()
        self.resources.passwords.close()

    async def worker_id(self, _: web.Application) -> AsyncIterator[None]:
        """Nobody else makes ids with this WORKER_ID."""
        async with claimed(self._database, self._worker_id, self._snowflakes):
            yield

    async def fan_out(self, app: web.Application) -> AsyncIterator[None]:
        """Deliver events for as long as the server lives. If this dies, so does the server."""
        gateway = self.gateway
        presences = Presences(gateway.registry, self._bus)
        dispatcher = Dispatcher(
            gateway.registry,
            self._database,
            self.callers,
            presences=presences,
            recent=gateway.recent,
        )
        async with (
            gateway.parking.open(),
            asyncio.TaskGroup() as tasks,
            self._bus.subscribe() as subscription,
        ):
            delivering = tasks.create_task(dispatcher.run(subscription), name="dispatcher")
            reporting = tasks.create_task(presences.run(), name="presence")
            every_s = gateway.heartbeat_interval_ms / 1000 / _LOOKS
            looking_after = app[handler.CONNECTIONS].look_after(every_s=every_s)
            caring = tasks.create_task(looking_after, name="heartbeats")
            yield
            caring.cancel()
            reporting.cancel()
            delivering.cancel()

    async def writing(self, _: web.Application) -> AsyncIterator[None]:
        """What is being written is finished before the bus closes."""
        async with self.writer.running():
            yield
        await self.resources.tasks.drain()

    async def housekeeping(self, _: web.Application) -> AsyncIterator[None]:
        """Counts are shared with the other instances, what is old is forgotten, and what is new is
        indexed."""
        resources = self.resources
        async with (
            asyncio.TaskGroup() as tasks,
            resources.rate_limits.running(),
            resources.storage.running(),
        ):
            cleaning = tasks.create_task(
                janitor.run(self._database, resources.storage), name="janitor"
            )
            indexing = tasks.create_task(indexer.run(self._database), name="indexer")
            yield
            indexing.cancel()
            cleaning.cancel()


def _add_gauges(metrics: Metrics, app: web.Application) -> None:
    """How it is at the moment that Prometheus asks."""
    served, registry = app[handler.CONNECTIONS].served, app[handler.GATEWAY].registry
    database, bus = app[RESOURCES].database, app[RESOURCES].bus
    for name, meaning, read in (
        ("chatd_connections", "Open gateway connections.", lambda: len(served)),
        ("chatd_sessions", "Sessions, with those that wait to be resumed.", lambda: len(registry)),
        (
            "chatd_outbox_bytes",
            "What waits to be read by clients.",
            lambda: sum(each.waiting_bytes for each in served),
        ),
        ("chatd_replay_bytes", "What is kept for resuming.", lambda: Dispatch.living_bytes),
        ("chatd_pool_in_use", "Database connections at work.", lambda: database.in_use),
        ("chatd_pool_idle", "Free database connections.", lambda: database.idle),
        ("chatd_pool_waiting", "Who waits for one of them.", lambda: database.waiting),
        ("chatd_database_up", "Whether Postgres is there.", lambda: not database.away),
        ("chatd_bus_up", "Whether the other instances are heard.", lambda: bus.connected),
        ("chatd_bus_lag_seconds", "How old the last event from them was.", lambda: bus.lag_s),
        ("chatd_bus_unpublished", "Events they are still to get.", lambda: bus.unpublished),
    ):
        metrics.gauge(name, meaning, read)


def _storage(config: Config) -> Storage:
    """Where files are kept: in a bucket if one is named, else on the local disk."""
    if config.s3_bucket is None:
        return LocalStorage(config.files_dir.absolute())
    try:
        from chatd.storage.s3 import Bucket, S3Storage
    except ImportError as missing:
        raise StartError(f"S3_BUCKET needs more: {_S3_EXTRA}") from missing
    bucket = Bucket(
        config.s3_bucket,
        config.s3_region,
        config.s3_endpoint_url,
        config.s3_access_key_id,
        config.s3_secret_access_key,
    )
    return S3Storage(bucket)


@asynccontextmanager
async def listening(
    config: Config, sockets: Sequence[socket.socket] = ()
) -> AsyncIterator[web.AppRunner]:
    """A server that listens: on the port of the API and on that of the gateway, or on sockets that
    listen already.

    Raises StartError.
    """
    runner = web.AppRunner(
        create_app(config),
        access_log=None,
        logger=_http_log(),
        keepalive_timeout=_KEEPALIVE_S,
        # It is waited for twice: for handlers to end, and for those that were cancelled.
        shutdown_timeout=config.shutdown_timeout_s / 4,
    )
    try:
        try:
            await runner.setup()
        except DatabaseAway as error:
            raise StartError(f"cannot reach the database: {error}") from error
        except (NotDurable, WorkerIdTaken) as error:
            raise StartError(str(error)) from error
        for passed in sockets:
            await web.SockSite(runner, passed, backlog=_BACKLOG).start()
        if not sockets:
            api = (config.api_host, config.api_port)
            gateway = (config.gateway_host, config.gateway_port)
            for host, port in dict.fromkeys([api, gateway]):
                await _listen(runner, host, port)
        async with _metrics_served(config, runner.app[METRICS]):
            yield runner
    finally:
        await runner.app[FAREWELL].say(runner)
        await runner.cleanup()


@asynccontextmanager
async def _metrics_served(config: Config, metrics: Metrics) -> AsyncIterator[None]:
    """`/metrics` can be read, if METRICS_PORT is set."""
    if not config.metrics_port:
        yield
        return
    runner = web.AppRunner(metrics_app(metrics), access_log=None, logger=_http_log())
    try:
        await runner.setup()
        await _listen(runner, config.metrics_host, config.metrics_port)
        yield
    finally:
        await runner.cleanup()


def _http_log() -> logging.Logger:
    """Where aiohttp tells of trouble; bytes that are no HTTP are the client's, not ours."""
    logger = logging.getLogger("chatd.http")
    logger.addFilter(_is_our_trouble)
    return logger


def _is_our_trouble(record: logging.LogRecord) -> bool:
    theirs = (HttpProcessingError, RequestPayloadError, ConnectionResetError)
    return not (record.exc_info and isinstance(record.exc_info[1], theirs))


async def serve(
    config: Config,
    notifier: Notifier,
    *,
    sockets: Sequence[socket.socket] = (),
    ready: Callable[[], None],
    reload: Callable[[], None] | None,
) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called when the ports are open, and `reload` on
    SIGHUP.

    Raises StartError.
    """
    _allow_many_sockets()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with listening(config, sockets) as runner:
        async with watched(notifier, partial(_status, runner.app)):
            if reload is not None:
                loop.add_signal_handler(signal.SIGHUP, _reload, notifier, reload)
            notifier.ready()
            ready()
            await stop.wait()
        notifier.stopping()
        log.info("stopping")


def _allow_many_sockets() -> None:
    """Raise the limit of open files as far as we may: many systems begin at 1024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS allows less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _reload(notifier: Notifier, reload: Callable[[], None]) -> None:
    notifier.reloading()
    reload()
    notifier.ready()


def _status(app: web.Application) -> str:
    """How it is, in a line for whoever asks the service manager."""
    connections, sessions = len(app[handler.CONNECTIONS].served), len(app[handler.GATEWAY].registry)
    redis = "" if app[RESOURCES].bus.connected else ", without Redis"
    return f"Serving {connections} connections and {sessions} sessions{redis}"


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port, backlog=_BACKLOG).start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartError(
                f"port {port} on {host} is in use by another program;"
                " see API_PORT, GATEWAY_PORT, METRICS_PORT"
            ) from error
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}") from error


async def _goodbye(app: web.Application) -> None:
    """Park the sessions and ask every client to come back, while everything is still open."""
    gateway = app[handler.GATEWAY]
    await gateway.parking.park(gateway.registry)
    for connection in tuple(app[handler.CONNECTIONS].served):
        connection.reconnect()
