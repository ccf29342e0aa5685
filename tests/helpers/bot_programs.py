"""Bots as processes: the programs in `tests/bots`, each with a library of its own environment.

`scripts/libraries` installs the environments; tests with a library that is missing are skipped.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.conftest import repository
from tests.world import TIMEOUT_S

LIBRARIES: Final = Path(os.environ.get("BOT_LIBRARIES") or Path(sys.prefix) / "libraries")
"""The folder with an environment for each library."""

_LINE_BYTES = 2**20  # an answer with many complaints


def installed(library: str, needed: str) -> str | None:
    """Return the path of what a program needs of this library, or None if it is not installed."""
    path = LIBRARIES / library / needed
    return str(path) if path.exists() else None


class Program:
    """A running program. It reads a command in a line of JSON, and writes its answer in a line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, *command: Any) -> Any:
        """Send the name and the arguments of a command; return its answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        async with asyncio.timeout(4 * TIMEOUT_S):
            line = await self._process.stdout.readline()
        assert line, "the program has ended"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["result"]


def launcher(library: str) -> tuple[list[str], dict[str, str]]:
    """Return the command and the environment that run a program with this library.

    Skips the test if the library is not installed.
    """
    folder = LIBRARIES / library
    python, packages = folder / "bin" / "python", folder / "node_modules"
    node = shutil.which("node")
    if python.exists():
        return [str(python)], {}
    if packages.exists() and node:
        return [node], {"NODE_PATH": str(packages)}
    pytest.skip(f"{library} is not installed; see scripts/libraries")


@asynccontextmanager
async def running_program(
    library: str, program: str, settings: Mapping[str, str]
) -> AsyncIterator[Program]:
    """Run a program of `tests/bots` with a library until the context is left."""
    command, environment = launcher(library)
    async with running(command, program, {**environment, **settings}) as started:
        yield started


@asynccontextmanager
async def running(
    command: Sequence[str], program: str, settings: Mapping[str, str], *arguments: str
) -> AsyncIterator[Program]:
    """Run a program of `tests/bots` with an interpreter until the context is left."""
    process = await asyncio.create_subprocess_exec(
        *command,
        str(repository() / "tests" / "bots" / program),
        *arguments,
        env={**os.environ, **settings},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
