"""Session lists: the connected sessions of a user on all instances, sent to its user clients.

The dispatch is SESSIONS_REPLACE. Clients show in it where their user is connected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence

from chatd.bus.bus import Bus
from chatd.core.ids import UserId
from chatd.core.json import JsonObject
from chatd.core.presence import ListedSession, merged
from chatd.core.time_slices import run_in_slices
from chatd.events import presence as presence_events
from chatd.events import users as events
from chatd.events.event import Event
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.session.session import Session
from chatd.wire import payloads
from chatd.wire.payloads import client_ready

_MAX_LISTED = 15
"""Sessions in one list, the newest first. Rule: Discord's limit."""

_UNKNOWN = "unknown"

_MAX_REPORTED = 200
"""People in one report to the other instances. It takes about 1 ms to apply."""


def shown(hub: Hub, sessions: Iterable[Session], user_id: UserId) -> list[JsonObject]:
    """Return the list of these local sessions of one user, and of those on other instances.

    If there are several, it begins with their common presence, as a session with the id `all`.
    """
    found = {each.id: each for each in hub.sessions_elsewhere.of(user_id)}
    found |= {each.id: _listed(each) for each in sessions}  # also one that was resumed here
    newest = sorted(found.values(), key=lambda each: each.presence_set_at, reverse=True)
    listed = [
        client_ready.session(each.id, each.presence, each.device, each.os)
        for each in newest[:_MAX_LISTED]
    ]
    if len(listed) > 1:
        common = merged([each.presence for each in reversed(newest)])
        listed.insert(0, client_ready.session("all", common, _UNKNOWN, _UNKNOWN))
    return listed


def _listed(session: Session) -> ListedSession:
    os = _UNKNOWN if session.user_client is None else session.user_client.os
    presence, set_at = session.presence, session.presence_set_at
    return ListedSession(session.id, presence, session.device, os, set_at)


class SessionLists:
    """The lists of local people: sends them to their clients, and to the other instances."""

    def __init__(self, hub: Hub, bus: Bus, delivery_queue: DeliveryQueue) -> None:
        self._hub = hub
        self._bus = bus
        self._delivery_queue = delivery_queue
        self._reported: dict[UserId, Sequence[ListedSession]] = {}
        """What this instance published last of each of its people."""

    async def update(self) -> None:
        """Send and publish the lists that have changed since the last call."""
        changed: dict[UserId, Sequence[ListedSession]] = {}
        await run_in_slices(self._comparing(changed))
        await self._publish(changed)

    def _comparing(self, changed: dict[UserId, Sequence[ListedSession]]) -> Iterator[None]:
        """Send the lists that have changed, and collect them; yields after each."""
        for user_id in self._hub.take_session_lists_dirty():
            sessions = self._hub.sessions_of(user_id)
            connected = [each for each in sessions if each.sink is not None and not each.is_bot]
            own = tuple(map(_listed, connected))
            if own != self._reported.get(user_id, ()):
                changed[user_id] = own
                self._note(user_id, own)
            if any(each.user_client is not None for each in connected):
                self._send(user_id, connected)
            yield

    async def report_everything(self) -> None:
        """Publish the sessions of all local people."""
        await self._bus.publish(
            [presence_events.sessions_reported(self._hub.instance, {}, replaces=True)]
        )
        await self._publish(self._reported)

    def on_event(self, event: Event) -> None:
        """Apply a report of another instance."""
        if event.name != presence_events.SESSIONS_REPORT:
            return
        instance, lists, replaces = presence_events.read_sessions(event)
        if instance != self._hub.instance:
            if replaces:
                self.drop(instance)
            self._hub.sessions_elsewhere.apply(instance, lists)
            self._hub.mark_session_lists_dirty(lists)

    def drop(self, instance: str) -> None:
        """Remove the sessions of an instance that is down."""
        self._hub.mark_session_lists_dirty(self._hub.sessions_elsewhere.drop(instance))

    def _note(self, user_id: UserId, sessions: Sequence[ListedSession]) -> None:
        if sessions:
            self._reported[user_id] = sessions
        else:
            self._reported.pop(user_id, None)

    async def _publish(self, lists: Mapping[UserId, Sequence[ListedSession]]) -> None:
        people = list(lists)
        for start in range(0, len(people), _MAX_REPORTED):
            await asyncio.sleep(0)  # the bus may dispatch each report at once, before it returns
            part = {each: lists[each] for each in people[start : start + _MAX_REPORTED]}
            await self._bus.publish([presence_events.sessions_reported(self._hub.instance, part)])

    def _send(self, user_id: UserId, sessions: Sequence[Session]) -> None:
        """Send the list of a user to those of these sessions that have not received it yet."""
        listed = payloads.encode(shown(self._hub, sessions, user_id))
        receivers = [
            each
            for each in sessions
            if each.user_client is not None and each.listed_sessions != listed
        ]
        for each in receivers:
            each.listed_sessions = listed
        # They share the dispatch: a user can have 100 sessions, and the list may have 230 kB.
        self._delivery_queue.add(events.sessions_replaced(user_id, listed), receivers)
