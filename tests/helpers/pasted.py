"""Runs a script as a reader pastes it into a shell."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest


async def pasted(script: str, folder: Path, **environment: str) -> tuple[int | None, str]:
    """Run a script in a checkout that has `.venv` and `var`; returns its status and output.

    A script that does not end fails the test with its output. What it has started is killed.
    """
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (folder / "var").mkdir()  # by scripts/run
    shell = shutil.which("sh")
    assert shell is not None
    without = {"NO_PROXY", "no_proxy"}
    printed = folder / "printed.txt"
    with printed.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            shell,
            "-c",
            script,
            cwd=folder,
            env={
                **{name: value for name, value in os.environ.items() if name not in without},
                "PYTHONPATH": os.pathsep.join(sys.path),
                **environment,
            },
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        async with asyncio.timeout(120):
            status = await process.wait()
    except TimeoutError:
        pytest.fail(f"it does not end:\n{printed.read_text()}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return status, printed.read_text()
