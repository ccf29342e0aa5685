"""The types of the web client: its JSDoc comments are right, and its code agrees with them."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.conftest import repository

TSC = os.environ.get("TSC") or shutil.which("tsc")


@pytest.mark.skipif(TSC is None, reason="tsc (TypeScript) is neither on the path nor named by TSC")
def test_types_of_the_web_client_agree() -> None:
    assert TSC is not None
    command = [TSC, "--project", "jsconfig.json", "--pretty", "false"]
    folder = repository() / "chatd" / "webclient"
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")
