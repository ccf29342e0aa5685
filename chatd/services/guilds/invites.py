"""Invites to guilds: creating, showing, accepting and deleting them."""

from __future__ import annotations

import secrets
import string

from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.audit import AuditAction
from chatd.core.errors import (
    MissingPermissions,
    TooManyInvites,
    UnknownChannel,
    UnknownInvite,
    UserBanned,
)
from chatd.core.ids import ChannelId, GuildId, UserId
from chatd.core.models import Guild, GuildCounts, Invite
from chatd.core.permissions import Permissions
from chatd.db.cursor import Cursor
from chatd.events import invites as events
from chatd.queries import channels, invites, members, temporary_members
from chatd.queries.invites import InviteOptions
from chatd.services.access import access
from chatd.services.guilds import audit_log, incidents
from chatd.services.guilds.joining import join, require_guild_slot
from chatd.wire.schemas.invites import NewInvite

MAX_INVITES = 1000
"""The active invites of one guild. Rule: Discord's limit."""

_ALPHABET = string.ascii_letters + string.digits
_CODE_LENGTH = 10  # 59 bits: infeasible to guess, short enough to dictate


async def create(ctx: Context, channel_id: ChannelId, wanted: NewInvite) -> Invite:
    """Create an invite to a channel, or return an unused one with the same options.

    Needs CREATE_INSTANT_INVITE. Raises UnknownChannel, MissingAccess, MissingPermissions,
    TooManyInvites.
    """
    terms = InviteOptions(wanted.max_age, wanted.max_uses, wanted.temporary)
    async with ctx.begin() as work:
        granted = await access.locked_guild_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.CREATE_INSTANT_INVITE)
        guild_id = granted.guild.id
        code = None
        if not wanted.unique:
            code = await invites.find_reusable(work.cur, channel_id, ctx.user.id, terms)
        is_new = code is None
        if code is None:
            if await invites.count_for_guild(work.cur, guild_id) >= MAX_INVITES:
                raise TooManyInvites
            code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
            await invites.insert(work.cur, code, guild_id, channel_id, ctx.user.id, options=terms)
        invite = await invites.get(work.cur, code)
        assert invite is not None
        if is_new:
            work.emit(events.invite_created(invite))
            changes = audit_log.changes(None, _audit_fields(invite))
            action = AuditAction.INVITE_CREATE
            await audit_log.record(ctx, work, guild_id, action, None, changes=changes)
    return invite


async def list_for_channel(ctx: Context, channel_id: ChannelId) -> list[Invite]:
    """Return the active invites to a channel. Needs MANAGE_CHANNELS.

    Raises UnknownChannel, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild_channel(cur, ctx.user.id, channel_id)
        granted.require(Permissions.MANAGE_CHANNELS)
        return await invites.list_for_channel(cur, granted.guild.id, channel_id)


async def list_for_guild(ctx: Context, guild_id: GuildId) -> list[Invite]:
    """Return the active invites to channels that the caller can see. Needs MANAGE_GUILD.

    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        found = await invites.list_for_guild(cur, guild_id)
        known = await channels.overwrites_for_member(cur, [guild_id], granted.targets)
    seen = {channel.id for channel in known if granted.can_see(channel)}
    return [invite for invite in found if invite.channel_id in seen]


async def get(dependencies: Dependencies, code: str) -> tuple[Invite, GuildCounts]:
    """Return an invite with the member counts of its guild. Knowing the code is sufficient.

    Raises UnknownInvite.
    """
    async with dependencies.database.cursor() as cur:
        invite = await invites.get(cur, code)
        if invite is None:
            raise UnknownInvite
        counts = await members.counts(cur, [invite.guild.id])
    guild_id = invite.guild.id
    return invite, GuildCounts(counts.get(guild_id, 0), dependencies.presences.count_in(guild_id))


async def accept(ctx: Context, code: str) -> Invite:
    """Join the guild of an invite. If the caller is already a member, no use is consumed.

    Raises UnknownInvite, UserBanned, InvitesPaused, TooManyGuilds.
    """
    async with ctx.database.cursor() as cur:
        invite = await invites.get(cur, code)
        if invite is None:
            raise UnknownInvite
        guild_id = invite.guild.id
        await _require_open(cur, invite.guild, ctx.user.id)
    async with ctx.begin() as work:
        if not await work.lock(guild_id):
            raise UnknownInvite
        if await members.is_banned(work.cur, guild_id, ctx.user.id):
            raise UserBanned
        if await members.get(work.cur, guild_id, ctx.user.id) is not None:
            return invite
        await require_guild_slot(work, ctx.user)
        paused = await incidents.admit(ctx, work, guild_id)
        if paused is None:
            await _join(ctx, work, invite)
    if paused is not None:
        raise paused  # after the commit, which keeps what a raid has changed
    return invite


async def _require_open(cur: Cursor, guild: Guild, user_id: UserId) -> None:
    """Raise InvitesPaused before the guild is locked, so that a raid does not delay its members."""
    paused = incidents.pause_of(guild)
    if paused is not None and await members.get(cur, guild.id, user_id) is None:
        raise paused


async def _join(ctx: Context, work: UnitOfWork, invite: Invite) -> None:
    """Consume a use of an invite, and add the caller. Raises UnknownInvite."""
    if not await invites.consume(work.cur, invite.code):
        raise UnknownInvite
    await join(ctx, work, ctx.user, invite.guild.id)
    if invite.temporary:
        await temporary_members.insert(work.cur, invite.guild.id, ctx.user.id)


async def delete(ctx: Context, code: str) -> Invite:
    """Delete an invite to a channel that the caller can see.

    The caller is the inviter, or needs MANAGE_GUILD, or MANAGE_CHANNELS in the channel. Raises
    UnknownInvite, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        invite = await invites.get(cur, code)
    if invite is None:
        raise UnknownInvite
    async with ctx.begin() as work:
        try:
            granted = await access.locked_guild_channel(work, ctx.user.id, invite.channel_id)
        except UnknownChannel:
            raise UnknownInvite from None  # deleted with its channel
        may = (
            Permissions.MANAGE_CHANNELS in granted.permissions
            or Permissions.MANAGE_GUILD in granted.in_guild
        )
        if invite.inviter.id != ctx.user.id:
            if not may:
                raise MissingPermissions
            granted.require_mfa()
        if not await invites.delete(work.cur, code):
            raise UnknownInvite
        work.emit(events.invite_deleted(invite))
        changes = audit_log.changes(_audit_fields(invite), None)
        action = AuditAction.INVITE_DELETE
        await audit_log.record(ctx, work, invite.guild.id, action, None, changes=changes)
    return invite


def _audit_fields(invite: Invite) -> dict[str, object]:
    """Return the fields of an invite for the audit log."""
    return {
        "code": invite.code,
        "channel_id": str(invite.channel_id),
        "max_age": invite.max_age_s,
        "max_uses": invite.max_uses,
        "uses": invite.uses,
        "temporary": invite.temporary,
    }
