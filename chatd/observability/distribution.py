"""Distributions of observed values, counted in plain integers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate


class Distribution:
    """How many values were observed up to each of some bounds, and their sum.

    It is not a histogram of `prometheus_client`, whose every observation takes several locks. Only
    the event loop observes values here.
    """

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        # Values up to each bound and above the bound before it; at the end, those above all bounds.
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        """The sum of all values."""

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """Yield each bound with the number of values up to it; at the end, infinity with all."""
        return zip((*self._bounds, float("inf")), accumulate(self._counts), strict=True)
