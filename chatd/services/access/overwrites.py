"""Writing permission overwrites: all writes pass through this module, which enforces their limits.

A channel has at most MAX_OVERWRITES, and all channels of a guild together MAX_IN_GUILD. Without the
second limit, every reader of a guild would read up to channels x overwrites.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chatd.context.unit_of_work import UnitOfWork
from chatd.core.errors import TooManyGuildOverwrites, TooManyOverwrites, UnknownOverwrite
from chatd.core.ids import ChannelId, GuildId, UserId
from chatd.core.models import Channel
from chatd.core.overwrites import Overwrite, OverwriteType
from chatd.db.cursor import Cursor
from chatd.queries import channels, roles, users

MAX_OVERWRITES = 1000
"""The overwrites of one channel. Rule: Discord's limit."""

MAX_IN_GUILD = 10_000
"""The overwrites of all channels of a guild together: 20 for each of 500 channels.

At this limit, GUILD_CREATE has 1.5 MB (measured by `python -m tests.bench.products`).
"""


def have_same_effect(some: Sequence[Overwrite], others: Sequence[Overwrite]) -> bool:
    """Return whether two lists of overwrites are equal, except for those without any bit."""
    return _effective(some) == _effective(others)


def _effective(overwrites: Sequence[Overwrite]) -> set[Overwrite]:
    return {each for each in overwrites if each.allow or each.deny}


async def require_targets(
    cur: Cursor, guild_id: GuildId, before: Sequence[Overwrite], after: Sequence[Overwrite]
) -> None:
    """Raise UnknownOverwrite for a new target that is neither a role of the guild nor a user.

    Targets that the channel already has are not checked: clients send all overwrites back,
    including those for members that have left.
    """
    members = {UserId(each) for each in _new_targets(before, after, OverwriteType.MEMBER)}
    if members and len(await users.by_ids(cur, members, skip_deleted=True)) < len(members):
        raise UnknownOverwrite
    role_ids = _new_targets(before, after, OverwriteType.ROLE)
    if role_ids and role_ids - {
        int(each.id) for each in await roles.list_for_guilds(cur, [guild_id])
    }:
        raise UnknownOverwrite


def _new_targets(
    before: Iterable[Overwrite], after: Iterable[Overwrite], kind: OverwriteType
) -> set[int]:
    old, new = [{each.target_id for each in some if each.type == kind} for some in (before, after)]
    return new - old


async def require_room(
    cur: Cursor,
    guild_id: GuildId,
    before: Sequence[Overwrite],
    after: Sequence[Overwrite],
    *,
    copies: int = 1,
) -> None:
    """Raise TooManyOverwrites or TooManyGuildOverwrites if overwrites exceed a limit.

    `copies` is the number of channels that change in this way. Changes without growth are
    permitted even above a limit.
    """
    growth = (len(after) - len(before)) * copies
    if growth <= 0:
        return
    if len(after) > MAX_OVERWRITES:
        raise TooManyOverwrites
    if await channels.count_overwrites(cur, guild_id) + growth > MAX_IN_GUILD:
        raise TooManyGuildOverwrites(MAX_IN_GUILD)


async def insert_channel(work: UnitOfWork, channel: Channel) -> None:
    """Add a channel with its overwrites. The guild is locked.

    Raises TooManyOverwrites, TooManyGuildOverwrites.
    """
    await require_room(work.cur, channel.guild_id, (), channel.overwrites)
    await channels.insert(work.cur, channel)


async def replace(work: UnitOfWork, before: Channel, after: Channel) -> None:
    """Write the changed overwrites of a channel. The guild is locked.

    Raises TooManyOverwrites, TooManyGuildOverwrites.
    """
    await require_room(work.cur, after.guild_id, before.overwrites, after.overwrites)
    await channels.replace_overwrites(work.cur, before, after)


async def copy(
    work: UnitOfWork, before: Channel, after: Channel, channel_ids: Sequence[ChannelId]
) -> None:
    """Replace the overwrites of `before` in channels by those of `after`. The guild is locked.

    Raises TooManyGuildOverwrites.
    """
    await require_room(
        work.cur, after.guild_id, before.overwrites, after.overwrites, copies=len(channel_ids)
    )
    await channels.copy_overwrites(work.cur, before, after, channel_ids)
