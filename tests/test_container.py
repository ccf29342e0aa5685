"""The image of systemd/Containerfile: built, and run without rights, like compose.yml runs it."""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatd.cli.check_instances import fetch
from tests.conftest import repository
from tests.helpers.servers import free_port, postgres_over, valkey_over

pytestmark = pytest.mark.soak

TOOL = shlex.split(os.environ.get("CONTAINER_TOOL", "")) or [
    next((name for name in ("podman", "docker") if shutil.which(name)), "")
]
"""The command that builds and runs containers, with its options: `podman --runtime runc`."""

BUILD = shlex.split(os.environ.get("CONTAINER_BUILD", ""))
RUN = shlex.split(os.environ.get("CONTAINER_RUN", ""))
"""Further options of `build` and `run`, which some machines need."""

IMAGE = "chatd-test"
STARTED_S = 60
STOPPED_S = 30


def tool(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TOOL, *words], capture_output=True, text=True, check=False)


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    """The image, built from this checkout."""
    if shutil.which(TOOL[0]) is None:
        pytest.skip("neither podman nor docker is installed")
    # Only podman has the option, and leaves the health check out without it.
    form = ["--format", "docker"] if Path(TOOL[0]).name == "podman" else []
    recipe = repository() / "systemd/Containerfile"
    words = [*form, *BUILD, "--file", str(recipe), "--tag", IMAGE, str(repository())]
    succeeded(tool("build", *words))
    yield IMAGE
    tool("image", "rm", IMAGE)


@pytest.fixture
def options(tmp_path: Path) -> Iterator[list[str]]:
    """Options of `run` as compose.yml has them, with servers on this machine."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    data = f"chatd-test-{secrets.token_hex(4)}"
    with (
        postgres_over("tcp", tmp_path / "postgres") as postgres,
        valkey_over("tcp", tmp_path / "valkey") as valkey,
    ):
        for name, value in {
            "database_url": postgres.url,
            "redis_url": valkey.url,
            "jwt_secret": secrets.token_hex(32),
        }.items():
            (folder / name).write_text(value)
        yield [
            *("--network", "host"),
            *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),
            *("--security-opt", "no-new-privileges"),
            *("--volume", f"{folder}:/run/secrets:ro", "--volume", f"{data}:/var/lib/chatd"),
            *RUN,
        ]
    tool("volume", "rm", data)


def test_container_serves_without_rights(image: str, options: list[str]) -> None:
    def once(*words: str) -> subprocess.CompletedProcess[str]:
        return tool("run", "--rm", *options, image, *words)

    unmigrated = once()
    assert unmigrated.returncode == 1
    assert "chatd migrate" in unmigrated.stderr
    succeeded(once("migrate"))
    succeeded(once("user", "create", "ada", "--email", "ada@example.org", "--administrator"))

    port = free_port()
    ports = ["--env", f"API_PORT={port}", "--env", f"GATEWAY_PORT={port}"]
    name = f"chatd-test-{secrets.token_hex(4)}"
    succeeded(tool("run", "--detach", "--name", name, *options, *ports, image))
    try:
        until_ready(f"http://127.0.0.1:{port}/health/ready")

        def inside(*words: str) -> subprocess.CompletedProcess[str]:
            return tool("exec", name, *words)

        [kind, *check] = json.loads(
            succeeded(tool("inspect", "--format", "{{json .Config.Healthcheck.Test}}", name))
        )
        assert kind == "CMD"
        succeeded(inside(*check))
        assert succeeded(inside("id", "-u")) == "10001"
        assert inside("touch", "/opt/chatd/x").returncode != 0
        assert succeeded(inside("chatd", "stats")).startswith("people\t1")
        # The image has the client of the Postgres in compose.yml, which is older than the one here.
        compose = (repository() / "systemd/compose.yml").read_text()
        [major] = re.findall(r"image: postgres:(\d+)", compose)
        assert f" {major}." in succeeded(inside("pg_dump", "--version"))

        began = time.monotonic()
        succeeded(tool("stop", "--time", str(STOPPED_S), name))
        assert time.monotonic() - began < STOPPED_S  # it ended by itself
        assert succeeded(tool("inspect", "--format", "{{.State.ExitCode}}", name)) == "0"
    finally:
        tool("rm", "--force", name)


def until_ready(url: str) -> None:
    """Wait until a server responds that it is ready."""
    end = time.monotonic() + STARTED_S
    while True:
        try:
            status, body = fetch(url, timeout_s=5)
        except OSError as error:
            status, body = 0, str(error).encode()
        if status == 200:
            return
        assert time.monotonic() < end, body
        time.sleep(0.1)
