"""schemathesis: the API behaves as its OpenAPI document says, whatever requests it gets."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import repository
from tests.world import PASSWORD, World, befriend

HERE = Path(__file__).parent
_TIMEOUT_S = 900.0


_CONFIG = """
seed = 1
workers = 1
continue-on-failure = true

[generation]
deterministic = true
max-examples = {examples}
database = "none"
no-shrink = true

[phases.coverage]
enabled = {coverage}

[phases.stateful]
enabled = {stateful}
max-steps = 6

[phases.stateful.generation]
max-examples = {chains}
"""


@dataclass(frozen=True)
class Effort:
    """How many requests schemathesis sends. All checks are on, and each operation is called."""

    examples: int
    """For each operation, valid and invalid ones."""
    chains: int
    """Sequences of requests that use the ids of earlier responses; 0 leaves them out.

    schemathesis finds 10,390 links between the operations. hypothesis decides for each whether a
    sequence may use it, and gives up before the first request: with 8 sequences, none was sent.
    """
    coverage: bool
    """Whether to try each bound of each parameter; this takes longer than all else."""


SOME = Effort(examples=2, chains=0, coverage=False)
MANY = Effort(examples=12, chains=100, coverage=True)


@pytest.mark.timeout(_TIMEOUT_S + 60)
@pytest.mark.parametrize(
    "effort",
    [pytest.param(SOME, id="some"), pytest.param(MANY, id="many", marks=pytest.mark.soak)],
)
async def test_api_matches_its_description(world: World, tmp_path: Path, effort: Effort) -> None:
    config = _CONFIG.format(
        examples=effort.examples,
        chains=max(effort.chains, 1),
        coverage=str(effort.coverage).lower(),
        stateful=str(effort.chains > 0).lower(),
    )
    (tmp_path / "schemathesis.toml").write_text(config)
    owner, other, banned = await world.people("owner", "other", "banned")
    await befriend(owner, banned)  # the recipient to add to a group; it shares no guild
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", tmp_path / "schemathesis.toml"),
        *("run", f"{world.url}/openapi.json", "--url", world.url),
        cwd=tmp_path,
        env={
            **os.environ,
            # It has the tables of characters and constants, which take a second to compute.
            "HYPOTHESIS_STORAGE_DIRECTORY": str(repository() / ".hypothesis"),
            "PYTHONPATH": str(repository()),
            "SCHEMATHESIS_HOOKS": str(HERE / "stage_for_schemathesis.py"),
            "CHATD_STAGE_URL": world.url,
            "CHATD_STAGE_TOKENS": f"{owner.token},{other.token}",
            "CHATD_STAGE_LOGIN": f"{owner.email},{PASSWORD}",
            "CHATD_STAGE_IDS": f"{other.id},{banned.id}",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, output.decode()
