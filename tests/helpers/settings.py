"""Settings of servers under test."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from unittest import mock

from chatd import config
from chatd.config import Config


def config_of(folder: Path, **environment: str) -> Config:
    """Return the settings of a server that knows only these variables.

    All others have their defaults. The ports are 0: the system picks them. A `.env` file in
    `folder` would be read, and none is there.
    """
    with mock.patch.dict(os.environ, environment, clear=True):
        return replace(config.load(directory=folder), api_port=0, gateway_port=0)
