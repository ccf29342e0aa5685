"""Joining a guild, by an invite or as an added bot."""

from __future__ import annotations

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.errors import TooManyGuilds
from chatd.core.ids import GuildId
from chatd.core.models import MessageLocation, MessageType, Role, User
from chatd.events import guilds as guild_events
from chatd.events import members as member_events
from chatd.events import roles as role_events
from chatd.events import users as user_events
from chatd.queries import guilds, members, roles
from chatd.services import guild_snapshot
from chatd.services.access import access
from chatd.services.guild_snapshot import GuildSnapshot
from chatd.services.guilds.guilds import MAX_GUILDS
from chatd.services.messages.drafts import Draft, insert_draft

_NO_JOIN_MESSAGES = 1 << 0  # Discord docs, Guild resource, "System Channel Flags"


async def require_guild_slot(work: UnitOfWork, user: User) -> None:
    """Lock a user, and require that it can join another guild. The guild is locked.

    The lock serializes the joins and renames of the user. Raises TooManyGuilds, Unauthorized.
    """
    await work.ensure_and_lock(user.id)
    await access.require_account(work.cur, user.id)
    if await guilds.count_for_user(work.cur, user.id) >= MAX_GUILDS:
        raise TooManyGuilds


async def join(
    ctx: Context, work: UnitOfWork, user: User, guild_id: GuildId, *, role: Role | None = None
) -> None:
    """Add a member, and notify both sides. Needs the locks of `require_guild_slot`.

    `role` is a new role, which the member has from the start.
    """
    await members.insert(work.cur, guild_id, user.id)
    if role is not None:
        await roles.insert(work.cur, role)
        await roles.assign(work.cur, guild_id, user.id, role.id)
        work.emit(role_events.role_created(role))
    snapshot = await guild_snapshot.get(work.cur, guild_id, user.id, large_threshold=50)
    assert snapshot is not None
    work.emit(user_events.membership_changed(user.id, guild_id))
    work.emit(member_events.member_added(snapshot.own))
    work.emit(guild_events.guild_joined(user.id, guild_id, snapshot.joined()))
    await _post_join_message(ctx, work, user, snapshot)


async def _post_join_message(
    ctx: Context, work: UnitOfWork, user: User, snapshot: GuildSnapshot
) -> None:
    """Post a message about the join in the system channel, unless the guild disables it."""
    channel_id = snapshot.guild.system_channel_id
    if channel_id is None or snapshot.guild.system_channel_flags & _NO_JOIN_MESSAGES:
        return
    draft = Draft(
        author=user,
        member=snapshot.own,
        location=MessageLocation(channel_id, snapshot.guild.id),
        type=MessageType.USER_JOIN,
    )
    await insert_draft(ctx, work, draft)
