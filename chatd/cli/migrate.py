"""chatd migrate: applies migrations to the database, and shows their state."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import click

from chatd.cli.command import EXIT_USAGE, as_json, fail


@click.group(invoke_without_command=True)
@click.pass_context
def migrate(ctx: click.Context) -> None:
    """Bring the schema of the database up to date.

    Without pending migrations it does nothing. Several processes may run it at once: one applies
    the migrations, the others wait. Migrations cannot be reversed; restore a backup to go back.

    \b
    Examples:
      chatd migrate                   the same as `chatd migrate up`
      chatd migrate status            show applied and pending migrations
      chatd migrate up --to 0010      stop after this migration
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(up)


@migrate.command()
@click.option("--to", "up_to", help="Stop after this migration: a number, or a prefix of a name.")
@as_json
def up(up_to: str | None = None, json: bool = False) -> None:
    """Apply pending migrations.

    \b
    Examples:
      chatd migrate up
      chatd migrate up --to 0010
    """
    from chatd.cli import output
    from chatd.db import migrations

    with _database_url() as url, _progress(json) as progress:
        if up_to is not None:
            try:
                migrations.find(up_to)
            except migrations.SchemaError as error:
                fail(str(error), EXIT_USAGE)
        names = migrations.apply(
            url, up_to=up_to, on_start=progress.on_start, on_applied=progress.on_applied
        )
        pending = migrations.pending(url)
    message = f"{len(pending)} are pending." if pending else "The schema is up to date."
    output.done(message, {"applied": names, "waiting": pending}, json=json)


@migrate.command()
@as_json
def status(json: bool) -> None:
    """Show applied and pending migrations. Exits with 1 if one is pending.

    \b
    Examples:
      chatd migrate status
      chatd migrate status > /dev/null || chatd migrate
    """
    from chatd.cli import output
    from chatd.db import migrations

    with _database_url() as url:
        found = migrations.status(url)
    shown = [
        {
            "migration": each.name,
            "state": "waiting" if each.applied_at is None else "applied",
            "applied_at": each.applied_at,
        }
        for each in found
    ]
    output.records(shown, ("migration", "state", "applied_at"), json=json)
    if any(each.applied_at is None for each in found):
        raise SystemExit(1)


class _Progress:
    """Prints a line for each migration."""

    def on_start(self, names: list[str]) -> None:
        """Called before these migrations are applied."""

    def on_applied(self, name: str) -> None:
        """Called when a migration has been applied."""
        click.echo(f"applied {name}")


class _Silent(_Progress):
    """Prints nothing, because the JSON output lists the migrations."""

    def on_applied(self, name: str) -> None:
        """Do nothing."""


@contextlib.contextmanager
def _progress(json: bool) -> Iterator[_Progress]:
    if json:
        yield _Silent()
        return
    if not sys.stdout.isatty():
        yield _Progress()
        return
    from rich import progress

    with progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        transient=True,
    ) as bars:

        class _Bar(_Progress):
            def on_start(self, names: list[str]) -> None:
                self._task = bars.add_task("migrating", total=len(names))

            def on_applied(self, name: str) -> None:
                bars.console.print(f"applied {name}", highlight=False, markup=False)
                bars.advance(self._task)

        yield _Bar()


@contextlib.contextmanager
def _database_url() -> Iterator[str]:
    """Yield the URL of the database; no other server is needed. Ends the command on an error."""
    from chatd.cli import dependencies
    from chatd.config import ConfigError
    from chatd.db import migrations
    from chatd.embedded.errors import EmbeddedError

    try:
        with dependencies.servers() as config:
            yield config.database_url
    except ConfigError as error:
        fail(str(error), EXIT_USAGE)
    except (EmbeddedError, migrations.SchemaError) as error:
        fail(str(error))
