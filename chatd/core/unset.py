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
