"""chatd import: imports guilds from other servers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chatd.cli.command import EXIT_FAILURE, as_json, fail, sanitize

if TYPE_CHECKING:
    from chatd.backup.progress import Progress
    from chatd.config import Config
    from chatd.context.dependencies import CoreDependencies
    from chatd.core.ids import UserId
    from chatd.transfer.findings import Findings
    from chatd.transfer.session import Imported


@click.group("import", short_help="Import guilds from other servers.")
def import_() -> None:
    """Import guilds from other servers, while instances serve.

    An import that was broken off continues when the same command runs again.
    """


@import_.command(short_help="Import an export of DiscordChatExporter.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--owner", metavar="USER", help="The owner of the new guild. Needed the first time.")
@click.option(
    "--guild", type=click.IntRange(1), help="The id of the guild, if DIR has more than one."
)
@click.option("--hidden", is_flag=True, help="Hide all new channels from @everyone.")
@as_json
def discord(folder: Path, owner: str | None, guild: int | None, hidden: bool, json: bool) -> None:
    """Import the JSON files that DiscordChatExporter has written to DIR.

    Creates a guild with its categories, channels and roles. Threads become channels. Messages keep
    their times, and their ids where these are free. Authors become placeholder accounts: give a
    person the code of `chatd user claim-code` to take one over. Messages are in the search
    afterwards.

    An export has no permissions: roles get none, and all members can read all channels but
    private threads. Set permissions before you invite people, or import with --hidden.

    The command can be repeated, for example with more files: it adds what is missing and changes
    nothing else. It prints a line for each thing that it leaves out, and exits with 1 if something
    is missing.

    \b
    Examples:
      DiscordChatExporter.Cli exportguild --guild 81384788765712384 \\
          --token "$TOKEN" --format Json --media --markdown false \\
          --include-threads all --output /srv/export/
      chatd import discord /srv/export --owner ada
      chatd import discord /srv/export --owner ada --hidden --json
    """

    async def work(
        deps: CoreDependencies, config: Config, findings: Findings, progress: Progress
    ) -> Imported:
        from chatd.transfer.discord.run import Request, run

        request = Request(folder, await _user_id(deps, owner), guild, hidden)
        return await run(deps, config, request, findings, progress)

    _import(work, json=json)


@import_.command("guild", short_help="Import a guild of another server of chatd.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--owner", metavar="USER", help="The owner of the new guild. Needed the first time.")
@as_json
def guild_(file: Path, owner: str | None, json: bool) -> None:
    """Import an archive of `chatd export guild`.

    Creates the guild with its roles, permissions, channels, members and messages, with their
    times, and their ids where these are free. All accounts become placeholders: give a person the
    code of `chatd user claim-code` to take one over. The command can be repeated: it adds what is
    missing and changes nothing else.

    The archive says who wrote what, and who may do what: import only those that you trust. It is
    added to an imported guild whose id it claims, if --owner is not given or owns that guild.

    \b
    Example:
      chatd import guild /srv/engines.tar --owner ada
    """

    async def work(
        deps: CoreDependencies, config: Config, findings: Findings, progress: Progress
    ) -> Imported:
        from chatd.transfer.guild.run import Request, run

        request = Request(file, await _user_id(deps, owner))
        return await run(deps, config, request, findings, progress)

    _import(work, json=json)


async def _user_id(deps: CoreDependencies, name: str | None) -> UserId | None:
    from chatd.services.accounts import administration

    if name is None:
        return None
    async with deps.database.cursor() as cur:
        return (await administration.find(cur, name)).id


def _import(
    act: Callable[[CoreDependencies, Config, Findings, Progress], Awaitable[Imported]],
    *,
    json: bool,
) -> None:
    """Run an import and print what it has done. Ends the command with 1 if something is missing."""
    from chatd.cli import archives, dependencies, output
    from chatd.runtime.gc_tuning import tune_gc
    from chatd.transfer.findings import Findings

    findings = Findings(lambda line: click.echo(f"chatd: {sanitize(line)}", err=True))

    async def work(deps: CoreDependencies, config: Config) -> Imported:
        tune_gc()  # messages are many objects without cycles, which cost much to scan
        with archives.progress_bars(json=json) as progress:
            return await act(deps, config, findings, progress)

    try:
        with archives.one_line_errors():
            done = dependencies.run_transfer(work)
    except KeyboardInterrupt:
        fail("interrupted; the same command continues the import")
    findings.show_counts()
    output.done(_sentence(done, findings), _facts(done, findings), json=json)
    if findings.problems:
        raise SystemExit(EXIT_FAILURE)


def _sentence(done: Imported, findings: Findings) -> str:
    totals = done.totals
    text = (
        f"Imported {totals.messages} messages, {totals.files} files, {totals.reactions} reactions,"
        f" {done.authors} authors and {done.channels} channels into guild {done.guild_id}."
    )
    if findings.problems:
        return f"{text} {findings.problems} things are missing: see above."
    return text


def _facts(done: Imported, findings: Findings) -> dict[str, object]:
    return {
        "guild_id": str(done.guild_id),
        "messages": done.totals.messages,
        "existing_messages": done.totals.existing,
        "files": done.totals.files,
        "reactions": done.totals.reactions,
        "authors": done.authors,
        "channels": done.channels,
        "read_files": done.files - done.unchanged_files,
        "unchanged_files": done.unchanged_files,
        "problems": findings.problems,
        "notes": findings.notes,
    }
