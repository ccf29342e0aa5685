"""Integrations of a guild: listing the applications in it, and removing them.

Rule: Discord docs, Guild resource, "Get Guild Integrations" and "Delete Guild Integration".
"""

from __future__ import annotations

from chatd.context.context import Context
from chatd.core.audit import AuditAction
from chatd.core.errors import UnknownIntegration
from chatd.core.ids import GuildId, UserId
from chatd.core.integrations import Integration
from chatd.core.permissions import Permissions
from chatd.queries import application_commands, integrations, members
from chatd.services.access import access
from chatd.services.guilds import audit_log
from chatd.services.guilds.installation import MAX_INTEGRATIONS, uninstall
from chatd.services.guilds.members import remove_member, require_above_member


async def list_for_guild(
    ctx: Context, guild_id: GuildId, *, has_commands: bool
) -> list[Integration]:
    """Return the integrations of a guild; with `has_commands` only those. Needs MANAGE_GUILD.

    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        found = await integrations.list_for_guild(cur, guild_id, limit=MAX_INTEGRATIONS)
        if has_commands:
            ids = [each.application.bot.id for each in found]
            kept = await application_commands.with_commands(cur, ids, guild_id)
            found = [each for each in found if each.application.bot.id in kept]
        return found


async def delete(ctx: Context, guild_id: GuildId, application_id: UserId) -> None:
    """Remove an application from a guild, with its bot. Needs MANAGE_GUILD.

    A bot has to be below the caller, as for a kick. Raises UnknownGuild, MissingAccess,
    MissingPermissions, UnknownIntegration.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        integration = await integrations.get(work.cur, guild_id, application_id)
        if integration is None:
            raise UnknownIntegration
        member = await members.get(work.cur, guild_id, application_id)
        if member is None:
            await uninstall(work, guild_id, application_id)
        else:
            await require_above_member(work.cur, granted, application_id)
            await remove_member(work, member)
            await audit_log.record(
                ctx,
                work,
                guild_id,
                AuditAction.MEMBER_KICK,
                application_id,
                options={"integration_type": "discord"},
            )
        removed = {"name": integration.application.name, "type": "discord"}
        await audit_log.record(
            ctx,
            work,
            guild_id,
            AuditAction.INTEGRATION_DELETE,
            application_id,
            changes=audit_log.changes(removed, None),
        )
