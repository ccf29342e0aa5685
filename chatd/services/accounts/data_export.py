"""The archive with everything of an account: a ZIP file that is written in one pass.

    README.txt          what is in it
    data/<table>.jsonl  the rows of the account, one JSON object a line
    files/<key>         its stored files: attachments and avatar

The archive has no secret that would open the account, and no messages of other people.
"""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

from chatd.core.errors import UnknownUser
from chatd.core.ids import UserId
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.queries import account_rows, users
from chatd.storage.base import Span, Storage, StoredFileMissing

_README = """\
This is everything that the server stores about one account, at the time of the export.

data/    one file for each table of the server's database, with one JSON object a line. Ids are
         numbers of 64 bits; the time of an object is part of its id: id / 4194304 + 1420070400000
         are milliseconds since 1970.
files/   the files of the account: its avatar, and attachments by the ids in data/attachments.jsonl.

Password hashes, secrets of second factors, and messages of other people are not part of it. Nor is
what moderators have written about the account, and how webhooks and rules that it created are now.
"""

_FILE_COLUMNS = {
    "attachments": ("id", "attachments/{}"),
    "ephemeral_attachments": ("id", "attachments/{}"),
    "reserved_uploads": ("file_id", "attachments/{}"),
}
"""The column of a table that names a stored file, and the key of the file."""

_PAUSE = Callable[[], Awaitable[None]]


@dataclass
class Exported:
    """What an archive has."""

    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    missing_files: int = 0
    """Files that the storage has lost."""
    size: int = 0
    """Of the archive in bytes."""


class _Output:
    """Receives the bytes of a ZIP file, which cannot be rewound."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: `take` takes the bytes."""

    def take(self) -> bytes:
        """Return what was written since the last call."""
        found, self._parts = b"".join(self._parts), []
        return found


class DataExport:
    """One export. `chunks` yields the archive, while the account and the storage are read.

    `tick` is awaited after each step; it may pause, or raise to end the export.
    """

    def __init__(
        self, database: Database, storage: Storage, threads: Executor, *, tick: _PAUSE
    ) -> None:
        self._database = database
        self._storage = storage
        self._threads = threads
        self._tick = tick
        self._output = _Output()
        self._keys: list[str] = []
        self.done = Exported()

    async def chunks(self, user_id: UserId) -> AsyncGenerator[bytes, None]:
        """Yield the archive of an account.

        Raises UnknownUser, StorageUnavailable, DatabaseUnavailable, ServiceUnavailable.
        """
        archive = zipfile.ZipFile(self._output, "w", zipfile.ZIP_DEFLATED)  # type: ignore[call-overload]
        async with self._reading() as cur:
            user = await users.get(cur, user_id)
            if user is None:
                raise UnknownUser
            if user.avatar is not None:
                self._keys.append(f"avatars/{user_id}/{user.avatar}")
            async for chunk in self._entry(archive, "README.txt", _once(_README.encode())):
                yield chunk
            for table in account_rows.TABLES:
                rows = self._rows(cur, table, user_id)
                async for chunk in self._entry(archive, f"data/{table}.jsonl", rows):
                    yield chunk
        for key in dict.fromkeys(self._keys):
            async for chunk in self._file(archive, key):
                yield chunk
        await self._in_thread(archive.close)
        yield self._taken()

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Cursor]:
        """Hold one snapshot of the database."""
        transaction = await self._database.begin()
        try:
            await account_rows.begin(transaction.cur)
            yield transaction.cur
        finally:
            await transaction.rollback()

    async def _rows(self, cur: Cursor, table: str, user_id: UserId) -> AsyncGenerator[bytes, None]:
        self.done.rows[table] = 0
        for first in range(0, await account_rows.pages(cur, table), account_rows.PAGES):
            after: str | None = None
            while True:
                lines, after = await account_rows.read(
                    cur, table, user_id, first_page=first, after=after
                )
                self.done.rows[table] += len(lines)
                if table in _FILE_COLUMNS:
                    await self._in_thread(self._note_files, table, lines)
                if lines:
                    yield "".join(f"{line}\n" for line in lines).encode()
                await self._tick()
                if after is None:
                    break

    def _note_files(self, table: str, lines: list[str]) -> None:
        column, key = _FILE_COLUMNS[table]
        numbers = (orjson.loads(line)[column] for line in lines)
        self._keys += [key.format(number) for number in numbers if number is not None]

    async def _file(self, archive: zipfile.ZipFile, key: str) -> AsyncGenerator[bytes, None]:
        try:
            size = await self._storage.size(key)
        except StoredFileMissing:
            self.done.missing_files += 1
            return
        async for chunk in self._entry(archive, f"files/{key}", self._contents(key, size)):
            yield chunk

    async def _contents(self, key: str, size: int) -> AsyncGenerator[bytes, None]:
        """Yield a file, or the part of it that is read before it is deleted."""
        try:
            async for chunk in self._storage.read(key, Span(0, size)):
                yield chunk
                await self._tick()  # a file may take longer than the lease of an export
        except StoredFileMissing:
            self.done.missing_files += 1
        else:
            self.done.files += 1

    async def _entry(
        self, archive: zipfile.ZipFile, name: str, content: AsyncIterator[bytes]
    ) -> AsyncGenerator[bytes, None]:
        """Add a member to the archive, and yield the bytes that this makes."""
        info = zipfile.ZipInfo(name)
        info.external_attr = 0o600 << 16
        is_file = name.startswith("files/")  # most are compressed already
        info.compress_type = zipfile.ZIP_STORED if is_file else zipfile.ZIP_DEFLATED
        with archive.open(info, "w", force_zip64=True) as member:
            async for part in content:
                await self._in_thread(member.write, part)
                if made := self._taken():
                    yield made
        yield self._taken()

    def _taken(self) -> bytes:
        made = self._output.take()
        self.done.size += len(made)
        return made

    async def _in_thread(self, work: Callable[..., object], *arguments: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


async def _once(data: bytes) -> AsyncGenerator[bytes, None]:
    yield data
