"""Selects those buffered events of a starting session that continue its snapshots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import orjson

from chatd.core.ids import StreamId
from chatd.events.event import Event
from chatd.gateway.fanout.feed import Feed


def newer_than(
    positions: Mapping[StreamId, int], buffered: Sequence[tuple[Feed, Event]]
) -> Iterator[tuple[Feed, Event]]:
    """Yield the events that are newer than snapshots at these positions, by stream.

    A presence has no number, so it counts as newer. The exception is a presence from before the
    removal of its member, if the snapshot lacks this member: clients would add the member again.
    """
    removed = {
        _subject(feed, event): index
        for index, (feed, event) in enumerate(buffered)
        if event.name == "GUILD_MEMBER_REMOVE" and not _is_newer(feed, event, positions)
    }
    for index, (feed, event) in enumerate(buffered):
        is_obsolete = (
            bool(removed)
            and event.name == "PRESENCE_UPDATE"
            and index < removed.get(_subject(feed, event), 0)
        )
        if _is_newer(feed, event, positions) and not is_obsolete:
            yield feed, event


def _is_newer(feed: Feed, event: Event, positions: Mapping[StreamId, int]) -> bool:
    return event.seq == 0 or event.seq > positions.get(feed.stream, event.seq)


def _subject(feed: Feed, event: Event) -> tuple[StreamId, str]:
    """Return the guild and the user of a PRESENCE_UPDATE or GUILD_MEMBER_REMOVE."""
    return feed.stream, orjson.loads(event.body)["user"]["id"]
