"""Immutable values that are created millions of times."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:
    from dataclasses import dataclass

    def record(*, frozen, slots):
        """Return the decorator `dataclass(frozen=True, slots=True)` of a class that is created
        often.

        Only mypy refuses assignments to its fields. A frozen dataclass refuses them at run time,
        too, and so sets each field by a call when it is created, which takes five times as long. A
        named tuple is created as fast, but reading one of its fields takes ten times as long.
        """
        assert frozen
        return dataclass(slots=slots, unsafe_hash=True)
