"""Orphaned server processes, and folders that killed processes may still write."""

from __future__ import annotations

import contextlib
import shutil
import signal
import time
from pathlib import Path

import psutil

STOP_TIMEOUT_S = 20.0
"""How long a server has to end after a signal, before it gets a stronger one. Postgres writes a
checkpoint when it stops."""

POLL_S = 0.01
"""Seconds between two looks at a process or a lock. A start takes 0.1 to 0.5 s, which polling must
not lengthen noticeably."""

_REMOVE_ATTEMPTS = 30
_REMOVE_INTERVAL_S = 0.1
"""Attempts and their pause in seconds. A killed server's children end within these 3 s."""


def end_orphans(program: str, folder: Path, pid_file: Path, how: signal.Signals) -> None:
    """End server processes that use the data folder although chatd or their parent has ended.

    They are found by their working folder, because the pid in the file may belong to another
    process by now.
    """
    if not pid_file.exists():  # the servers have shut down
        return
    for number in (how, signal.SIGQUIT, signal.SIGKILL):
        for process in (left := _processes_using(folder, program)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while left and time.monotonic() < deadline:
            time.sleep(POLL_S)
            left = _processes_using(folder, program)
        if not left:
            break
    pid_file.unlink(missing_ok=True)


def _processes_using(folder: Path, program: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == program and process.cwd() == str(folder):
                found.append(process)
    return found


def remove_folder(folder: Path) -> None:
    """Delete a folder into which children of a killed process may write for a moment."""
    for _ in range(_REMOVE_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_REMOVE_INTERVAL_S)
