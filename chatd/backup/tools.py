"""`pg_dump` and `pg_restore`: finding a suitable version, and running them on pipes."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from chatd.backup.errors import BackupError
from chatd.db.maintenance import split_password

_DEBIAN = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"\(PostgreSQL\) ([0-9]+)")
_VERSION_TIMEOUT_S = 30.0
_READ_BYTES = 1 << 20
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_STOP_TIMEOUT_S = 10.0

_PASSED = (
    "PATH",
    "HOME",
    "LANG",
    "PGPASSFILE",
    "PGSSLROOTCERT",
    "PGSSLCERT",
    "PGSSLKEY",
    "KRB5CCNAME",
)
"""Variables that the programs get. Others, such as PGOPTIONS, would change what they do."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program of Postgres, and its major version."""

    path: Path
    major: int


def find_tool(name: str, *, at_least: int, folder: Path | None) -> Tool:
    """Return the program with the lowest major version from `at_least` on.

    Looks only in `folder`, if that is given. Else in those of Debian, in the PATH, and in that of
    the embedded Postgres. Raises BackupError.
    """
    found = [tool for path in _candidates(name, folder) if (tool := _inspect(path)) is not None]
    suitable = [tool for tool in found if tool.major >= at_least]
    if suitable:
        return min(suitable, key=lambda tool: tool.major)
    remedy = (
        f"install the client of Postgres {at_least} (on Debian: apt install"
        f" postgresql-client-{at_least}), or name its folder with --pg-bindir"
    )
    if not found:
        where = f" in {folder}" if folder is not None else ""
        raise BackupError(f"{name} is missing{where}: {remedy}")
    newest = max(found, key=lambda tool: tool.major)
    raise BackupError(
        f"{newest.path} is of Postgres {newest.major}, which cannot handle this database of"
        f" Postgres {at_least}: {remedy}"
    )


def _candidates(name: str, folder: Path | None) -> Iterable[Path]:
    if folder is not None:
        yield folder / name
        return
    # Debian's program in the PATH is a wrapper that chooses a version by itself.
    yield from sorted(_DEBIAN.glob(f"*/bin/{name}"))
    if (in_path := shutil.which(name)) is not None:
        yield Path(in_path)
    with contextlib.suppress(ImportError):
        from chatd.embedded.errors import EmbeddedError
        from chatd.embedded.postgres import postgres_binaries

        with contextlib.suppress(EmbeddedError):
            yield postgres_binaries() / name


def _inspect(path: Path) -> Tool | None:
    """Return the program with its version; None if it cannot be run."""
    if not os.access(path, os.X_OK):
        return None
    try:
        ran = subprocess.run(
            [path, "--version"],
            capture_output=True,
            check=False,
            timeout=_VERSION_TIMEOUT_S,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(ran.stdout)
    return None if match is None else Tool(path, int(match[1]))


class Dump:
    """A running `pg_dump`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def parts(self, size: int) -> AsyncIterator[bytes]:
        """Yield the dump in parts of `size` bytes; the last one may be shorter."""
        assert self._process.stdout is not None
        gathered = bytearray()
        while data := await self._process.stdout.read(_READ_BYTES):
            gathered += data
            while len(gathered) >= size:
                yield bytes(gathered[:size])
                del gathered[:size]
        if gathered:
            yield bytes(gathered)


@asynccontextmanager
async def dumping(
    tool: Tool, url: str, *, snapshot: str, without_rows: Sequence[str], without: Sequence[str]
) -> AsyncIterator[Dump]:
    """Run `pg_dump` on a snapshot. Raises BackupError at the end of the context if it fails."""
    options = [
        "--format=custom",
        "--compress=0",  # the archive compresses, faster
        "--no-owner",
        "--no-privileges",
        "--no-tablespaces",
        "--no-publications",
        "--no-subscriptions",
        "--no-security-labels",
        "--extension=plpgsql",  # and so no extension that the target may not have
        f"--snapshot={snapshot}",
        *(f"--exclude-table-data={name}" for name in without_rows),
        *(f"--exclude-schema={name}" for name in without),
    ]
    async with _running(tool, url, options, stdout=subprocess.PIPE) as process:
        yield Dump(process)


@asynccontextmanager
async def restoring(tool: Tool, url: str) -> AsyncIterator[asyncio.StreamWriter]:
    """Run `pg_restore` in one transaction, which commits at the end of the context.

    Raises BackupError if it fails; then the database is unchanged.
    """
    options = ["--format=custom", "--no-owner", "--no-privileges", "--no-tablespaces"]
    options += ["--single-transaction", "--exit-on-error"]
    async with _running(tool, url, options, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        # An early end is reported with what the program wrote to stderr, not as a broken pipe.
        with contextlib.suppress(ConnectionError):
            yield process.stdin
        process.stdin.close()
        with contextlib.suppress(ConnectionError):
            await process.stdin.wait_closed()


@asynccontextmanager
async def _running(
    tool: Tool,
    url: str,
    options: list[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program of Postgres. When the context is left by an error, the program is ended."""
    dsn, password = split_password(url)
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    if password is not None:
        environment["PGPASSWORD"] = password
    command = [str(tool.path), *options, "--no-password", f"--dbname={dsn}"]
    with tempfile.TemporaryFile() as complaints:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdin=stdin,
            stdout=stdout,
            stderr=complaints,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        try:
            yield process
            code = await process.wait()
        finally:
            await _end(process)
        if code != 0:
            raise BackupError(f"{tool.path.name} failed: {_reason(complaints, code)}")


def _end_with_parent() -> None:
    """Let this process end with its parent, even if that is killed. Runs between fork and exec.

    setpriv(1) does the same, but not without capabilities, under a filter of system calls.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


async def _end(process: asyncio.subprocess.Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await process.wait()


def _reason(complaints: IO[bytes], code: int) -> str:
    """Return the first error that a program reported, or how it ended."""
    complaints.seek(0)
    lines = complaints.read(64 * 1024).decode(errors="replace").splitlines()
    errors = [line for line in lines if "error: " in line]
    if errors:
        return errors[0].partition("error: ")[2]
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}"
    return lines[0] if lines else f"exit code {code}"
