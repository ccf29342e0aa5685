"""Temporary memberships: each ends when its user is offline, unless the member has a role.

Every few seconds, each instance records in Postgres which of these users are connected to it. A
membership ends when no instance has recorded its user for `GRACE_S`. This needs neither Redis nor a
graceful shutdown: a crashed instance stops recording. An instance ends memberships only after it
has recorded its own users without interruption for `GRACE_S`. So after a start, or an outage of
Postgres, clients have time to reconnect.

Rule: Discord docs, Channel resource, "Create Channel Invite", `temporary`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from chatd.context.dependencies import Dependencies
from chatd.core.errors import DatabaseUnavailable, ServiceUnavailable
from chatd.core.ids import GuildId, UserId
from chatd.core.presence import OFFLINE
from chatd.queries import members, temporary_members
from chatd.services.guilds.members import remove_member

log = logging.getLogger(__name__)

INTERVAL_S = 5.0
"""Seconds between two statements that record who is connected: six within GRACE_S."""

GRACE_S = 30.0
"""The time from disconnection to the end of temporary memberships. Clients reconnect within seconds
after a connection loss or a restart of an instance."""

_BATCH_USERS = 1000  # users of one statement
_BATCH_MEMBERSHIPS = 100  # memberships ended in one interval


class TemporaryMembers:
    """Records the connected users of this instance, and ends memberships of offline users."""

    def __init__(
        self,
        dependencies: Dependencies,
        is_connected: Callable[[UserId], bool],
        *,
        interval_s: float,
        grace_s: float,
    ) -> None:
        self._dependencies = dependencies
        self._is_connected = is_connected
        self._interval_s = interval_s
        self._grace_s = grace_s
        self._clock = asyncio.get_running_loop().time
        self._recorded_at = self._steady_since = self._clock()

    async def run(self) -> None:
        """Record users and end memberships, until cancelled."""
        while True:
            try:
                await self._record_connected()
                now = self._clock()
                if now - self._recorded_at > self._grace_s / 2:
                    self._steady_since = now
                self._recorded_at = now
                if now - self._steady_since > self._grace_s:
                    await self._end_expired()
            except ServiceUnavailable as missed:
                log.info("temporary memberships postponed: %s", missed)
                self._steady_since = self._clock()
            await asyncio.sleep(self._interval_s)

    async def _record_connected(self) -> None:
        async with self._dependencies.database.cursor() as cur:
            await temporary_members.make_permanent(cur)
        after = 0
        while True:
            async with self._dependencies.database.cursor() as cur:
                found = await temporary_members.list_users(cur, after=after, limit=_BATCH_USERS)
                if here := [each for each in found if self._is_connected(each)]:
                    await temporary_members.record_connected(cur, here)
            if len(found) < _BATCH_USERS:
                return
            after = found[-1]

    async def _end_expired(self) -> None:
        async with self._dependencies.database.cursor() as cur:
            found = await temporary_members.list_expired(
                cur, after_s=self._grace_s, limit=_BATCH_MEMBERSHIPS
            )
        for guild_id, user_id in found:
            # Reports over Redis count too: another instance may not reach Postgres.
            is_offline = self._dependencies.presences.get(user_id) == OFFLINE
            if is_offline and not self._is_connected(user_id):
                try:
                    await self._end_one(guild_id, user_id)
                except DatabaseUnavailable:
                    raise
                except ServiceUnavailable as error:  # the guild is locked, and the others are not
                    log.info("a temporary membership of guild %d stays: %s", guild_id, error)

    async def _end_one(self, guild_id: GuildId, user_id: UserId) -> None:
        async with self._dependencies.begin() as work:
            if not await work.lock(guild_id):
                return
            await temporary_members.make_permanent(work.cur, guild_id)
            is_over = await temporary_members.has_expired(
                work.cur, guild_id, user_id, after_s=self._grace_s
            )
            member = await members.get(work.cur, guild_id, user_id) if is_over else None
            if member is not None:
                await remove_member(work, member)
