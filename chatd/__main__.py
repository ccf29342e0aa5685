"""The command line: `chatd serve`, and the other commands of chatd/cli."""

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
from typing import Any, NoReturn

import click

import chatd
from chatd.cli.backup import backup
from chatd.cli.check import check
from chatd.cli.clear_redis import clear_redis
from chatd.cli.command import EXIT_USAGE
from chatd.cli.command import fail as _fail
from chatd.cli.completion import completion
from chatd.cli.export import export
from chatd.cli.guild import guild
from chatd.cli.import_ import import_
from chatd.cli.migrate import migrate
from chatd.cli.purge import purge
from chatd.cli.registration import registration
from chatd.cli.report import report
from chatd.cli.restore import restore
from chatd.cli.stats import stats
from chatd.cli.user import user
from chatd.config import Config, ConfigError, load, netloc, reachable, suspect_names
from chatd.embedded.data_dir import require_unused
from chatd.embedded.errors import EmbeddedError
from chatd.observability import logs

log = logging.getLogger("chatd")

_EMBEDDED_HINT = " (`chatd serve --embedded` starts its own Postgres)"


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
    help="Start a private Postgres and Valkey if DATABASE_URL and REDIS_URL are not set, with"
    " their data in CHATD_DATA_DIR, and apply pending migrations.",
)
def serve(embedded: bool) -> None:
    """Serve the REST API and the gateway until SIGINT or SIGTERM.

    SIGHUP reads LOG_LEVEL again, and logs which other changed settings need a restart.

    \b
    Examples:
      chatd serve --embedded          try it out; data goes to ./var
      API_PORT=9080 GATEWAY_PORT=9081 chatd serve --embedded
                                      the same on other ports; .env.example
                                      lists all settings
      chatd migrate && chatd serve    use your own servers: set DATABASE_URL,
                                      REDIS_URL and JWT_SECRET
    """
    _exit_on_signals()
    config = _config(embedded=embedded)
    _check_ports(config, embedded=embedded)
    with ExitStack() as stack:
        used = config
        if embedded:
            used = _with_private_servers(config, stack)
        _check_schema(used, may_apply=embedded)
        _serve(used, _Reload(config, embedded=embedded))


def _config(*, embedded: bool) -> Config:
    environment = dict(os.environ)
    try:
        config = load(embedded=embedded)
        suspects = suspect_names(environment)
    except ConfigError as error:
        hint = "" if embedded or "DATABASE_URL" not in error.problems else _EMBEDDED_HINT
        _fail(f"{error}{hint}", EXIT_USAGE)
    logs.configure(config.log_level, config.log_format)
    for each in suspects:
        if each.is_former:
            log.warning("%s in %s is deprecated; use %s", each.name, each.where, each.suggestion)
        elif each.suggestion:
            log.warning(
                "unknown setting %s in %s; did you mean %s?",
                each.name,
                each.where,
                each.suggestion,
            )
        else:
            log.warning("unknown setting %s in %s", each.name, each.where)
    return config


def _check_ports(config: Config, *, embedded: bool) -> None:
    """End the command if a port is in use, before anything is started.

    Ports of passed sockets (LISTEN_FDS) are not checked: the service manager has opened them.
    """
    if "LISTEN_FDS" in os.environ:
        return
    for setting, host, port in (
        ("API_PORT", config.api_host, config.api_port),
        ("GATEWAY_PORT", config.gateway_host, config.gateway_port),
        ("METRICS_PORT", config.metrics_host, config.metrics_port),
    ):
        if port and _is_in_use(host, port):
            if embedded:
                _check_data_dir(config)  # another chatd in the folder is the better explanation
            _fail(f"port {port} on {host} is in use by another program; change {setting}")


def _is_in_use(host: str, port: int) -> bool:
    with contextlib.suppress(socket.gaierror):
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            with contextlib.suppress(OSError), socket.socket(family, kind, protocol) as probe:
                if not _can_bind(probe, address):
                    return True
    return False


def _can_bind(probe: socket.socket, address: tuple[Any, ...]) -> bool:
    """Return whether no other program uses an address. Raises OSError if it cannot be set up."""
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as asyncio does
    if probe.family == socket.AF_INET6:
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        probe.bind(address)
    except OSError as error:
        return error.errno != errno.EADDRINUSE
    return True


def _check_data_dir(config: Config) -> None:
    try:
        require_unused(config.data_dir)
    except EmbeddedError as error:
        _fail(str(error))


def _with_private_servers(config: Config, stack: ExitStack) -> Config:
    try:
        from chatd.embedded.lifecycle import private_servers
    except ImportError as error:
        _fail(f"{error.name} is missing: pip install '.[embedded]' in the checkout")
    try:
        stack.push(_fail_on_embedded_error)
        return stack.enter_context(private_servers(config))
    except EmbeddedError as error:
        _fail(str(error))


def _fail_on_embedded_error(
    kind: type[BaseException] | None, error: BaseException | None, traceback: object
) -> None:
    """End with the reason why a private server has ended this process."""
    if isinstance(error, EmbeddedError):
        _fail(str(error))


def _check_schema(config: Config, *, may_apply: bool) -> None:
    from chatd.db import migrations

    try:
        if may_apply:
            for name in migrations.apply(config.database_url):
                log.info("applied migration %s", name)
        elif pending := migrations.pending(config.database_url):
            _fail(f"the schema is not up to date ({pending[0]}); run `chatd migrate` first")
    except migrations.SchemaError as error:
        _fail(str(error))


def _serve(config: Config, reload: _Reload) -> None:
    import asyncio

    import uvloop

    from chatd import server
    from chatd.app import StartError
    from chatd.runtime import systemd

    try:
        sockets = systemd.passed_sockets(os.environ)
        serving = server.serve(
            config,
            systemd.Notifier(os.environ),
            sockets=sockets,
            ready=lambda: _greet(config, sockets),
            reload=reload if _reloads_on_hangup() else None,
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serving)
    except (StartError, systemd.PassedSocketsError) as error:
        _fail(str(error))


class _Reload:
    """Reloads the settings and applies LOG_LEVEL, which needs no restart."""

    def __init__(self, config: Config, *, embedded: bool) -> None:
        self._config = config
        self._embedded = embedded

    def __call__(self) -> None:
        try:
            fresh = load(embedded=self._embedded)
        except ConfigError as error:
            log.error("reload failed: %s", error)
            return
        logging.getLogger().setLevel(fresh.log_level.upper())
        names = [field.name for field in dataclasses.fields(Config) if field.name != "log_level"]
        changed = [name for name in names if getattr(fresh, name) != getattr(self._config, name)]
        log.info("reloaded; LOG_LEVEL is %s", fresh.log_level)
        if changed:
            log.warning("changed settings need a restart: %s", ", ".join(changed))


def _reloads_on_hangup() -> bool:
    """Return whether SIGHUP reloads. In a terminal it ends the server: the terminal was closed."""
    return not sys.stdin.isatty()


def _greet(config: Config, sockets: list[socket.socket]) -> None:
    try:
        _print_addresses(config, sockets)
        sys.stdout.flush()
    except OSError as error:  # such as a full disk, which must not stop the server
        log.warning("cannot print the greeting: %s", error.strerror)
        with Path(os.devnull).open("wb") as null:
            os.dup2(null.fileno(), sys.stdout.fileno())  # for the buffered rest, written at exit


def _print_addresses(config: Config, sockets: list[socket.socket]) -> None:
    api = netloc(reachable(config.api_host), config.api_port)
    gateway = netloc(reachable(config.gateway_host), config.gateway_port)
    if sockets:
        api, gateway = _address(sockets[0]), _address(sockets[-1])
    api = f"http://{api}"
    click.echo(f"REST API  {api}")
    click.echo(f"Gateway   ws://{gateway}/gateway")
    if sys.stdout.isatty():
        page = f"\nOpen {api} in a browser to register and chat.\n" if config.web_client else ""
        click.echo(
            f"""{page}
Try it from another terminal:

  curl {api}/health
  curl -X POST {api}/auth/register -H 'Content-Type: application/json' \\
       -d '{{"username": "grace", "email": "grace@example.org", "password": "Password123!"}}'

{api}/docs documents the API, and chatd/rest/README.md has a tour of five minutes.
Ctrl-C stops the server."""
        )


def _address(listening: socket.socket) -> str:
    name = listening.getsockname()
    if listening.family == socket.AF_UNIX:
        return f"unix:{name}"
    return netloc(reachable(name[0]), name[1])


def _exit_on_signals() -> None:
    """Exit in order on SIGINT and SIGTERM, also before the event loop handles them."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit)
    if _reloads_on_hangup():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nothing to reload yet


def _exit(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


for command in (
    *(migrate, check, user, guild, registration, report, stats, purge, backup, restore),
    *(import_, export, clear_redis, completion),
):
    main.add_command(command)


if __name__ == "__main__":
    main()
