"""How long a task waits for a connection of the pool, if not for the usual time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

current_s: ContextVar[float] = ContextVar("acquire timeout")
"""The timeout of the present task in seconds; without a value, the usual one holds."""


@contextmanager
def acquire_timeout(timeout_s: float) -> Iterator[None]:
    """Let the present task wait this long for connections within the block."""
    token = current_s.set(timeout_s)
    try:
        yield
    finally:
        current_s.reset(token)
