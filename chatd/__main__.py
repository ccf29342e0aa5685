"""The commands: arguments in, exit code out."""

from __future__ import annotations

import logging
import signal
import sys
from contextlib import ExitStack
from types import FrameType
from typing import NoReturn

import click

import chatd
from chatd.config import Config, ConfigError, load

log = logging.getLogger("chatd")

_EXIT_FAILED = 1
_EXIT_MISUSED = 2


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Settings come from the environment and from a .env file; see .env.example.",
)
@click.version_option(chatd.__version__, prog_name="chatd")
def main() -> None:
    """A self-hosted, Discord-compatible realtime chat server."""


@main.command()
@click.option(
    "--embedded",
    is_flag=True,
    help="Start a private Postgres and Valkey for what DATABASE_URL and REDIS_URL leave out,"
    " with their data in CHATD_DATA_DIR, and keep the schema up to date.",
)
def serve(embedded: bool) -> None:
    """Serve the REST API and the gateway until SIGINT or SIGTERM.

    \b
    Examples:
      chatd serve --embedded          try it out; data goes to ./var
      chatd migrate && chatd serve    on servers of your own: set DATABASE_URL,
                                      REDIS_URL and JWT_SECRET
    """
    _end_on_signals()
    config = _config(embedded=embedded)
    with ExitStack() as stack:
        if embedded:
            config = _with_private_servers(config, stack)
        _check_schema(config, may_apply=embedded)
        _serve(config)


@main.command()
def migrate() -> None:
    """Bring the schema of the database up to date.

    Does nothing when it is. Several may run at once: one does the work, the others wait.
    """
    from chatd import migrations

    config = _config(embedded=False)
    try:
        applied = migrations.apply(config.database_url)
    except migrations.SchemaError as error:
        _fail(str(error))
    for name in applied:
        click.echo(f"applied {name}")
    click.echo("The schema is up to date.")


def _config(*, embedded: bool) -> Config:
    try:
        config = load(embedded=embedded)
    except ConfigError as error:
        _fail(str(error), _EXIT_MISUSED)
    logging.basicConfig(
        level=config.log_level.upper(),
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("yoyo").setLevel(logging.WARNING)  # it tells every statement
    return config


def _with_private_servers(config: Config, stack: ExitStack) -> Config:
    try:
        from chatd import embedded
    except ImportError as error:
        _fail(f"{error.name} is missing; install chatd[embedded]")
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


def _serve(config: Config) -> None:
    import asyncio

    import uvloop

    from chatd import app

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(app.serve(config, ready=lambda: _greet(config)))
    except app.StartError as error:
        _fail(str(error))


def _greet(config: Config) -> None:
    api = f"http://{config.api_host}:{config.api_port}"
    click.echo(f"REST API  {api}")
    click.echo(f"Gateway   ws://{config.gateway_host}:{config.gateway_port}/gateway")
    if sys.stdout.isatty():
        click.echo(
            f"""
Try it from another terminal:

  curl {api}/health
  curl -X POST {api}/auth/register -H 'Content-Type: application/json' \\
       -d '{{"username": "grace", "email": "grace@example.org", "password": "Password123!"}}'

The README has a tour of five minutes. Ctrl-C stops the server."""
        )
    sys.stdout.flush()


def _end_on_signals() -> None:
    """Unwind on SIGTERM as on Ctrl-C, also before the server listens to it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _fail(message: str, code: int = _EXIT_FAILED) -> NoReturn:
    click.echo(f"chatd: {message}", err=True)
    raise SystemExit(code)


if __name__ == "__main__":
    main()
