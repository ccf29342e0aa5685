"""Interest: labels of events, and the streams that an instance follows."""

from __future__ import annotations

from chatd.bus import interest
from chatd.bus.interest import FOR_EVERYONE, LABELS, QUIET, FollowedStreams
from chatd.core.ids import StreamId, UserId
from chatd.events.event import Event, to_user
from chatd.events.guilds import JOINED
from chatd.gateway.fanout import friend_presences
from chatd.services.accounts import authentication

STREAMS = [StreamId(number << 22) for number in range(1, 3001)]


def event(name: str, stream: StreamId) -> Event:
    return Event(name, stream, to_user(UserId(1)), b"{}", seq=1)


def test_label_of_an_event_that_only_feeds_use_is_its_stream() -> None:
    events = [event("MESSAGE_CREATE", STREAMS[0]), event("GUILD_UPDATE", STREAMS[1])]
    labels = interest.labels_of(events)
    assert labels == [STREAMS[0], FOR_EVERYONE]
    assert interest.read_labels({LABELS: interest.pack_labels(labels)}) == tuple(labels)
    assert interest.read_labels({}) is None
    assert interest.read_labels({LABELS: b"123"}) is None


def test_caches_need_no_event_that_only_feeds_use() -> None:
    assert not QUIET & JOINED
    assert not QUIET & friend_presences._EVENTS
    assert not QUIET & authentication._INVALIDATING_EVENTS
    reports = {name for name in QUIET if name.startswith(("GUILD", "PRESENCE", "SESSIONS", "USER"))}
    assert not reports


def test_followed_streams_select_events() -> None:
    followed = FollowedStreams()
    followed.add(STREAMS[0])
    assert followed.select([STREAMS[0], STREAMS[1], FOR_EVERYONE]) == [True, False, True]
    assert followed.needs_none([STREAMS[1], STREAMS[2]])
    assert not followed.needs_none([STREAMS[1], FOR_EVERYONE])
    followed.discard(STREAMS[0])
    assert followed.needs_none([STREAMS[0]])


def test_bitmap_has_the_bits_of_all_followed_streams() -> None:
    followed, told = FollowedStreams(), []
    followed.on_new_bit = lambda: told.append(len(told))
    empty = followed.bitmap
    assert interest.is_bitmap(empty)
    assert interest.overlaps(empty, interest.bits_of([FOR_EVERYONE]))
    for stream in STREAMS:
        followed.add(stream)
        followed.add(stream)
        assert interest.overlaps(followed.bitmap, interest.bits_of([stream]))
    assert len(told) < len(STREAMS), "several streams have the same bit"
    for stream in STREAMS:
        assert interest.overlaps(followed.bitmap, interest.bits_of([stream]))
        followed.discard(stream)
        followed.discard(stream)
    assert followed.bitmap == empty
