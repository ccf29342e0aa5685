"""The process that serves: ports, signals, reload, and status for the service manager."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError

from chatd.app import DRAINER, INSTANCE_REGISTRATION, StartError, create_app
from chatd.config import Config, netloc
from chatd.core.errors import DatabaseUnavailable
from chatd.core.retry import retried
from chatd.db.pool import NotDurable
from chatd.gateway import handler
from chatd.observability.loop_monitor import metrics_app
from chatd.observability.metrics import Metrics
from chatd.runtime.gc_tuning import collecting_garbage
from chatd.runtime.systemd import Notifier, watchdog
from chatd.runtime.worker_lease import WorkerIdTaken
from chatd.web.connection_limits import ConnectionLimiter
from chatd.web.http_server import HttpRunner
from chatd.web.keys import DEPENDENCIES, METRICS

log = logging.getLogger(__name__)

_KEEPALIVE_S = 75.0
"""How long an idle connection stays open. Longer than the 60 s of nginx's keepalive_timeout for
upstreams, so that nginx does not send a request on a connection that chatd is closing."""

_BACKLOG = 4096
"""Connections that the kernel holds until they are accepted, as in chatd.socket. net.core.somaxconn
bounds it, which is 4096 by default."""

_RESERVED_DESCRIPTORS = 128
"""File descriptors for Redis, stored files, S3, listening sockets and logs."""


@asynccontextmanager
async def listening(
    config: Config, sockets: Sequence[socket.socket] = ()
) -> AsyncIterator[web.AppRunner]:
    """Run a server on the ports of the API and the gateway, or on passed sockets.

    Raises StartError.
    """
    limiter = ConnectionLimiter(
        per_address=config.connections_per_address,
        max_connections=_max_connections(config),
        trusted=config.trusted_proxies,
    )
    app = create_app(config)
    app.cleanup_ctx.append(lambda _: _closing_overdue_connections(limiter))
    app[METRICS].gauge("chatd_http_connections", "Open connections.", lambda: limiter.open)
    runner = HttpRunner(
        app,
        limiter,
        access_log=None,
        logger=_http_log(),
        keepalive_timeout=_KEEPALIVE_S,
        # aiohttp waits for it twice: for handlers to end, then for those that it has cancelled.
        shutdown_timeout=config.shutdown_timeout_s / 4,
    )
    try:
        try:
            await runner.setup()
        except DatabaseUnavailable as error:
            raise StartError(f"cannot reach the database: {error}") from error
        except (NotDurable, WorkerIdTaken) as error:
            raise StartError(str(error)) from error
        for passed in sockets:
            await web.SockSite(runner, passed, backlog=_BACKLOG).start()
        if not sockets:
            api = (config.api_host, config.api_port)
            gateway = (config.gateway_host, config.gateway_port)
            await _listen(runner, *api, "API")
            if gateway != api:
                await _listen(runner, *gateway, "GATEWAY")
        async with _metrics_served(config, app[METRICS], limiter):
            metrics_url = _metrics_url(config)
            await app[INSTANCE_REGISTRATION].announce(_url(runner.addresses[0]), metrics_url)
            yield runner
    finally:
        await runner.app[DRAINER].drain(runner)
        await _clean_up(runner)


def _url(address: Any) -> str:
    """Format the address of a listening socket as a URL; a Unix socket as `unix:` and its path."""
    if isinstance(address, str):
        return f"unix:{address}"
    host, port, *_ = address
    return f"http://{netloc(host, port)}"


def _metrics_url(config: Config) -> str | None:
    if not config.metrics_port:
        return None
    return _url((config.metrics_host, config.metrics_port)) + "/metrics"


async def _closing_overdue_connections(limiter: ConnectionLimiter) -> AsyncIterator[None]:
    """Close connections whose request heads are overdue, while the server runs."""
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(retried("admission", limiter.close_overdue), name="admission")
        yield
        watching.cancel()


async def _clean_up(runner: web.AppRunner) -> None:
    """Close everything. Raises StartError if another process has taken the WORKER_ID."""
    try:
        await runner.cleanup()
    except ExceptionGroup as group:
        if (lost := group.subgroup(WorkerIdTaken)) is None:
            raise
        raise StartError(f"{lost.exceptions[0]}, which has taken it from this process") from None


@asynccontextmanager
async def _metrics_served(
    config: Config, metrics: Metrics, limiter: ConnectionLimiter
) -> AsyncIterator[None]:
    """Serve `/metrics`, if METRICS_PORT is set."""
    if not config.metrics_port:
        yield
        return
    app = metrics_app(metrics)
    runner = HttpRunner(app, limiter, access_log=None, logger=_http_log())
    try:
        await runner.setup()
        await _listen(runner, config.metrics_host, config.metrics_port, "METRICS")
        yield
    finally:
        await runner.cleanup()


def _max_connections(config: Config) -> int:
    """Return how many connections leave enough file descriptors for everything else."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return sys.maxsize
    return max(limit - config.database_max_connections - _RESERVED_DESCRIPTORS, limit // 2)


def _http_log() -> logging.Logger:
    """Return the logger of aiohttp, without errors that clients cause, such as invalid HTTP."""
    logger = logging.getLogger("chatd.http")
    logger.addFilter(_is_server_error)
    return logger


def _is_server_error(record: logging.LogRecord) -> bool:
    client_errors = (HttpProcessingError, RequestPayloadError, ConnectionResetError)
    return not (record.exc_info and isinstance(record.exc_info[1], client_errors))


async def serve(
    config: Config,
    notifier: Notifier,
    *,
    sockets: Sequence[socket.socket] = (),
    ready: Callable[[], None],
    reload: Callable[[], None] | None,
) -> None:
    """Serve until SIGINT or SIGTERM.

    Calls `ready` when the ports are open, and `reload` on SIGHUP. Raises StartError.
    """
    _raise_open_files_limit()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with listening(config, sockets) as runner:
        async with watchdog(notifier, partial(_status, runner.app)):
            if reload is not None:
                loop.add_signal_handler(signal.SIGHUP, _reload, notifier, reload)
            notifier.ready()
            ready()
            async with collecting_garbage():
                await stop.wait()
        notifier.stopping()
        log.info("stopping")


def _raise_open_files_limit() -> None:
    """Raise the soft limit of open files to the hard limit; many systems start at 1024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS allows less than the hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _reload(notifier: Notifier, reload: Callable[[], None]) -> None:
    notifier.reloading()
    reload()
    notifier.ready()


def _status(app: web.Application) -> str:
    """Describe the state in one line, for `systemctl status`."""
    connections, sessions = (
        len(app[handler.CONNECTION_TABLE].connections),
        len(app[handler.GATEWAY].hub),
    )
    redis = "" if app[DEPENDENCIES].bus.connected else ", without Redis"
    return f"Serving {connections} connections and {sessions} sessions{redis}"


async def _listen(runner: web.AppRunner, host: str, port: int, setting: str) -> None:
    """Open a port, which the settings `{setting}_HOST` and `{setting}_PORT` define.

    Raises StartError, which names the setting to change.
    """
    try:
        await web.TCPSite(runner, host, port, backlog=_BACKLOG).start()
    except (OSError, OverflowError) as error:
        where = f"{host} port {port}"
        match getattr(error, "errno", None):
            case errno.EADDRINUSE:
                text = f"port {port} on {host} is in use by another program; change {setting}_PORT"
            case errno.EAFNOSUPPORT:
                family = "IPv6" if ":" in host else "IPv4"
                text = f"cannot listen on {where}: this machine has no {family}"
                text += f"; change {setting}_HOST"
            case errno.EADDRNOTAVAIL:
                text = f"cannot listen on {where}: this machine does not have this address"
                text += f"; change {setting}_HOST"
            case errno.EACCES:
                text = f"cannot listen on {where}: only root can open ports below 1024"
                text += f"; change {setting}_PORT"
            case socket.EAI_NONAME | socket.EAI_AGAIN | socket.EAI_FAIL:
                text = f"cannot listen on {where}: unknown host name"
                text += f"; change {setting}_HOST"
            case _:
                reason = getattr(error, "strerror", None) or error
                text = f"cannot listen on {where}: {reason}; see {setting}_HOST, {setting}_PORT"
        raise StartError(text) from error
