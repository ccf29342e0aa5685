"""The commands: arguments in, exit code out."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import logging
import os
import signal
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

import chatd
from chatd import garbage, logs
from chatd.cli.check import check
from chatd.cli.command import EXIT_MISUSED
from chatd.cli.command import fail as _fail
from chatd.cli.completion import completion
from chatd.cli.guild import guild
from chatd.cli.migrate import migrate
from chatd.cli.stats import stats
from chatd.cli.user import user
from chatd.config import Config, ConfigError, load

log = logging.getLogger("chatd")

_NO_DATABASE = " (`chatd serve --embedded` brings a Postgres of its own)"


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Settings come from the environment and from a .env file; see .env.example.",
)
@click.version_option(chatd.__version__, prog_name="chatd")
def main() -> None:
    """A self-hosted, Discord-compatible realtime chat server."""


@main.command(short_help="Serve the REST API and the gateway.")
@click.option(
    "--embedded",
    is_flag=True,
    help="Start a private Postgres and Valkey for what DATABASE_URL and REDIS_URL leave out,"
    " with their data in CHATD_DATA_DIR, and keep the schema up to date.",
)
def serve(embedded: bool) -> None:
    """Serve the REST API and the gateway until SIGINT or SIGTERM.

    SIGHUP reads LOG_LEVEL anew, and tells which other settings wait for a restart.

    \b
    Examples:
      chatd serve --embedded          try it out; data goes to ./var
      chatd migrate && chatd serve    on servers of your own: set DATABASE_URL,
                                      REDIS_URL and JWT_SECRET
    """
    _end_on_signals()
    config = _config(embedded=embedded)
    _check_ports(config, embedded=embedded)
    with ExitStack() as stack:
        used = config
        if embedded:
            used = _with_private_servers(config, stack)
        _check_schema(used, may_apply=embedded)
        _serve(used, _Reload(config, embedded=embedded))


def _config(*, embedded: bool) -> Config:
    try:
        config = load(embedded=embedded)
    except ConfigError as error:
        hint = "" if embedded or "DATABASE_URL" not in error.problems else _NO_DATABASE
        _fail(f"{error}{hint}", EXIT_MISUSED)
    logs.set_up(config.log_level, config.log_format)
    return config


def _check_ports(config: Config, *, embedded: bool) -> None:
    """Tell of a port that is in use before anything is started. Whether it is free, opening tells.

    Passed sockets (LISTEN_FDS) are opened by somebody else.
    """
    addresses = [(config.api_host, config.api_port), (config.gateway_host, config.gateway_port)]
    for host, port in addresses if "LISTEN_FDS" not in os.environ else ():
        if _is_in_use(host, port):
            if embedded:
                _check_folder(config)  # another chatd here is the better reason
            _fail(f"port {port} on {host} is in use by another program; see API_PORT, GATEWAY_PORT")


def _is_in_use(host: str, port: int) -> bool:
    with contextlib.suppress(socket.gaierror):
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            with contextlib.suppress(OSError), socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as asyncio does
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                try:
                    probe.bind(address)
                except OSError as error:
                    if error.errno == errno.EADDRINUSE:
                        return True
    return False


def _check_folder(config: Config) -> None:
    with contextlib.suppress(ImportError):
        from chatd import embedded

        try:
            embedded.require_unused(config.data_dir)
        except embedded.EmbeddedError as error:
            _fail(str(error))


def _with_private_servers(config: Config, stack: ExitStack) -> Config:
    try:
        from chatd import embedded
    except ImportError as error:
        _fail(f"{error.name} is missing: pip install '.[embedded]' in the checkout")
    try:
        return stack.enter_context(embedded.private_servers(config))
    except embedded.EmbeddedError as error:
        _fail(str(error))


def _check_schema(config: Config, *, may_apply: bool) -> None:
    from chatd import migrations

    try:
        if may_apply:
            for name in migrations.apply(config.database_url):
                log.info("applied migration %s", name)
        elif waiting := migrations.pending(config.database_url):
            _fail(f"the schema is not up to date ({waiting[0]}); run `chatd migrate` first")
    except migrations.SchemaError as error:
        _fail(str(error))


def _serve(config: Config, reload: _Reload) -> None:
    import asyncio

    import uvloop

    from chatd import app, systemd

    try:
        sockets = systemd.passed_sockets(os.environ)
        serving = app.serve(
            config,
            systemd.Notifier(os.environ),
            sockets=sockets,
            ready=lambda: _is_ready(config, sockets),
            reload=reload if _reloads_on_hangup() else None,
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serving)
    except (app.StartError, systemd.PassedSocketsError) as error:
        _fail(str(error))


class _Reload:
    """Reads the settings anew and follows what can be followed while it serves."""

    def __init__(self, config: Config, *, embedded: bool) -> None:
        self._config = config
        self._embedded = embedded

    def __call__(self) -> None:
        try:
            fresh = load(embedded=self._embedded)
        except ConfigError as error:
            log.error("not reloaded: %s", error)
            return
        logging.getLogger().setLevel(fresh.log_level.upper())
        names = [field.name for field in dataclasses.fields(Config) if field.name != "log_level"]
        waiting = [name for name in names if getattr(fresh, name) != getattr(self._config, name)]
        log.info("reloaded; LOG_LEVEL is %s", fresh.log_level)
        if waiting:
            log.warning(
                "these settings have changed and wait for a restart: %s", ", ".join(waiting)
            )


def _reloads_on_hangup() -> bool:
    """In a terminal, SIGHUP says that it was closed, and ends the server."""
    return not sys.stdin.isatty()


def _is_ready(config: Config, sockets: list[socket.socket]) -> None:
    garbage.collect_less()
    _greet(config, sockets)


def _greet(config: Config, sockets: list[socket.socket]) -> None:
    try:
        _tell_where(config, sockets)
        sys.stdout.flush()
    except OSError as error:  # a full disk: nobody reads it, which is no reason not to serve
        log.warning("cannot greet: %s", error.strerror)
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())  # what is left of it, at the end


def _tell_where(config: Config, sockets: list[socket.socket]) -> None:
    api = f"{config.api_host}:{config.api_port}"
    gateway = f"{config.gateway_host}:{config.gateway_port}"
    if sockets:
        api, gateway = _address(sockets[0]), _address(sockets[-1])
    api = f"http://{api}"
    click.echo(f"REST API  {api}")
    click.echo(f"Gateway   ws://{gateway}/gateway")
    if sys.stdout.isatty():
        click.echo(
            f"""
Try it from another terminal:

  curl {api}/health
  curl -X POST {api}/auth/register -H 'Content-Type: application/json' \\
       -d '{{"username": "grace", "email": "grace@example.org", "password": "Password123!"}}'

{api}/docs describes the API, and the README has a tour of five minutes.
Ctrl-C stops the server."""
        )


def _address(listening: socket.socket) -> str:
    name = listening.getsockname()
    if listening.family == socket.AF_UNIX:
        return f"unix:{name}"
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"


def _end_on_signals() -> None:
    """Unwind on SIGTERM as on Ctrl-C, also before the server listens to it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    if _reloads_on_hangup():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nothing to reload yet


def _end(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


for command in (migrate, check, user, guild, stats, completion):
    main.add_command(command)


if __name__ == "__main__":
    main()
