"""The order of a stream: every event once, in its place, whichever way it arrives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatd.bus.order import Order
from chatd.core.ids import StreamId, UserId
from chatd.events.event import Event, to_user


def event(seq: int) -> Event:
    return Event("TEST", StreamId(1), to_user(UserId(1)), b"{}", seq=seq)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[int, list[int]]:
    """Where a snapshot stands, and numbers 1..n in any order, some of them twice."""
    count = draw(st.integers(0, 30))
    numbers = list(range(1, count + 1))
    twice = draw(st.lists(st.sampled_from(numbers), max_size=10)) if numbers else []
    return draw(st.integers(0, count)), draw(st.permutations(numbers + twice))


@given(arrivals(), st.integers(0, 40))
def test_each_comes_once_and_in_order(arrived: tuple[int, list[int]], begin_after: int) -> None:
    position, numbers = arrived
    order = Order()
    given_out: list[int] = []
    for turn, number in enumerate(numbers):
        if turn == begin_after:
            given_out += [each.seq for each in order.start(position, 0.0)]
        given_out += [each.seq for each in order.offer(event(number), 0.0)]
    if order.position is None:
        given_out += [each.seq for each in order.start(position, 0.0)]
    assert given_out == list(range(position + 1, max(numbers, default=0) + 1))
    assert order.waiting_since is None


def test_a_gap_is_noticed_when_it_opens_and_forgotten_when_it_closes() -> None:
    order = Order()
    order.start(3, 0.0)
    assert order.offer(event(6), 1.0) == []
    assert order.waiting_since == 1.0
    assert order.offer(event(7), 2.0) == []
    assert order.waiting_since == 1.0
    assert [each.seq for each in order.offer(event(4), 3.0)] == [4]
    assert order.waiting_since == 3.0  # still a gap, but a new one: 5
    assert [each.seq for each in order.offer(event(5), 4.0)] == [5, 6, 7]
    assert order.waiting_since is None


def test_an_event_without_a_number_passes_at_once() -> None:
    order = Order()
    order.start(3, 0.0)
    order.offer(event(9), 0.0)
    assert [each.seq for each in order.offer(event(0), 0.0)] == [0]
