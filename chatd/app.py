"""create_app(config): the whole server, in the order in which it starts."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError

from chatd.auth.passwords import Passwords
from chatd.auth.tokens import AccessTokens
from chatd.bus.bus import Bus
from chatd.config import Config
from chatd.context import Resources
from chatd.core.errors import DatabaseAway
from chatd.core.snowflake import SnowflakeGenerator
from chatd.db import Database, NotDurable
from chatd.gateway import handler
from chatd.gateway.connection import Gateway
from chatd.gateway.dispatcher import Dispatcher
from chatd.gateway.presence import Presences
from chatd.gateway.registry import Registry
from chatd.keys import CALLERS, OPEN_HANDLERS, RESOURCES, SENDER
from chatd.rest import cors, middlewares, parse, routes
from chatd.services import janitor
from chatd.services.callers import Callers
from chatd.services.group_commit import MessageWriter
from chatd.services.sending import Sender
from chatd.worker import WorkerIdTaken, claimed

log = logging.getLogger(__name__)

_KEEPALIVE_S = 75.0
_SHUTDOWN_S = 5.0


class StartError(Exception):
    """The server cannot start; the text is one line for the person who started it."""


def create_app(config: Config) -> web.Application:
    """The application with everything it needs, started and stopped with it."""
    database = Database(
        config.database_url,
        size=config.database_max_connections,
        name=f"chatd {config.worker_id}",
    )
    bus = Bus(config.redis_url, worker_id=config.worker_id)
    snowflakes = SnowflakeGenerator(config.worker_id)
    access_tokens = AccessTokens(config.jwt_secret, lifetime_s=config.jwt_access_token_expiry_s)
    resources = Resources(
        database=database,
        bus=bus,
        snowflakes=snowflakes,
        passwords=Passwords(),
        access_tokens=access_tokens,
        refresh_token_lifetime_s=config.jwt_refresh_token_expiry_s,
    )
    writer = MessageWriter(database, bus, snowflakes)
    registry = Registry(resume_window_s=config.resume_window_s, presences=resources.presences)
    callers = Callers(database, access_tokens)

    app = web.Application(
        client_max_size=parse.MAX_BODY,
        middlewares=[middlewares.errors, middlewares.limits, middlewares.callers],
    )
    app[RESOURCES] = resources
    app[CALLERS] = callers
    app[SENDER] = Sender(writer)
    app[handler.CONNECTIONS] = set()
    app[handler.GATEWAY] = Gateway(database, callers, registry, config.heartbeat_interval_ms)

    async def connections(_: web.Application) -> AsyncIterator[None]:
        await database.open()
        yield
        await database.close()
        resources.passwords.close()

    async def worker_id(_: web.Application) -> AsyncIterator[None]:
        async with claimed(database, config.worker_id, snowflakes):
            yield

    async def fan_out(_: web.Application) -> AsyncIterator[None]:
        """Deliver events for as long as the server lives. If this dies, so does the server."""
        presences = Presences(registry, bus)
        dispatcher = Dispatcher(registry, database, callers, presences)
        async with asyncio.TaskGroup() as tasks, bus.subscribe() as subscription:
            delivering = tasks.create_task(dispatcher.run(subscription), name="dispatcher")
            reporting = tasks.create_task(presences.run(), name="presence")
            yield
            reporting.cancel()
            delivering.cancel()

    async def writing(_: web.Application) -> AsyncIterator[None]:
        async with writer.running():
            yield
        await resources.tasks.drain()

    async def housekeeping(_: web.Application) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            cleaning = tasks.create_task(janitor.run(database), name="janitor")
            yield
            cleaning.cancel()

    app.cleanup_ctx.extend([connections, worker_id, fan_out, writing, housekeeping])
    app.on_shutdown.append(_goodbye)
    for prefix in routes.PREFIXES:
        for path in ("/gateway", "/gateway/"):
            app.router.add_get(prefix + path, handler.gateway)
    routes.add_to(app)
    preflights = cors.allow(app, config.cors_origins)
    app[OPEN_HANDLERS] = routes.open_to_anyone() | {handler.gateway} | preflights
    return app


@asynccontextmanager
async def listening(config: Config) -> AsyncIterator[web.AppRunner]:
    """A server that listens, on the port of the API and on that of the gateway.

    Raises StartError.
    """
    runner = web.AppRunner(
        create_app(config),
        access_log=None,
        logger=_http_log(),
        keepalive_timeout=_KEEPALIVE_S,
        shutdown_timeout=_SHUTDOWN_S,
    )
    try:
        try:
            await runner.setup()
        except DatabaseAway as error:
            raise StartError(f"cannot reach the database: {error}") from error
        except (NotDurable, WorkerIdTaken) as error:
            raise StartError(str(error)) from error
        api = (config.api_host, config.api_port)
        gateway = (config.gateway_host, config.gateway_port)
        for host, port in dict.fromkeys([api, gateway]):
            await _listen(runner, host, port)
        yield runner
    finally:
        await runner.cleanup()


def _http_log() -> logging.Logger:
    """Where aiohttp tells of trouble; bytes that are no HTTP are the client's, not ours."""
    logger = logging.getLogger("chatd.http")
    logger.addFilter(_is_our_trouble)
    return logger


def _is_our_trouble(record: logging.LogRecord) -> bool:
    theirs = (HttpProcessingError, RequestPayloadError)
    return not (record.exc_info and isinstance(record.exc_info[1], theirs))


async def serve(config: Config, *, ready: Callable[[], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called when the ports are open.

    Raises StartError.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with listening(config):
        if ready is not None:
            ready()
        await stop.wait()
        log.info("stopping")


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartError(
                f"port {port} on {host} is in use by another program; see API_PORT, GATEWAY_PORT"
            ) from error
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}") from error


async def _goodbye(app: web.Application) -> None:
    """Ask every client to come back, while everything is still open."""
    connections = app[handler.CONNECTIONS]
    for connection in tuple(connections):
        connection.reconnect()
