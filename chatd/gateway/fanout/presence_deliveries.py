"""Which sessions receive which of several presences that change together in a guild.

The client of a person receives that of its own user in SESSIONS_REPLACE instead. All other sessions
receive the same presences, so a connection writes them in one call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from chatd.core.ids import UserId
from chatd.events.event import Event
from chatd.gateway.session.session import Session

MAX_TOGETHER = 20
"""Presences that are delivered together. The clients of their users are served one by one, which
costs the square of this number."""


def deliveries(
    changed: Mapping[UserId, Event],
    viewers: Collection[Session],
    sessions_of: Callable[[UserId], Iterable[Session]],
) -> Iterator[tuple[Event, Collection[Session]]]:
    """Yield events with their sessions; events for the same sessions follow each other."""
    own = {
        user_id: [each for each in sessions_of(user_id) if each.user_client is not None]
        for user_id in changed
    }
    clients = {session for sessions in own.values() for session in sessions}
    others = [each for each in viewers if each not in clients] if clients else viewers
    for event in changed.values():
        yield event, others
    for user_id, sessions in own.items():
        for other_id, event in changed.items():
            if other_id != user_id and sessions:
                yield event, sessions
