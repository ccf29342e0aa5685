"""The event history: events and undecoded entries are found alike, and are bounded together."""

from __future__ import annotations

import asyncio

import pytest

from chatd.bus import codec
from chatd.bus.interest import labels_of, pack_labels
from chatd.core import time_slices
from chatd.core.ids import StreamId, UserId
from chatd.events.event import Event, to_user
from chatd.gateway.fanout import event_history as module
from chatd.gateway.fanout.event_history import EventHistory
from tests.helpers import loop_time

ONE, TWO = StreamId(1 << 22), StreamId(2 << 22)


def event(stream: StreamId, seq: int, size: int = 2) -> Event:
    return Event("MESSAGE_CREATE", stream, to_user(UserId(1)), b"x" * size, seq=seq)


def keep(history: EventHistory, *events: Event) -> None:
    """Keep an entry with these events."""
    history.keep(codec.pack(events), pack_labels(labels_of(events)))


def numbers(history: EventHistory, stream: StreamId, after: int = 0) -> list[int]:
    return [each.seq for each in history.after(stream, after)]


def test_events_of_entries_are_found_like_others() -> None:
    history = EventHistory(retention_s=60.0)
    history.add(event(ONE, 1))
    keep(history, event(ONE, 2), event(TWO, 1), event(ONE, 3))
    keep(history, event(TWO, 2), event(TWO, 0))
    history.add(event(ONE, 3))
    history.add(event(ONE, 4))
    assert numbers(history, ONE, 1) == [2, 3, 4]
    assert numbers(history, TWO) == [1, 2]
    assert history.after(TWO, 1) == [event(TWO, 2)]
    assert numbers(history, StreamId(3 << 22)) == []


async def test_search_finds_the_same_events_in_time_slices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A user that joins a guild must not stop the instance while the history is searched."""
    monkeypatch.setattr(time_slices, "_SLICE_S", 0.0)
    monkeypatch.setattr(module, "_ENTRIES_AT_ONCE", 10)
    history = EventHistory(retention_s=60.0)
    history.add(event(ONE, 1))
    for seq in range(2, 200):
        keep(history, event(TWO, seq), event(ONE, seq), event(ONE, 0))
        keep(history, event(TWO, 1000 + seq))
    history.add(event(ONE, 200))
    with loop_time.iterations() as counted:
        found = await history.search_after(ONE, 100)
    assert sorted(each.seq for each in found) == list(range(101, 201))
    assert counted.count >= 100 + 390 / 10
    assert await history.search_after(StreamId(3 << 22), 0) == []
    assert numbers(history, ONE, 100) == list(range(101, 201))


async def test_waiting_ends_when_an_entry_has_the_last_event() -> None:
    history = EventHistory(retention_s=60.0)
    keep(history, event(ONE, 1))
    await history.wait_for(ONE, 0, 1)
    waiting = asyncio.create_task(history.wait_for(ONE, 0, 3))
    await asyncio.sleep(0)
    keep(history, event(ONE, 2))
    await asyncio.sleep(0)
    assert not waiting.done()
    keep(history, event(TWO, 1), event(ONE, 3))
    await waiting
    assert numbers(history, ONE) == [1, 2, 3]


def test_entries_and_events_are_dropped_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 10_000)
    history = EventHistory(retention_s=60.0)
    for seq in range(1, 41, 2):
        history.add(event(ONE, seq, 500))
        keep(history, event(ONE, seq + 1, 500))
    found = numbers(history, ONE)
    assert found == list(range(found[0], 41))
    assert 5 <= len(found) <= 10


def test_expired_entries_are_dropped() -> None:
    history = EventHistory(retention_s=-1.0)
    keep(history, event(ONE, 1))
    keep(history, event(ONE, 2))
    assert numbers(history, ONE) == []
    assert history._bytes == 0


def test_malformed_entry_does_not_hide_others() -> None:
    history = EventHistory(retention_s=60.0)
    history.keep(codec.pack([event(ONE, 1)])[:-1], pack_labels([ONE]))
    keep(history, event(ONE, 2))
    assert numbers(history, ONE) == [2]


def test_entries_before_the_wanted_events_are_not_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = EventHistory(retention_s=60.0)
    keep(history, event(ONE, 1), event(TWO, 9), event(ONE, 2))
    keep(history, event(ONE, 4), event(TWO, 10))
    keep(history, event(ONE, 3))
    decoded: list[bytes] = []
    unpack = codec.unpack

    def counting(packed: bytes) -> list[Event]:
        decoded.append(packed)
        return unpack(packed)

    monkeypatch.setattr(codec, "unpack", counting)
    assert numbers(history, ONE, 2) == [3, 4]
    assert len(decoded) == 2
    assert numbers(history, ONE, 4) == []
    assert len(decoded) == 2
    assert numbers(history, ONE) == [1, 2, 3, 4]
