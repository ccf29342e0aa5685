"""Roles: making, changing, ordering, deleting, giving and taking them.

Nobody acts on a role that does not stand below its own highest one, and nobody grants what it
does not have. Rule: Discord docs, Permissions, "Permission Hierarchy".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from chatd.context import Context, Work
from chatd.core.errors import (
    InvalidForm,
    InvalidRole,
    MissingPermissions,
    TooManyRoles,
    UnknownMember,
    UnknownRole,
)
from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.models import AuditAction, Member, Role
from chatd.core.permissions import Permissions
from chatd.db import Cursor
from chatd.events import channels as channel_events
from chatd.events import members as member_events
from chatd.events import roles as events
from chatd.queries import channels, members, roles
from chatd.services import access, audit
from chatd.services.access import GuildAccess
from chatd.wire import payloads
from chatd.wire.fields import UNSET
from chatd.wire.schemas.roles import NewRole, RoleChange, RoleMove

MAX_ROLES = 250
"""How many roles a guild can have, @everyone among them."""


async def of_guild(ctx: Context, guild_id: GuildId) -> list[Role]:
    """The roles of a guild, lowest first. Raises UnknownGuild, MissingAccess."""
    async with ctx.database.cursor() as cur:
        await access.guild(cur, ctx.user.id, guild_id)
        return await roles.of_guilds(cur, [guild_id])


async def get(ctx: Context, guild_id: GuildId, role_id: RoleId) -> Role:
    """One role. Raises UnknownGuild, MissingAccess, UnknownRole."""
    async with ctx.database.cursor() as cur:
        await access.guild(cur, ctx.user.id, guild_id)
        return await _existing(cur, guild_id, role_id)


async def create(ctx: Context, guild_id: GuildId, wanted: NewRole) -> Role:
    """Make a role, just above @everyone. Needs MANAGE_ROLES.

    Raises UnknownGuild, MissingAccess, MissingPermissions, TooManyRoles.
    """
    async with ctx.begin() as work:
        granted = await _manager(ctx, work, guild_id)
        existing = await roles.of_guilds(work.cur, [guild_id])
        if len(existing) >= MAX_ROLES:
            raise TooManyRoles
        everyone = next(role for role in existing if role.is_everyone)
        if wanted.permissions is not None:
            granted.require_grantable(wanted.permissions)
        role = Role(
            id=ctx.new_id(RoleId),
            guild_id=guild_id,
            name=wanted.name,
            permissions=everyone.permissions if wanted.permissions is None else wanted.permissions,
            color=wanted.color,
            hoist=wanted.hoist,
            mentionable=wanted.mentionable,
            position=1,
        )
        await roles.insert(work.cur, role)
        work.emit(events.role_created(role))
        await _record(ctx, work, AuditAction.ROLE_CREATE, None, role)
    return role


async def update(ctx: Context, guild_id: GuildId, role_id: RoleId, change: RoleChange) -> Role:
    """Change a role below one's own. Needs MANAGE_ROLES.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownRole.
    """
    async with ctx.begin() as work:
        granted = await _manager(ctx, work, guild_id)
        role = await _existing(work.cur, guild_id, role_id)
        granted.require_above(access.role_rank(role))
        changed = _changed(role, change)
        granted.require_grantable(changed.permissions ^ role.permissions)
        if changed != role:
            await _save(ctx, work, role, changed)
    return changed


async def reorder(ctx: Context, guild_id: GuildId, moves: Sequence[RoleMove]) -> list[Role]:
    """Move roles that are below one's own to places below it. Needs MANAGE_ROLES.

    Libraries number all roles anew, in an order of which only a part has changed: the numbers of
    one's own and of those above it may change as long as their order does not.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownRole, InvalidForm.
    """
    async with ctx.begin() as work:
        granted = await _manager(ctx, work, guild_id)
        existing = {role.id: role for role in await roles.of_guilds(work.cur, [guild_id])}
        wanted = dict(existing)
        for move in {move.id: move for move in moves}.values():
            role = existing.get(move.id)
            if role is None:
                raise UnknownRole
            if role.is_everyone != (move.position == 0):
                raise InvalidForm.of(
                    "position", "ROLE_POSITION_INVALID", "Only @everyone stands at 0."
                )
            wanted[move.id] = replace(role, position=move.position)
        _require_order(granted, [*existing.values()], [*wanted.values()])
        for role, changed in zip(existing.values(), wanted.values(), strict=True):
            if changed != role:
                await _save(ctx, work, role, changed)
        return await roles.of_guilds(work.cur, [guild_id])


async def delete(ctx: Context, guild_id: GuildId, role_id: RoleId) -> None:
    """Delete a role below one's own; members lose it, and channels their overwrites for it.

    Needs MANAGE_ROLES. Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownRole,
    InvalidRole.
    """
    async with ctx.begin() as work:
        granted = await _manager(ctx, work, guild_id)
        role = await _existing(work.cur, guild_id, role_id)
        if role.is_everyone:
            raise InvalidRole
        granted.require_above(access.role_rank(role))
        touched = [
            channel
            for channel in await channels.of_guild(work.cur, guild_id)
            if any(overwrite.target_id == role_id for overwrite in channel.overwrites)
        ]
        await channels.delete_overwrites_of(work.cur, guild_id, role_id)
        await roles.delete(work.cur, guild_id, role_id)
        work.raise_version(guild_id)
        work.emit(events.role_deleted(guild_id, role_id))
        for channel in touched:
            left = tuple(each for each in channel.overwrites if each.target_id != role_id)
            work.emit(channel_events.channel_updated(replace(channel, overwrites=left)))
        await _record(ctx, work, AuditAction.ROLE_DELETE, role, None)


async def assign(ctx: Context, guild_id: GuildId, user_id: UserId, role_id: RoleId) -> None:
    """Give a member a role below one's own. Needs MANAGE_ROLES.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownRole, UnknownMember.
    """
    async with ctx.begin() as work:
        granted = await _manager(ctx, work, guild_id)
        member = await _member(work.cur, guild_id, user_id)
        await give_and_take(ctx, work, granted, member, give={role_id}, take=set())


async def unassign(ctx: Context, guild_id: GuildId, user_id: UserId, role_id: RoleId) -> None:
    """Take a role below one's own from a member. Needs MANAGE_ROLES.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownRole, UnknownMember.
    """
    async with ctx.begin() as work:
        granted = await _manager(ctx, work, guild_id)
        member = await _member(work.cur, guild_id, user_id)
        await give_and_take(ctx, work, granted, member, give=set(), take={role_id})


async def give_and_take(
    ctx: Context,
    work: Work,
    granted: GuildAccess,
    member: Member,
    *,
    give: set[RoleId],
    take: set[RoleId],
) -> Member:
    """Change the roles of a member, each below the caller's own; the member as it is then.

    Raises MissingPermissions, UnknownRole, InvalidRole.
    """
    guild_id, user_id = member.guild_id, member.user.id
    known = {role.id: role for role in await roles.of_guilds(work.cur, [guild_id])}
    for role_id in give | take:
        if role_id not in known:
            raise UnknownRole
        if known[role_id].is_everyone:
            raise InvalidRole
        granted.require_above(access.role_rank(known[role_id]))
    added, removed = give - set(member.roles), take & set(member.roles)
    if not added and not removed:
        return member
    for role_id in added:
        await roles.assign(work.cur, guild_id, user_id, role_id)
    for role_id in removed:
        await roles.unassign(work.cur, guild_id, user_id, role_id)
    changed = await _member(work.cur, guild_id, user_id)
    work.raise_version(guild_id)
    work.emit(member_events.member_updated(changed))
    await audit.record(
        ctx,
        work,
        guild_id,
        AuditAction.MEMBER_ROLE_UPDATE,
        user_id,
        changes=[
            {
                "key": key,
                "new_value": [
                    {"id": str(role_id), "name": known[role_id].name} for role_id in sorted(which)
                ],
            }
            for key, which in (("$add", added), ("$remove", removed))
            if which
        ],
    )
    return changed


async def _manager(ctx: Context, work: Work, guild_id: GuildId) -> GuildAccess:
    granted = await access.locked_guild(work, ctx.user.id, guild_id)
    granted.require(Permissions.MANAGE_ROLES)
    return granted


async def _save(ctx: Context, work: Work, role: Role, changed: Role) -> None:
    await roles.update(work.cur, changed)
    work.raise_version(role.guild_id)
    work.emit(events.role_updated(changed))
    await _record(ctx, work, AuditAction.ROLE_UPDATE, role, changed)


async def _record(
    ctx: Context, work: Work, action: AuditAction, before: Role | None, after: Role | None
) -> None:
    role = after or before
    assert role is not None
    await audit.record(
        ctx,
        work,
        role.guild_id,
        action,
        role.id,
        changes=audit.changes(
            None if before is None else payloads.role(before),
            None if after is None else payloads.role(after),
        ),
    )


def _require_order(granted: GuildAccess, before: Collection[Role], after: Collection[Role]) -> None:
    """Raises MissingPermissions unless what is not below the caller stays on top, in its order."""
    old, new = [
        [role.id for role in sorted(each, key=access.role_rank, reverse=True)]
        for each in (before, after)
    ]
    above = {role.id for role in before if not granted.rank > access.role_rank(role)}
    if old[: len(above)] != new[: len(above)]:
        raise MissingPermissions


async def _existing(cur: Cursor, guild_id: GuildId, role_id: RoleId) -> Role:
    role = await roles.get(cur, guild_id, role_id)
    if role is None:
        raise UnknownRole
    return role


async def _member(cur: Cursor, guild_id: GuildId, user_id: UserId) -> Member:
    member = await members.get(cur, guild_id, user_id)
    if member is None:
        raise UnknownMember
    return member


def _changed(role: Role, change: RoleChange) -> Role:
    if change.name is not UNSET and not role.is_everyone:  # @everyone keeps its name
        role = replace(role, name=change.name)
    if change.permissions is not UNSET:
        role = replace(role, permissions=change.permissions)
    if change.color is not UNSET:
        role = replace(role, color=change.color)
    if change.hoist is not UNSET:
        role = replace(role, hoist=change.hoist)
    if change.mentionable is not UNSET:
        role = replace(role, mentionable=change.mentionable)
    return role
