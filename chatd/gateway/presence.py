"""Presence: from what the sessions here show, to what everyone else is told of it.

What changes here is gathered for a moment and reported to every instance, this one too; each
tells its own sessions. So there is one way for a change, wherever it comes from.

What it costs: a change is one entry on the bus, whatever the number of guilds, and one delivery for
each session that shares a guild with the user and wants presences: 0.4 ms of a core in a guild with
1000 of them. That is quadratic in the size of a guild: n members who change once an hour each cost
n*n deliveries. Three things bound it. In a guild of more than `MAX_TOLD` online members nobody is
told of changes (12 us each then, instead of 5.7 ms with 10,000); their clients ask for the
presences of those they show (REQUEST_GUILD_MEMBERS with `presences`). A user is reported every
`_PAUSE_S` at the most. And an instance makes `_AT_ONCE` of these deliveries in `_GATHER_S` at the
most, about a twentieth of a core; when more is to be told, as when everybody comes back after a
restart, it is told later, and of each user only the newest.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace

from chatd.bus.bus import Bus
from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.presence import Presence, Report, Status, merged
from chatd.ephemeral.presence import Change
from chatd.events import presence as events
from chatd.events.event import Event
from chatd.events.presence import InstanceReport
from chatd.gateway.feed import GuildFeed
from chatd.gateway.registry import Registry
from chatd.gateway.session import Session

MAX_TOLD = 1000
"""The most online members of a guild that are told of each other's changes."""

_GATHER_S = 0.25
_AT_ONCE = 25_000  # deliveries in _GATHER_S
_PAUSE_S = 2.0  # between two reports of the same user
_GRACE_S = 8.0  # for a user whose last socket is gone to come back before others see it go
_BEAT_S = 3.0
_LOST_S = 10.0  # an instance that is not heard of for so long is taken for dead


class Presences:
    """Reports the users of this instance, and tells its sessions what others report."""

    def __init__(self, registry: Registry, bus: Bus) -> None:
        self._registry = registry
        self._table = registry.presences
        self._bus = bus
        self._name = secrets.token_hex(8)
        self._clock = asyncio.get_running_loop().time
        self._reported: dict[UserId, Report] = {}
        self._may_report_at: dict[UserId, float] = {}
        self._heard_at: dict[str, float] = {}
        self._untold: dict[tuple[GuildId, UserId], None] = {}
        """Who is shown anew where; in the order in which it is told."""
        self._asked = False
        self._must_ask = True

    async def run(self) -> None:
        """Report changes for ever."""
        beat_at = 0.0
        while True:
            await asyncio.sleep(_GATHER_S)
            await self._report_changes()
            if self._asked or self._must_ask:
                await self._report_everything()
            await self.tell()
            now = self._clock()
            if now >= beat_at:
                beat_at = now + _BEAT_S
                await self._publish(InstanceReport(self._name, {}))
                self._drop_silent(now)

    def interrupted(self) -> None:
        """Something may have been missed: the others will be asked."""
        self._heard_at = dict.fromkeys(self._heard_at, self._clock())
        self._must_ask = True

    def heed(self, event: Event) -> None:
        """Take in what an instance reports, and tell the sessions here."""
        if event.name != events.PRESENCE_REPORT:
            return
        report = events.read_report(event)
        self._heard_at[report.instance] = self._clock()
        if report.asks and report.instance != self._name:
            self._asked = True
        if report.replaces:
            known = {user_id: each for user_id, each in report.users.items() if each is not None}
            self._tell(self._table.replace(report.instance, known))
        elif report.users:
            self._tell(self._table.apply(report.instance, report.users))

    async def _report_changes(self) -> None:
        now = self._clock()
        waiting, self._registry.restless = self._registry.restless, set()
        changed: dict[UserId, Report | None] = {}
        for user_id in waiting:
            if now < self._may_report_at.get(user_id, 0.0):
                self._registry.restless.add(user_id)
                continue
            report = self._current(user_id, now)
            if report == self._reported.get(user_id):
                continue
            changed[user_id] = report
            self._may_report_at[user_id] = now + _PAUSE_S
            if report is None:
                self._reported.pop(user_id, None)
            else:
                self._reported[user_id] = report
        self._forget_pauses(now)
        if changed:
            await self._publish(InstanceReport(self._name, changed))

    async def _report_everything(self) -> None:
        asks, self._asked, self._must_ask = self._must_ask, False, False
        report = InstanceReport(self._name, dict(self._reported), replaces=True, asks=asks)
        await self._publish(report)

    def _current(self, user_id: UserId, now: float) -> Report | None:
        """What a user shows through its sessions here; None when it is not here any more."""
        sessions = sorted(self._registry.of_user(user_id), key=lambda each: each.shown_at)
        connected = [each for each in sessions if each.detached_at is None]
        if not connected and any(_is_fresh(each, now) for each in sessions):
            self._registry.restless.add(user_id)  # looked at again when the grace is over
            return self._reported.get(user_id)
        if not connected:
            return None
        presence = merged(_on_device(each) for each in connected)
        return Report(presence, frozenset(_guild_ids(connected)))

    def _forget_pauses(self, now: float) -> None:
        for user_id, until in list(self._may_report_at.items()):
            if until <= now:
                del self._may_report_at[user_id]

    def _drop_silent(self, now: float) -> None:
        """Whoever was connected to an instance that is dead is offline."""
        for instance, heard_at in list(self._heard_at.items()):
            if now - heard_at > _LOST_S:
                del self._heard_at[instance]
                self._tell(self._table.drop(instance))

    def _tell(self, changes: Iterable[Change]) -> None:
        for change in changes:
            for guild_id in change.guild_ids:
                self._untold.setdefault((guild_id, change.user_id))

    async def tell(self) -> None:
        """Tell the sessions here what has changed, or as much of it as is good for the others."""
        await self._registry.deliveries.in_turns(self._next_untold(), self._tell_one)

    def _next_untold(self) -> Iterator[tuple[GuildId, UserId]]:
        tally = self._registry.tally
        enough = tally.deliveries + _AT_ONCE
        while self._untold and tally.deliveries < enough:
            told = next(iter(self._untold))
            del self._untold[told]
            yield told

    def _tell_one(self, told: tuple[GuildId, UserId]) -> None:
        guild_id, user_id = told
        feed = self._registry.feed(StreamId(guild_id))
        if isinstance(feed, GuildFeed) and self._table.count_in(guild_id) <= MAX_TOLD:
            event = events.presence_updated(guild_id, user_id, self._table.of(user_id))
            feed.offer(event, self._clock())

    async def _publish(self, report: InstanceReport) -> None:
        await self._bus.publish([events.reported(report)])


def _is_fresh(session: Session, now: float) -> bool:
    return session.detached_at is not None and now - session.detached_at < _GRACE_S


def _on_device(session: Session) -> Presence:
    presence = session.presence
    if presence.status in (Status.INVISIBLE, Status.OFFLINE):
        return presence
    return replace(presence, clients=((session.client, presence.status),))


def _guild_ids(sessions: Iterable[Session]) -> Iterable[GuildId]:
    for session in sessions:
        for feed in session.feeds:
            if isinstance(feed, GuildFeed):
                yield GuildId(feed.stream)
