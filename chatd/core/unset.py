"""A value that was left out, in contrast to None."""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeAlias, TypeVar

T = TypeVar("T")


class Unset(Enum):
    """The type of `UNSET`, which marks a key that was left out. A key sent as null is None."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
Maybe: TypeAlias = T | Unset


def given_or(value: Maybe[T], present: T) -> T:
    """Return the value of a key, or `present` if the key was left out."""
    return present if value is UNSET else value
