"""Raids: many accounts that join a guild in a short time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RaidLimits:
    """How many accounts may join a guild within a window, and how long joins are paused then."""

    joins: int
    """0: any number."""
    window_s: int
    pause_s: int
