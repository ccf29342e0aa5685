"""The membership monitor: finds sessions that lack a guild of their user, and invalidates them.

A GUILD_JOINED can be lost, for example when Redis loses its data. If no session of this instance
follows the guild, the instance has no feed of it. Then no number is missing in a feed, and the gap
monitor does not notice the loss. So this monitor compares the guilds of all sessions with the
memberships in Postgres.

A GUILD_JOINED can also arrive after the feed of the guild has passed its number. Then the feed does
not deliver it, and the monitor compares the sessions of its user at once. They lack nothing if the
user has left the guild since.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence

from chatd.bus.subscription import Subscription
from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import GuildId
from chatd.core.time_slices import TimeSlices
from chatd.db.pool import Database
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.session.session import Session
from chatd.services import followed_guilds
from chatd.services.followed_guilds import FollowedGuilds

log = logging.getLogger(__name__)

_INTERVAL_S = 60.0
"""How often in seconds all sessions are compared. A loss is rare, and mostly follows an outage of
Redis, at whose end they are compared at once."""

_RETRY_S = 5.0
"""Seconds until the next attempt when Postgres is unavailable."""

_CONFIRM_S = 10.0
"""How long in seconds a session must lack a guild before it is invalidated. If the user has just
joined, the event may still be on its way. The feed of the guild may take this long to start
(`dispatcher`)."""

_READ_AT_ONCE = 500
"""The maximum of sessions that one statement compares."""

_GUILDS_AT_ONCE = 5_000
"""The number of guilds after which a further statement begins, counted over all of its sessions. A
statement reads each membership; 5,000 take Postgres 10 ms."""


class MembershipMonitor:
    """Compares the guilds of the hub's sessions with those of their users."""

    def __init__(self, hub: Hub, database: Database) -> None:
        self._hub = hub
        self._database = database
        self._is_due = asyncio.Event()
        self._late: set[Session] = set()
        """Sessions that may have missed a GUILD_JOINED which has arrived since."""
        self._has_late = asyncio.Event()

    def compare_soon(self) -> None:
        """Compare all sessions at once: events may have been lost."""
        self._is_due.set()

    def compare_late(self, sessions: Iterable[Session]) -> None:
        """Compare sessions at once: a GUILD_JOINED of their user arrived too late for its feed."""
        self._late.update(sessions)
        self._has_late.set()

    async def run(self, subscription: Subscription) -> None:
        """Compare regularly until cancelled."""
        pause_s = _INTERVAL_S
        while True:
            try:
                async with asyncio.timeout(pause_s):
                    await self._is_due.wait()
            except TimeoutError:
                pass
            self._is_due.clear()
            try:
                await self._compare(subscription)
                pause_s = _INTERVAL_S
            except ServiceUnavailable:
                pause_s = _RETRY_S

    async def run_late(self, subscription: Subscription) -> None:
        """Compare the sessions that are passed to `compare_late`, until cancelled."""
        while True:
            await self._has_late.wait()
            self._has_late.clear()
            late, self._late = self._late, set()
            try:
                await subscription.drained()
                self._invalidate(await self._missing(late))
            except ServiceUnavailable:
                self.compare_late(late)
                await asyncio.sleep(_RETRY_S)

    async def _compare(self, subscription: Subscription) -> None:
        """Invalidate the sessions that lack a guild. Raises ServiceUnavailable."""
        suspected = await self._missing(self._hub.sessions)
        if not suspected:
            return
        await asyncio.sleep(_CONFIRM_S)
        await subscription.drained()
        missing = await self._missing(suspected)
        self._invalidate(
            [each for each, ids in missing.items() if not suspected[each].isdisjoint(ids)]
        )

    def _invalidate(self, lacking: Collection[Session]) -> None:
        """Invalidate these sessions in time slices, since an outage can affect all of them."""
        if lacking:
            log.warning("%d sessions lack a guild of their users; invalidating them", len(lacking))
            self._hub.ended_feeds.invalidate(lacking)

    async def _missing(self, sessions: Iterable[Session]) -> dict[Session, frozenset[GuildId]]:
        """Return the guilds that sessions lack now. Raises ServiceUnavailable.

        Sessions that do not have all their guilds yet are omitted.
        """
        missing: dict[Session, frozenset[GuildId]] = {}
        slices = TimeSlices()
        part: dict[FollowedGuilds, list[Session]] = {}
        guilds = 0
        for session in [each for each in sessions if each.has_all_guilds]:
            followed = _followed(session)
            if followed not in part:
                guilds += followed.count
            part.setdefault(followed, []).append(session)
            await slices.step()
            if len(part) >= _READ_AT_ONCE or guilds >= _GUILDS_AT_ONCE:
                missing |= await self._missing_of(part)
                part, guilds = {}, 0
        return missing | await self._missing_of(part)

    async def _missing_of(
        self, sessions: Mapping[FollowedGuilds, Sequence[Session]]
    ) -> dict[Session, frozenset[GuildId]]:
        """Return the guilds that these sessions lack now; those of a key follow the same ones."""
        if not sessions:
            return {}
        different = await followed_guilds.different(self._database, list(sessions))
        missing = {}
        slices = TimeSlices()
        groups = list(sessions.values())
        for each in different:
            for session in groups[each.number]:
                if lacking := frozenset(each.guild_ids).difference(_guild_ids(session)):
                    missing[session] = lacking
                await slices.step()
        return missing


def _followed(session: Session) -> FollowedGuilds:
    """Return the count and the sum of the guilds that a session follows."""
    ids = _guild_ids(session)
    return FollowedGuilds(session.user_id, session.shard, len(ids), sum(ids))


def _guild_ids(session: Session) -> list[GuildId]:
    """Return the guilds that a session follows."""
    return [GuildId(each.stream) for each in session.feeds if isinstance(each, GuildFeed)]
