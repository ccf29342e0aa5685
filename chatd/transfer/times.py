"""Times in the files of an import."""

from __future__ import annotations

from datetime import UTC, datetime

_MAX_LENGTH = 40  # characters: a time with microseconds and an offset has 32


def time_of(value: object) -> datetime | None:
    """Return a time in ISO 8601, in UTC; None for anything else."""
    if not isinstance(value, str) or len(value) > _MAX_LENGTH:
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
