"""Ids and values of columns in the scene."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, TypeAlias

Row: TypeAlias = Mapping[str, Any]

PAST = "2026-01-01T00:00:00+00:00"
FUTURE = "2126-01-01T00:00:00+00:00"

PEOPLE = (1, 2, 3, 4)
BOTS = (8, 9)
GUILDS = (100, 200)
CHANNELS = (110, 111, 210)
"""Text channels: two of the first guild, one of the second."""
DMS = (310, 311, 312)
"""Of 1 and 2, of 1 and 3, and of 2 and 3. The last two are closed."""
GROUPS = (320, 321)
GONE = (400, 401)
"""Deleted channels whose messages are still there."""
TIMELESS = 10**15
"""An id: rows with lower ids are old."""


def rows_of(**columns: Any) -> list[Row]:
    """Return a row for every combination of the values of columns that are tuples."""
    values = [each if isinstance(each, tuple) else (each,) for each in columns.values()]
    return [dict(zip(columns, chosen, strict=True)) for chosen in itertools.product(*values)]
