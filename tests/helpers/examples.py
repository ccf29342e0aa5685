"""How many examples the property-based tests try."""

from __future__ import annotations

import os


def examples(count: int) -> int:
    """Return the number of examples of a test, multiplied by the variable TEST_EXAMPLES."""
    return count * int(os.environ.get("TEST_EXAMPLES", "1"))
