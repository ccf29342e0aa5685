"""Where an archive is written: a file that appears when it is complete, a folder, or stdout."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from chatd.backup.archive import Archive
from chatd.backup.errors import BackupError, InvalidArchive
from chatd.embedded.data_dir import open_private

_PARTIAL = ".partial"
_NAME = re.compile(r"chatd-[0-9]{8}T[0-9]{6}Z\.tar", re.ASCII)


def path_of(target: str) -> Path:
    """Return the path of a new archive: in a folder it is named by the time.

    Deletes what killed backups have left in the folder, so no other backup may be running.
    """
    path = Path(target)
    if not path.is_dir():
        return path
    for left in path.glob(f"chatd-*.tar{_PARTIAL}"):
        left.unlink(missing_ok=True)
    return path / f"chatd-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar"


def archives_in(folder: Path) -> list[Path]:
    """Return the archives with names of `path_of`, the newest first."""
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), reverse=True)


def stdout() -> BinaryIO:
    """Return stdout without a buffer, which would report a full disk only at the exit."""
    return open(sys.stdout.fileno(), "wb", buffering=0, closefd=False)


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Provide a file that gets its name, flushed to disk, at the end of the context.

    If the context fails, nothing is left. Raises BackupError if the file exists, OSError.
    """
    if path.exists():
        raise BackupError(f"{path} exists: choose another name, or delete it first")
    partial = path.with_name(path.name + _PARTIAL)
    partial.unlink(missing_ok=True)  # of a killed backup
    with open(partial, "xb", buffering=0, opener=open_private) as file:
        try:
            yield file
            os.fsync(file.fileno())
            partial.rename(path)
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def opened(name: str) -> Iterator[Archive]:
    """Open an archive: a path, or "-" for a file at stdin. Raises InvalidArchive, BackupError."""
    with contextlib.ExitStack() as stack:
        if name == "-":
            source: BinaryIO = sys.stdin.buffer
            if not source.seekable():
                raise BackupError("an archive is read several times: give a file, not a pipe")
        else:
            try:
                source = stack.enter_context(Path(name).open("rb"))
            except OSError as error:
                raise BackupError(f"cannot read {name}: {error.strerror}") from error
        if not source.seekable():
            raise BackupError("an archive is read several times: give a file, not a pipe")
        try:
            archive = Archive(source, None if name == "-" else Path(name))
        except IsADirectoryError:
            raise BackupError(f"{name} is a folder: name the archive in it") from None
        except InvalidArchive as error:
            raise InvalidArchive(f"{name}: {error}") from None
        yield archive


def prune(folder: Path, *, keep: int) -> list[Path]:
    """Delete all archives in a folder but the newest `keep`, and those that they need.

    An archive that cannot be read stays, since it may be needed. Returns the deleted ones.
    """
    found = archives_in(folder)
    ids = {}
    needed: set[str] = set()
    for number, path in enumerate(found):
        with contextlib.suppress(BackupError), opened(str(path)) as archive:
            ids[path] = archive.header.id
            if number < keep:
                needed |= {base.id for base in archive.header.bases}
    deleted = [path for path in found[keep:] if path in ids and ids[path] not in needed]
    for path in deleted:
        path.unlink()
    return deleted
