"""Archives without a server, and programs that stand in for those of Postgres."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from chatd.backup import manifest
from chatd.backup.archive import ArchiveWriter
from chatd.backup.manifest import Header

FILES = {"attachments/1": b"x" * 700, "avatars/2/" + "a" * 32: b"", "icons/3/a_" + "b" * 32: b"y"}
DUMP = os.urandom(3000)


class SilentProgress:
    """Shows no progress."""

    def begin(self, title: str, total_bytes: int | None) -> None:
        """Do nothing."""

    def advance(self, count: int) -> None:
        """Do nothing."""


def header_of(archive_id: str = "1" * 32, **more: Any) -> Header:
    """Return the header of an archive."""
    made = Header(
        id=archive_id,
        chatd="0.1.0",
        schema=["0001_accounts"],
        postgres=180001,
        dumped_by=18,
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
        database_bytes=1,
    )
    return msgspec.structs.replace(made, **more)


def fill(writer: ArchiveWriter, files: dict[str, bytes]) -> None:
    """Write a dump and files."""
    writer.add(manifest.SETTINGS, b"{}")
    writer.add_dump(DUMP)
    for key, content in files.items():
        file = writer.begin_file(key, len(content))
        file.write(content)
        writer.end_file(file)


def archive_bytes(header: Header | None = None, files: dict[str, bytes] = FILES) -> bytes:
    """Return a complete archive."""
    target = io.BytesIO()
    writer = ArchiveWriter(target, header or header_of())
    fill(writer, files)
    writer.finish({"messages": 3}, "")
    return target.getvalue()


def program(folder: Path, name: str, *, version: int = 99, then: str = "exit 1") -> Path:
    """Write a program that says it is of this version of Postgres; return its folder."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(
        f"#!/bin/sh\n[ $1 = --version ] && echo '{name} (PostgreSQL) {version}.1' && exit\n{then}\n"
    )
    path.chmod(0o755)
    return folder


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())
