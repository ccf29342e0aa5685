"""chatd export: writes a guild, or what the server stores about an account, into a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from chatd.cli.command import EXIT_USAGE, as_json, fail

if TYPE_CHECKING:
    from chatd.backup.progress import Progress
    from chatd.config import Config
    from chatd.context.dependencies import CoreDependencies
    from chatd.services.accounts.data_export import Exported
    from chatd.transfer.guild.export import Exported as GuildExported


@click.group(short_help="Export a guild or an account into a file.")
def export() -> None:
    """Export a guild or an account into a file, while instances serve."""


@export.command("guild", short_help="Export a guild for another server.")
@click.argument("guild_id", metavar="GUILD")
@click.argument("target", metavar="FILE|-")
@as_json
def guild(guild_id: str, target: str, json: bool) -> None:
    """Write a guild into an archive, which `chatd import guild` reads on another server.

    It has roles, permissions, channels, members, messages and their files, but no addresses, direct
    messages, invites and bans. The form is documented in chatd/transfer/guild. With - it goes to
    stdout.

    \b
    Examples:
      chatd export guild 1408133746352128000 /srv/engines.tar
      chatd export guild 1408133746352128000 - | ssh new 'cat > engines.tar'
    """
    from chatd.cli import archives, dependencies

    _refuse_terminal(target)

    async def work(deps: CoreDependencies, config: Config) -> GuildExported:
        from chatd.services.accounts import administration
        from chatd.transfer.guild.export import export as write

        async with deps.database.cursor() as cur:
            found = await administration.find_guild(cur, guild_id)
        with archives.progress_bars(json=json) as progress, _opened(target) as file:
            return await write(config, found.id, file, progress)

    with archives.one_line_errors():
        done = dependencies.run_transfer(work, requires_bus=False)
    facts = {
        "file": None if target == "-" else target,
        "bytes": done.written,
        "messages": done.messages,
        "files": done.files,
        "missing_files": done.missing_files,
    }
    sentence = (
        f"Exported {done.messages} messages and {done.files} files in"
        f" {done.written / 2**20:.1f} MiB."
    )
    _print(sentence, facts, done.missing_files, target, json=json)


@export.command("user", short_help="Export everything of one account.")
@click.argument("name", metavar="USER")
@click.argument("target", metavar="FILE|-")
@as_json
def user(name: str, target: str, json: bool) -> None:
    """Write everything that the server stores about an account into a ZIP file.

    It has the rows of the account from each table as JSON lines, its messages included, and its
    files. It has no messages of other people, and no secret that would open the account. Users can
    request the same archive themselves: POST /users/@me/export. With - it goes to stdout.

    \b
    Examples:
      chatd export user ada /srv/ada.zip
      chatd export user 1408133746352128000 - | age -r age1ql3z > ada.zip.age
    """
    from chatd.cli import archives, dependencies

    _refuse_terminal(target)

    async def work(deps: CoreDependencies, config: Config) -> Exported:
        with archives.progress_bars(json=json) as progress:
            return await _write(deps, config, name, target, progress)

    with archives.one_line_errors():
        done = dependencies.run_transfer(work, requires_bus=False)
    facts = {
        "file": None if target == "-" else target,
        "bytes": done.size,
        "files": done.files,
        "missing_files": done.missing_files,
        "rows": {table: count for table, count in done.rows.items() if count},
    }
    sentence = (
        f"Exported {done.rows.get('messages', 0)} messages and {done.files} files in"
        f" {done.size / 2**20:.1f} MiB."
    )
    _print(sentence, facts, done.missing_files, target, json=json)


def _refuse_terminal(target: str) -> None:
    if target == "-" and sys.stdout.isatty():
        fail("an archive is not for a terminal: redirect stdout, or name a file", EXIT_USAGE)


@contextmanager
def _opened(target: str) -> Iterator[BinaryIO]:
    """Open stdout, or a file that appears when it is complete."""
    from chatd.backup import destination

    if target == "-":
        yield destination.stdout()
        return
    with destination.writing(Path(target)) as file:
        yield file


def _print(
    sentence: str, facts: Mapping[str, object], missing: int, target: str, *, json: bool
) -> None:
    from chatd.cli import output

    if missing:
        click.echo(f"chatd: warning: the storage lacks {missing} files", err=True)
    output.done(sentence, facts, json=json, err=target == "-")


async def _write(
    deps: CoreDependencies, config: Config, name: str, target: str, progress: Progress
) -> Exported:
    from concurrent.futures import ThreadPoolExecutor

    from chatd.backup.storage import open_storage
    from chatd.services.accounts import administration
    from chatd.services.accounts.data_export import DataExport

    async with deps.database.cursor() as cur:
        account = await administration.find(cur, name)
    progress.begin("exporting", None)

    async def tick() -> None:
        """Do not pause: the operator waits."""

    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="zip"))
        file = stack.enter_context(_opened(target))
        async with open_storage(config) as storage:
            export = DataExport(deps.database, storage, threads, tick=tick)
            async for chunk in export.chunks(account.id):
                file.write(chunk)
                progress.advance(len(chunk))
    return export.done
