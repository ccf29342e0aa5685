"""Invites: making, showing, using and deleting them."""

from __future__ import annotations

import secrets
import string

from chatd.context import Context, Resources, Work
from chatd.core.errors import (
    MissingPermissions,
    TooManyGuilds,
    TooManyInvites,
    UnknownInvite,
    UserBanned,
)
from chatd.core.ids import ChannelId
from chatd.core.models import AuditAction, Counts, Invite, MessageType, Place
from chatd.core.permissions import Permissions
from chatd.events import guilds as guild_events
from chatd.events import invites as events
from chatd.events import members as member_events
from chatd.events import users as user_events
from chatd.queries import guilds, invites, members
from chatd.queries.invites import Terms
from chatd.services import access, audit, snapshots
from chatd.services.drafts import Draft, post
from chatd.services.guilds import MAX_GUILDS
from chatd.services.snapshots import GuildSnapshot
from chatd.wire.schemas.invites import NewInvite

MAX_INVITES = 1000
"""How many living invites a guild can have."""

_ALPHABET = string.ascii_letters + string.digits
_NO_JOIN_MESSAGES = 1 << 0  # Discord docs, Guild resource, "System Channel Flags"
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
        await work.open(ctx.user.id)  # one join of a user at a time, and none while it is renamed
        await access.require_account(work.cur, ctx.user.id)
        if await guilds.count_of_user(work.cur, ctx.user.id) >= MAX_GUILDS:
            raise TooManyGuilds
        if not await invites.use(work.cur, code):
            raise UnknownInvite
        await members.insert(work.cur, guild_id, ctx.user.id)
        snapshot = await snapshots.of_guild(work.cur, guild_id, ctx.user.id, large_threshold=50)
        assert snapshot is not None
        work.emit(user_events.membership_changed(ctx.user.id, guild_id))
        work.emit(member_events.member_added(snapshot.own))
        work.emit(guild_events.guild_joined(ctx.user.id, guild_id, snapshot.state()))
        await _welcome(ctx, work, snapshot)
    return invite


async def _welcome(ctx: Context, work: Work, snapshot: GuildSnapshot) -> None:
    """Tell in the guild's system channel that the caller has joined, unless that is silenced."""
    channel_id = snapshot.guild.system_channel_id
    if channel_id is None or snapshot.guild.system_channel_flags & _NO_JOIN_MESSAGES:
        return
    draft = Draft(
        author=ctx.user,
        member=snapshot.own,
        place=Place(channel_id, snapshot.guild.id),
        type=MessageType.USER_JOIN,
    )
    await post(ctx, work, draft)


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
