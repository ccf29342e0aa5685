"""Installing applications in guilds: the integration, its bot, and the managed role of the bot.

The bot of an application may get a role with the permissions that were asked for. The role is named
like the application and managed: it begins and ends with the bot. A person grants a bot no
permissions that it does not have itself.
"""

from __future__ import annotations

from dataclasses import replace

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.audit import AuditAction
from chatd.core.errors import (
    MissingAccess,
    TooManyGuilds,
    TooManyIntegrations,
    TooManyRoles,
    UnknownApplication,
    UserBanned,
)
from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.models import Application, Role
from chatd.core.permissions import Permissions
from chatd.events import application_commands as command_events
from chatd.events import integrations as events
from chatd.events import members as member_events
from chatd.events import roles as role_events
from chatd.events import webhooks as webhook_events
from chatd.queries import (
    application_commands,
    applications,
    integrations,
    members,
    roles,
    webhooks,
)
from chatd.services.access import access
from chatd.services.access.access import GuildAccess
from chatd.services.guilds import audit_log
from chatd.services.guilds import roles as role_service
from chatd.services.guilds.guilds import MAX_GUILDS
from chatd.services.guilds.joining import join, require_guild_slot

MAX_INTEGRATIONS = 50
"""The integrations of one guild. Discord lists no more."""


async def install(
    ctx: Context,
    work: UnitOfWork,
    granted: GuildAccess,
    application_id: UserId,
    *,
    bot: bool,
    permissions: int | None,
) -> None:
    """Add an application to a guild, or change its bot there. The guild is locked.

    `permissions` are those of the bot's role. With None, a bot that is a member keeps its role, and
    a new one gets none. Needs MANAGE_GUILD. Raises UnknownApplication, MissingAccess,
    MissingPermissions, UserBanned, TooManyGuilds, TooManyIntegrations, TooManyRoles.
    """
    granted.require(Permissions.MANAGE_GUILD)
    application = await lock_application(ctx, work, application_id)
    guild_id = granted.guild.id
    if await members.is_banned(work.cur, guild_id, application_id):
        raise UserBanned
    before = await integrations.get(work.cur, guild_id, application_id)
    if before is None:
        await _require_room(work, guild_id, application_id)
    if bot:
        await _add_bot(ctx, work, granted, application, permissions)
    has_bot = bot or (before is not None and before.has_bot)
    if before is not None and before.has_bot == has_bot:
        return
    await integrations.put(work.cur, guild_id, application_id, bot=has_bot, added_by=ctx.user.id)
    after = await integrations.get(work.cur, guild_id, application_id)
    assert after is not None
    if before is None:
        work.emit(*events.integration_created(after))
        work.emit(command_events.command_index_updated(guild_id))
        action = AuditAction.INTEGRATION_CREATE
        changes = audit_log.changes(None, {"name": application.name, "type": "discord"})
    else:
        work.emit(*events.integration_updated(after))
        action = AuditAction.INTEGRATION_UPDATE
        changes = audit_log.changes({"scopes": before.scopes}, {"scopes": after.scopes})
    await audit_log.record(ctx, work, guild_id, action, application_id, changes=changes)


async def lock_application(ctx: Context, work: UnitOfWork, application_id: UserId) -> Application:
    """Lock an application that the caller may add; until the commit it is not deleted.

    Raises UnknownApplication, MissingAccess.
    """
    if not await work.lock(application_id):
        raise UnknownApplication
    application = await applications.get(work.cur, application_id)
    if application is None:
        raise UnknownApplication
    require_addable(ctx, application)
    return application


def require_addable(ctx: Context, application: Application) -> None:
    """Raise MissingAccess unless the application is public or the caller's own."""
    if not application.public and application.owner.id != ctx.user.id:
        raise MissingAccess


async def uninstall(
    work: UnitOfWork, guild_id: GuildId, application_id: UserId, *, for_good: bool = False
) -> None:
    """End the integration of an application whose bot is no member. The guild is locked.

    Its commands in the guild and their permissions, its role, and the webhooks that it has created
    are deleted. With `for_good` the application is deleted as well, and a background task deletes
    the commands and permissions of all guilds. Rule: Discord docs, Guild resource, "Delete Guild
    Integration".
    """
    for role in await _managed_roles(work, guild_id, application_id):
        await role_service.remove(work, guild_id, role.id)
    for channel_id in await webhooks.delete_for_application(work.cur, guild_id, application_id):
        work.emit(webhook_events.webhooks_updated(guild_id, channel_id))
    if await integrations.delete(work.cur, guild_id, application_id):
        if not for_good:
            await application_commands.delete_in_guild(work.cur, guild_id, application_id)
        work.emit(*events.integration_deleted(guild_id, application_id))
        work.emit(command_events.command_index_updated(guild_id))


async def _require_room(work: UnitOfWork, guild_id: GuildId, application_id: UserId) -> None:
    """Raise TooManyIntegrations or TooManyGuilds."""
    if len(await integrations.applications_in_guild(work.cur, guild_id)) >= MAX_INTEGRATIONS:
        raise TooManyIntegrations
    if len(await integrations.guilds_of_application(work.cur, application_id)) >= MAX_GUILDS:
        raise TooManyGuilds


async def _add_bot(
    ctx: Context,
    work: UnitOfWork,
    granted: GuildAccess,
    application: Application,
    permissions: int | None,
) -> None:
    guild_id, bot = granted.guild.id, application.bot
    if await members.get(work.cur, guild_id, bot.id) is not None:
        if permissions is not None:
            await _set_permissions(ctx, work, granted, application, permissions)
        return
    await require_guild_slot(work, bot)
    role = None
    if permissions:
        role = await _new_role(ctx, work, granted, application, permissions)
    await join(ctx, work, bot, guild_id, role=role)
    await audit_log.record(ctx, work, guild_id, AuditAction.BOT_ADD, bot.id)
    if role is not None:
        await role_service.record(ctx, work, AuditAction.ROLE_CREATE, None, role)


async def _set_permissions(
    ctx: Context,
    work: UnitOfWork,
    granted: GuildAccess,
    application: Application,
    permissions: int,
) -> None:
    """Change the permissions of the role of a bot, or give the bot its role."""
    guild_id, bot_id = granted.guild.id, application.bot.id
    for role in await _managed_roles(work, guild_id, bot_id):
        changed = replace(role, permissions=permissions)
        if changed != role:
            granted.require_above(access.role_rank(role))
            granted.require_grantable(changed.permissions ^ role.permissions)
            await role_service.save(ctx, work, role, changed)
        return
    if not permissions:
        return
    role = await _new_role(ctx, work, granted, application, permissions)
    await roles.insert(work.cur, role)
    await roles.assign(work.cur, guild_id, bot_id, role.id)
    work.bump_version(guild_id)
    work.emit(role_events.role_created(role))
    member = await members.get(work.cur, guild_id, bot_id)
    assert member is not None
    work.emit(member_events.member_updated(member))
    await role_service.record(ctx, work, AuditAction.ROLE_CREATE, None, role)


async def _new_role(
    ctx: Context,
    work: UnitOfWork,
    granted: GuildAccess,
    application: Application,
    permissions: int,
) -> Role:
    granted.require_grantable(permissions)
    guild_id = granted.guild.id
    if len(await roles.list_for_guilds(work.cur, [guild_id])) >= role_service.MAX_ROLES:
        raise TooManyRoles
    return Role(
        id=ctx.new_id(RoleId),
        guild_id=guild_id,
        name=application.name,
        permissions=permissions,
        color=0,
        hoist=False,
        mentionable=False,
        position=1,
        bot_id=application.bot.id,
    )


async def _managed_roles(work: UnitOfWork, guild_id: GuildId, bot_id: UserId) -> list[Role]:
    found = await roles.list_for_guilds(work.cur, [guild_id])
    return [role for role in found if role.bot_id == bot_id]
