"""The units in systemd/: what systemd itself says of them, and that they fit together."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.conftest import repository

UNITS = repository() / "systemd"
SERVICES = ["chatd.service", "chatd@.service", "chatd-migrate.service"]

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="systemd-analyze is not there: the exposure of the units is not checked",
)


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_the_exposure_is_small(name: str) -> None:
    """At most 1.5 of 10; a unit without any hardening has 9.6."""
    options = ["--offline=yes", "--no-pager", "--threshold=15"]
    told = subprocess.run(
        ["systemd-analyze", "security", *options, str(UNITS / name)],
        capture_output=True,
        check=False,
        text=True,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Overall exposure level" in told.stdout


def test_all_services_are_hardened_alike() -> None:
    parts = set()
    for name in SERVICES:
        text = (UNITS / name).read_text()
        hardening = text.split("# Who it is:", 1)[1].split("\n[Install]", 1)[0].rstrip()
        parts.add(hardening)
    assert len(parts) == 1


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_in_the_environment(name: str) -> None:
    text = (UNITS / name).read_text()
    assert set(re.findall(r"^LoadCredential=(\w+):", text, re.MULTILINE)) == {
        "database_url",
        "redis_url",
        "jwt_secret",
    }
    assert re.findall(r"^Environment=.*(?:SECRET|_URL|PASSWORD)", text, re.MULTILINE) == []
