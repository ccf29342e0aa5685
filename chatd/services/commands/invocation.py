"""Finding the command that a person invokes, where that person may use it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from chatd.core.command_access import NEEDED, CommandUser, may_use
from chatd.core.command_rules import leaf
from chatd.core.commands import Command, InteractionContext
from chatd.core.errors import InvalidForm, MissingPermissions, UnknownCommand
from chatd.core.ids import CommandId, GuildId, UserId
from chatd.core.installation import IntegrationType
from chatd.core.models import ChannelType
from chatd.core.permissions import Permissions
from chatd.db.cursor import Cursor
from chatd.queries import application_commands, command_permissions, integrations
from chatd.services.access.access import AnyAccess, ChannelAccess

_OUTDATED = (
    "INTERACTION_APPLICATION_COMMAND_INVALID_VERSION",
    "This command is outdated, please try again in a few minutes.",
)


@dataclass(frozen=True, slots=True)
class UsableCommand:
    """A command that a person may use in a channel."""

    command: Command
    context: InteractionContext
    installations: frozenset[IntegrationType]
    """The installations by which it may be used; at least one. A command that is only installed for
    the person may be used in any guild, where the guild's permissions of commands do not apply."""


async def find_for_invocation(
    cur: Cursor,
    granted: AnyAccess,
    user_id: UserId,
    application_id: UserId,
    command_id: CommandId,
    *,
    version: int | None = None,
) -> UsableCommand:
    """Return a command that a person may use in a channel, to which it has the access `granted`.

    The application has to be installed in the guild or by the person; in direct messages, its bot
    can be the other recipient instead. `version` is that of the command that the client knows. The
    options of the invocation are not checked here, see `command_options.validate`.

    Raises UnknownCommand for a command that is not available in the channel, InvalidForm for an
    outdated version, and MissingPermissions.
    """
    command = await application_commands.find(cur, command_id)
    if command is None or command.application_id != application_id:
        raise UnknownCommand
    if command.guild_id not in (None, granted.location.guild_id):
        raise UnknownCommand
    context = context_of(granted, application_id)
    installed = await _installed(cur, granted.location.guild_id, context, user_id, application_id)
    installations = command.usable_installations(context, installed)
    if not installations:
        raise UnknownCommand
    if isinstance(granted, ChannelAccess):
        installations = await _permitted(cur, granted, command, installations)
    elif command.nsfw:
        raise MissingPermissions  # private channels are not age-restricted
    if version is not None and version != command.version:
        raise InvalidForm({"data": {"version": leaf(*_OUTDATED)}})
    return UsableCommand(command, context, installations)


def context_of(granted: AnyAccess, application_id: UserId) -> InteractionContext:
    """Return the context in which a command of an application would be used in a channel."""
    if isinstance(granted, ChannelAccess):
        return InteractionContext.GUILD
    recipients = {user.id for user in granted.channel.recipients}
    is_with_bot = granted.channel.type is ChannelType.DM and application_id in recipients
    return InteractionContext.BOT_DM if is_with_bot else InteractionContext.PRIVATE_CHANNEL


def command_user(granted: ChannelAccess) -> CommandUser:
    """Return a member in a channel, as `may_use` takes it."""
    return CommandUser(
        granted.guild.id,
        granted.member.user.id,
        granted.member.roles,
        granted.permissions,
        granted.channel.id,
    )


async def _installed(
    cur: Cursor,
    guild_id: GuildId | None,
    context: InteractionContext,
    user_id: UserId,
    application_id: UserId,
) -> Collection[IntegrationType]:
    """Return how an application is installed where a person uses it."""
    found = set()
    if guild_id is not None:
        if await integrations.get(cur, guild_id, application_id) is not None:
            found.add(IntegrationType.GUILD_INSTALL)
    elif context is InteractionContext.BOT_DM:
        found.add(IntegrationType.GUILD_INSTALL)  # they have shared a guild
    if application_id in await integrations.applications_of_user(cur, user_id):
        found.add(IntegrationType.USER_INSTALL)
    return found


async def _permitted(
    cur: Cursor,
    granted: ChannelAccess,
    command: Command,
    installations: frozenset[IntegrationType],
) -> frozenset[IntegrationType]:
    """Return the installations by which a member may use a command in a channel of a guild.

    Raises MissingPermissions if there are none.
    """
    granted.require(Permissions.SEND_MESSAGES | NEEDED)
    if command.nsfw and not granted.channel.nsfw:
        raise MissingPermissions
    if IntegrationType.GUILD_INSTALL not in installations:
        return installations
    guild_id, application_id = granted.guild.id, command.application_id
    found = await command_permissions.for_command(cur, guild_id, application_id, command.id)
    permitted = may_use(
        command,
        command_user(granted),
        of_command=found.get(command.id, ()),
        of_application=found.get(application_id, ()),
    )
    if not permitted:
        raise MissingPermissions
    return installations
