"""Folders in memory, for what need not survive: there a flush takes no time.

To create a file there takes a third of the CPU time that ext4 needs, and a folder a twentieth.
After many files were deleted, ext4 needs ten times as much for a while.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

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


def put_temporary_files_in_memory(config: pytest.Config) -> None:
    """Let this process and those that it starts create their temporary files in memory.

    The folder stays if a test fails, until the next run. Its path is not longer than that of the
    usual folder, since paths of sockets have a limit.
    """
    if config.option.basetemp is not None or not _has_room():
        return
    _remove_leftovers()
    folder = _MEMORY / f"{_PREFIX}{os.getpid()}-t"
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier process with this number
    folder.mkdir()
    folder.chmod(0o1777)  # like /tmp
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None
    config.option.basetemp = folder / "p"

    def remove() -> None:
        session = config.pluginmanager.get_plugin("session")
        if session is None or not session.testsfailed:
            shutil.rmtree(folder, ignore_errors=True)

    config.add_cleanup(remove)


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
