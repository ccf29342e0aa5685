"""Descriptions of fields with one possible value."""

from __future__ import annotations

from typing import Final

ALWAYS_NULL: Final = "Always null. Clients of Discord expect the field; chatd has no such feature."
ALWAYS_EMPTY: Final = (
    "Always an empty array. Clients of Discord expect the field; chatd has no such feature."
)
