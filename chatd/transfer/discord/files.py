"""The files of an export: finding them, their headers, and paths that stay in the folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from chatd.transfer.errors import BrokenJson, NoArray, TransferError
from chatd.transfer.findings import Findings
from chatd.transfer.json_array import JsonArray
from chatd.transfer.source import Json, source_id_of, text_of

_MAX_FILES = 100_000
_MEDIA = "_Files"
"""Ends the names of the folders that an export puts attachments in."""

_NO_EXPORT = "not an export of DiscordChatExporter; left out"
_PRIVATE = ("DirectTextChat", "DirectGroupTextChat")
THREADS = ("GuildNewsThread", "GuildPublicThread", "GuildPrivateThread")


@dataclass(frozen=True, slots=True)
class SourceChannel:
    """A channel as the header of a file describes it."""

    source_id: int
    type: str
    name: str
    topic: str
    parent_id: int | None
    parent_name: str

    @property
    def is_thread(self) -> bool:
        """Whether its parent is a channel, not a category."""
        return self.type in THREADS


@dataclass(frozen=True, slots=True)
class SourceGuild:
    """A guild as the header of a file describes it."""

    source_id: int
    name: str


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file with messages of one channel. One channel may have several."""

    path: Path
    name: str
    """Its path within the folder."""
    size: int
    modified_ns: int
    guild: SourceGuild
    channel: SourceChannel

    def messages(self) -> JsonArray:
        """Return a reader of its messages."""
        return JsonArray(self.path, "messages", shown_as=self.name)


def find_exports(folder: Path, findings: Findings) -> list[ExportFile]:
    """Return the files with messages of guilds, by name. Raises TransferError."""
    if not folder.is_dir():
        raise TransferError(f"{folder} is not a folder")
    found = []
    for path in _json_files(folder):
        name = str(path.relative_to(folder))
        try:
            export = _read_header(path, name)
        except BrokenJson as error:
            findings.problem("broken file", error.where, error.what)
        except OSError as error:
            findings.problem("unreadable file", name, error.strerror or str(error))
        else:
            if isinstance(export, str):
                findings.note("other file", name, export)
            else:
                found.append(export)
    return found


def _json_files(folder: Path) -> Iterator[Path]:
    """Yield files in the order of names. Raises TransferError if there are too many."""
    count = 0
    for parent, folders, names in os.walk(folder):  # follows no links to folders
        folders[:] = sorted(each for each in folders if not each.endswith(_MEDIA))
        for name in sorted(names):
            path = Path(parent, name)
            if name.lower().endswith(".json") and stat.S_ISREG(path.lstat().st_mode):
                count += 1
                if count > _MAX_FILES:
                    raise TransferError(f"{folder} has more than {_MAX_FILES} JSON files")
                yield path


def _read_header(path: Path, name: str) -> ExportFile | str:
    """Return the description of a file, or why it is none of an export of a guild.

    Raises BrokenJson, OSError.
    """
    reader = JsonArray(path, "messages", shown_as=name)
    try:
        next(iter(reader), None)
    except NoArray:
        return _NO_EXPORT
    if not reader.has_array:
        return _NO_EXPORT
    guild, channel = reader.header.get("guild"), reader.header.get("channel")
    if not isinstance(guild, dict) or not isinstance(channel, dict):
        return _NO_EXPORT
    if channel.get("type") in _PRIVATE:
        return "direct messages are not imported"
    guild_id, channel_id = source_id_of(guild.get("id")), source_id_of(channel.get("id"))
    if guild_id is None or channel_id is None:
        raise BrokenJson(name, "the guild or the channel has no id")
    status = path.stat()
    return ExportFile(
        path=path,
        name=name,
        size=status.st_size,
        modified_ns=status.st_mtime_ns,
        guild=SourceGuild(guild_id, text_of(guild.get("name"))),
        channel=_channel(channel_id, channel),
    )


def _channel(channel_id: int, raw: Json) -> SourceChannel:
    return SourceChannel(
        source_id=channel_id,
        type=text_of(raw.get("type")),
        name=text_of(raw.get("name")),
        topic=text_of(raw.get("topic")),
        parent_id=source_id_of(raw.get("categoryId")),
        parent_name=text_of(raw.get("category")),
    )


def only_guild(exports: Sequence[ExportFile], wanted: int | None) -> list[ExportFile]:
    """Return the files of one guild. Raises TransferError if there is none, or more than one."""
    guilds = {each.guild.source_id: each.guild.name for each in exports}
    if wanted is not None:
        guilds = {key: name for key, name in guilds.items() if key == wanted}
    if not guilds:
        raise TransferError("there is no export of a guild in the folder")
    if len(guilds) > 1:
        names = ", ".join(f"{key} ({name})" for key, name in sorted(guilds.items())[:20])
        raise TransferError(f"the folder has several guilds; choose one with --guild: {names}")
    return [each for each in exports if each.guild.source_id in guilds]


class OutsideOfExport(Exception):
    """A path leads out of the folder, or is not that of a file."""


def open_attachment(folder: Path, export: ExportFile, address: str) -> BinaryIO:
    """Open the file of an attachment.

    Its path is relative to the folder of the JSON file. Raises OutsideOfExport; FileNotFoundError
    and other OSError.
    """
    try:
        path = _inside(folder, export.path.parent / address)
        if not path.exists() and "\\" in address:  # exported on Windows
            path = _inside(folder, export.path.parent / address.replace("\\", "/"))
    except ValueError:  # a NUL
        raise OutsideOfExport from None
    # Not blocked by a pipe, and no other file than the one that was checked.
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OutsideOfExport
    return os.fdopen(number, "rb")


def _inside(folder: Path, path: Path) -> Path:
    """Return a path without links. Raises OutsideOfExport if it is not within the folder."""
    real = path.resolve()
    if not real.is_relative_to(folder.resolve()):
        raise OutsideOfExport
    return real
