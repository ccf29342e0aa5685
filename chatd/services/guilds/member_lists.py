"""The members of a guild for its lists: all of a small guild, the online ones of a large one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from chatd.core.ids import GuildId, UserId
from chatd.core.models import Member, Role
from chatd.db.pool import Database
from chatd.queries import members, roles, streams
from chatd.services.guilds.members import READ_BATCH

MAX_WITH_OFFLINE = 1000
"""The members of a guild up to which its lists contain those that are offline. Rule: Discord's
clients expect it."""


@dataclass(frozen=True, slots=True)
class ListSnapshot:
    """A guild at its event number `seq`."""

    seq: int
    roles: Sequence[Role]
    member_count: int

    @property
    def hides_offline(self) -> bool:
        """Whether the lists contain only members that are online."""
        return self.member_count > MAX_WITH_OFFLINE


async def read(
    database: Database,
    guild_id: GuildId,
    online: Callable[[], Collection[UserId]],
    take: Callable[[Member], None],
) -> ListSnapshot:
    """Read a guild, and pass each member that its lists contain to `take`.

    `online` returns the users that are online there. Raises ServiceUnavailable.
    """
    transaction = await database.begin(snapshot=True)
    try:
        cur = transaction.cur
        positions = await streams.positions(cur, [guild_id])
        counts = await members.counts(cur, [guild_id])
        found_roles = await roles.list_for_guilds(cur, [guild_id])
        snapshot = ListSnapshot(positions.get(guild_id, 0), found_roles, counts.get(guild_id, 0))
        ids = online() if snapshot.hides_offline else await members.ids_for_guild(cur, guild_id)
        wanted = list(ids)
        for start in range(0, len(wanted), READ_BATCH):
            for member in await members.by_ids(cur, guild_id, wanted[start : start + READ_BATCH]):
                take(member)
    finally:
        await transaction.rollback()
    return snapshot


async def read_some(
    database: Database,
    guild_id: GuildId,
    user_ids: Sequence[UserId],
    take: Callable[[Member], None],
) -> int:
    """Pass those of these users that are members to `take`; return the position of the guild.

    Raises ServiceUnavailable.
    """
    transaction = await database.begin(snapshot=True)
    try:
        positions = await streams.positions(transaction.cur, [guild_id])
        for start in range(0, len(user_ids), READ_BATCH):
            batch = user_ids[start : start + READ_BATCH]
            for member in await members.by_ids(transaction.cur, guild_id, batch):
                take(member)
    finally:
        await transaction.rollback()
    return positions.get(guild_id, 0)
