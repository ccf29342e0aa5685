"""The list of a guild's members that clients show beside a channel. Pure.

A list has groups: hoisted roles, then members that are online, then those that are offline. An item
of the list is a group, or a member under its group. Clients have some windows of the list, and
keep them by operations: INSERT and DELETE move all later items, UPDATE replaces one. Rule: what
Discord's clients do with GUILD_MEMBER_LIST_UPDATE, which Discord does not document.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TypeAlias

from chatd.core.ids import UserId

ONLINE, OFFLINE = "online", "offline"
"""The groups of members without a hoisted role."""

Item: TypeAlias = str | UserId
"""A group, by its id, or a member."""

Window: TypeAlias = tuple[int, int]
"""The first and the last index of a part of the list."""


class OpKind(StrEnum):
    DELETE = "DELETE"
    INSERT = "INSERT"
    UPDATE = "UPDATE"


@dataclass(frozen=True, slots=True)
class Op:
    """A change of one item. A DELETE has no item."""

    kind: OpKind
    index: int
    item: Item | None = None


class MemberList:
    """The groups of a list, each in the order of its members' names."""

    def __init__(self, groups: Iterable[str]) -> None:
        """Create an empty list with these groups, in their order."""
        self._groups: dict[str, list[tuple[str, UserId]]] = {each: [] for each in groups}
        self._placed: dict[UserId, tuple[str, str]] = {}
        """The group and the name of each member in the list."""

    def __len__(self) -> int:
        """Return the number of items, groups included."""
        return sum(len(members) + 1 for members in self._groups.values() if members)

    def counts(self) -> list[tuple[str, int]]:
        """Return the groups that have members, with their numbers."""
        return [(group, len(members)) for group, members in self._groups.items() if members]

    def has_group(self, group: str) -> bool:
        """Return whether the list was created with this group."""
        return group in self._groups

    def count(self, group: str) -> int:
        """Return the number of members of a group."""
        return len(self._groups[group])

    def append(self, user_id: UserId, name: str, group: str) -> None:
        """Add a member whose name is not before those of the group. For a list that is built."""
        self._groups[group].append((name, user_id))
        self._placed[user_id] = (group, name)

    def put(self, user_id: UserId, name: str, group: str | None) -> list[Op]:
        """Place a member in a group, or nowhere; return how the list changes.

        A member of an unknown group is placed nowhere: a list is built again for a new group.
        """
        before = self._placed.get(user_id)
        if group not in self._groups:
            group = None
        if group is not None and before == (group, name):
            return [Op(OpKind.UPDATE, self._index(group, name, user_id), user_id)]
        ops: list[Op] = []
        if before is not None:
            ops += self._remove(user_id, *before)
        if group is not None:
            ops += self._insert(user_id, group, name)
        return ops

    def items(self, window: Window) -> list[Item]:
        """Return the items of a window; fewer at the end of the list."""
        first, last = window
        found: list[Item] = []
        start = 0
        for group, members in self._groups.items():
            if not members:
                continue
            if start > last:
                break
            if first <= start:
                found.append(group)
            low, high = max(first - start - 1, 0), last - start
            if high > 0:
                found += [user_id for _, user_id in members[low:high]]
            start += len(members) + 1
        return found

    def seen_through(
        self, ops: Iterable[Op], windows: Sequence[Window], *, size_before: int, at_most: int
    ) -> list[Op] | None:
        """Return the operations that a client with these windows needs; None for over `at_most`.

        After them it has the present items of its windows. `ops` have led to the present list,
        which had `size_before` items before. Each operation splits what the client knows, so the
        time for all of 1,000 would be a second.
        """
        last = max((end for _, end in windows), default=-1)
        known = _clipped(windows, size_before)
        needed: list[Op] = []
        for op in ops:
            if op.index > last:
                continue  # it moves nothing that the client has
            if op.kind is OpKind.UPDATE and not _contains(windows, op.index):
                continue
            needed.append(op)
            if len(needed) > at_most:
                return None
            if op.kind is OpKind.DELETE:
                known = _after_delete(known, op.index)
            elif op.kind is OpKind.INSERT:
                # What is moved beyond the windows may change there, and then come back.
                known = _clipped(_after_insert(known, op.index), last + 1)
        missing = list(islice(self._missing(windows, known), at_most - len(needed) + 1))
        return needed + missing if len(needed) + len(missing) <= at_most else None

    def _missing(self, windows: Sequence[Window], known: Sequence[Window]) -> Iterator[Op]:
        """Yield an UPDATE for each item of the windows that the client does not know."""
        size = len(self)
        for low, high in windows:
            for index in range(low, min(high, size - 1) + 1):
                if not _contains(known, index):
                    yield Op(OpKind.UPDATE, index, self.items((index, index))[0])

    def _remove(self, user_id: UserId, group: str, name: str) -> list[Op]:
        index = self._index(group, name, user_id)
        members = self._groups[group]
        del members[bisect_left(members, (name, user_id))], self._placed[user_id]
        ops = [Op(OpKind.DELETE, index)]
        if not members:
            ops.append(Op(OpKind.DELETE, index - 1))
        return ops

    def _insert(self, user_id: UserId, group: str, name: str) -> list[Op]:
        members = self._groups[group]
        ops = [] if members else [Op(OpKind.INSERT, self._start(group), group)]
        insort(members, (name, user_id))
        self._placed[user_id] = (group, name)
        ops.append(Op(OpKind.INSERT, self._index(group, name, user_id), user_id))
        return ops

    def _start(self, group: str) -> int:
        """Return the index of a group, also of an empty one that would be inserted."""
        start = 0
        for each, members in self._groups.items():
            if each == group:
                break
            if members:
                start += len(members) + 1
        return start

    def _index(self, group: str, name: str, user_id: UserId) -> int:
        return self._start(group) + 1 + bisect_left(self._groups[group], (name, user_id))


def _clipped(windows: Iterable[Window], size: int) -> list[Window]:
    """Return the parts of windows that a list of this size fills."""
    filled = [(low, min(high, size - 1)) for low, high in windows]
    return [(low, high) for low, high in filled if low <= high]


def _contains(windows: Iterable[Window], index: int) -> bool:
    return any(low <= index <= high for low, high in windows)


def _after_delete(known: Iterable[Window], index: int) -> list[Window]:
    """Return which items a client knows after it has deleted one."""
    moved = [(low - (low > index), high - (high >= index)) for low, high in known]
    return [(low, high) for low, high in moved if low <= high]


def _after_insert(known: Iterable[Window], index: int) -> list[Window]:
    """Return which items a client knows after it has inserted one."""
    return [(low + (low >= index), high + (high >= index)) for low, high in known] + [
        (index, index)
    ]
