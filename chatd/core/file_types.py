"""Restrictions of files by their extensions.

Rule: Discord docs, Reference, "File Type Filtering".
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

MAX_FILE_TYPES: Final = 10

GROUPS: Final = {
    "image": (".png", ".gif", ".jpg", ".jpeg", ".jfif", ".webp", ".avif"),
    "video": (".mp4", ".mov", ".qt", ".webm"),
    "audio": (".mp3", ".m4a", ".wav", ".ogg", ".opus", ".flac"),
}

_EXTENSION: Final = re.compile(r"\.[^\s./\\\0]{1,30}")


def is_valid(file_type: str) -> bool:
    """Return whether this is a group or an extension with its dot."""
    return file_type in GROUPS or _EXTENSION.fullmatch(file_type) is not None


def permit(filename: str, file_types: Collection[str]) -> bool:
    """Return whether a file may have this name. `file_types` are in lower case."""
    if not file_types:
        return True
    extensions = tuple(extension for each in file_types for extension in GROUPS.get(each, (each,)))
    return filename.lower().endswith(extensions)
