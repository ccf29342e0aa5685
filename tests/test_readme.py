"""The README: its tour works when it is pasted."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

from tests.conftest import Server, repository


def blocks(chapter: str) -> list[tuple[str, str]]:
    """The fenced blocks of a chapter: their language and their text."""
    text = (repository() / "README.md").read_text()
    body = text.split(f"## {chapter}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```(\w*)\n(.*?)^```$", body, re.MULTILINE | re.DOTALL)


async def test_the_tour_works_when_pasted(server: Server, tmp_path: Path) -> None:
    commands = [text for language, text in blocks("A tour of five minutes") if language == "sh"]
    [expected] = [text for language, text in blocks("A tour of five minutes") if not language]
    script = "set -eu\n" + "\n".join(commands)
    # The tour is for a fresh server on the default ports; here it shares one with other tests.
    script = script.replace("http://127.0.0.1:8080", server.url)
    script = script.replace("ws://127.0.0.1:8081/gateway", server.gateway_url)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    shell = shutil.which("sh")
    assert shell is not None
    process = await asyncio.create_subprocess_exec(
        shell,
        "-c",
        script,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert expected in output.decode(), output.decode()


def test_the_table_of_settings_and_the_example_name_every_setting() -> None:
    config = (repository() / "chatd" / "config.py").read_text()
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z0-9_]+)"', config))
    assert len(names) >= 16
    readme = set(re.findall(r"`([A-Z0-9_]+)`", (repository() / "README.md").read_text()))
    example = (repository() / ".env.example").read_text()
    assert names <= readme
    assert names == set(re.findall(r"^#([A-Z0-9_]+)=", example, re.MULTILINE))
