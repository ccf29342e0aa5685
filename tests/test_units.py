"""The units in systemd/: what systemd itself says of them, and that they fit together."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import repository

UNITS = repository() / "systemd"
SERVICES = ["chatd.service", "chatd@.service", "chatd-migrate.service", "chatd-backup.service"]

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="systemd-analyze is not there: what systemd says of the units is not checked",
)


@needs_systemd
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for path in UNITS.iterdir():
        if path.suffix in (".service", ".socket", ".target", ".timer"):
            # Where the program is installed is up to the machine; it has to be somewhere.
            text = path.read_text().replace("/opt/chatd/bin/chatd", sys.executable)
            (tmp_path / path.name).write_text(text)
    for number in ("1", "31"):
        for kind in ("service", "socket"):
            (tmp_path / f"chatd@{number}.{kind}").symlink_to(f"chatd@.{kind}")
    units = sorted(path for path in tmp_path.iterdir() if "@." not in path.name)
    assert len(units) == 10
    result = subprocess.run(
        ["systemd-analyze", "verify", *units],
        env={"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_security_exposure_is_small(name: str) -> None:
    """At most 1.5 of 10; a unit without any hardening has 9.6."""
    options = ["--offline=yes", "--no-pager", "--threshold=15"]
    result = subprocess.run(
        ["systemd-analyze", "security", *options, str(UNITS / name)],
        capture_output=True,
        check=False,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Overall exposure level" in result.stdout


def test_instances_have_their_own_id_and_metrics_port() -> None:
    environment = re.findall(
        r"^Environment=(\w+)=%i$", (UNITS / "chatd@.service").read_text(), re.M
    )
    assert set(environment) == {"WORKER_ID", "METRICS_PORT_OFFSET"}


def test_all_services_have_the_same_restrictions() -> None:
    parts = set()
    for name in SERVICES:
        text = (UNITS / name).read_text()
        hardening = text.split("# Identity:", 1)[1].split("\n[Install]", 1)[0].rstrip()
        parts.add(hardening)
    assert len(parts) == 1


@pytest.mark.parametrize("name", SERVICES)
def test_environment_contains_no_secrets(name: str) -> None:
    text = (UNITS / name).read_text()
    assert set(re.findall(r"^LoadCredential=(\w+):", text, re.MULTILINE)) == {
        "database_url",
        "redis_url",
        "jwt_secret",
    }
    assert re.findall(r"^Environment=.*(?:SECRET|_URL|PASSWORD)", text, re.MULTILINE) == []
