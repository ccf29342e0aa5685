"""Builds of the server that are broken on purpose, for the checker to find out.

`python -m tests.history.broken NAME serve` is `chatd serve` with one thing wrong in it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from chatd.__main__ import main
from chatd.bus import reader
from chatd.bus.order import Order
from chatd.core.errors import DatabaseAway
from chatd.core.ids import MessageId
from chatd.events.event import Event
from chatd.gateway.batch import Batch
from chatd.gateway.dispatcher import Dispatcher
from chatd.gateway.feed import Feed
from chatd.gateway.session import Outlet, Session
from chatd.queries.messages import NewRow
from chatd.services.group_commit import MessageWriter, _Pending
from tests.history.play import play
from tests.history.stage import Stage

_SELDOM = 0.05


@dataclass(frozen=True)
class Build:
    """What is wrong with it; by which faults that shows, besides cut sockets; and, as a word of
    the checker's, how. Without such a word nothing must show, within `settles_s` of the end."""

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
    """Once in a while a message is not delivered."""

    def deliver(right: Callable[..., None], feed: Feed, event: Event, sessions: Any) -> None:
        if not _is_unlucky(event):
            right(feed, event, sessions)

    _dispatching(deliver)


def repeat() -> None:
    """Once in a while a message is delivered twice."""

    def deliver(right: Callable[..., None], feed: Feed, event: Event, sessions: Any) -> None:
        right(feed, event, sessions)
        if _is_unlucky(event):
            right(feed, event, sessions)

    _dispatching(deliver)


def reorder() -> None:
    """Once in a while a message is delivered after the next one."""
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
    right = MessageWriter._commit

    async def wrong(self: MessageWriter, batch: list[_Pending], *, patient: bool) -> None:
        for pending in batch:
            pending.event = partial(_acknowledged, pending, pending.event)
        await right(self, batch, patient=patient)

    MessageWriter._commit = wrong  # type: ignore[method-assign]


def _acknowledged(
    pending: _Pending, event: Callable[[MessageId], Event], message_id: MessageId
) -> Event:
    made = event(message_id)
    if not pending.done.done():
        pending.done.set_result(message_id)
    return made


def lose_answers() -> None:
    """Once in a while a message is stored and its sender is told that it may not be."""
    right = MessageWriter.insert

    async def wrong(self: MessageWriter, row: NewRow, event: Any) -> MessageId:
        message_id = await right(self, row, event)
        if random.random() < _SELDOM:
            raise DatabaseAway
        return message_id

    MessageWriter.insert = wrong  # type: ignore[method-assign]


def forget_nonces() -> None:
    """The same, and what is sent again is stored again."""
    lose_answers()
    right = MessageWriter.insert

    async def wrong(self: MessageWriter, row: NewRow, event: Any) -> MessageId:
        return await right(self, row._replace(nonce=None), event)

    MessageWriter.insert = wrong  # type: ignore[method-assign]


def lose_on_the_bus() -> None:
    """Once in a while an event does not reach the other instances: they have to find out."""
    right = reader._events

    def wrong(found: Any) -> list[Event]:
        return [event for event in right(found) if not _is_unlucky(event)]

    reader._events = wrong


def ignore_gaps() -> None:
    """The same, and nobody cares."""
    lose_on_the_bus()

    def offer(self: Order, event: Event, now: float) -> list[Event]:
        if event.seq and self.position is not None:
            if event.seq <= self.position:
                return []
            self.position = event.seq
        return [event]

    def keep(self: Dispatcher, feed: Feed) -> None:
        pass

    Order.offer = offer  # type: ignore[method-assign]
    Dispatcher._lose = keep  # type: ignore[method-assign]


def resume_late() -> None:
    """A replay begins one event too late."""

    def replay(self: Session, seq: int, outlet: Outlet) -> Batch:
        for number, dispatch in _numbered(self):
            if number > seq + 1:
                outlet.send(Batch([dispatch]), number)
        return Batch([])

    Session.replay = replay  # type: ignore[method-assign]


def resume_early() -> None:
    """A replay begins one event too early."""

    def replay(self: Session, seq: int, outlet: Outlet) -> Batch:
        for number, dispatch in _numbered(self):
            if number >= seq:
                outlet.send(Batch([dispatch]), number)
        return Batch([])

    Session.replay = replay  # type: ignore[method-assign]


def _numbered(session: Session) -> Iterable[tuple[int, Any]]:
    return enumerate(session.replayed, session.seq - len(session.replayed) + 1)


BUILDS = {
    "drop": Build(drop, (), "did not come"),
    "repeat": Build(repeat, (), "came 2 times"),
    "reorder": Build(reorder, (), "out of order"),
    "acknowledge early": Build(acknowledge_early, ("Postgres killed", "kill -9"), "is lost"),
    "lose answers": Build(lose_answers, (), None, settles_s=30.0),
    "forget nonces": Build(forget_nonces, (), "a message twice"),
    "lose on the bus": Build(lose_on_the_bus, (), None, settles_s=30.0),
    "ignore gaps": Build(ignore_gaps, (), "did not come"),
    "resume late": Build(resume_late, (), "came after"),
    "resume early": Build(resume_early, (), "came after"),
}

_ENOUGH_S = 2.5
_ATTEMPTS = 6


async def finds(stage: Stage, name: str) -> str | None:
    """What the checker finds in this build; what it looks for, if it finds that.

    What shows only now and then is looked for more than once.
    """
    build = BUILDS[name]
    await stage.rebuild("tests.history.broken", name)
    found: list[str] = []
    for _ in range(_ATTEMPTS if build.shows else 1):
        await stage.begin_anew(channels=2)
        found = await play(
            stage,
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
