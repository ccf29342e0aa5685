"""Folders in memory, for servers whose data need not survive: there a flush takes no time."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")
_PREFIX = "chatd-tests-"

_NEEDED_BYTES = 2 * 2**30
"""What must be free: several processes of tests have a Postgres of up to 400 MB each. Containers
have 64 MB by default."""


@contextmanager
def folder_in_memory(on_disk: Path) -> Iterator[Path]:
    """Provide a folder in memory, or this one where there is too little memory."""
    if not _has_room():
        yield on_disk
        return
    _remove_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_MEMORY))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _has_room() -> bool:
    with contextlib.suppress(OSError):
        return os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _NEEDED_BYTES
    return False


def _remove_leftovers() -> None:
    """Remove the folders of processes that were killed."""
    for folder in _MEMORY.glob(f"{_PREFIX}*"):
        process_id = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path(f"/proc/{process_id}").exists():
            shutil.rmtree(folder, ignore_errors=True)
