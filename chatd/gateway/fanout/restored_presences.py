"""Presences of restored sessions: those that changed while no instance had the session.

A presence has no number and is not in the event history, so the replay after a RESUME lacks it. So
a handoff saves what the clients in each guild have received, as a digest for each user. When most
users are connected again, the instance compares the digests with the present presences, and sends
those that differ. It sends the presences of all friends, which are fewer.

Cost: 1 ms of a core for a guild with 1000 online members; all sessions of a handoff share it. At
most `_MAX_DELIVERIES` are sent in one call of `update`, every 0.25 s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.presence_table import PresenceTable
from chatd.core.time_slices import run_in_slices
from chatd.events import presence as events
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.known_presences import KnownPresences
from chatd.gateway.fanout.presence_deliveries import MAX_TOGETHER, deliveries
from chatd.gateway.session.session import Session

_SETTLE_S = 15.0
"""Seconds between the restore of a session and the comparison. Users of other sessions reconnect in
this time, and would be sent as offline before. It is longer than the timeout after which an
instance is considered down."""

_MAX_DELIVERIES = 5000
"""The number of deliveries in one call of `update` after which the others wait for the next. They
cost at most 0.1 s of CPU time, if no other dispatch shares their writes."""


@dataclass(slots=True)
class _Waiting:
    """Sessions of a guild that wait until the presences are compared."""

    due_at: float
    sessions: list[Session]


@dataclass(slots=True)
class _Due:
    """Sessions of a guild, and the users whose presences they are to receive."""

    guild_id: GuildId
    sessions: list[Session]
    users: dict[UserId, None]


class RestoredPresences:
    """The restored sessions whose clients may have missed presences."""

    def __init__(
        self,
        hub: Hub,
        presence_table: PresenceTable,
        delivery_queue: DeliveryQueue,
        *,
        is_broadcast: Callable[[GuildId], bool],
    ) -> None:
        self._hub = hub
        self._is_broadcast = is_broadcast
        """Whether presences in a guild are sent: it may be too large."""
        self._table = presence_table
        self._delivery_queue = delivery_queue
        self._guilds: dict[GuildId, dict[KnownPresences, _Waiting]] = {}
        self._due: list[_Due] = []
        self._people: dict[Session, float] = {}
        """The sessions of people, and when the presences of their friends are due; in order."""
        self._clock = asyncio.get_running_loop().time

    def on_member_removed(self, guild_id: GuildId, user_id: UserId) -> None:
        """Send nothing of a member that has left, unless it joins again."""
        self._take_restored()
        for known in self._guilds.get(guild_id, ()):
            known.forget(user_id)
        for due in self._due:
            if due.guild_id == guild_id:
                due.users.pop(user_id, None)

    def unsent(self, guild_id: GuildId) -> Iterator[UserId]:
        """Yield the users in a guild whose presence restored sessions have yet to receive."""
        self._take_restored()
        for known in self._guilds.get(guild_id, ()):
            yield from known.changed(self._table)
        for due in self._due:
            if due.guild_id == guild_id:
                yield from due.users

    async def update(self) -> list[Session]:
        """Send what is due. Returns the sessions that are due to receive their friends."""
        self._take_restored()
        await run_in_slices(self._comparing())
        await run_in_slices(self._sending())
        return list(self._due_people())

    def _take_restored(self) -> None:
        restored, self._hub.restored = self._hub.restored, []
        due_at = self._clock() + _SETTLE_S
        for session, presences in restored:
            if session.user_client is not None:
                self._people[session] = due_at
            for known in presences:
                of_guild = self._guilds.setdefault(known.guild_id, {})
                of_guild.setdefault(known, _Waiting(due_at, [])).sessions.append(session)

    def _due_people(self) -> Iterator[Session]:
        now = self._clock()
        while self._people and next(iter(self._people.values())) <= now:
            session = next(iter(self._people))
            del self._people[session]
            yield session

    def _comparing(self) -> Iterator[None]:
        """Compare what is due; yields after each guild."""
        now = self._clock()
        for guild_id in list(self._guilds):
            of_guild = self._guilds[guild_id]
            for known in [each for each, waiting in of_guild.items() if waiting.due_at <= now]:
                if self._is_broadcast(guild_id):
                    users = dict.fromkeys(known.changed(self._table))
                    self._due.append(_Due(guild_id, of_guild[known].sessions, users))
                del of_guild[known]
                yield
            if not of_guild:
                del self._guilds[guild_id]

    def _sending(self) -> Iterator[None]:
        """Send what has been compared, up to `_MAX_DELIVERIES`."""
        left = _MAX_DELIVERIES
        while self._due and left > 0:
            due = self._due[0]
            users = list(islice(due.users, MAX_TOGETHER))
            for user_id in users:
                del due.users[user_id]
            left -= self._send(due.guild_id, users, due.sessions)
            if not due.users:
                self._due.remove(due)
            yield

    def _send(self, guild_id: GuildId, users: Sequence[UserId], sessions: Iterable[Session]) -> int:
        """Send the presences of users to sessions. Returns the number of deliveries."""
        feed = self._hub.feed(StreamId(guild_id))
        if not isinstance(feed, GuildFeed):
            return 0
        present = [each for each in sessions if feed in each.feeds]
        own = {user_id: [each for each in present if each.user_id == user_id] for user_id in users}
        shown = {
            each: events.presence_updated(guild_id, each, self._table.get_in(guild_id, each))
            for each in users
        }
        for event, receivers in deliveries(shown, present, own.__getitem__):
            self._delivery_queue.add(event, receivers)
        return len(users) * len(present)
