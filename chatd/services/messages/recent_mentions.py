"""Recent mentions: the messages of the last week that mention a user, in all its channels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chatd.context.context import Context
from chatd.core import snowflake
from chatd.core.ids import ChannelId, GuildId, MessageId, RoleId, UserId
from chatd.core.models import ChannelType, Member, Message
from chatd.core.permissions import Permissions
from chatd.db.cursor import Cursor
from chatd.events import private_channels as events
from chatd.queries import guilds, members, mentions, private_channels, search
from chatd.queries.search import Hit
from chatd.services import guild_snapshot
from chatd.services.access import access
from chatd.wire.schemas.query_strings import MentionPage

LIFETIME = timedelta(days=7)
"""The age up to which a message is recent. Rule: Discord's API for user accounts."""

MAX_REMOVED = 1000
"""The maximum of removals that are stored for one user. Mentions that it removed earlier are listed
again."""

_READABLE = Permissions.VIEW_CHANNEL | Permissions.READ_MESSAGE_HISTORY


async def list_for_caller(ctx: Context, wanted: MentionPage) -> list[Message]:
    """Return the newest messages that mention the caller, newest first.

    The caller must be able to read them, and they must be newer than its membership in the guild.
    200 guilds can have 100,000 channels, so they are read in parts, between which other requests
    run. Raises UnknownGuild, MissingAccess.
    """
    user_id, oldest = ctx.user.id, snowflake.at(datetime.now(UTC) - LIFETIME)
    async with ctx.database.cursor() as cur:
        own = await _memberships(cur, user_id, wanted.guild_id)
        sizes = await guilds.sizes(cur, own)
    found: list[Hit] = []
    for part in guild_snapshot.parts(sizes):
        async with ctx.database.cursor() as cur:
            after = await _readable(cur, {each: own[each] for each in part}, oldest)
            roles = [role_id for each in part for role_id in own[each].roles]
            found = _newest(found + await _recent(ctx, cur, after, wanted, roles), wanted)
    async with ctx.database.cursor() as cur:
        if wanted.guild_id is None:
            private = await private_channels.list_open_for_user(cur, user_id)
            after = {each.id: oldest for each in private}
            found = _newest(found + await _recent(ctx, cur, after, wanted, []), wanted)
        return await search.load(cur, ctx.viewer, found) if found else []


async def remove(ctx: Context, message_id: MessageId) -> None:
    """Remove a message from the caller's recent mentions. Repeating it changes nothing."""
    if message_id < snowflake.at(datetime.now(UTC) - LIFETIME):
        return  # the message is not listed any more
    async with ctx.begin() as work:
        await work.ensure_and_lock(ctx.user.id)
        await access.require_account(work.cur, ctx.user.id)
        if await mentions.remove(work.cur, ctx.user.id, message_id):
            await mentions.trim_removed(work.cur, ctx.user.id, most=MAX_REMOVED)
            work.emit(events.mention_removed(ctx.user.id, message_id))


async def _memberships(
    cur: Cursor, user_id: UserId, guild_id: GuildId | None
) -> dict[GuildId, Member]:
    """Return the memberships of a user in one guild, or in all.

    Raises UnknownGuild, MissingAccess.
    """
    if guild_id is not None:
        await access.guild(cur, user_id, guild_id)
    found = await members.list_for_user(cur, user_id)
    return {each.guild_id: each for each in found if guild_id in (None, each.guild_id)}


async def _readable(cur: Cursor, own: dict[GuildId, Member], oldest: int) -> dict[ChannelId, int]:
    """Return the channels that a member may read, with the id above which messages count."""
    return {
        each.id: max(oldest, snowflake.at(own[each.guild_id].joined_at))
        for each in await guild_snapshot.visible(cur, own, needed=_READABLE)
        if each.type != ChannelType.CATEGORY
    }


async def _recent(
    ctx: Context,
    cur: Cursor,
    after: dict[ChannelId, int],
    wanted: MentionPage,
    roles: list[RoleId],
) -> list[Hit]:
    return await mentions.recent(
        cur,
        ctx.user.id,
        after,
        before=wanted.before,
        roles=roles if wanted.roles else [],
        everyone=wanted.everyone,
        limit=wanted.limit,
    )


def _newest(found: list[Hit], wanted: MentionPage) -> list[Hit]:
    return sorted(found, key=lambda each: each.id, reverse=True)[: wanted.limit]
