"""schemathesis: the API holds to what it says of itself, whatever it is sent."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.world import PASSWORD, World

HERE = Path(__file__).parent
_PATIENCE_S = 300.0


async def test_the_api_is_as_described(world: World, tmp_path: Path) -> None:
    owner, other, banned = await world.people("owner", "other", "banned")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", HERE / "schemathesis.toml"),
        *("run", f"{world.url}/openapi.json", "--url", world.url),
        cwd=tmp_path,
        env={
            **os.environ,
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
        async with asyncio.timeout(_PATIENCE_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, output.decode()
