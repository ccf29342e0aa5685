"""Members of guilds: listing them, and leaving."""

from __future__ import annotations

from chatd.context import Context
from chatd.core.errors import OwnerCannotLeave, UnknownMember
from chatd.core.ids import GuildId, UserId
from chatd.core.models import Member
from chatd.events import guilds as guild_events
from chatd.events import members as events
from chatd.queries import members
from chatd.services import access


async def page(ctx: Context, guild_id: GuildId, *, after: int, limit: int) -> list[Member]:
    """Members above a user id, in the order of ids. Raises UnknownGuild, MissingAccess."""
    async with ctx.database.cursor() as cur:
        await access.guild(cur, ctx.user.id, guild_id)
        return await members.page(cur, guild_id, after=after, limit=limit)


async def get(ctx: Context, guild_id: GuildId, user_id: UserId) -> Member:
    """One member. Raises UnknownGuild, MissingAccess, UnknownMember."""
    async with ctx.database.cursor() as cur:
        await access.guild(cur, ctx.user.id, guild_id)
        member = await members.get(cur, guild_id, user_id)
    if member is None:
        raise UnknownMember
    return member


async def leave(ctx: Context, guild_id: GuildId) -> None:
    """Leave a guild. Raises UnknownGuild, MissingAccess, OwnerCannotLeave."""
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        if granted.guild.owner_id == ctx.user.id:
            raise OwnerCannotLeave
        await members.delete(work.cur, guild_id, ctx.user.id)
        work.raise_version(guild_id)
        work.emit(guild_events.guild_left(ctx.user.id, guild_id))
        work.emit(events.member_removed(guild_id, granted.member.user))
