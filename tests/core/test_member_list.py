"""Lists of members: a client that applies the operations has the true items of its windows."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from chatd.core.ids import UserId
from chatd.core.member_list import OFFLINE, ONLINE, Item, MemberList, Op, OpKind, Window

GROUPS = ("2", "1", ONLINE, OFFLINE)
CHANGES = st.lists(
    st.tuples(
        st.integers(1, 12), st.sampled_from("abc"), st.sampled_from([*GROUPS, OFFLINE, None])
    ),
    min_size=1,
    max_size=60,
)
WINDOWS = st.lists(st.integers(0, 5), unique=True, min_size=1, max_size=3).map(
    lambda starts: [(start * 4, start * 4 + 3) for start in sorted(starts)]
)


class Shown:
    """What a client of Discord shows: a sparse array, which it changes as Discord's does."""

    def __init__(self) -> None:
        self.rows: list[Item | None] = []

    def apply(self, op: Op) -> None:
        self.rows += [None] * (op.index + 1 - len(self.rows))
        match op.kind:
            case OpKind.DELETE:
                del self.rows[op.index]
            case OpKind.INSERT:
                self.rows.insert(op.index, op.item)
            case OpKind.UPDATE:
                self.rows[op.index] = op.item

    def window(self, window: Window, size: int) -> list[Item | None]:
        return [*self.rows, *[None] * size][window[0] : min(window[1] + 1, size)]


def expected(placed: dict[int, tuple[str, str]]) -> list[Item]:
    """Return the whole list, sorted at once."""
    items: list[Item] = []
    for group in GROUPS:
        members = sorted((name, number) for number, (name, each) in placed.items() if each == group)
        if members:
            items.append(group)
            items += [UserId(number) for _, number in members]
    return items


@given(CHANGES, WINDOWS, st.integers(1, 5))
@example(  # a member is moved out of the window, changed there, and would come back
    changes=[(1, "a", "2"), (2, "a", "1"), (3, "a", ONLINE), (4, "a", "2"), (2, "a", ONLINE)],
    windows=[(0, 3)],
    at_once=3,
)
def test_windows_of_a_client_equal_the_list(
    changes: list[tuple[int, str, str | None]], windows: list[Window], at_once: int
) -> None:
    """After each batch of changes, with a client that has only what was sent to it."""
    members, shown, placed = MemberList(GROUPS), Shown(), dict[int, tuple[str, str]]()
    for start in range(0, len(changes), at_once):
        size_before, ops = len(members), list[Op]()
        for number, name, group in changes[start : start + at_once]:
            ops += members.put(UserId(number), name, group)
            placed.pop(number, None)
            if group is not None:
                placed[number] = (name, group)
        seen = members.seen_through(ops, windows, size_before=size_before, at_most=10_000)
        assert seen is not None
        for op in seen:
            shown.apply(op)
        fewer = members.seen_through(
            ops, windows, size_before=size_before, at_most=max(len(seen) - 1, 0)
        )
        assert fewer == (None if seen else [])
        whole = expected(placed)
        assert len(members) == len(whole)
        for window in windows:
            assert members.items(window) == whole[window[0] : window[1] + 1]
            assert shown.window(window, len(whole)) == whole[window[0] : window[1] + 1]


def test_change_beyond_the_windows_is_not_sent() -> None:
    members = MemberList(GROUPS)
    for number in range(20):
        members.append(UserId(number), f"{number:02}", ONLINE)
    ops = members.put(UserId(15), "15", None)
    assert ops == [Op(OpKind.DELETE, 16)]
    assert members.seen_through(ops, [(0, 9)], size_before=21, at_most=25) == []


def test_group_comes_and_goes_with_its_members() -> None:
    members = MemberList(GROUPS)
    assert members.put(UserId(1), "a", "1") == [
        Op(OpKind.INSERT, 0, "1"),
        Op(OpKind.INSERT, 1, UserId(1)),
    ]
    assert members.counts() == [("1", 1)]
    assert members.put(UserId(1), "a", OFFLINE) == [
        Op(OpKind.DELETE, 1),
        Op(OpKind.DELETE, 0),
        Op(OpKind.INSERT, 0, OFFLINE),
        Op(OpKind.INSERT, 1, UserId(1)),
    ]
    assert members.put(UserId(1), "a", OFFLINE) == [Op(OpKind.UPDATE, 1, UserId(1))]
