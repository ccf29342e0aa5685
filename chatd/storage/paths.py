"""Questions about paths in folders that this process may not be allowed to read."""

from __future__ import annotations

import os
from pathlib import Path


def path_exists(path: Path) -> bool:
    """Return whether this process can see a path. Does not raise, unlike `Path.exists`.

    A path in a folder without search permission counts as missing.
    """
    return os.path.exists(path)  # noqa: PTH110


def nearest_existing(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists: where the folder would be created."""
    while not path_exists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder
