"""An archive: writing it in one pass, and reading and checking it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import zstandard

from chatd.backup import manifest
from chatd.backup.errors import InvalidArchive
from chatd.backup.manifest import Entry, Header, Manifest
from chatd.backup.tar import Member, TarWriter, members

PART_BYTES = 8 << 20
"""Bytes of the dump in one member, before compression. A restore holds one part in memory."""

_ZSTD_LEVEL = 3
_ZSTD_OVERHEAD = 64 * 1024  # of a part that cannot be compressed, at most
_MAX_SETTINGS_BYTES = 1 << 20

OnBytes = Callable[[int], None]


class ArchiveWriter:
    """Writes an archive. Nothing is held in memory but a part of the dump and of the index."""

    def __init__(self, target: BinaryIO, header: Header) -> None:
        self.header = header
        self._tar = TarWriter(target, mtime=int(header.created_at.timestamp()))
        self._compressor = zstandard.ZstdCompressor(
            level=_ZSTD_LEVEL, write_checksum=True, threads=0
        )
        self._entries: list[Entry] = []
        self._index: list[str] = []
        self._parts = 0
        self._dump_bytes = self._files = self._file_bytes = self._missing = 0
        text = manifest.encode(header)
        self._header_sha256 = hashlib.sha256(text).hexdigest()
        self._tar.add(manifest.HEADER, text)

    @property
    def written(self) -> int:
        """Bytes of the archive so far."""
        return self._tar.written

    def add(self, name: str, data: bytes) -> None:
        """Write a whole member. Raises OSError."""
        self._tar.add(name, data)
        self._note(Entry(name, len(data), hashlib.sha256(data).hexdigest()))

    def add_dump(self, data: bytes) -> None:
        """Write a part of the dump, of PART_BYTES at most. Raises OSError."""
        self._parts += 1
        self._dump_bytes += len(data)
        self.add(f"{manifest.DATABASE}{self._parts:08}.zst", self._compressor.compress(data))

    def begin_file(self, key: str, size: int) -> FileWriter:
        """Begin a stored file. Raises OSError."""
        name = f"{manifest.FILES}{manifest.require_key(key)}"
        self._tar.begin(name, size)
        return FileWriter(self._tar, name, size)

    def end_file(self, file: FileWriter) -> None:
        """End a stored file. One that is too short is noted as missing. Raises OSError."""
        entry = file.end()
        if entry.missing:
            self._missing += 1
        else:
            self._files += 1
            self._file_bytes += entry.size
        self._note(entry)

    def refer(self, key: str, size: int, sha256: str, archive: str) -> None:
        """Note a stored file that another archive has. Raises OSError."""
        self._files += 1
        self._file_bytes += size
        self._note(Entry(f"{manifest.FILES}{key}", size, sha256, archive))

    def missing(self, key: str) -> None:
        """Note a file that the storage does not have. Raises OSError."""
        self._missing += 1
        self._note(Entry(f"{manifest.FILES}{key}", missing=True))

    def finish(self, tables: dict[str, int], schema_sha256: str) -> Manifest:
        """Write the manifest and the end of the archive. Raises OSError."""
        self._write_index()
        found = Manifest(
            id=self.header.id,
            header_sha256=self._header_sha256,
            index=self._index,
            dump_bytes=self._dump_bytes,
            files=self._files,
            file_bytes=self._file_bytes,
            missing=self._missing,
            tables=tables,
            schema_sha256=schema_sha256,
            finished_at=datetime.now(UTC),
        )
        self._tar.add(manifest.MANIFEST, manifest.encode(found))
        self._tar.close()
        return found

    def _note(self, entry: Entry) -> None:
        self._entries.append(entry)
        if len(self._entries) >= manifest.INDEX_ENTRIES:
            self._write_index()

    def _write_index(self) -> None:
        if self._entries:
            data = manifest.encode_index(self._entries)
            self._entries.clear()
            self._index.append(hashlib.sha256(data).hexdigest())
            self._tar.add(f"{manifest.INDEX}{len(self._index):08}.jsonl", data)


class FileWriter:
    """A stored file that is being written."""

    def __init__(self, tar: TarWriter, name: str, size: int) -> None:
        self._tar = tar
        self._name = name
        self._size = size
        self._hash = hashlib.sha256()
        self._written = 0

    def write(self, data: bytes) -> None:
        """Write the next bytes. Raises OSError."""
        self._tar.write(data)
        self._hash.update(data)
        self._written += len(data)

    def end(self) -> Entry:
        """End the file, and return its entry. Raises OSError."""
        is_short = self._written < self._size
        while self._written < self._size:
            self.write(bytes(min(PART_BYTES, self._size - self._written)))
        self._tar.end()
        return Entry(self._name, self._size, self._hash.hexdigest(), missing=is_short)


class Archive:
    """An archive in a file that can be read several times."""

    def __init__(self, source: BinaryIO, path: Path | None) -> None:
        """Read the header. Raises InvalidArchive."""
        self._source = source
        self.path = path
        first = next(members(source), None)
        if first is None or first.name != manifest.HEADER:
            raise InvalidArchive("this is not an archive of `chatd backup`")
        data = first.content(at_most=manifest.MAX_JSON_BYTES)
        self.header = manifest.decode_header(data)
        self._header_sha256 = hashlib.sha256(data).hexdigest()

    @property
    def name(self) -> str:
        """The name of its file, for texts."""
        return "the archive" if self.path is None else self.path.name

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return self._source.seek(0, 2)

    def read_index(self, on_entry: Callable[[Entry], None]) -> Manifest:
        """Read the index without the other members. Raises InvalidArchive."""
        return self._read(on_entry, None)

    def verify(self, on_entry: Callable[[Entry], None], on_bytes: OnBytes) -> Manifest:
        """Read everything, and compare it with the index. Raises InvalidArchive."""
        return self._read(on_entry, on_bytes)

    def _read(self, on_entry: Callable[[Entry], None], on_bytes: OnBytes | None) -> Manifest:
        waiting: list[tuple[str, int, str]] = []  # members that a part of the index must name
        index: list[str] = []
        found: Manifest | None = None
        for member in members(self._source):
            if found is not None:
                raise InvalidArchive("the archive has members after its manifest")
            if member.name == manifest.MANIFEST:
                data = member.content(at_most=manifest.MAX_JSON_BYTES)
                found = manifest.decode(data, Manifest, manifest.MANIFEST)
            elif member.name.startswith(manifest.INDEX):
                data = member.content(at_most=manifest.MAX_INDEX_BYTES)
                index.append(hashlib.sha256(data).hexdigest())
                for entry in _checked(manifest.decode_index(data), waiting):
                    on_entry(entry)
                waiting.clear()
            elif member.name != manifest.HEADER:
                waiting.append(_measured(member, on_bytes))
                if len(waiting) > manifest.INDEX_ENTRIES:
                    raise InvalidArchive("the archive has members that its index does not name")
        if found is None:
            raise InvalidArchive("the archive is cut short: it has no manifest")
        if waiting or (found.id, found.header_sha256, found.index) != (
            self.header.id,
            self._header_sha256,
            index,
        ):
            raise InvalidArchive("the archive was altered: its parts do not belong together")
        return found

    def content(self, name: str) -> bytes | None:
        """Return a small member that precedes the dump; None without it. Raises InvalidArchive."""
        for member in members(self._source):
            if member.name == name:
                return member.content(at_most=_MAX_SETTINGS_BYTES)
            if member.name.startswith((manifest.DATABASE, manifest.FILES, manifest.INDEX)):
                return None
        return None

    def dump(self) -> Iterator[bytes]:
        """Yield the parts of the dump. Raises InvalidArchive."""
        decompressor = zstandard.ZstdDecompressor()
        seen = False
        for member in members(self._source):
            if member.name.startswith(manifest.DATABASE):
                seen = True
                yield _decompressed(decompressor, member)
            elif seen and member.name.startswith(manifest.FILES):
                return

    def files(self) -> Iterator[Member]:
        """Yield the stored files. Raises InvalidArchive."""
        for member in members(self._source):
            if member.name.startswith(manifest.FILES):
                yield member


def _measured(member: Member, on_bytes: OnBytes | None) -> tuple[str, int, str]:
    """Return name, size and hash of a member; without `on_bytes`, it is skipped, not hashed."""
    if member.name.startswith(manifest.FILES):
        manifest.require_key(member.name)
    elif member.name not in (manifest.SETTINGS, manifest.SECRETS) and not member.name.startswith(
        manifest.DATABASE
    ):
        raise InvalidArchive("the archive has a member that `chatd backup` does not write")
    if on_bytes is None:
        return member.name, member.size, ""
    digest = hashlib.sha256()
    for chunk in member.chunks():
        digest.update(chunk)
        on_bytes(len(chunk))
    return member.name, member.size, digest.hexdigest()


def _checked(entries: list[Entry], measured: list[tuple[str, int, str]]) -> list[Entry]:
    """Compare a part of the index with the members before it. Raises InvalidArchive."""
    places = iter(measured)
    for entry in entries:
        if entry.key is not None:
            manifest.require_key(entry.name)
        if entry.archive or (entry.missing and not entry.sha256):
            continue
        name, size, sha256 = next(places, ("", 0, ""))
        if (entry.name, entry.size) != (name, size) or sha256 not in ("", entry.sha256):
            raise InvalidArchive(f"the archive was altered or is damaged at {entry.name}")
    if next(places, None) is not None:
        raise InvalidArchive("the archive has members that its index does not name")
    return entries


def _decompressed(decompressor: zstandard.ZstdDecompressor, member: Member) -> bytes:
    data = member.content(at_most=PART_BYTES + _ZSTD_OVERHEAD)
    try:
        size = zstandard.frame_content_size(data)
        if not 0 <= size <= PART_BYTES:
            raise InvalidArchive(f"{member.name} of the archive is too large")
        return decompressor.decompress(data, max_output_size=PART_BYTES)
    except zstandard.ZstdError as error:
        raise InvalidArchive(f"{member.name} of the archive is damaged: {error}") from None
