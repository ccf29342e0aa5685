"""Presences of friends, for user clients, whether the friends share a guild or not.

READY has the friends that are online. From then on, a client gets a PRESENCE_UPDATE without a guild
for each change of a friend. After a change of the friend's name, picture or bio, the `user` in this
dispatch contains them.

For this, an instance knows the friends of each person that is connected to it with a user client.
It reads them from Postgres soon after a session has begun or was restored. Then it keeps them
current by the events of the person's stream. When it has read them, it sends the presences of the
friends that are online, because they may have changed since READY. A restored session receives the
presences of all friends later, too (`restored_presences`): some may have gone offline.

Cost: about 100 bytes of memory for each friend of a connected person. A change costs up to 20 us
for each connected friend, most of them for a write to the socket, which other dispatches may share.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import orjson

from chatd.core.ids import UserId
from chatd.core.json import JsonObject
from chatd.core.presence import Status
from chatd.core.presence_table import PresenceTable
from chatd.core.relationships import RelationshipType
from chatd.core.time_slices import run_in_slices
from chatd.db.pool import Database
from chatd.events import presence as events
from chatd.events.event import AudienceKind, Event
from chatd.events.users import read_shown
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.session.session import Session
from chatd.services.accounts import relationships

_INTERVAL_S = 0.25
"""How often in seconds friends are read and presences are sent. Of several changes within an
interval, clients receive the last."""

_BATCH = 20
"""People whose friends one statement reads. Each can have 1,000."""

_MAX_DELIVERIES = 5000
"""The number of deliveries in `_INTERVAL_S` after which the others wait for the next interval.
They cost at most 0.1 s of CPU time, if no other dispatch shares their writes."""

_RECENT_S = 60
"""How long profile changes are kept, in seconds: much longer than it takes to read friends."""

_MAX_RECENT = 10_000
"""The maximum number of profile changes that are kept, each about 1 KB."""

_EVENTS = frozenset({"RELATIONSHIP_ADD", "RELATIONSHIP_REMOVE", "USER_UPDATE"})


class FriendPresences:
    """The friends of local people, and the presences that are still to be sent to their clients."""

    def __init__(
        self,
        hub: Hub,
        database: Database,
        presence_table: PresenceTable,
        delivery_queue: DeliveryQueue,
    ) -> None:
        self._hub = hub
        self._delivery_queue = delivery_queue
        self._database = database
        self._table = presence_table
        self._friends: dict[UserId, set[UserId]] = {}
        """The friends of each local person with a user client."""
        self._people: dict[UserId, set[UserId]] = {}
        """The inverse of `_friends`: for each user, the local people that are its friends."""
        self._reading: dict[UserId, list[Event]] = {}
        """The people whose friends are being read, with the events since."""
        self._pending: dict[UserId, dict[Session, None]] = {}
        """The friends whose presence is to be sent, each with the sessions that receive it."""
        self._changed: dict[UserId, JsonObject] = {}
        """The changed profiles of friends in `_pending`, as clients see them."""
        self._recent: dict[UserId, tuple[float, JsonObject]] = {}
        """The latest profile changes with their times. Until the friends of a client are read, it
        receives no changes; those that READY may not contain are sent afterwards."""

    def mark(self, user_id: UserId) -> None:
        """Note that the presence of a user changed."""
        for person in self._people.get(user_id, ()):
            self._send_later(person, user_id)

    async def send_all(self, sessions: Iterable[Session]) -> None:
        """Send to sessions the presences of all friends, whether they are online or not."""

        def queueing() -> Iterator[None]:
            for session in sessions:
                for friend in self._friends.get(session.user_id, ()):
                    self._pending.setdefault(friend, {})[session] = None
                yield

        await run_in_slices(queueing())

    def on_event(self, event: Event) -> None:
        """Apply an event of a person's stream."""
        if event.name not in _EVENTS or event.audience.kind is not AudienceKind.USER:
            return
        person = UserId(event.audience.id)
        if event.name == "USER_UPDATE":
            self._on_profile_changed(person, event)
        elif person in self._reading:
            self._reading[person].append(event)
        elif person in self._friends:
            self._apply(person, event)

    def _on_profile_changed(self, user_id: UserId, event: Event) -> None:
        shown = read_shown(event)
        self._recent.pop(user_id, None)  # the order is that of the times
        self._recent[user_id] = asyncio.get_running_loop().time(), shown
        if len(self._recent) > _MAX_RECENT:
            del self._recent[next(iter(self._recent))]
        self.mark(user_id)
        if user_id in self._pending:
            self._changed[user_id] = shown

    def _forget_old_changes(self) -> None:
        oldest = asyncio.get_running_loop().time() - _RECENT_S
        while self._recent and next(iter(self._recent.values()))[0] < oldest:
            del self._recent[next(iter(self._recent))]

    async def run(self) -> None:
        """Read friends and send presences until cancelled."""
        while True:
            await asyncio.sleep(_INTERVAL_S)
            await self.update()

    async def update(self) -> None:
        """Read the friends of new people, and send what is pending. Raises DatabaseUnavailable."""
        wanted: list[UserId] = []
        await run_in_slices(self._collecting(wanted))
        self._forget_old_changes()
        for start in range(0, len(wanted), _BATCH):
            try:
                await self._read(wanted[start : start + _BATCH])
            except BaseException:
                self._hub.mark_client_changes(wanted[start:])
                raise
        await run_in_slices(self._sending())

    def _collecting(self, wanted: list[UserId]) -> Iterator[None]:
        """Collect the people whose friends must be read; yield after each person.

        People without a user client are removed. Known friends are sent to new sessions.
        """
        for user_id in self._hub.take_client_changes():
            has_client = any(each.user_client for each in self._hub.sessions_of(user_id))
            if not has_client:
                self._forget(user_id)
            elif user_id in self._friends:
                self._send_to_new_sessions(user_id)
            else:
                wanted.append(user_id)
            yield

    async def _read(self, people: Iterable[UserId]) -> None:
        self._reading = {each: [] for each in people}
        try:
            found = await relationships.friends_of(self._database, self._reading)
            for person, happened in self._reading.items():
                self._friends[person] = set()
                for friend in found.get(person, ()):
                    self._add(person, friend)
                for event in happened:
                    self._apply(person, event)
                self._send_to_new_sessions(person)
        finally:
            self._reading = {}

    def _apply(self, person: UserId, event: Event) -> None:
        data = orjson.loads(event.body)
        friend = UserId(int(data["id"]))
        if event.name == "RELATIONSHIP_ADD" and data["type"] == RelationshipType.FRIEND:
            self._add(person, friend)
            self._send_later(person, friend)
        else:
            self._drop(person, friend)

    def _add(self, person: UserId, friend: UserId) -> None:
        self._friends[person].add(friend)
        self._people.setdefault(friend, set()).add(person)

    def _drop(self, person: UserId, friend: UserId) -> None:
        self._friends[person].discard(friend)
        if (people := self._people.get(friend)) is not None:
            people.discard(person)
            if not people:
                del self._people[friend]

    def _forget(self, person: UserId) -> None:
        for friend in tuple(self._friends.get(person, ())):
            self._drop(person, friend)
        self._friends.pop(person, None)

    def _send_to_new_sessions(self, person: UserId) -> None:
        """Send the friends that are online to the sessions that have not received them."""
        new = [each for each in self._clients_of(person) if not each.knows_friends]
        for session in new:
            session.knows_friends = True
        if new:
            for friend in self._friends[person]:
                if friend in self._recent:
                    self._changed[friend] = self._recent[friend][1]
                elif self._table.get(friend).status == Status.OFFLINE:
                    continue
                self._pending.setdefault(friend, {}).update(dict.fromkeys(new))

    def _send_later(self, person: UserId, friend: UserId) -> None:
        if clients := self._clients_of(person):
            self._pending.setdefault(friend, {}).update(dict.fromkeys(clients))

    def _clients_of(self, person: UserId) -> list[Session]:
        return [each for each in self._hub.sessions_of(person) if each.user_client is not None]

    def _sending(self) -> Iterator[None]:
        left = _MAX_DELIVERIES
        while self._pending and left > 0:
            friend = next(iter(self._pending))
            sessions = self._pending.pop(friend)
            user = self._changed.pop(friend, None)
            event = events.friend_presence_updated(friend, self._table.get(friend), user)
            present = [each for each in sessions if self._hub.session(each.id) is each]
            self._delivery_queue.add(event, present)
            left -= len(sessions)
            yield
