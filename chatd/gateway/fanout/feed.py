"""A feed: the events of one stream in order, and the local sessions that follow it.

It follows the stream of a guild or of a user. Events arrive in any order. A feed puts them into the
order of their sequence numbers, because an event can change which members may see the events after
it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Protocol

from chatd.bus.reorder_buffer import ReorderBuffer
from chatd.core.ids import StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.interactions import session_digest
from chatd.events.event import AudienceKind, Event
from chatd.events.interactions import may_be_for_a_session, without_session
from chatd.events.users import INTERNAL
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.session.session import Session

DM_INTENTS = frozenset(
    {Intents.DIRECT_MESSAGES, Intents.DIRECT_MESSAGE_REACTIONS, Intents.DIRECT_MESSAGE_TYPING}
)
"""The intents of events in private channels."""


class FeedListener(Protocol):
    """An object that receives every event of a feed, before the feed delivers it to sessions.

    A session that is being started listens: it reads a snapshot, and filters the later events.
    """

    @property
    def user_id(self) -> UserId:
        """The user of the session that is being started; 0 if the listener is no such session."""

    @property
    def receives_own_presence(self) -> bool:
        """Whether it receives the presence of its own user. It receives those of all others."""

    def buffer(self, feed: Feed, event: Event) -> None:
        """Keep an event of a feed."""

    def mark_buffered_after(self, feed: Feed, seq: int) -> None:
        """Note that every event of a feed after `seq` will be passed to `buffer`."""

    def invalidate_snapshot(self) -> None:
        """Note that the events do not continue the snapshot: it must be read again."""


class Feed:
    """The events of a stream in order, for the sessions that follow it. Base of the two kinds."""

    __slots__ = (  # to save memory: each user with a session here has a feed
        "_delivery_queue",
        "_feeds_with_gaps",
        "_listeners",
        "_order",
        "_progress",
        "_sessions",
        "stream",
        "visibility_seq",
    )

    def __init__(
        self, stream: StreamId, delivery_queue: DeliveryQueue, feeds_with_gaps: set[Feed]
    ) -> None:
        """Create a feed that buffers events until it is started.

        It adds itself to `feeds_with_gaps` when an event is missing.
        """
        self.stream = stream
        self.visibility_seq = 0
        """The sequence number of the last event that changed what a member may see."""
        self._delivery_queue = delivery_queue
        self._feeds_with_gaps = feeds_with_gaps
        self._order = ReorderBuffer()
        # By user. Sets instead of tuples would take five times as much memory.
        self._sessions: dict[UserId, tuple[Session, ...]] = {}
        self._listeners: tuple[FeedListener, ...] = ()  # mostly empty
        self._progress: asyncio.Event | None = None  # created on demand: most feeds need none

    @property
    def position(self) -> int | None:
        """The sequence number of the last event that was delivered; None before the start."""
        return self._order.position

    @property
    def gap_since(self) -> float | None:
        """Since when an event is missing, by the event loop's clock; None without a gap."""
        return self._order.gap_since

    @property
    def is_started(self) -> bool:
        """Whether the feed has a position, from which it delivers events."""
        return self._order.position is not None

    @property
    def is_starting(self) -> bool:
        """Whether a task of the dispatcher is starting the feed; false for the feed of a user."""
        return False

    @property
    def is_unused(self) -> bool:
        """Whether the feed has neither sessions nor listeners."""
        return not self._sessions and not self._listeners

    @property
    def sessions(self) -> list[Session]:
        """All sessions that follow the feed."""
        return [session for sessions in self._sessions.values() for session in sessions]

    def add_listener(self, listener: FeedListener) -> None:
        """Pass every event from now on to a listener."""
        self.remove_listener(listener)
        self._listeners = (*self._listeners, listener)
        if self._order.position is not None:
            listener.mark_buffered_after(self, self._order.position)

    def remove_listener(self, listener: FeedListener) -> None:
        """Pass no more events to a listener."""
        if self._listeners == (listener,):  # mostly
            self._listeners = ()
        elif self._listeners:
            self._listeners = tuple(each for each in self._listeners if each is not listener)

    def invalidate_snapshots(self) -> None:
        """Make all listeners read their snapshots again."""
        for listener in self._listeners:
            listener.invalidate_snapshot()

    def start(self, position: int, now: float) -> None:
        """Start after the event number `position`, and deliver what has arrived after it."""
        for listener in self._listeners:
            listener.mark_buffered_after(self, position)
        self._deliver_all(self._order.start(position, now))

    def push(self, event: Event, now: float) -> None:
        """Accept an event as it arrives, and deliver the events that are in order now."""
        if event.seq == 0 and not self.is_started:
            return  # unnumbered events are not buffered, and no session follows the feed yet
        self._deliver_all(self._order.push(event, now))

    async def wait_for(self, position: int) -> None:
        """Wait until the events up to `position` are queued for delivery."""
        while (self._order.position or 0) < position:
            await self.wait_for_progress()

    async def wait_for_progress(self) -> None:
        """Wait until another event has been queued for delivery, or has been buffered."""
        if self._progress is None:
            self._progress = asyncio.Event()
        self._progress.clear()
        await self._progress.wait()

    def attach(self, session: Session) -> None:
        """Deliver events to a session from now on."""
        of_user = self._sessions.get(session.user_id, ())
        if session not in of_user:
            self._sessions[session.user_id] = (*of_user, session)
            session.feeds.append(self)

    def detach(self, session: Session) -> None:
        """Stop delivering events to a session."""
        of_user = self._sessions.get(session.user_id, ())
        if session not in of_user:
            return
        session.feeds.remove(self)
        left = tuple([each for each in of_user if each is not session])
        if left:
            self._sessions[session.user_id] = left
        else:
            del self._sessions[session.user_id]

    def may_receive(self, session: Session, event: Event) -> bool:
        """Return whether this session may receive an event, by the present state of the feed."""
        if event.intent in DM_INTENTS and not session.shard_includes_dms:
            return False
        return self.may_see(session.user_id, event)

    def may_see(self, user_id: UserId, event: Event) -> bool:
        """Return whether this user may receive an event, by the present state of the feed."""
        return event.audience.kind is AudienceKind.USER and event.audience.id == user_id

    def _deliver_all(self, events: Iterable[Event]) -> None:
        for event in events:
            for listener in self._listeners:
                listener.buffer(self, event)
            self._deliver(event)
        if self._order.gap_since is not None:
            self._feeds_with_gaps.add(self)
        if self._progress is not None:
            self._progress.set()

    def _deliver(self, event: Event) -> None:
        self._dispatch(event, self._audience(event))

    def _dispatch(self, event: Event, sessions: Collection[Session]) -> None:
        self._delivery_queue.add(event, sessions)

    def _audience(self, event: Event) -> Collection[Session]:
        if event.audience.kind is AudienceKind.USER:
            return list(self._sessions.get(UserId(event.audience.id), ()))
        return ()


class UserFeed(Feed):
    """The events that only one user receives, and those of its private channels."""

    __slots__ = ()

    def may_receive(self, session: Session, event: Event) -> bool:
        """Return whether this session may receive an event, by the present state of the feed."""
        if may_be_for_a_session(event):
            _, digest = without_session(event)
            return _is_addressed(session, digest)
        return super().may_receive(session, event)

    def _deliver(self, event: Event) -> None:
        if may_be_for_a_session(event):
            shown, digest = without_session(event)
            self._dispatch(shown, [each for each in self.sessions if _is_addressed(each, digest)])
        elif event.name not in INTERNAL:
            super()._deliver(event)

    def _audience(self, event: Event) -> Collection[Session]:
        if event.intent in DM_INTENTS:
            return [session for session in self.sessions if session.shard_includes_dms]
        return super()._audience(event)


def _is_addressed(session: Session, digest: str | None) -> bool:
    """Return whether an event about an interaction is for this session.

    An event with a digest is for the session that has this digest. Other events are for each
    session of the user whose shard includes private channels.
    """
    return session.shard_includes_dms if digest is None else session_digest(session.id) == digest
