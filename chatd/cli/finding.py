"""A finding: what was looked at, what was found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`state` is ok, warning (works, and may not for long) or error (does not work)."""

    subject: str
    state: State
    finding: str
    remedy: str | None = None


def well(subject: str, finding: str) -> Finding:
    """As it should be."""
    return Finding(subject, "ok", finding)
