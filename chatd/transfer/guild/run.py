"""Importing an archive of a guild of another server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, groupby
from pathlib import Path
from typing import BinaryIO

from chatd.backup.progress import Progress
from chatd.config import Config
from chatd.context.dependencies import CoreDependencies
from chatd.core.ids import ChannelId, UserId
from chatd.core.overwrites import Overwrite, OverwriteType
from chatd.db.maintenance import StatementFailed
from chatd.queries.bulk_messages import ChannelGone
from chatd.queries.imports import Import
from chatd.services.guilds.channel_rules import sort_overwrites
from chatd.services.guilds.channels import MAX_CHANNELS
from chatd.services.guilds.roles import MAX_ROLES
from chatd.transfer.authors import Authors
from chatd.transfer.errors import TransferError
from chatd.transfer.findings import Findings
from chatd.transfer.guild import lines
from chatd.transfer.guild.archive import GuildArchive, Line
from chatd.transfer.guild.lines import InvalidLine
from chatd.transfer.loading import ChannelLoader, FileLeftOut, Target
from chatd.transfer.session import Imported, Session, importing
from chatd.transfer.source import Json, SourceFile, SourceMessage, source_id_of, text_of
from chatd.transfer.structure import (
    PlannedChannel,
    PlannedRole,
    Structure,
    ensure,
    ensure_channels,
    existing_channels,
)

Sections = Iterator[tuple[str, Iterator[Line]]]
"""Lines of one type that follow each other."""

_BATCH = 1000
"""Messages of one transaction."""
_BATCH_BYTES = 8 * 2**20
"""Of lines, after which a batch ends."""


def _require_new(found: Mapping[int, object], source_id: int, most: int, what: str) -> None:
    if source_id in found:
        raise InvalidLine("a line before it has its id")
    if len(found) >= most:
        raise InvalidLine(f"a guild has at most {most} {what}")


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield lines in lists of bounded number and size."""
    found: list[Line] = []
    size = 0
    for line in lines:
        found.append(line)
        size += line.size
        if len(found) >= _BATCH or size > _BATCH_BYTES:
            yield found
            found, size = [], 0
    if found:
        yield found


@dataclass(frozen=True, slots=True)
class Request:
    """What to import."""

    path: Path
    owner_id: UserId | None


async def run(
    deps: CoreDependencies,
    config: Config,
    request: Request,
    findings: Findings,
    progress: Progress,
) -> Imported:
    """Import a guild. Whatever ends a run, the next one continues it.

    Raises TransferError, BackupError, StorageUnavailable, DatabaseUnavailable, StatementFailed.
    """
    progress.begin("reading the archive", None)
    archive = await asyncio.to_thread(GuildArchive, request.path)
    async with importing(deps, config, findings, progress) as session:
        return await _ArchiveImport(session, archive, request).run()


class _ArchiveImport:
    """The import of one archive."""

    def __init__(self, session: Session, archive: GuildArchive, request: Request) -> None:
        self._session = session
        self._archive = archive
        self._name = request.path.name
        self._owner_id = request.owner_id
        self._source = f"chatd {text_of(archive.header.get('origin'))[:200]}"
        self._users: dict[str, Json] = {}
        self._roles: dict[int, PlannedRole] = {}
        self._channels: dict[int, tuple[Line, PlannedChannel]] = {}
        self._guild_source_id = 0
        self._now = datetime.now(UTC)

    async def run(self) -> Imported:
        """Import the archive, section by section."""
        progress = self._session.progress
        progress.begin("importing", self._archive.size)
        found = groupby(self._archive.lines(progress.advance), key=lambda line: line.type)
        job, sections = await self._create_guild(found)
        authors = Authors(self._session.deps, self._source, job, self._session.findings)
        await authors.open()
        structure: Structure | None = None
        with self._session.target(job, authors) as target:
            for kind, section in sections:
                if kind in ("member", "user"):
                    await self._add_users(authors, section, is_member=kind == "member")
                elif kind == "channel":
                    self._plan_channels(section)
                elif kind == "message":
                    structure = structure or await self._create_channels(job, authors)
                    target.channels.update(structure.channels)
                    await self._load(target, structure, section)
                elif kind != "end":
                    self._note_unknown(kind, section)
            structure = structure or await self._create_channels(job, authors)
        await self._session.index(job)
        return Imported(
            job.guild_id, structure.created_channels, authors.added, target.totals, 1, 0
        )

    async def _create_guild(self, sections: Sections) -> tuple[Import, Sections]:
        """Create the guild with its roles. Return the import, and the other sections.

        Raises TransferError.
        """
        kind, section = next(sections, ("", iter(())))
        line = next(section, None)
        if kind != "guild" or line is None:
            raise TransferError(f"{self._name}: the guild does not come first")
        following = next(sections, ("end", iter(())))
        if following[0] == "role":
            for each in following[1]:
                try:
                    role = lines.role_of(each.value)
                    _require_new(self._roles, role.source_id, MAX_ROLES - 1, "roles")
                    self._roles[role.source_id] = role
                except InvalidLine as error:
                    self._leave_out(each, error)
        else:  # a guild with @everyone only
            sections = chain([following], sections)
        try:
            guild = lines.guild_of(line.value, [*self._roles.values()])
        except InvalidLine as error:
            raise TransferError(f"{self._name}: line {line.number}: {error}") from None
        self._guild_source_id = guild.source_id
        found = await ensure(self._session.deps, self._source, guild, self._owner_id)
        return found.job, sections

    async def _add_users(
        self, authors: Authors, section: Iterable[Line], *, is_member: bool
    ) -> None:
        """Add accounts; members also to the guild."""
        for batch in _batches(section):
            found = []
            for line in batch:
                try:
                    raw, joined_at = lines.user_of(line.value, is_member=is_member)
                except InvalidLine as error:
                    self._leave_out(line, error)
                    continue
                self._users[raw["id"]] = raw
                found.append((raw, min(joined_at, self._now)))
            await authors.add(found)

    def _plan_channels(self, section: Iterable[Line]) -> None:
        for line in section:
            try:
                planned = lines.channel_of(line.value)
                _require_new(self._channels, planned.source_id, MAX_CHANNELS, "channels")
                self._channels[planned.source_id] = (line, planned)
            except InvalidLine as error:
                self._leave_out(line, error)

    async def _create_channels(self, job: Import, authors: Authors) -> Structure:
        """Create the channels. Accounts and roles of their overwrites exist by now."""
        planned = [
            replace(each, overwrites=self._overwrites(line, job, authors))
            for line, each in self._channels.values()
        ]
        return await ensure_channels(self._session.deps, job, planned)

    def _overwrites(self, line: Line, job: Import, authors: Authors) -> tuple[Overwrite, ...]:
        found: dict[int, Overwrite] = {}
        for source_id, kind, allow, deny in lines.overwrites_of(line.value):
            target: int | None
            if kind == OverwriteType.MEMBER:
                target = authors.get(str(source_id))
            elif source_id == self._guild_source_id:
                target = job.guild_id
            else:
                target = next(iter(authors.roles_of([source_id])), None)
            if target is None:
                text = f"permissions of {source_id}, which has no line, are left out"
                self._session.findings.problem("overwrite", self._at(line), text)
            else:
                found[target] = Overwrite(target, kind, allow, deny)
        return sort_overwrites(found.values())

    async def _load(self, target: Target, structure: Structure, section: Iterable[Line]) -> None:
        """Load messages, those of one channel at once."""
        async with target.deps.database.cursor() as cur:
            present = await existing_channels(cur, target.job.guild_id)
        by_channel = groupby(section, key=lambda line: line.value.get("channel_id"))
        for source_id, group in by_channel:
            channel_id = structure.channels.get(source_id_of(source_id) or 0)
            if channel_id is None or channel_id not in present:
                for line in group:
                    text = "its channel is not in the archive, or was deleted here; left out"
                    self._session.findings.note("channel", self._at(line), text)
                continue
            loader = _Loader(target, channel_id, self._archive, self._name)
            for batch in _batches(group):
                try:
                    await loader.load([*self._messages(batch)])
                except ChannelGone:
                    text = "its channel was deleted"
                    self._session.findings.problem("channel", self._at(batch[0]), text)
                except StatementFailed as error:
                    text = f"the database refuses messages from here on: {error}"
                    self._session.findings.problem("refused", self._at(batch[0]), text)

    def _messages(self, batch: Iterable[Line]) -> Iterator[SourceMessage]:
        findings = self._session.findings
        for line in batch:
            try:
                found = lines.message_of(line.value, line.number, self._users, self._now)
            except InvalidLine as error:
                self._leave_out(line, error)
                continue
            for kind, text in found.notes:
                findings.note(kind, self._at(line), text)
            yield found

    def _leave_out(self, line: Line, error: InvalidLine) -> None:
        self._session.findings.problem("line", self._at(line), f"{error}; it is left out")

    def _at(self, line: Line) -> str:
        return f"{self._name}: line {line.number}"

    def _note_unknown(self, kind: str, section: Iterable[Line]) -> None:
        for line in section:
            text = f"the type {kind[:40]!r} is not known, and is left out"
            self._session.findings.note("type", self._at(line), text)


class _Loader(ChannelLoader):
    """Loads messages of an archive into one channel."""

    def __init__(
        self, target: Target, channel_id: ChannelId, archive: GuildArchive, name: str
    ) -> None:
        super().__init__(target, channel_id)
        self._archive = archive
        self._name = name

    def at(self, number: int, source_id: int | None = None) -> str:
        """Return the name of a line."""
        return f"{self._name}: line {number}"

    def open_file(self, file: SourceFile) -> BinaryIO:
        """Open the file of an attachment. Raises FileLeftOut, OSError."""
        found = self._archive.open(file.source_id)
        if found is None:
            text = f"the file of the attachment {file.name[:100]!r} is not in the archive"
            raise FileLeftOut("attachment", text)
        return found
