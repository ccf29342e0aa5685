"""Shared by `backup` and `restore`: progress, passphrases, interruption, errors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from chatd.backup.errors import BackupError
from chatd.backup.progress import Progress
from chatd.backup.secrets import PASSPHRASE_MIN_LENGTH
from chatd.bus.bus import BusUnavailable
from chatd.cli.command import EXIT_USAGE, fail, log_no_slow_statements
from chatd.config import ConfigError
from chatd.core.errors import DatabaseUnavailable, ServiceUnavailable
from chatd.db.maintenance import StatementFailed
from chatd.db.migrations import SchemaError
from chatd.embedded.errors import EmbeddedError

T = TypeVar("T")

_MAX_PASSPHRASE_BYTES = 1024


class _Silent:
    """Shows nothing."""

    def begin(self, title: str, total_bytes: int | None) -> None:
        """Do nothing."""

    def advance(self, count: int) -> None:
        """Do nothing."""


@contextmanager
def progress_bars(*, json: bool) -> Iterator[Progress]:
    """Show a bar for each step on a terminal. Stdout may be the archive, so bars go to stderr."""
    if json or not sys.stderr.isatty():
        yield _Silent()
        return
    from rich import progress
    from rich.console import Console

    bars = progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.DownloadColumn(binary_units=True),
        progress.TransferSpeedColumn(),
        progress.TimeElapsedColumn(),
        console=Console(stderr=True),
    )

    class _Bars:
        def __init__(self) -> None:
            self._task: progress.TaskID | None = None

        def begin(self, title: str, total_bytes: int | None) -> None:
            self.end()
            self._task = bars.add_task(title, total=total_bytes)

        def advance(self, count: int) -> None:
            if self._task is not None:
                bars.advance(self._task, count)

        def end(self) -> None:
            """Fill the bar of the current step, whose size may have been estimated."""
            if self._task is not None:
                done = bars.tasks[self._task].completed
                bars.update(self._task, total=done, completed=done)
                bars.stop_task(self._task)

    with bars:
        shown = _Bars()
        yield shown
        shown.end()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine. SIGTERM cancels it, as Ctrl-C does, so that it removes unfinished files."""
    logging.basicConfig(level=logging.ERROR, format="chatd: %(message)s", stream=sys.stderr)
    log_no_slow_statements()

    async def cancellable() -> T:
        task = asyncio.current_task()
        assert task is not None
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return asyncio.run(cancellable())
    except asyncio.CancelledError:
        fail("interrupted")


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the command with one line for each error that an operator can act on."""
    try:
        yield
    except ConfigError as error:
        fail(str(error), EXIT_USAGE)
    except DatabaseUnavailable as error:
        fail(f"the database is unavailable: {error}")
    except ServiceUnavailable as error:
        fail(f"the database does not answer in time: {error}")
    except StatementFailed as error:
        fail(f"the database refuses: {error}")
    except (BackupError, BusUnavailable, SchemaError, EmbeddedError) as error:
        fail(str(error))
    except OSError as error:
        what = f"use {error.filename}" if error.filename else "write the archive"
        fail(f"cannot {what}: {error.strerror or error}")


def passphrase(file: Path | None, *, is_new: bool) -> str:
    """Read a passphrase from a file, or ask for it on a terminal. Ends the command without one."""
    if file is not None:
        try:
            with file.open("rb") as opened:
                data = opened.read(_MAX_PASSPHRASE_BYTES + 1)
            found = data.decode().removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            fail(f"cannot read the passphrase in {file}: {error}", EXIT_USAGE)
        if len(data) > _MAX_PASSPHRASE_BYTES:
            fail(f"{file} is too large for a passphrase", EXIT_USAGE)
    elif sys.stdin.isatty():
        found = click.prompt(
            "Passphrase of the backup", hide_input=True, confirmation_prompt=is_new, err=True
        )
    else:
        fail("without a terminal, --with-secrets needs --passphrase-file", EXIT_USAGE)
    if is_new and len(found) < PASSPHRASE_MIN_LENGTH:
        fail(f"a passphrase needs at least {PASSPHRASE_MIN_LENGTH} characters", EXIT_USAGE)
    return found
