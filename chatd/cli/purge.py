"""chatd purge: deletes old messages and audit log entries while instances serve."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from chatd.cli.command import EXIT_USAGE, Duration, as_json, confirm, confirmed, fail, sanitize

if TYPE_CHECKING:
    from chatd.cli.purging import Found, Progress, Purge


@click.command(short_help="Delete old messages and audit log entries.")
@click.option(
    "--older-than",
    type=Duration(),
    metavar="DURATION",
    help="Delete what is older, for example 365d or 12h. Needed without --guild and --channel.",
)
@click.option("--guild", "guild_id", metavar="GUILD", help="Only in this guild.")
@click.option("--channel", "channel_id", metavar="CHANNEL", help="Only in this channel.")
@click.option("--include-pins", is_flag=True, help="Delete pinned messages as well.")
@click.option("--keep-audit-log", is_flag=True, help="Delete no entries of audit logs.")
@click.option(
    "--vacuum",
    type=click.Choice(["plain", "full"]),
    help="Afterwards, make the space usable again (plain), or give it back to the disk (full).",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@confirmed
@as_json
def purge(
    *,
    older_than: int | None,
    guild_id: str | None,
    channel_id: str | None,
    include_pins: bool,
    keep_audit_log: bool,
    vacuum: str | None,
    dry_run: bool,
    yes: bool,
    json: bool,
) -> None:
    """Delete old messages, with their files, and entries of audit logs, while instances serve.

    It deletes in the whole server, private channels included, or in one guild or one channel.
    Without --older-than, it deletes everything there that exists now. Pinned messages stay.
    Clients remove the messages at once; a running instance deletes the files within minutes, and
    copies of published messages. When it is interrupted, run it again: it goes on. It needs Redis.

    The space of deleted rows serves new ones once Postgres has vacuumed the tables. autovacuum does
    so by itself; --vacuum plain does it at once. The files of the database do not shrink by that.
    --vacuum full rewrites them: until it ends, no message can be sent or read, and the disk
    needs room for a copy of the largest table. Old backups still have the messages.

    \b
    Examples:
      chatd purge --older-than 365d --dry-run
      chatd purge --older-than 365d --yes --vacuum plain
      chatd purge --guild 1408133746352128000 --older-than 30d
      chatd purge --channel 1408133746352128001 --include-pins
    """
    if older_than == 0:
        fail("--older-than needs a time", EXIT_USAGE)
    if guild_id is not None and channel_id is not None:
        fail("give --guild or --channel, not both", EXIT_USAGE)
    if older_than is None and guild_id is None and channel_id is None:
        fail("--older-than is needed, or --guild, or --channel", EXIT_USAGE)
    from chatd.cli import dependencies, output, purging
    from chatd.queries.retention import OldMessages

    wanted = dependencies.run_read(lambda cur: purging.resolve(cur, guild_id, channel_id))
    before = purging.bound(older_than)
    request: Purge = purging.Purge(
        wanted, OldMessages(before, keep_pins=not include_pins), audit_log=not keep_audit_log
    )
    with _progress(json=json) as progress:
        found: Found = dependencies.run_read(lambda cur: purging.count(cur, request, progress))
    if dry_run:
        output.done(f"Would delete {found.sentence}.", _facts(found, dry_run=True), json=json)
        return
    if not found.is_empty:
        place = sanitize(wanted.name)
        confirm(f"Delete {found.sentence} in {place}? This cannot be undone.", yes=yes)
        with _progress(json=json) as progress:
            found = dependencies.run_write(
                lambda deps: purging.delete(deps, request, found, progress)
            )
    if vacuum is not None:
        purging.vacuum(full=vacuum == "full")
    output.done(f"Deleted {found.sentence}.", _facts(found, dry_run=False), json=json)


def _facts(found: Found, *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "channels": found.channels,
        "messages": found.messages,
        "files": found.files,
        "file_bytes": found.file_bytes,
        "audit_log_entries": found.audit_log_entries,
    }


@contextmanager
def _progress(*, json: bool) -> Iterator[Progress]:
    """Show a bar on stderr if it is a terminal."""
    if json or not sys.stderr.isatty():
        yield lambda title, done, total: None
        return
    from rich import progress
    from rich.console import Console

    bars = progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    tasks: dict[str, progress.TaskID] = {}

    def show(title: str, done: int, total: int | None) -> None:
        if title not in tasks:
            tasks[title] = bars.add_task(title, total=total)
        bars.update(tasks[title], completed=done, total=total)

    with bars:
        yield show
