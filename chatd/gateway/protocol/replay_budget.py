"""The replay budget: how much memory the dispatches of all replay buffers may take."""

from __future__ import annotations


class ReplayBudget:
    """Counts the memory of the dispatches that exist, against a limit for the instance.

    Sessions share dispatches, so the sum of their replay buffers would count a dispatch repeatedly.
    A dispatch adds its size when it is created, and subtracts it when it is freed.
    """

    __slots__ = ("max_bytes", "used_bytes")

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.used_bytes = 0
        """The memory that all dispatches of this budget take, in bytes."""

    @property
    def is_exceeded(self) -> bool:
        """Whether replay buffers have to be dropped."""
        return self.used_bytes > self.max_bytes
