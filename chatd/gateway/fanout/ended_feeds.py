"""Ended feeds and sessions: the references between them are removed in time slices.

A guild can have tens of thousands of sessions on an instance. When the guild is deleted, its feed
delivers nothing more, and is removed from its sessions in the next milliseconds. When events of a
feed are lost, its sessions are invalidated one after the other. A user can have a hundred sessions
that follow two hundred guilds each. When its login is revoked, the sessions are disconnected at
once, and detached from their feeds later.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from chatd.core.ids import UserId
from chatd.core.time_slices import run_in_slices
from chatd.gateway.fanout.feed import Feed
from chatd.gateway.session.session import Session


class EndedFeeds:
    """The sessions of ended feeds, and ended sessions, until they are handled."""

    def __init__(
        self,
        *,
        on_detached: Callable[[UserId], None],
        invalidate: Callable[[Session], None],
        unfollow: Callable[[Session], None],
    ) -> None:
        """`on_detached` is called for each user from whose sessions a feed was removed.

        `unfollow` detaches a session from all its feeds.
        """
        self._on_detached = on_detached
        self._invalidate = invalidate
        self._unfollow = unfollow
        self._detached: deque[tuple[Feed, dict[UserId, tuple[Session, ...]]]] = deque()
        self._to_invalidate: deque[Session] = deque()
        self._removed: deque[Session] = deque()
        self._added = asyncio.Event()

    def detach(self, feed: Feed, sessions: dict[UserId, tuple[Session, ...]]) -> None:
        """Remove a feed from sessions later. It must not deliver anything to them any more."""
        self._detached.append((feed, sessions))
        self._added.set()

    def invalidate(self, sessions: Iterable[Session]) -> None:
        """Invalidate sessions later."""
        self._to_invalidate += sessions
        self._added.set()

    def unfollow_later(self, removed: Session) -> None:
        """Detach a session from its feeds later. It must not have a connection any more."""
        self._removed.append(removed)
        self._added.set()

    async def run(self) -> None:
        """Handle what is added, until cancelled."""
        while True:
            await self._added.wait()
            await run_in_slices(self.steps())

    def steps(self) -> Iterator[None]:
        """Handle all that was added; yield after each user or session."""
        self._added.clear()
        while self._detached:
            feed, sessions = self._detached[0]
            while sessions:
                user_id, of_user = sessions.popitem()
                for session in of_user:
                    if feed in session.feeds:
                        session.feeds.remove(feed)
                self._on_detached(user_id)
                yield
            self._detached.popleft()
        while self._to_invalidate:
            self._invalidate(self._to_invalidate.popleft())
            yield
        while self._removed:
            self._unfollow(self._removed.popleft())
            yield
