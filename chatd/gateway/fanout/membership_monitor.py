"""The membership monitor: finds sessions that lack a guild of their user, and invalidates them.

A GUILD_JOINED can be lost, for example when Redis loses its data. If no session of this instance
follows the guild, there is no feed in which its number is missing, so the gap monitor cannot see
the loss. This monitor compares the guilds of all sessions with the memberships in Postgres.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from itertools import islice

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
joined, the event may still be on its way, and the feed of the guild may take this long to start
(`dispatcher`)."""

_READ_AT_ONCE = 500
"""Sessions that are compared at once: a statement with them takes a few milliseconds."""


class MembershipMonitor:
    """Compares the guilds of the hub's sessions with those of their users."""

    def __init__(self, hub: Hub, database: Database) -> None:
        self._hub = hub
        self._database = database
        self._is_due = asyncio.Event()

    def compare_soon(self) -> None:
        """Compare at once: events may have been lost."""
        self._is_due.set()

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

    async def _compare(self, subscription: Subscription) -> None:
        """Invalidate the sessions that lack a guild. Raises ServiceUnavailable."""
        suspected = await self._missing(self._hub.sessions)
        if not suspected:
            return
        await asyncio.sleep(_CONFIRM_S)
        await subscription.drained()
        for session, guild_ids in (await self._missing(suspected)).items():
            is_present = self._hub.session(session.id) is session
            if is_present and not suspected[session].isdisjoint(guild_ids):
                log.warning("a session of user %d lacks a guild; invalidating it", session.user_id)
                self._hub.invalidate(session)

    async def _missing(self, sessions: Iterable[Session]) -> dict[Session, frozenset[GuildId]]:
        """Return the guilds that sessions lack now. Raises ServiceUnavailable.

        Sessions that do not have all their guilds yet are omitted.
        """
        left = iter([each for each in sessions if each.has_all_guilds])
        missing = {}
        slices = TimeSlices()
        while some := list(islice(left, _READ_AT_ONCE)):
            followed = []
            for session in some:
                ids = _guild_ids(session)
                summary = FollowedGuilds(session.user_id, session.shard, len(ids), sum(ids))
                followed.append(summary)
                await slices.step()
            for each in await followed_guilds.different(self._database, followed):
                session = some[each.number]
                if lacking := frozenset(each.guild_ids).difference(_guild_ids(session)):
                    missing[session] = lacking
        return missing


def _guild_ids(session: Session) -> list[GuildId]:
    """Return the guilds that a session follows."""
    return [GuildId(each.stream) for each in session.feeds if isinstance(each, GuildFeed)]
