"""Writing a guild into an archive, while instances serve."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

import orjson

from chatd.backup.progress import Progress
from chatd.backup.storage import open_storage
from chatd.backup.tar import MAX_MEMBER_BYTES, TarWriter
from chatd.config import Config
from chatd.core.ids import GuildId
from chatd.db.cursor import Cursor
from chatd.db.maintenance import maintenance_cursor
from chatd.queries import guild_rows
from chatd.queries.guild_rows import MessageRow
from chatd.queries.statistics import COMMAND
from chatd.storage.base import Span, Storage, StoredFileMissing
from chatd.transfer.errors import TransferError

FORMAT, VERSION = "chatd-guild", 1

_PART_BYTES = 4 * 2**20
"""Of lines, after which a member of the archive ends."""
_MEMBERS = 1000
_MESSAGES = 500
"""Rows that one statement reads."""


@dataclass
class Exported:
    """What an archive has."""

    messages: int = 0
    files: int = 0
    missing_files: int = 0
    """Files that the storage has lost."""
    written: int = 0
    """Bytes of the archive."""


async def export(
    config: Config, guild_id: GuildId, target: BinaryIO, progress: Progress
) -> Exported:
    """Write a guild, of one snapshot of the database.

    Raises TransferError for an unknown guild; OSError, StorageUnavailable, DatabaseUnavailable,
    StatementFailed.
    """
    progress.begin("exporting", None)
    async with (
        maintenance_cursor(config.database_url, name=COMMAND) as cur,
        open_storage(config) as storage,
    ):
        await guild_rows.begin(cur)
        writer = _Writer(target, storage, progress)
        await _write(cur, writer, guild_id, config.public_url)
        await guild_rows.end(cur)
    return writer.done


async def _write(cur: Cursor, writer: _Writer, guild_id: GuildId, origin: str) -> None:
    header = {
        "type": "header",
        "format": FORMAT,
        "version": VERSION,
        "origin": origin,
        "exported_at": datetime.now(UTC).isoformat(),
    }
    found = await guild_rows.guild(cur, guild_id)
    if not found:
        raise TransferError(f"there is no guild {guild_id}")
    await writer.add([orjson.dumps(header).decode(), *found])
    await writer.add(await guild_rows.roles(cur, guild_id))
    last = 0
    while rows := await guild_rows.members(cur, guild_id, after=last, limit=_MEMBERS):
        last = rows[-1][0]
        writer.known |= {user_id for user_id, _ in rows}
        await writer.add(line for _, line in rows)
    await writer.add_users(cur, await guild_rows.overwritten_users(cur, guild_id))
    await writer.add(await guild_rows.channels(cur, guild_id))
    for channel_id in await guild_rows.channel_ids(cur, guild_id):
        last = 0
        while found_messages := await guild_rows.messages(
            cur, channel_id, after=last, limit=_MESSAGES
        ):
            last = found_messages[-1].id
            await writer.add_messages(cur, found_messages)
    await writer.close()


class _Writer:
    """Gathers lines into members, each followed by the files of its messages."""

    def __init__(self, target: BinaryIO, storage: Storage, progress: Progress) -> None:
        self._tar = TarWriter(target, mtime=int(time.time()))
        self._storage = storage
        self._progress = progress
        self._lines: list[bytes] = []
        self._size = 0
        self._parts = 0
        self._files: list[int] = []
        self.known: set[int] = set()
        """The accounts that have a line."""
        self.done = Exported()

    async def add(self, lines: Iterable[str]) -> None:
        """Add lines."""
        for line in lines:
            data = line.encode() + b"\n"
            self._lines.append(data)
            self._size += len(data)
            if self._size >= _PART_BYTES:
                await self._end_part()

    async def add_users(self, cur: Cursor, user_ids: Iterable[int]) -> None:
        """Add lines for those of these accounts that have none yet."""
        if missing := set(user_ids) - self.known:
            rows = await guild_rows.users(cur, missing)
            self.known |= {user_id for user_id, _ in rows}
            await self.add(line for _, line in rows)

    async def add_messages(self, cur: Cursor, rows: list[MessageRow]) -> None:
        """Add messages, after the accounts that they name."""
        await self.add_users(cur, {user_id for row in rows for user_id in row.users})
        for row in rows:
            if row.author_id not in self.known:  # a webhook
                self.known.add(row.author_id)
                author = {"id": str(row.author_id), "username": row.webhook_name or "webhook"}
                await self.add([orjson.dumps({"type": "user", **author, "bot": True}).decode()])
            self._files += row.files
            await self.add([row.line])
        self.done.messages += len(rows)

    async def close(self) -> None:
        """End the archive."""
        await self._end_part()
        counts = {"type": "end", "messages": self.done.messages, "files": self.done.files}
        await self.add([orjson.dumps(counts).decode()])
        await self._end_part()
        self._tar.close()
        self.done.written = self._tar.written

    async def _end_part(self) -> None:
        if self._lines:
            self._parts += 1
            self._tar.add(f"lines/{self._parts:08}.jsonl", b"".join(self._lines))
            self._progress.advance(self._size)
        files, self._files = self._files, []
        self._lines, self._size = [], 0
        for file_id in files:
            await self._add_file(file_id)

    async def _add_file(self, file_id: int) -> None:
        key = f"attachments/{file_id}"
        try:
            size = await self._storage.size(key)
        except StoredFileMissing:
            size = -1
        if not 0 <= size <= MAX_MEMBER_BYTES:
            self.done.missing_files += 1
            return
        self._tar.begin(f"files/{file_id}", size)
        async for chunk in self._storage.read(key, Span(0, size)):
            self._tar.write(chunk)
            self._progress.advance(len(chunk))
        self._tar.end()
        self.done.files += 1
