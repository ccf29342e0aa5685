"""Builds of the server that are broken on purpose, for the checker to find.

`python -m tests.history.broken NAME serve` is `chatd serve` with one bug.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from chatd.__main__ import main
from chatd.bus import stream_reader
from chatd.bus.reorder_buffer import ReorderBuffer
from chatd.core.errors import DatabaseUnavailable
from chatd.core.ids import MessageId, UserId
from chatd.events import messages
from chatd.events.event import Event
from chatd.gateway.fanout.feed import Feed
from chatd.gateway.fanout.gap_monitor import GapMonitor
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.session.session import Session, SessionSink
from chatd.queries.message_inserts import NewRow
from chatd.services.messages.batch_writer import MessageBatchWriter, _Pending
from tests.history.environment import Cluster
from tests.history.scenario import play

_SELDOM = 0.05


@dataclass(frozen=True)
class Build:
    """A bug, the faults that reveal it in addition to cut connections, and its violation.

    `shows` is a part of the checker's text. If it is None, the server must make up for the bug
    within `settles_s` of the end.
    """

    breaks: Callable[[], None]
    faults: tuple[str, ...]
    shows: str | None
    settles_s: float = 2.0


def _is_unlucky(event: Event) -> bool:
    return event.name == "MESSAGE_CREATE" and random.random() < _SELDOM


def _dispatching(deliver: Callable[[Callable[..., None], Feed, Event, Any], None]) -> None:
    right = Feed._dispatch

    def wrong(self: Feed, event: Event, sessions: Collection[Session]) -> None:
        deliver(right, self, event, sessions)

    Feed._dispatch = wrong  # type: ignore[method-assign]


def drop() -> None:
    """Sometimes, a message is not delivered."""

    def deliver(right: Callable[..., None], feed: Feed, event: Event, sessions: Any) -> None:
        if not _is_unlucky(event):
            right(feed, event, sessions)

    _dispatching(deliver)


def repeat() -> None:
    """Sometimes, a message is delivered twice."""

    def deliver(right: Callable[..., None], feed: Feed, event: Event, sessions: Any) -> None:
        right(feed, event, sessions)
        if _is_unlucky(event):
            right(feed, event, sessions)

    _dispatching(deliver)


def reorder() -> None:
    """Sometimes, a message is delivered after the next one."""
    late: dict[Feed, tuple[Event, Any]] = {}

    def deliver(right: Callable[..., None], feed: Feed, event: Event, sessions: Any) -> None:
        if feed not in late and _is_unlucky(event):
            late[feed] = (event, sessions)
            return
        right(feed, event, sessions)
        if feed in late:
            right(feed, *late.pop(feed))

    _dispatching(deliver)


def acknowledge_early() -> None:
    """A message is acknowledged before it is committed."""
    right = MessageBatchWriter._commit

    async def wrong(self: MessageBatchWriter, batch: list[_Pending], *, wait: bool) -> None:
        for pending in batch:
            pending.event = partial(_acknowledged, pending, pending.event)
        await right(self, batch, wait=wait)

    MessageBatchWriter._commit = wrong  # type: ignore[method-assign]


def _acknowledged(
    pending: _Pending, event: Callable[[MessageId], Event], message_id: MessageId
) -> Event:
    made = event(message_id)
    if not pending.done.done():
        pending.done.set_result(message_id)
    return made


def lose_answers() -> None:
    """Sometimes, a message is stored, and its sender gets an error."""
    right = MessageBatchWriter.insert

    async def wrong(self: MessageBatchWriter, row: NewRow, event: Any) -> MessageId:
        message_id = await right(self, row, event)
        if random.random() < _SELDOM:
            raise DatabaseUnavailable
        return message_id

    MessageBatchWriter.insert = wrong  # type: ignore[method-assign]


def forget_nonces() -> None:
    """The same, and a repeated message is stored again."""
    lose_answers()
    right = MessageBatchWriter.insert

    async def wrong(self: MessageBatchWriter, row: NewRow, event: Any) -> MessageId:
        return await right(self, replace(row, nonce=None), event)

    MessageBatchWriter.insert = wrong  # type: ignore[method-assign]


def lose_on_the_bus() -> None:
    """Sometimes, an event does not reach the other instances: they have to detect the gap."""
    right = stream_reader._unpack_entries

    def wrong(found: Any) -> list[Event]:
        return [event for event in right(found) if not _is_unlucky(event)]

    stream_reader._unpack_entries = wrong


def ignore_gaps() -> None:
    """The same, and gaps are ignored."""
    lose_on_the_bus()

    def push(self: ReorderBuffer, event: Event, now: float) -> list[Event]:
        if event.seq and self.position is not None:
            if event.seq <= self.position:
                return []
            self.position = event.seq
        return [event]

    async def keep(
        self: GapMonitor, feeds: Iterable[Feed], is_lost: Callable[[Feed], bool]
    ) -> None:
        pass

    ReorderBuffer.push = push  # type: ignore[method-assign]
    GapMonitor._invalidate = keep  # type: ignore[method-assign]


def resume_late() -> None:
    """A replay begins one event too late."""

    def replay(self: Session, seq: int, sink: SessionSink) -> Batch:
        for number, dispatch in _numbered(self):
            if number > seq + 1:
                sink.send(Batch([dispatch]), number)
        return Batch([])

    Session.replay = replay  # type: ignore[method-assign]


def resume_early() -> None:
    """A replay begins one event too early."""

    def replay(self: Session, seq: int, sink: SessionSink) -> Batch:
        for number, dispatch in _numbered(self):
            if number >= seq:
                sink.send(Batch([dispatch]), number)
        return Batch([])

    Session.replay = replay  # type: ignore[method-assign]


def _numbered(session: Session) -> Iterable[tuple[int, Any]]:
    return enumerate(session.replay_buffer, session.seq - len(session.replay_buffer) + 1)


def show_to_all() -> None:
    """Ephemeral messages are delivered as others are: to all members that see the channel."""

    def deliver(events: Sequence[Event], user_id: UserId) -> Event:
        return events[0]

    messages._to_one = deliver


BUILDS = {
    "drop": Build(drop, (), "did not come"),
    "repeat": Build(repeat, (), "came 2 times"),
    "reorder": Build(reorder, (), "out of order"),
    "acknowledge early": Build(acknowledge_early, ("Postgres killed", "kill -9"), "is lost"),
    "lose answers": Build(lose_answers, (), None, settles_s=30.0),
    "forget nonces": Build(forget_nonces, (), "a message twice"),
    "lose on the bus": Build(lose_on_the_bus, (), None, settles_s=30.0),
    "ignore gaps": Build(ignore_gaps, (), "did not come"),
    "show to all": Build(show_to_all, (), "is for another user"),
    "resume late": Build(resume_late, (), "came after"),
    "resume early": Build(resume_early, (), "came after"),
}

_ENOUGH_S = 2.5
_ATTEMPTS = 24  # on a busy machine a round has few messages; most builds need one or two


async def finds(cluster: Cluster, name: str) -> str | None:
    """Return what the checker finds in this build, preferably what it should find.

    A bug that shows only sometimes is looked for repeatedly.
    """
    build = BUILDS[name]
    await cluster.rebuild("tests.history.broken", name)
    found: list[str] = []
    for _ in range(_ATTEMPTS if build.shows else 1):
        await cluster.start_history(channels=2)
        found = await play(
            cluster,
            seconds=_ENOUGH_S,
            every_s=0.6,
            faults=build.faults,
            settles_s=build.settles_s,
        )
        wanted = [each for each in found if build.shows is None or build.shows in each]
        if wanted:
            return wanted[0]
    return found[0] if found else None


if __name__ == "__main__":
    BUILDS[sys.argv.pop(1)].breaks()
    main()
