"""Helpers for texts that people read."""

from __future__ import annotations


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text; its type's name when it has no text."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
