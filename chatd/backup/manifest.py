"""What an archive says about itself: header, index and manifest, as JSON.

The header comes first, so that a restore can refuse an archive before it reads on. Sizes and hashes
are known only after a member was written. So they follow in parts of the index, and the manifest
at the end has the hashes of these parts. An archive without a manifest is incomplete.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Annotated, Literal, TypeVar

import msgspec

from chatd.backup.errors import InvalidArchive
from chatd.backup.tar import MAX_MEMBER_BYTES

FORMAT_VERSION = 1
"""Raised when an earlier version of chatd could not restore the archive."""

HEADER, SETTINGS, SECRETS, MANIFEST = "backup.json", "settings.json", "secrets.bin", "manifest.json"
DATABASE, FILES, INDEX = "database/", "files/", "index/"

MAX_JSON_BYTES = 64 << 20
"""Size of a header or manifest, at most. It has some kilobytes, and 70 for each 5,000 files."""

INDEX_ENTRIES = 5000
"""Entries of one part of the index: the hashes that are in memory at once."""

MAX_INDEX_BYTES = INDEX_ENTRIES * 512

_KEY = re.compile(r"[a-z][a-z-]{0,19}(?:/[0-9a-z_]{1,40}){1,2}", re.ASCII)

T = TypeVar("T", bound=msgspec.Struct)

_FAULTS = (msgspec.MsgspecError, RecursionError)
"""What JSON that `chatd backup` did not write may raise; the second one if it is nested deeply."""

Time = Annotated[datetime, msgspec.Meta(tz=True)]
Size = Annotated[int, msgspec.Meta(ge=0, le=MAX_MEMBER_BYTES)]
_SettingName = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9_]*\Z")]
_Setting = Annotated[str, msgspec.Meta(pattern=r"^[^\0]*\Z")]


class ArchiveName(msgspec.Struct, frozen=True):
    """Another archive: its id, and the name that its file had."""

    id: str
    name: str


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first member of an archive."""

    format: Literal["chatd-backup"] = "chatd-backup"
    version: int = FORMAT_VERSION
    id: str
    chatd: str
    """The version of chatd that made the archive."""
    schema: list[str]
    """The migrations that the database has."""
    postgres: int
    """`server_version_num` of the database."""
    dumped_by: int
    """The major version of `pg_dump`."""
    created_at: Time
    """The time of the snapshot, by the clock of Postgres."""
    database_bytes: int
    bases: list[ArchiveName] = []
    """The archives that may have files of this one, the newest first."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A member of the archive, or a stored file that another archive has."""

    name: str
    size: Size = 0
    sha256: str = ""
    archive: str = ""
    """The id of the archive that has the file; empty for this one."""
    missing: bool = False
    """The storage did not have the file. If the archive has a member, it is not the file."""

    @property
    def key(self) -> str | None:
        """The key of a stored file; None for other members."""
        return self.name.removeprefix(FILES) if self.name.startswith(FILES) else None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The last member of an archive."""

    id: str
    header_sha256: str
    index: list[str]
    """The SHA-256 of each part of the index."""
    dump_bytes: int
    files: int
    file_bytes: int
    missing: int
    tables: dict[str, int]
    """The rows of each table."""
    schema_sha256: str
    finished_at: Time


def encode(value: msgspec.Struct) -> bytes:
    """Return a header or manifest as JSON, with its own hash in the second line."""
    text = msgspec.json.encode(value)
    return text + f"\n{hashlib.sha256(text).hexdigest()}\n".encode()


def decode(data: bytes, kind: type[T], name: str) -> T:
    """Parse what `encode` returned. Raises InvalidArchive."""
    text, _, digest = data.partition(b"\n")
    if hashlib.sha256(text).hexdigest() != digest.strip().decode("ascii", "replace"):
        raise InvalidArchive(f"the archive was altered or is damaged: {name} has another hash")
    try:
        return msgspec.json.decode(text, type=kind)
    except _FAULTS as error:
        raise InvalidArchive(f"{name} of the archive is invalid: {error}") from None


def decode_header(data: bytes) -> Header:
    """Parse a header. Raises InvalidArchive, also for an archive of a newer chatd."""
    try:
        found = msgspec.json.decode(data.partition(b"\n")[0], type=dict[str, object])
    except _FAULTS:
        raise InvalidArchive("this is not an archive of `chatd backup`, or it is damaged") from None
    version = found.get("version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise InvalidArchive(
            f"the archive has format {version}, and this chatd knows {FORMAT_VERSION}:"
            f" install chatd {found.get('chatd')} or later"
        )
    return decode(data, Header, HEADER)


def encode_index(entries: list[Entry]) -> bytes:
    """Return entries as lines of JSON."""
    return msgspec.json.Encoder().encode_lines(entries)


def decode_index(data: bytes) -> list[Entry]:
    """Parse a part of the index. Raises InvalidArchive."""
    try:
        return msgspec.json.Decoder(Entry).decode_lines(data)
    except _FAULTS as error:
        raise InvalidArchive(f"the index of the archive is invalid: {error}") from None


def decode_settings(data: bytes) -> dict[str, str]:
    """Parse settings, by name. Raises InvalidArchive."""
    try:
        return msgspec.json.decode(data, type=dict[_SettingName, _Setting])
    except _FAULTS as error:
        raise InvalidArchive(f"{SETTINGS} of the archive is invalid: {error}") from None


def require_key(name: str) -> str:
    """Return the key of a stored file by the name of its member.

    Raises InvalidArchive, also for names that lead out of the folder of files.
    """
    key = name.removeprefix(FILES)
    if not _KEY.fullmatch(key):
        raise InvalidArchive("the archive has a file whose name chatd does not give")
    return key
