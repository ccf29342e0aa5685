"""Permission overwrites: what a channel allows and denies a role or a member."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import overload

import orjson

from chatd.core.records import record


class OverwriteType(IntEnum):
    """Rule: Discord docs, Channel resource, "Overwrite Object"."""

    ROLE = 0
    MEMBER = 1


@record(frozen=True, slots=True)
class Overwrite:
    """The permissions that a channel allows and denies one role or member."""

    target_id: int
    type: OverwriteType
    allow: int
    deny: int


class StoredOverwrites(Sequence[Overwrite]):
    """The overwrites of a channel in the JSON that Postgres encodes, parsed on first use.

    A channel has up to 1,000 and a guild up to 10,000. Most responses only forward the JSON.
    """

    __slots__ = ("_parsed", "json")

    def __init__(self, json: str) -> None:
        self.json = json
        """A JSON array of Discord's overwrite objects, sorted by target."""
        self._parsed: tuple[Overwrite, ...] | None = None

    def _all(self) -> tuple[Overwrite, ...]:
        if self._parsed is None:
            self._parsed = tuple(
                Overwrite(
                    int(each["id"]),
                    OverwriteType(each["type"]),
                    int(each["allow"]),
                    int(each["deny"]),
                )
                for each in orjson.loads(self.json)
            )
        return self._parsed

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, index: int) -> Overwrite: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Overwrite, ...]: ...

    def __getitem__(self, index: int | slice) -> Overwrite | tuple[Overwrite, ...]:
        return self._all()[index]

    def __iter__(self) -> Iterator[Overwrite]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StoredOverwrites):
            return self.json == other.json  # both are sorted by target
        return isinstance(other, Sequence) and self._all() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all())
