"""Imports on the shared server."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chatd.backup.progress import Progress
from chatd.core.ids import UserId
from chatd.transfer.discord.run import Request, run
from chatd.transfer.findings import Findings
from chatd.transfer.session import Imported
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.transfer.exports import Export, Json, new_guild_id, user
from tests.world import Person


class Silent:
    """Shows no progress."""

    def begin(self, title: str, total_bytes: int | None) -> None:
        pass

    def advance(self, count: int) -> None:
        pass


@dataclass
class Importer:
    """A folder with an export, and how to import it."""

    server: Server
    folder: Path
    guild_id: int = field(default_factory=new_guild_id)
    lines: list[str] = field(default_factory=list)
    findings: Findings = field(init=False)
    progress: Progress = field(default_factory=Silent)

    def channel(self, number: int, name: str = "general", **more: Any) -> Export:
        return Export(self.guild_id, self.guild_id + (number << 30), name, **more)

    def user(self, number: int, name: str, **more: Any) -> Json:
        """An author whom no other test has."""
        return user(self.guild_id - (number << 40), name, **more)

    async def run(self, owner: Person | None = None, *, hidden: bool = False) -> Imported:
        self.lines.clear()
        self.findings = Findings(self.lines.append)
        owner_id = None if owner is None else UserId(int(owner.id))
        request = Request(self.folder, owner_id, None, hidden)
        deps = self.server.runner.app[DEPENDENCIES]
        return await run(deps, self.server.config, request, self.findings, self.progress)


@pytest.fixture
def importer(server: Server, tmp_path: Path) -> Importer:
    return Importer(server, tmp_path / "export")
