"""Invites: making, showing, using and deleting them."""

from __future__ import annotations

import secrets
import string

from chatd.context import Context, Resources
from chatd.core.errors import (
    MissingPermissions,
    TooManyInvites,
    UnknownInvite,
    UserBanned,
)
from chatd.core.ids import ChannelId, GuildId
from chatd.core.models import AuditAction, Counts, Invite
from chatd.core.permissions import Permissions
from chatd.events import invites as events
from chatd.queries import invites, members
from chatd.queries.invites import Terms
from chatd.services import access, audit
from chatd.services.joining import join, require_room
from chatd.wire.schemas.invites import NewInvite

MAX_INVITES = 1000
"""How many living invites a guild can have."""

_ALPHABET = string.ascii_letters + string.digits
_CODE_LENGTH = 10  # 59 bits: not to be guessed, short enough to be read out


async def create(ctx: Context, channel_id: ChannelId, wanted: NewInvite) -> Invite:
    """Make an invite to a channel, or return an unused one with the same terms.

    Needs CREATE_INSTANT_INVITE. Raises UnknownChannel, MissingAccess, MissingPermissions,
    TooManyInvites.
    """
    terms = Terms(wanted.max_age, wanted.max_uses, wanted.temporary)
    async with ctx.begin() as work:
        granted = await access.locked_guild_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.CREATE_INSTANT_INVITE)
        guild_id = granted.guild.id
        code = None
        if not wanted.unique:
            code = await invites.alike(work.cur, channel_id, ctx.user.id, terms)
        is_new = code is None
        if code is None:
            if await invites.count_of_guild(work.cur, guild_id) >= MAX_INVITES:
                raise TooManyInvites
            code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
            await invites.insert(work.cur, code, guild_id, channel_id, ctx.user.id, terms=terms)
        invite = await invites.get(work.cur, code)
        assert invite is not None
        if is_new:
            work.emit(events.invite_created(invite))
            changes = audit.changes(None, _terms(invite))
            action = AuditAction.INVITE_CREATE
            await audit.record(ctx, work, guild_id, action, None, changes=changes)
    return invite


async def of_channel(ctx: Context, channel_id: ChannelId) -> list[Invite]:
    """The living invites to a channel. Needs MANAGE_CHANNELS.

    Raises UnknownChannel, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild_channel(cur, ctx.user.id, channel_id)
        granted.require(Permissions.MANAGE_CHANNELS)
        return await invites.of_channel(cur, granted.guild.id, channel_id)


async def of_guild(ctx: Context, guild_id: GuildId) -> list[Invite]:
    """The living invites to all channels of a guild. Needs MANAGE_GUILD.

    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        return await invites.of_guild(cur, guild_id)


async def get(resources: Resources, code: str) -> tuple[Invite, Counts]:
    """An invite and the numbers of members it leads to, to anyone who knows its code.

    Raises UnknownInvite.
    """
    async with resources.database.cursor() as cur:
        invite = await invites.get(cur, code)
        if invite is None:
            raise UnknownInvite
        counts = await members.counts(cur, [invite.guild.id])
    guild_id = invite.guild.id
    return invite, Counts(counts.get(guild_id, 0), resources.presences.count_in(guild_id))


async def accept(ctx: Context, code: str) -> Invite:
    """Join the guild that an invite leads to. A member who accepts one uses nothing up.

    Raises UnknownInvite, UserBanned, TooManyGuilds.
    """
    async with ctx.database.cursor() as cur:
        invite = await invites.get(cur, code)
    if invite is None:
        raise UnknownInvite
    guild_id = invite.guild.id
    async with ctx.begin() as work:
        if not await work.lock(guild_id):
            raise UnknownInvite
        if await members.is_banned(work.cur, guild_id, ctx.user.id):
            raise UserBanned
        if await members.get(work.cur, guild_id, ctx.user.id) is not None:
            return invite
        await require_room(work, ctx.user)
        if not await invites.use(work.cur, code):
            raise UnknownInvite
        await join(ctx, work, ctx.user, guild_id)
    return invite


async def delete(ctx: Context, code: str) -> Invite:
    """Delete an invite. Its maker may, and whoever has MANAGE_GUILD, or MANAGE_CHANNELS there.

    Raises UnknownInvite, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        invite = await invites.get(cur, code)
    if invite is None:
        raise UnknownInvite
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, invite.guild.id)
        may = granted.permissions & (Permissions.MANAGE_GUILD | Permissions.MANAGE_CHANNELS)
        if not may and invite.inviter.id != ctx.user.id:
            raise MissingPermissions
        if not await invites.delete(work.cur, code):
            raise UnknownInvite
        work.emit(events.invite_deleted(invite))
        changes = audit.changes(_terms(invite), None)
        action = AuditAction.INVITE_DELETE
        await audit.record(ctx, work, invite.guild.id, action, None, changes=changes)
    return invite


def _terms(invite: Invite) -> dict[str, object]:
    """What the audit log keeps of an invite."""
    return {
        "code": invite.code,
        "channel_id": str(invite.channel_id),
        "max_age": invite.max_age_s,
        "max_uses": invite.max_uses,
        "uses": invite.uses,
        "temporary": invite.temporary,
    }
