"""Ids of imported objects: those of the source where they are free, else of the same time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from chatd.core.ids import MAX_ID

_TIME_SHIFT = 22
_LOW_BITS = (1 << _TIME_SHIFT) - 1
_STEP = 0x9E3779B1 & _LOW_BITS | 1
"""Odd, so that its multiples reach every id of the millisecond."""
_ATTEMPTS = 16

Taken = Callable[[Iterable[int]], Awaitable[set[int]]]


def other_id(source_id: int, attempt: int) -> int:
    """Return another id of the same millisecond: a different one for each attempt."""
    low = (source_id + attempt * _STEP) & _LOW_BITS
    return source_id >> _TIME_SHIFT << _TIME_SHIFT | low


async def free_ids(source_ids: Iterable[int], taken: Taken) -> dict[int, int]:
    """Return an id for each object of the source: its own, or another of the same millisecond."""
    found: dict[int, int] = {}
    waiting = list(dict.fromkeys(source_ids))
    for attempt in range(_ATTEMPTS):
        wanted = {each: other_id(each, attempt) for each in waiting}
        used = {*await taken(wanted.values()), *found.values()}
        for source_id, each in wanted.items():
            if each not in used and 0 < each <= MAX_ID:
                found[source_id] = each
                used.add(each)
        waiting = [each for each in waiting if each not in found]
        if not waiting:
            return found
    raise AssertionError("a millisecond has four million ids")
