"""A finding of `check`: its subject, its state, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`state` is ok, warning (works, but may fail later) or error (does not work)."""

    subject: str
    state: State
    finding: str
    remedy: str | None = None


def ok(subject: str, finding: str) -> Finding:
    """Return a finding without a problem."""
    return Finding(subject, "ok", finding)
