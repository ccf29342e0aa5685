"""Roles: creating, changing, reordering, deleting, assigning and unassigning them.

A member can only act on roles below its highest role, and only grant permissions that it has. The
managed role of a bot begins and ends with the bot: `installation` assigns and deletes it, and no
member does. Rule: Discord docs, Permissions, "Permission Hierarchy".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from chatd.context.context import Context, CoreContext
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.audit import AuditAction
from chatd.core.errors import (
    InvalidForm,
    InvalidRole,
    MissingPermissions,
    TooManyRoles,
    UnknownMember,
    UnknownRole,
)
from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.json import JsonObject
from chatd.core.models import Member, Role
from chatd.core.permissions import Permissions
from chatd.core.unset import UNSET, given_or
from chatd.db.cursor import Cursor
from chatd.events import channels as channel_events
from chatd.events import members as member_events
from chatd.events import roles as events
from chatd.queries import channels, members, roles
from chatd.services.access import access
from chatd.services.access.access import GuildAccess
from chatd.services.guilds import audit_log
from chatd.wire import payloads
from chatd.wire.schemas.roles import NewRole, RoleChange, RoleMove

MAX_ROLES = 250
"""The roles of one guild, @everyone included. Rule: Discord's limit."""


async def list_for_guild(ctx: Context, guild_id: GuildId) -> list[Role]:
    """Return the roles of a guild, lowest first. Raises UnknownGuild, MissingAccess."""
    async with ctx.database.cursor() as cur:
        await access.guild(cur, ctx.user.id, guild_id)
        return await roles.list_for_guilds(cur, [guild_id])


async def get(ctx: Context, guild_id: GuildId, role_id: RoleId) -> Role:
    """Return one role. Raises UnknownGuild, MissingAccess, UnknownRole."""
    async with ctx.database.cursor() as cur:
        await access.guild(cur, ctx.user.id, guild_id)
        return await _get_existing(cur, guild_id, role_id)


async def create(ctx: Context, guild_id: GuildId, wanted: NewRole) -> Role:
    """Create a role, just above @everyone. Needs MANAGE_ROLES.

    Raises UnknownGuild, MissingAccess, MissingPermissions, TooManyRoles.
    """
    async with ctx.begin() as work:
        granted = await _lock_as_manager(ctx, work, guild_id)
        existing = await roles.list_for_guilds(work.cur, [guild_id])
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
        await record(ctx, work, AuditAction.ROLE_CREATE, None, role)
    return role


async def update(ctx: Context, guild_id: GuildId, role_id: RoleId, change: RoleChange) -> Role:
    """Change a role below the caller. Needs MANAGE_ROLES.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownRole.
    """
    async with ctx.begin() as work:
        granted = await _lock_as_manager(ctx, work, guild_id)
        role = await _get_existing(work.cur, guild_id, role_id)
        granted.require_above(access.role_rank(role))
        changed = _apply_change(role, change)
        granted.require_grantable(changed.permissions ^ role.permissions)
        if changed != role:
            await save(ctx, work, role, changed)
    return changed


async def reorder(ctx: Context, guild_id: GuildId, moves: Sequence[RoleMove]) -> list[Role]:
    """Reorder roles below the caller. Needs MANAGE_ROLES.

    Libraries send positions for all roles, although only some of them move. So positions of the
    caller's highest role and of higher ones may change, as long as their order does not.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownRole, InvalidForm.
    """
    async with ctx.begin() as work:
        granted = await _lock_as_manager(ctx, work, guild_id)
        existing = {role.id: role for role in await roles.list_for_guilds(work.cur, [guild_id])}
        wanted = _with_positions(existing, moves)
        _require_order_preserved(granted, [*existing.values()], [*wanted.values()])
        pairs = zip(existing.values(), wanted.values(), strict=True)
        moved = [(role, changed) for role, changed in pairs if changed != role]
        if moved:
            await _save_positions(ctx, work, guild_id, moved)
        return await roles.list_for_guilds(work.cur, [guild_id])


def _with_positions(
    existing: Mapping[RoleId, Role], moves: Sequence[RoleMove]
) -> dict[RoleId, Role]:
    """Return the roles of a guild after these moves. Raises UnknownRole, InvalidForm."""
    wanted = dict(existing)
    for move in {move.id: move for move in moves}.values():
        role = existing.get(move.id)
        if role is None:
            raise UnknownRole
        if move.position is UNSET:
            continue
        if role.is_everyone != (move.position == 0):
            text = "Only @everyone may have position 0."
            raise InvalidForm.of("position", "ROLE_POSITION_INVALID", text)
        wanted[move.id] = replace(role, position=move.position)
    return wanted


async def _save_positions(
    ctx: Context, work: UnitOfWork, guild_id: GuildId, moved: Sequence[tuple[Role, Role]]
) -> None:
    """Write the positions of roles, each given before and after, and record the changes."""
    await roles.move(work.cur, guild_id, [changed for _, changed in moved])
    work.bump_version(guild_id)
    work.emit(*(events.role_updated(changed) for _, changed in moved))
    await audit_log.record_all(
        ctx,
        work,
        guild_id,
        AuditAction.ROLE_UPDATE,
        {
            role.id: audit_log.changes(payloads.role(role), payloads.role(changed))
            for role, changed in moved
        },
    )


async def delete(ctx: Context, guild_id: GuildId, role_id: RoleId) -> None:
    """Delete a role below the caller, its assignments and its overwrites.

    Needs MANAGE_ROLES. A managed role cannot be deleted. Raises UnknownGuild, MissingAccess,
    MissingPermissions, UnknownRole, InvalidRole.
    """
    async with ctx.begin() as work:
        granted = await _lock_as_manager(ctx, work, guild_id)
        role = await _get_existing(work.cur, guild_id, role_id)
        if role.is_everyone or role.is_managed:
            raise InvalidRole
        granted.require_above(access.role_rank(role))
        await remove(work, guild_id, role_id)
        await record(ctx, work, AuditAction.ROLE_DELETE, role, None)


async def remove(work: UnitOfWork, guild_id: GuildId, role_id: RoleId) -> None:
    """Delete a role with its assignments and overwrites. The guild is locked."""
    touched = await channels.ids_with_overwrite_for(work.cur, guild_id, role_id)
    await channels.delete_overwrites_for(work.cur, guild_id, role_id)
    await roles.delete(work.cur, guild_id, role_id)
    work.bump_version(guild_id)
    work.emit(events.role_deleted(guild_id, role_id))
    for channel in await channels.by_ids(work.cur, guild_id, touched):
        work.emit(channel_events.channel_updated(channel))


async def assign(ctx: Context, guild_id: GuildId, user_id: UserId, role_id: RoleId) -> None:
    """Assign a role below the caller to a member. Needs MANAGE_ROLES.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownRole, UnknownMember, InvalidRole.
    """
    async with ctx.begin() as work:
        granted = await _lock_as_manager(ctx, work, guild_id)
        member = await _get_member(work.cur, guild_id, user_id)
        await change_roles(ctx, work, granted, member, add={role_id}, remove=set())


async def unassign(ctx: Context, guild_id: GuildId, user_id: UserId, role_id: RoleId) -> None:
    """Unassign a role below the caller from a member. Needs MANAGE_ROLES.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownRole, UnknownMember, InvalidRole.
    """
    async with ctx.begin() as work:
        granted = await _lock_as_manager(ctx, work, guild_id)
        member = await _get_member(work.cur, guild_id, user_id)
        await change_roles(ctx, work, granted, member, add=set(), remove={role_id})


async def change_roles(
    ctx: Context,
    work: UnitOfWork,
    granted: GuildAccess,
    member: Member,
    *,
    add: set[RoleId],
    remove: set[RoleId],
) -> Member:
    """Add and remove roles of a member, each below the caller. Returns the changed member.

    Raises MissingPermissions, UnknownRole, InvalidRole.
    """
    guild_id, user_id = member.guild_id, member.user.id
    known = {role.id: role for role in await roles.list_for_guilds(work.cur, [guild_id])}
    for role_id in add | remove:
        _require_assignable(granted, known.get(role_id))
    added, removed = add - set(member.roles), remove & set(member.roles)
    if not added and not removed:
        return member
    return await write_roles(ctx, work, guild_id, user_id, add=added, remove=removed)


async def write_roles(
    ctx: CoreContext,
    work: UnitOfWork,
    guild_id: GuildId,
    user_id: UserId,
    *,
    add: set[RoleId],
    remove: set[RoleId],
    by_account: bool = True,
) -> Member:
    """Write a change of a member's roles, and record it. The guild is locked.

    The caller has checked that the roles exist and may be changed. `by_account` is false if no
    account made the change. Returns the changed member.
    """
    known = {role.id: role for role in await roles.list_for_guilds(work.cur, [guild_id])}
    for role_id in add:
        await roles.assign(work.cur, guild_id, user_id, role_id)
    for role_id in remove:
        await roles.unassign(work.cur, guild_id, user_id, role_id)
    changed = await _get_member(work.cur, guild_id, user_id)
    work.bump_version(guild_id)
    work.emit(member_events.member_updated(changed))
    await audit_log.record(
        ctx,
        work,
        guild_id,
        AuditAction.MEMBER_ROLE_UPDATE,
        user_id,
        changes=[
            {"key": key, "new_value": [_partial_payload(known[each]) for each in sorted(which)]}
            for key, which in (("$add", add), ("$remove", remove))
            if which
        ],
        by_account=by_account,
    )
    return changed


def _require_assignable(granted: GuildAccess, role: Role | None) -> None:
    """Require a role below the caller that can be assigned.

    Raises UnknownRole, InvalidRole, MissingPermissions.
    """
    if role is None:
        raise UnknownRole
    if role.is_everyone or role.is_managed:
        raise InvalidRole
    granted.require_above(access.role_rank(role))


def _partial_payload(role: Role) -> JsonObject:
    """Return what the audit log says of an assigned role."""
    return {"id": str(role.id), "name": role.name}


async def _lock_as_manager(ctx: Context, work: UnitOfWork, guild_id: GuildId) -> GuildAccess:
    granted = await access.locked_guild(work, ctx.user.id, guild_id)
    granted.require(Permissions.MANAGE_ROLES)
    return granted


async def save(ctx: Context, work: UnitOfWork, role: Role, changed: Role) -> None:
    """Write a changed role, and record the change. The guild is locked."""
    await roles.update(work.cur, changed)
    work.bump_version(role.guild_id)
    work.emit(events.role_updated(changed))
    await record(ctx, work, AuditAction.ROLE_UPDATE, role, changed)


async def record(
    ctx: Context, work: UnitOfWork, action: AuditAction, before: Role | None, after: Role | None
) -> None:
    """Record in the audit log that a role was created, changed or deleted. The guild is locked."""
    role = after or before
    assert role is not None
    await audit_log.record(
        ctx,
        work,
        role.guild_id,
        action,
        role.id,
        changes=audit_log.changes(
            None if before is None else _audit_payload(before),
            None if after is None else _audit_payload(after),
        ),
    )


def _audit_payload(role: Role) -> JsonObject:
    payload = payloads.role(role)
    payload.pop("tags", None)  # it never changes, and Discord does not record it
    return payload


def _require_order_preserved(
    granted: GuildAccess, before: Collection[Role], after: Collection[Role]
) -> None:
    """Raise MissingPermissions unless roles not below the caller stay on top, in their order."""
    old, new = [
        [role.id for role in sorted(each, key=access.role_rank, reverse=True)]
        for each in (before, after)
    ]
    above = {role.id for role in before if not granted.rank > access.role_rank(role)}
    if old[: len(above)] != new[: len(above)]:
        raise MissingPermissions


async def _get_existing(cur: Cursor, guild_id: GuildId, role_id: RoleId) -> Role:
    role = await roles.get(cur, guild_id, role_id)
    if role is None:
        raise UnknownRole
    return role


async def _get_member(cur: Cursor, guild_id: GuildId, user_id: UserId) -> Member:
    member = await members.get(cur, guild_id, user_id)
    if member is None:
        raise UnknownMember
    return member


def _apply_change(role: Role, change: RoleChange) -> Role:
    name = role.name if role.is_everyone else given_or(change.name, role.name)
    return replace(
        role,
        name=name,  # @everyone keeps its name
        permissions=given_or(change.permissions, role.permissions),
        color=given_or(change.color, role.color),
        hoist=given_or(change.hoist, role.hoist),
        mentionable=given_or(change.mentionable, role.mentionable),
    )
