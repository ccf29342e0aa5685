"""Reading an archive: its lines in order, and its files by their ids."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from chatd.backup.errors import InvalidArchive
from chatd.backup.tar import Member, members
from chatd.core.ids import MAX_ID
from chatd.transfer.errors import TransferError
from chatd.transfer.guild.export import FORMAT, VERSION
from chatd.transfer.source import Json

_MAX_PART_BYTES = 16 * 2**20
_MAX_FILES = 5_000_000
_LINES = re.compile(r"lines/[0-9]{8}\.jsonl", re.ASCII)
_FILE = re.compile(r"files/([1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an archive."""

    number: int
    """Its place, from 1 on."""
    value: Json
    size: int
    """Of its text in bytes."""

    @property
    def type(self) -> str:
        """What it describes."""
        return str(self.value.get("type"))


class GuildArchive:
    """A complete archive. Opening it reads all headers, so that nothing is imported of a part."""

    def __init__(self, path: Path) -> None:
        """Raises TransferError for a file that is no archive, or not complete; OSError."""
        self._path = path
        self._files: dict[int, tuple[int, int]] = {}
        self.size = path.stat().st_size
        self.header: Json = {}
        try:
            self._check()
        except InvalidArchive as error:
            raise TransferError(f"{path}: {error}") from None

    def _check(self) -> None:
        last: Json = {}
        with self._path.open("rb") as source:
            for member in members(source):
                if match := _FILE.fullmatch(member.name):
                    self._files[_id(match[1])] = (source.seek(0, os.SEEK_CUR), member.size)
                    if len(self._files) > _MAX_FILES:
                        raise InvalidArchive(f"it has more than {_MAX_FILES} files")
                elif _LINES.fullmatch(member.name):
                    content = member.content(at_most=_MAX_PART_BYTES)
                    if not self.header:
                        self.header = _parsed(content.partition(b"\n")[0], 1)
                        _check_header(self.header)
                    last = _parsed(content.rstrip(b"\n").rpartition(b"\n")[2], 0)
                else:
                    raise InvalidArchive(f"it has an unknown member {member.name[:40]!r}")
        if last.get("type") != "end":
            raise InvalidArchive("the archive is cut short: it has no end line")

    def lines(self, advance: Callable[[int], None]) -> Iterator[Line]:
        """Yield the lines after the header. `advance` gets the bytes that were read.

        Raises TransferError.
        """
        number = 0
        with self._path.open("rb") as source:
            try:
                for member in members(source):
                    if _LINES.fullmatch(member.name):
                        for text in _texts(member):
                            number += 1
                            if number > 1:
                                yield Line(number, _parsed(text, number), len(text))
                    advance(member.size)
            except InvalidArchive as error:
                raise TransferError(f"{self._path}: {error}") from None

    def open(self, file_id: int) -> BinaryIO | None:
        """Open a file; None if the archive does not have it. Raises OSError."""
        found = self._files.get(file_id)
        if found is None:
            return None
        source = self._path.open("rb")
        source.seek(found[0])
        return io.BufferedReader(_Slice(source, found[1]))


class _Slice(io.RawIOBase):
    """A part of a file, which it closes."""

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source = source
        self._left = size

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read the next bytes."""
        data = self._source.read(min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._source.close()
        super().close()


def _check_header(header: Json) -> None:
    if header.get("type") != "header" or header.get("format") != FORMAT:
        raise InvalidArchive("this is not an archive of `chatd export guild`")
    if header.get("version") != VERSION:
        raise InvalidArchive(f"this chatd reads version {VERSION}, and not this one")


def _texts(member: Member) -> Iterator[bytes]:
    return filter(None, member.content(at_most=_MAX_PART_BYTES).split(b"\n"))


def _parsed(text: bytes, number: int) -> Json:
    """Return a line as an object. Raises InvalidArchive."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidArchive(f"line {number}: {error}") from None
    if not isinstance(found, dict):
        raise InvalidArchive(f"line {number}: not an object")
    return found


def _id(text: str) -> int:
    number = int(text)
    if number > MAX_ID:
        raise InvalidArchive("it has a file with an invalid id")
    return number
