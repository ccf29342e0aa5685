"""Commands in their own processes, beside the servers of the tests."""

from __future__ import annotations

import asyncio
import json
import os
import pty
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chatd.config import Config
from tests.helpers.cli import CHATD, TIMEOUT_S, Environment, completed
from tests.helpers.processes import Process


@dataclass(frozen=True)
class Said:
    """The exit code and the output of a command."""

    code: int
    output: str
    complaints: str

    @property
    def rows(self) -> list[list[str]]:
        """The tab-separated lines of its output."""
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
        """Run a command to its end, successful or not."""
        environment = {**self.environment, **settings}
        code, output, complaints = completed(self.folder, environment, *words, stdin=stdin)
        assert "Traceback" not in complaints, complaints
        return Said(code, output, complaints)

    async def well(self, *words: str, **options: str) -> Said:
        """Run a command that succeeds and writes nothing to stderr."""
        said = await asyncio.to_thread(self.run, *words, **options)
        assert (said.code, said.complaints) == (0, "")
        return said

    async def json(self, *words: str, **options: str) -> Any:
        """Return the JSON output of a command that succeeds."""
        return json.loads((await self.well(*words, "--json", **options)).output)

    async def json_of(self, code: int, *words: str) -> Any:
        """Return the JSON output of a command that exits with this code."""
        said = await asyncio.to_thread(self.run, *words, "--json")
        assert (said.code, said.complaints) == (code, "")
        return json.loads(said.output)

    async def refused(self, *words: str, code: int = 1, **options: str) -> str:
        """Run a command that fails. Returns its error line."""
        said = await asyncio.to_thread(self.run, *words, **options)
        assert (said.code, said.output) == (code, "")
        *_, line = said.complaints.splitlines()
        return line

    def on_terminal(
        self, *words: str, width: int = 120, answers: Sequence[tuple[str, str]] = ()
    ) -> str:
        """Run a command that succeeds on a terminal. Returns the output.

        `answers` are prompts, each with the text that is typed when it appears.
        """
        ours, theirs = pty.openpty()
        waiting = [*answers]
        environment = {**self.environment, "TERM": "xterm", "COLUMNS": str(width)}
        files = (theirs, theirs, theirs)
        process = Process([*CHATD, *words], self.folder, environment, files)
        os.close(theirs)
        text, begun = b"", 0
        try:
            while read := os.read(ours, 4096):
                text += read
                # One read may contain several prompts.
                while waiting and (place := text.find(waiting[0][0].encode(), begun)) >= 0:
                    question, answer = waiting.pop(0)
                    begun = place + len(question.encode())
                    if answer:
                        os.write(ours, f"{answer}\n".encode())
        except OSError:  # the pseudo-terminal is closed
            os.close(ours)
        assert process.wait(TIMEOUT_S) == 0, text
        assert waiting == [], text
        return text.decode()


@pytest.fixture
def chatd(tmp_path: Path, environment: Environment, config: Config) -> Chatd:
    """Commands on the databases of the shared server; they have no JWT_SECRET."""
    servers = {"DATABASE_URL": config.database_url, "REDIS_URL": config.redis_url}
    return Chatd(tmp_path, {**environment, **servers})
