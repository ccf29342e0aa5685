"""Who may use the commands of an application in a guild.

People with MANAGE_GUILD and MANAGE_ROLES decide it, if they can use commands; bots cannot.
Rule: Discord docs, "Application Commands", "Permissions".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.audit import AuditAction, AuditChange
from chatd.core.command_access import CommandUser, all_channels, may_use
from chatd.core.commands import CommandOverwrite, CommandPermissions, PermissionTarget
from chatd.core.errors import (
    InvalidForm,
    MissingAccess,
    MissingPermissions,
    TooManyCommandPermissions,
    UnknownApplication,
    UnknownChannel,
    UnknownCommand,
    UnknownCommandPermissions,
    UnknownRole,
    UnknownUser,
)
from chatd.core.ids import CommandId, GuildId, RoleId, UserId
from chatd.core.models import Member
from chatd.core.permissions import Permissions
from chatd.db.cursor import Cursor
from chatd.events import application_commands as events
from chatd.queries import (
    application_commands,
    channels,
    command_permissions,
    integrations,
    members,
    roles,
    users,
)
from chatd.services.access import access
from chatd.services.access.access import GuildAccess, Rank
from chatd.services.guilds import audit_log
from chatd.wire import payloads

NEEDED: Final = (
    Permissions.MANAGE_GUILD | Permissions.MANAGE_ROLES | Permissions.USE_APPLICATION_COMMANDS
)

MAX_IN_GUILD: Final = 5000
"""The overwrites of all commands in a guild. Each index of commands reads them."""


@dataclass(frozen=True, slots=True)
class Place:
    """The commands of an application in a guild."""

    application_id: UserId
    guild_id: GuildId


async def list_all(ctx: Context, place: Place) -> list[CommandPermissions]:
    """Return the overwrites of an application and of its commands in a guild.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownApplication.
    """
    async with ctx.database.cursor() as cur:
        await _require_readable(cur, ctx, place)
        return await command_permissions.list_for_application(
            cur, place.guild_id, place.application_id
        )


async def get(ctx: Context, place: Place, command_id: int) -> CommandPermissions:
    """Return the overwrites of a command, or of the application, in a guild.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownApplication, UnknownCommand,
    UnknownCommandPermissions.
    """
    async with ctx.database.cursor() as cur:
        await _require_readable(cur, ctx, place)
        found = await command_permissions.for_command(
            cur, place.guild_id, place.application_id, command_id
        )
        if command_id not in found:
            if command_id != place.application_id:
                await _require_command(cur, place, command_id)
            raise UnknownCommandPermissions
    return CommandPermissions(place.guild_id, place.application_id, command_id, found[command_id])


async def replace_all(
    ctx: Context, place: Place, command_id: int, wanted: Sequence[CommandOverwrite]
) -> CommandPermissions:
    """Replace the overwrites of a command, or of the application, in a guild.

    The caller needs `NEEDED`, has to be able to use the command, and to manage each role, member
    and channel whose overwrite changes. Raises UnknownGuild,
    MissingAccess, MissingPermissions, UnknownApplication, UnknownCommand, UnknownRole,
    UnknownUser, UnknownChannel, TooManyCommandPermissions, InvalidForm.
    """
    _require_distinct(wanted)
    after = CommandPermissions(place.guild_id, place.application_id, command_id, tuple(wanted))
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, place.guild_id)
        granted.require(NEEDED)
        await _require_application(work.cur, place)
        found = await command_permissions.for_command(
            work.cur, place.guild_id, place.application_id, command_id
        )
        if command_id != place.application_id:
            await _require_usable(work.cur, granted, place, command_id, found)
        before = CommandPermissions(
            place.guild_id, place.application_id, command_id, found.get(command_id, ())
        )
        changing = set(before.overwrites) ^ set(after.overwrites)
        if not changing:
            return after
        known = {(each.type, each.target_id) for each in before.overwrites}
        await _require_manageable(work.cur, granted, changing, known)
        await _require_room(work.cur, before, after)
        await command_permissions.save(work.cur, after)
        work.emit(events.permissions_updated(after))
        await _record(ctx, work, before, after)
    return after


async def _record(
    ctx: Context, work: UnitOfWork, before: CommandPermissions, after: CommandPermissions
) -> None:
    """Record a change in the audit log; its keys are the ids of the targets."""
    await audit_log.record(
        ctx,
        work,
        after.guild_id,
        AuditAction.APPLICATION_COMMAND_PERMISSION_UPDATE,
        after.command_id,
        changes=_audit_changes(before, after),
        options={"application_id": str(after.application_id)},
    )


def _audit_changes(before: CommandPermissions, after: CommandPermissions) -> list[AuditChange]:
    old = {each.target_id: each for each in before.overwrites}
    new = {each.target_id: each for each in after.overwrites}
    found = []
    for target_id in (*old, *(each for each in new if each not in old)):
        if old.get(target_id) == new.get(target_id):
            continue
        change: AuditChange = {"key": str(target_id)}
        if target_id in old:
            change["old_value"] = payloads.command_overwrite(old[target_id])
        if target_id in new:
            change["new_value"] = payloads.command_overwrite(new[target_id])
        found.append(change)
    return found


def _require_distinct(wanted: Sequence[CommandOverwrite]) -> None:
    if len({each.target_id for each in wanted}) < len(wanted):
        raise InvalidForm.of("permissions", "BASE_TYPE_INVALID", "Values must be unique.")


async def _require_readable(cur: Cursor, ctx: Context, place: Place) -> None:
    """Require the caller to be the application, or a member with MANAGE_GUILD."""
    if place.application_id == ctx.user.id and ctx.user.bot:
        if await integrations.get(cur, place.guild_id, place.application_id) is None:
            raise MissingAccess
        return
    granted = await access.guild(cur, ctx.user.id, place.guild_id)
    granted.require(Permissions.MANAGE_GUILD)
    await _require_application(cur, place)


async def _require_application(cur: Cursor, place: Place) -> None:
    """Raise UnknownApplication unless the application is installed in the guild."""
    if await integrations.get(cur, place.guild_id, place.application_id) is None:
        raise UnknownApplication


async def _require_command(cur: Cursor, place: Place, command_id: int) -> None:
    command = await application_commands.find(cur, CommandId(command_id))
    if command is None or command.application_id != place.application_id:
        raise UnknownCommand
    if command.guild_id not in (None, place.guild_id):
        raise UnknownCommand


async def _require_usable(
    cur: Cursor,
    granted: GuildAccess,
    place: Place,
    command_id: int,
    found: dict[int, tuple[CommandOverwrite, ...]],
) -> None:
    """Lock the command, and require that the caller may use it in some channel."""
    command = await application_commands.find_for_guild(
        cur, place.application_id, place.guild_id, CommandId(command_id)
    )
    if command is None:
        raise UnknownCommand
    permitted = may_use(
        command,
        CommandUser(
            place.guild_id, granted.member.user.id, granted.member.roles, granted.permissions
        ),
        of_command=found.get(command_id, ()),
        of_application=found.get(place.application_id, ()),
    )
    if not permitted:
        raise MissingPermissions


async def _require_room(cur: Cursor, before: CommandPermissions, after: CommandPermissions) -> None:
    growth = len(after.overwrites) - len(before.overwrites)
    if growth <= 0:
        return
    if await command_permissions.count_in_guild(cur, after.guild_id) + growth > MAX_IN_GUILD:
        raise TooManyCommandPermissions(MAX_IN_GUILD)


async def _require_manageable(
    cur: Cursor,
    granted: GuildAccess,
    changing: Iterable[CommandOverwrite],
    known: set[tuple[PermissionTarget, int]],
) -> None:
    """Require that the caller may manage all targets. Those that are not `known` have to exist."""
    by_type: dict[PermissionTarget, set[int]] = {each: set() for each in PermissionTarget}
    for each in changing:
        by_type[each.type].add(each.target_id)
    missing = await _missing_roles(cur, granted, by_type[PermissionTarget.ROLE])
    if any((PermissionTarget.ROLE, each) not in known for each in missing):
        raise UnknownRole
    missing = await _missing_users(cur, granted, by_type[PermissionTarget.USER])
    if any((PermissionTarget.USER, each) not in known for each in missing):
        raise UnknownUser
    missing = await _missing_channels(cur, granted, by_type[PermissionTarget.CHANNEL])
    if any((PermissionTarget.CHANNEL, each) not in known for each in missing):
        raise UnknownChannel


async def _missing_roles(cur: Cursor, granted: GuildAccess, role_ids: set[int]) -> set[int]:
    """Return the roles that do not exist. The others have to be below the caller, or @everyone."""
    if not role_ids:
        return set()
    found = {int(each.id): each for each in await roles.list_for_guilds(cur, [granted.guild.id])}
    for role_id in role_ids & found.keys():
        if not found[role_id].is_everyone:
            granted.require_above(access.role_rank(found[role_id]))
    return role_ids - found.keys()


async def _missing_users(cur: Cursor, granted: GuildAccess, user_ids: set[int]) -> set[int]:
    """Return the users that do not exist. Members have to be below the caller, or the caller."""
    if not user_ids:
        return set()
    guild_id = granted.guild.id
    wanted = [UserId(each) for each in user_ids]
    ranks = {
        each.id: access.role_rank(each) for each in await roles.list_for_guilds(cur, [guild_id])
    }
    for member in await members.by_ids(cur, guild_id, wanted):
        if member.user.id != granted.member.user.id:
            _require_below_caller(granted, member, ranks)
    found = await users.by_ids(cur, wanted, skip_deleted=True)
    return user_ids - {int(each.id) for each in found}


def _require_below_caller(
    granted: GuildAccess, member: Member, ranks: Mapping[RoleId, Rank]
) -> None:
    """Raise MissingPermissions unless a member is below the caller. `ranks` are of all roles."""
    if member.user.id == granted.guild.owner_id:
        raise MissingPermissions
    highest = max((ranks[each] for each in member.roles if each in ranks), default=None)
    if highest is not None:
        granted.require_above(highest)


async def _missing_channels(cur: Cursor, granted: GuildAccess, channel_ids: set[int]) -> set[int]:
    """Return the channels that do not exist. The caller needs MANAGE_CHANNELS in the others."""
    if not channel_ids:
        return set()
    guild_id = granted.guild.id
    everywhere = all_channels(guild_id)
    if everywhere in channel_ids:
        granted.require(Permissions.MANAGE_CHANNELS)
    found = await channels.overwrites_for_member(cur, [guild_id], granted.targets)
    for channel in found:
        if channel.id in channel_ids:
            permissions = granted.in_channel(channel)
            if Permissions.VIEW_CHANNEL not in permissions:
                raise MissingAccess
            if Permissions.MANAGE_CHANNELS not in permissions:
                raise MissingPermissions
    return channel_ids - {int(each.id) for each in found} - {everywhere}
