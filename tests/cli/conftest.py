"""Commands as processes of their own, beside the servers of the tests."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chatd.config import Config
from tests.test_cli import PATIENCE_S, Environment, environment

__all__ = ["environment"]


@dataclass(frozen=True)
class Said:
    """How a command has ended, and what it said."""

    code: int
    output: str
    complaints: str

    @property
    def rows(self) -> list[list[str]]:
        """What it said where no terminal is."""
        return [line.split("\t") for line in self.output.splitlines()]

    @property
    def facts(self) -> dict[str, str]:
        """Two columns as names and values."""
        return {row[0]: row[1] for row in self.rows}


@dataclass
class Chatd:
    """Runs commands in a folder, without blocking the servers that live in this process."""

    folder: Path
    environment: Environment = field(repr=False)

    def run(self, *words: str, stdin: str = "", **settings: str) -> Said:
        """Run a command to its end, however that is."""
        ran = subprocess.run(
            [sys.executable, "-m", "chatd", *words],
            cwd=self.folder,
            env={**self.environment, **settings},
            input=stdin,
            capture_output=True,
            check=False,
            text=True,
            timeout=PATIENCE_S,
        )
        assert "Traceback" not in ran.stderr, ran.stderr
        return Said(ran.returncode, ran.stdout, ran.stderr)

    async def well(self, *words: str, **options: str) -> Said:
        """Run a command that succeeds and complains of nothing."""
        said = await asyncio.to_thread(self.run, *words, **options)
        assert (said.code, said.complaints) == (0, "")
        return said

    async def json(self, *words: str, **options: str) -> Any:
        """What a command that succeeds says with --json."""
        return json.loads((await self.well(*words, "--json", **options)).output)

    async def json_of(self, code: int, *words: str) -> Any:
        """What a command says with --json that ends with this code."""
        said = await asyncio.to_thread(self.run, *words, "--json")
        assert (said.code, said.complaints) == (code, "")
        return json.loads(said.output)

    async def refused(self, *words: str, code: int = 1, **options: str) -> str:
        """Run a command that is refused; the line that says why."""
        said = await asyncio.to_thread(self.run, *words, **options)
        assert (said.code, said.output) == (code, "")
        *_, line = said.complaints.splitlines()
        return line

    def on_terminal(self, *words: str) -> str:
        """Run a command that succeeds on a terminal; all that the terminal gets."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "chatd", *words],
            cwd=self.folder,
            env={**self.environment, "TERM": "xterm", "COLUMNS": "120"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            text = b""
            try:
                while read := os.read(ours, 4096):
                    text += read
            except OSError:  # how a terminal ends
                os.close(ours)
        assert process.returncode == 0, text
        return text.decode()


@pytest.fixture
def chatd(tmp_path: Path, environment: Environment, config: Config) -> Chatd:
    """Commands on the databases of the shared server; they have no JWT_SECRET."""
    servers = {"DATABASE_URL": config.database_url, "REDIS_URL": config.redis_url}
    return Chatd(tmp_path, {**environment, **servers})
