"""The presence reporter: publishes the presences of local users, and sends those of all users.

Every `_INTERVAL_S` the reporter publishes the changes of this instance to all instances, this one
too. Each instance sends them to its own sessions. So local and remote changes take the same path.

Cost: a change is one entry on the bus, however many guilds the user is in. It is one delivery for
each session that shares a guild with the user and has the intent GUILD_PRESENCES: 0.4 ms of a core
in a guild with 1000 of them, without the writes to their sockets. A connection writes up to
`MAX_TOGETHER` presences of a guild in one call, together with other dispatches. The cost is
quadratic in the size of a guild: n members who change once an hour each cost n*n deliveries. Three
limits bound it:

- In a guild of more than `MAX_BROADCAST_MEMBERS` online members, changes are not sent. A change
  costs 12 us then, instead of 5.7 ms with 10,000 members. Clients request the presences of the
  members that they show (REQUEST_GUILD_MEMBERS with `presences`).
- A user is reported at most every `_MIN_INTERVAL_S`.
- An instance sends at most `_MAX_DELIVERIES` in `_INTERVAL_S`, which takes about a twentieth of a
  core, without the writes. Further changes are sent later, and of each user only the newest, as
  when all clients reconnect after a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from functools import cache
from itertools import islice

import orjson

from chatd.bus.bus import Bus
from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.presence import Presence, PresenceReport, Status, merged, shared
from chatd.core.presence_table import PresenceChange, PresenceTable
from chatd.core.time_slices import run_in_slices
from chatd.events import presence as events
from chatd.events.event import Event
from chatd.events.presence import InstanceReport
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.friend_presences import FriendPresences
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.known_presences import UNSENT, KnownPresences, digest
from chatd.gateway.fanout.member_lists import MemberLists
from chatd.gateway.fanout.presence_deliveries import MAX_TOGETHER
from chatd.gateway.fanout.restored_presences import RestoredPresences
from chatd.gateway.fanout.session_lists import SessionLists
from chatd.gateway.session.session import FollowedFeed, Session
from chatd.observability.metrics import Counters

MAX_BROADCAST_MEMBERS = 1000
"""The maximum of online members of a guild whose changes are sent to each other."""

_INTERVAL_S = 0.25
"""How often in seconds changes are reported and sent. Changes within an interval are one report."""

_MAX_DELIVERIES = 25_000
"""The maximum of deliveries in `_INTERVAL_S`."""

_MIN_INTERVAL_S = 2.0
"""The minimum time in seconds between two reports of the same user."""

_EXPIRY_BATCH = 100
"""Users of an expired instance that are removed at a time; each can be in 200 guilds."""

_GRACE_S = 8.0
"""How long in seconds a user without a connection keeps its last report, so that other users do
not see a reconnect."""

_HEARTBEAT_S = 3.0
"""How often in seconds an instance publishes an empty report, which says that it runs."""

_REMOVAL_MEMORY_S = 60.0
"""How long in seconds a removal of a member overrides the reports of instances. A report from
before the removal takes much less time to arrive."""

_MAX_REMOVALS = 10_000
"""The maximum number of removals that are kept, each about 300 bytes."""

_INSTANCE_TIMEOUT_S = 10.0
"""Seconds without a report after which an instance is considered down."""


class PresenceReporter:
    """Reports the users of this instance, and sends what all instances report to its sessions."""

    def __init__(
        self,
        hub: Hub,
        bus: Bus,
        *,
        presence_table: PresenceTable,
        delivery_queue: DeliveryQueue,
        counters: Counters,
        member_lists: MemberLists,
        friend_presences: FriendPresences,
    ) -> None:
        self._hub = hub
        self._friend_presences = friend_presences
        self._member_lists = member_lists
        self._bus = bus
        self._table = presence_table
        self._delivery_queue = delivery_queue
        self._counters = counters
        self._name = hub.instance
        self._session_lists = SessionLists(hub, bus, delivery_queue)
        self._restored = RestoredPresences(
            hub, presence_table, delivery_queue, is_broadcast=self._is_broadcast
        )
        hub.read_known_presences = self._known_presences
        self._clock = asyncio.get_running_loop().time
        self._reported: dict[UserId, PresenceReport] = {}
        """What this instance reported last of each of its users."""
        self._to_repeat: set[UserId] = set()
        """Users whose next report is published although it may be the same."""
        self._may_report_at: dict[UserId, float] = {}
        """When each recently reported user may be reported again, in ascending order."""
        self._last_report_at: dict[str, float] = {}
        """When each instance reported last."""
        self._departed: dict[str, dict[UserId, None]] = {}
        """By instance: users that it does not have any more. Their reports are to be removed."""
        self._pending: dict[GuildId, dict[UserId, None]] = {}
        """The presences to send in each guild; guilds and users in the order of their changes."""
        self._sync_requested = False
        """Whether another instance has requested a full report."""
        self._needs_sync = True
        """Whether this instance has to request full reports from the others."""

    async def run(self) -> None:
        """Report and send changes until cancelled."""
        heartbeat_at = 0.0
        while True:
            await asyncio.sleep(_INTERVAL_S)
            await self.update()
            now = self._clock()
            if now >= heartbeat_at:
                heartbeat_at = now + _HEARTBEAT_S
                await self._publish(InstanceReport(self._name, {}))
                await self._expire_instances(now)

    async def update(self) -> None:
        """Report what has changed here, and send what all instances have reported."""
        await self._report_changes()
        await self._session_lists.update()
        if self._sync_requested or self._needs_sync:
            await self._report_everything()
        await run_in_slices(self._removing_departed())
        oldest = self._clock() - _REMOVAL_MEMORY_S
        removals = self._table.forget_removals(before=oldest, maximum=_MAX_REMOVALS)
        await run_in_slices(map(self._queue, removals))
        await self.flush()
        await self._friend_presences.send_all(await self._restored.update())

    def on_reconnect(self) -> None:
        """Request full reports, because reports may have been lost."""
        self._last_report_at = dict.fromkeys(self._last_report_at, self._clock())
        self._needs_sync = True

    def on_event(self, event: Event) -> None:
        """Apply a report of an instance to the table, and queue the changes."""
        self._session_lists.on_event(event)
        if event.name == "GUILD_MEMBER_REMOVE":
            self._on_member_removed(event)
        if event.name == "GUILD_MEMBER_ADD":
            self._queue(self._table.join(GuildId(event.stream), _member_in(event)))
        if event.name == events.PRESENCE_ROLL:
            self._keep_only(*events.read_roll(event))
        if event.name != events.PRESENCE_REPORT:
            return
        report = events.read_report(event)
        if report.instance not in self._last_report_at and not report.replaces:
            self._needs_sync = True  # it was considered down, so its users were removed
        self._last_report_at[report.instance] = self._clock()
        if report.asks and report.instance != self._name:
            self._sync_requested = True
        if report.users:
            self._queue(self._table.apply(report.instance, report.users))
            for user_id in report.users if report.instance in self._departed else ():
                self._departed[report.instance].pop(user_id, None)
        if report.replaces:
            self._keep_only(report.instance, report.users.keys())

    def _on_member_removed(self, event: Event) -> None:
        """Send no presence of a member that has left the guild: clients would add it again."""
        guild_id = GuildId(event.stream)
        user_id = _member_in(event)
        self._table.leave(guild_id, user_id, now=self._clock())
        self._restored.on_member_removed(guild_id, user_id)
        waiting = self._pending.get(guild_id, {})
        waiting.pop(user_id, None)
        if not waiting:
            self._pending.pop(guild_id, None)
        if (report := self._reported.get(user_id)) is not None:
            self._reported[user_id] = replace(report, guild_ids=report.guild_ids - {guild_id})
            self._to_repeat.add(user_id)  # it may join again before its next report

    def _keep_only(self, instance: str, users: Set[UserId]) -> None:
        """Schedule the removal of the reports of an instance for all users but these."""
        self._departed[instance] = dict.fromkeys(self._table.others_of(instance, users))

    def _removing_departed(self) -> Iterator[None]:
        """Remove the reports of users that an instance does not have any more, in batches.

        An instance may lose tens of thousands of users at once.
        """
        while self._departed:
            instance, users = next(iter(self._departed.items()))
            batch = list(islice(users, _EXPIRY_BATCH))
            for user_id in batch:
                del users[user_id]
            if not users:
                del self._departed[instance]
            if batch:
                self._queue(self._table.apply(instance, dict.fromkeys(batch)))
            yield

    async def _report_changes(self) -> None:
        now = self._clock()
        changed: dict[UserId, PresenceReport | None] = {}
        await run_in_slices(self._computing(now, changed))
        self._drop_expired_intervals(now)
        if changed:
            await self._publish(InstanceReport(self._name, changed))

    def _computing(
        self, now: float, changed: dict[UserId, PresenceReport | None]
    ) -> Iterator[None]:
        """Compute what to report of the users that were marked; yields after each."""
        for user_id in self._hub.take_presence_dirty():
            yield
            if now < self._may_report_at.get(user_id, 0.0):
                self._hub.mark_presence_dirty(user_id)
                continue
            report = self._current(user_id, now)
            if report == self._reported.get(user_id) and user_id not in self._to_repeat:
                continue
            self._to_repeat.discard(user_id)
            changed[user_id] = report
            self._may_report_at.pop(user_id, None)  # the order is that of the times
            self._may_report_at[user_id] = now + _MIN_INTERVAL_S
            if report is None:
                self._reported.pop(user_id, None)
            else:
                self._reported[user_id] = report

    async def _report_everything(self) -> None:
        asks, self._sync_requested, self._needs_sync = self._needs_sync, False, False
        report = InstanceReport(self._name, dict(self._reported), replaces=True, asks=asks)
        await self._publish(report)
        await self._session_lists.report_everything()

    def _current(self, user_id: UserId, now: float) -> PresenceReport | None:
        """Return what to report of a user; None when it has no connected session here."""
        sessions = sorted(self._hub.sessions_of(user_id), key=lambda each: each.presence_set_at)
        connected = [each for each in sessions if each.detached_at is None]
        in_grace = [each for each in sessions if _is_in_grace(each, now)]
        if in_grace:
            self._hub.mark_presence_dirty(user_id)  # to be computed again after the grace period
        if not connected:
            return self._reported.get(user_id) if in_grace else None
        presence = merged(_on_device(each) for each in connected)
        # If a shard of a bot reconnects, it may be the only one that follows its guilds.
        guild_ids = frozenset(_guild_ids([*connected, *in_grace]))
        return PresenceReport(presence, shared(guild_ids))

    def _drop_expired_intervals(self, now: float) -> None:
        while self._may_report_at:
            user_id, until = next(iter(self._may_report_at.items()))
            if until > now:
                break
            del self._may_report_at[user_id]

    async def _expire_instances(self, now: float) -> None:
        """Remove the users of instances that are considered down from the table."""
        for instance, reported_at in list(self._last_report_at.items()):
            if now - reported_at > _INSTANCE_TIMEOUT_S:
                del self._last_report_at[instance]
                self._session_lists.drop(instance)
                while instance not in self._last_report_at:  # it may report again in between
                    users = self._table.users_of(instance, limit=_EXPIRY_BATCH)
                    if not users:
                        break
                    self._queue(self._table.apply(instance, dict.fromkeys(users)))
                    await asyncio.sleep(0)

    def _queue(self, changes: Iterable[PresenceChange]) -> None:
        for change in changes:
            self._member_lists.mark(change.guild_ids, change.user_id)
            self._friend_presences.mark(change.user_id)
            for guild_id in change.guild_ids:
                self._pending.setdefault(guild_id, {})[change.user_id] = None

    async def flush(self) -> None:
        """Send pending presences to local sessions, up to `_MAX_DELIVERIES`."""
        await self._delivery_queue.process_in_slices(self._next_pending(), self._send_presences)

    def _next_pending(self) -> Iterator[tuple[GuildId, list[UserId]]]:
        """Yield guilds with some of their changed users, up to `_MAX_DELIVERIES`."""
        limit = self._counters.deliveries + _MAX_DELIVERIES
        while self._pending and (left := limit - self._counters.deliveries) > 0:
            guild_id = next(iter(self._pending))
            waiting = self._pending.pop(guild_id)
            receivers = max(1, self._table.count_in(guild_id))
            count = max(1, min(MAX_TOGETHER, left // receivers))
            users = list(islice(waiting, count))
            for user_id in users:
                del waiting[user_id]
            if waiting:
                self._pending[guild_id] = waiting  # after the other guilds
            yield guild_id, users

    def _send_presences(self, change: tuple[GuildId, list[UserId]]) -> None:
        guild_id, users = change
        feed = self._hub.feed(StreamId(guild_id))
        if isinstance(feed, GuildFeed) and self._is_broadcast(guild_id):
            shown = {each: self._table.get_in(guild_id, each) for each in users}
            feed.push_presences(
                {each: events.presence_updated(guild_id, each, shown[each]) for each in users}
            )

    def _is_broadcast(self, guild_id: GuildId) -> bool:
        return self._table.count_in(guild_id) <= MAX_BROADCAST_MEMBERS

    def _known_presences(self, guild_ids: Iterable[GuildId]) -> dict[GuildId, KnownPresences]:
        """Return the presences that clients have received in these guilds, but for large ones."""
        digest_of = cache(lambda user_id: digest(self._table.get(user_id)))
        known = {}
        for guild_id in filter(self._is_broadcast, guild_ids):
            digests = {each: digest_of(each) for each in self._table.users_in(guild_id)}
            digests |= dict.fromkeys(self._pending.get(guild_id, ()), UNSENT)
            digests |= dict.fromkeys(self._restored.unsent(guild_id), UNSENT)
            known[guild_id] = KnownPresences(guild_id, digests)
        return known

    async def _publish(self, report: InstanceReport) -> None:
        for event in events.reported(report):
            await self._bus.publish([event])  # the bus may dispatch it at once
            await asyncio.sleep(0)


def _member_in(event: Event) -> UserId:
    """Return the member that a GUILD_MEMBER_ADD or GUILD_MEMBER_REMOVE is about."""
    return UserId(int(orjson.loads(event.body)["user"]["id"]))


def _is_in_grace(session: Session, now: float) -> bool:
    return session.detached_at is not None and now - session.detached_at < _GRACE_S


def _on_device(session: Session) -> Presence:
    presence = session.presence
    if presence.status in (Status.INVISIBLE, Status.OFFLINE):
        return presence
    return replace(presence, clients=((session.device, presence.status),))


def _guild_ids(sessions: Iterable[Session]) -> Iterable[GuildId]:
    followed: set[FollowedFeed] = set()
    followed.update(*[session.feeds for session in sessions])  # mostly the same feeds
    for feed in followed:
        if isinstance(feed, GuildFeed):
            yield GuildId(feed.stream)
