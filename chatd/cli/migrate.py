"""chatd migrate: the schema of the database."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import click

from chatd.cli.command import EXIT_MISUSED, as_json, fail


@click.group(invoke_without_command=True)
@click.pass_context
def migrate(ctx: click.Context) -> None:
    """Bring the schema of the database up to date.

    Does nothing when it is. Several may run at once: one does the work, the others wait. There is
    no way down: to go back, restore a backup.

    \b
    Examples:
      chatd migrate                   the same as `chatd migrate up`
      chatd migrate status            what is applied, and what waits
      chatd migrate up --to 0010      no further than this
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(up)


@migrate.command()
@click.option("--to", "up_to", help="No further than this: a number, or the beginning of a name.")
@as_json
def up(up_to: str | None = None, json: bool = False) -> None:
    """Apply what waits.

    \b
    Examples:
      chatd migrate up
      chatd migrate up --to 0010
    """
    from chatd import migrations
    from chatd.cli import output

    with _database_url() as url, _progress(json) as progress:
        if up_to is not None:
            try:
                migrations.find(up_to)
            except migrations.SchemaError as error:
                fail(str(error), EXIT_MISUSED)
        names = migrations.apply(url, up_to=up_to, begun=progress.begun, applied=progress.applied)
        waiting = migrations.pending(url)
    is_done = f"{len(waiting)} wait still." if waiting else "The schema is up to date."
    output.done(is_done, {"applied": names, "waiting": waiting}, json=json)


@migrate.command()
@as_json
def status(json: bool) -> None:
    """Show what is applied, and what waits. Exits with 1 if something waits.

    \b
    Examples:
      chatd migrate status
      chatd migrate status > /dev/null || chatd migrate
    """
    from chatd import migrations
    from chatd.cli import output

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
    """Tells of each migration as it is applied: by lines, or by a bar."""

    def begun(self, names: list[str]) -> None:
        """These will be applied."""

    def applied(self, name: str) -> None:
        """This one has been."""
        click.echo(f"applied {name}")


class _Silent(_Progress):
    def applied(self, name: str) -> None:
        """Says nothing: the answer will."""


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
            def begun(self, names: list[str]) -> None:
                self._task = bars.add_task("migrating", total=len(names))

            def applied(self, name: str) -> None:
                bars.console.print(f"applied {name}", highlight=False, markup=False)
                bars.advance(self._task)

        yield _Bar()


@contextlib.contextmanager
def _database_url() -> Iterator[str]:
    """The database; no other server is needed. Ends the command when something cannot be."""
    from chatd import migrations
    from chatd.cli import running
    from chatd.config import ConfigError

    try:
        with running.servers() as config:
            yield config.database_url
    except ConfigError as error:
        fail(str(error), EXIT_MISUSED)
    except migrations.SchemaError as error:
        fail(str(error))
    except Exception as error:
        if running.is_of_embedded(error):
            fail(str(error))
        raise
