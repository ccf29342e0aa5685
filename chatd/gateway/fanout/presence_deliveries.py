"""Presence deliveries: the sessions that receive each of several presences that change in a guild.

A user client receives the presence of its own user in SESSIONS_REPLACE instead. All other sessions
receive the same presences, so that each connection writes them in one call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from chatd.core.ids import UserId
from chatd.events.event import Event
from chatd.gateway.session.session import Session

MAX_TOGETHER = 20
"""The maximum of presences that are delivered together. The user clients of these users receive all
but their own, so their cost grows with the square of this number."""


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
