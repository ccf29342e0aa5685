"""The reorder buffer: yields each event once and in order, however events arrive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatd.bus.reorder_buffer import ReorderBuffer
from chatd.core.ids import StreamId, UserId
from chatd.events.event import Event, to_user


def event(seq: int) -> Event:
    return Event("TEST", StreamId(1), to_user(UserId(1)), b"{}", seq=seq)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[int, list[int]]:
    """Return the position of a snapshot, and numbers 1..n in any order, some of them twice."""
    count = draw(st.integers(0, 30))
    numbers = list(range(1, count + 1))
    twice = draw(st.lists(st.sampled_from(numbers), max_size=10)) if numbers else []
    return draw(st.integers(0, count)), draw(st.permutations(numbers + twice))


@given(arrivals(), st.integers(0, 40))
def test_events_come_out_once_and_in_order(
    arrived: tuple[int, list[int]], begin_after: int
) -> None:
    position, numbers = arrived
    order = ReorderBuffer()
    yielded: list[int] = []
    for step, number in enumerate(numbers):
        if step == begin_after:
            yielded += [each.seq for each in order.start(position, 0.0)]
        yielded += [each.seq for each in order.push(event(number), 0.0)]
    if order.position is None:
        yielded += [each.seq for each in order.start(position, 0.0)]
    assert yielded == list(range(position + 1, max(numbers, default=0) + 1))
    assert order.gap_since is None


def test_gap_is_recorded_until_it_closes() -> None:
    order = ReorderBuffer()
    order.start(3, 0.0)
    assert order.push(event(6), 1.0) == []
    assert order.gap_since == 1.0
    assert order.push(event(7), 2.0) == []
    assert order.gap_since == 1.0
    assert [each.seq for each in order.push(event(4), 3.0)] == [4]
    assert order.gap_since == 3.0  # still a gap, but a new one: 5
    assert [each.seq for each in order.push(event(5), 4.0)] == [5, 6, 7]
    assert order.gap_since is None


def test_event_without_a_number_is_yielded_at_once() -> None:
    order = ReorderBuffer()
    order.start(3, 0.0)
    order.push(event(9), 0.0)
    assert [each.seq for each in order.push(event(0), 0.0)] == [0]
