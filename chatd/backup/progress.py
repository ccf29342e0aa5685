"""How a backup or restore reports what it does."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives what is being done, and how far it has come."""

    def begin(self, title: str, total_bytes: int | None) -> None:
        """Begin the next step. Its size is None if it is not known."""

    def advance(self, count: int) -> None:
        """Add to the bytes that are done."""
