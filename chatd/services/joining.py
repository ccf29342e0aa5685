"""Joining a guild: by an invite, or as a bot that somebody adds."""

from __future__ import annotations

from chatd.context import Context, Work
from chatd.core.errors import TooManyGuilds
from chatd.core.ids import GuildId
from chatd.core.models import MessageType, Place, User
from chatd.events import guilds as guild_events
from chatd.events import members as member_events
from chatd.events import users as user_events
from chatd.queries import guilds, members
from chatd.services import access, snapshots
from chatd.services.drafts import Draft, post
from chatd.services.guilds import MAX_GUILDS
from chatd.services.snapshots import GuildSnapshot

_NO_JOIN_MESSAGES = 1 << 0  # Discord docs, Guild resource, "System Channel Flags"


async def require_room(work: Work, user: User) -> None:
    """One join of a user at a time, and none while it is renamed. The guild is locked.

    Raises TooManyGuilds, Unauthorized.
    """
    await work.open(user.id)
    await access.require_account(work.cur, user.id)
    if await guilds.count_of_user(work.cur, user.id) >= MAX_GUILDS:
        raise TooManyGuilds


async def join(ctx: Context, work: Work, user: User, guild_id: GuildId) -> None:
    """Make a user a member, and tell both sides. The guild is locked, and there is room."""
    await members.insert(work.cur, guild_id, user.id)
    snapshot = await snapshots.of_guild(work.cur, guild_id, user.id, large_threshold=50)
    assert snapshot is not None
    work.emit(user_events.membership_changed(user.id, guild_id))
    work.emit(member_events.member_added(snapshot.own))
    work.emit(guild_events.guild_joined(user.id, guild_id, snapshot.state()))
    await _welcome(ctx, work, user, snapshot)


async def _welcome(ctx: Context, work: Work, user: User, snapshot: GuildSnapshot) -> None:
    """Tell in the guild's system channel that somebody has joined, unless that is silenced."""
    channel_id = snapshot.guild.system_channel_id
    if channel_id is None or snapshot.guild.system_channel_flags & _NO_JOIN_MESSAGES:
        return
    draft = Draft(
        author=user,
        member=snapshot.own,
        place=Place(channel_id, snapshot.guild.id),
        type=MessageType.USER_JOIN,
    )
    await post(ctx, work, draft)
