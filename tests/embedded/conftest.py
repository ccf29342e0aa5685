"""Fixtures for tests of the private servers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatd.config import Config
from tests.helpers.embedded import (
    Bare,
)


@pytest.fixture
def bare(config: Config) -> Bare:
    """Settings that contain only a data folder."""

    def made(folder: Path) -> Config:
        return replace(config, database_url="", redis_url="", jwt_secret="", data_dir=folder)

    return made


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that all accounts can traverse, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="chatd-test-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
