"""Importing an export of DiscordChatExporter."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chatd.backup.progress import Progress
from chatd.config import Config
from chatd.context.dependencies import CoreDependencies
from chatd.core.ids import UserId
from chatd.db.maintenance import StatementFailed
from chatd.queries import imports
from chatd.queries.bulk_messages import ChannelGone
from chatd.transfer.authors import Authors
from chatd.transfer.discord.files import ExportFile, find_exports, only_guild
from chatd.transfer.discord.messages import FileImport
from chatd.transfer.discord.structure import SOURCE, plan
from chatd.transfer.errors import BrokenJson
from chatd.transfer.findings import Findings
from chatd.transfer.loading import Target
from chatd.transfer.session import Imported, Session, importing
from chatd.transfer.structure import PlannedGuild, Structure, ensure, existing_channels


@dataclass(frozen=True, slots=True)
class Request:
    """What to import."""

    folder: Path
    owner_id: UserId | None
    guild: int | None
    """The guild, by its id in the export; None if the folder has only one."""
    hidden: bool
    """Whether channels are hidden from @everyone."""


async def run(
    deps: CoreDependencies,
    config: Config,
    request: Request,
    findings: Findings,
    progress: Progress,
) -> Imported:
    """Import one guild. Whatever ends a run, the next one continues it.

    Raises TransferError, BackupError, StorageUnavailable, DatabaseUnavailable, StatementFailed.
    """
    progress.begin("reading headers", None)
    found = await asyncio.to_thread(find_exports, request.folder, findings)
    exports = only_guild(found, request.guild)
    async with importing(deps, config, findings, progress) as session:
        return await _import(session, request, exports)


async def _import(session: Session, request: Request, exports: Sequence[ExportFile]) -> Imported:
    """Import these files, which are of one guild."""
    planned = plan([each.channel for each in exports], hidden=request.hidden)
    guild = PlannedGuild(exports[0].guild.source_id, exports[0].guild.name, channels=planned)
    structure = await ensure(session.deps, SOURCE, guild, request.owner_id)
    job = structure.job
    done = await imports.finished_files(session.cur, job.id)
    waiting = [each for each in exports if (each.name, each.size, each.modified_ns) not in done]
    authors = Authors(session.deps, SOURCE, job, session.findings)
    await authors.open()
    with session.target(job, authors) as target:
        target.channels.update(structure.channels)
        await _import_files(target, structure, request.folder, waiting, session.progress)
    await session.index(job)
    unchanged = len(exports) - len(waiting)
    created, added = structure.created_channels, authors.added
    return Imported(job.guild_id, created, added, target.totals, len(exports), unchanged)


async def _import_files(
    target: Target,
    structure: Structure,
    folder: Path,
    exports: Sequence[ExportFile],
    progress: Progress,
) -> None:
    progress.begin("importing messages", sum(each.size for each in exports))
    async with target.deps.database.cursor() as cur:
        present = await existing_channels(cur, target.job.guild_id)
    for export in exports:
        channel_id = structure.channels[export.channel.source_id]
        if channel_id not in present:
            text = "its channel was deleted since it was imported; left out"
            target.findings.note("deleted channel", export.name, text)
            progress.advance(export.size)
            continue
        problems = target.findings.problems
        try:
            await FileImport(target, folder, export, channel_id).run(progress.advance)
        except BrokenJson as error:
            text = f"{error.what}; the rest of the file is left out"
            target.findings.problem("broken file", error.where, text)
        except ChannelGone:
            target.findings.problem("deleted channel", export.name, "its channel was deleted")
        except StatementFailed as error:
            text = f"the database refuses messages of it: {error}"
            target.findings.problem("refused messages", export.name, text)
        except OSError as error:
            text = error.strerror or str(error)
            target.findings.problem("unreadable file", export.name, text)
        if target.findings.problems == problems:  # else the next run reads it again
            async with target.deps.database.cursor() as cur:
                await imports.finish_file(
                    cur, target.job.id, export.name, export.size, export.modified_ns
                )
