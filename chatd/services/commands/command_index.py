"""The commands that a person can use in a guild or a channel, for user clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from chatd.context.context import Context
from chatd.core.command_access import CommandUser, all_channels, may_use
from chatd.core.commands import (
    Command,
    CommandOverwrite,
    CommandPermissions,
    InteractionContext,
    PermissionTarget,
)
from chatd.core.errors import UnknownApplication
from chatd.core.ids import ChannelId, GuildId, UserId
from chatd.core.installation import IntegrationType
from chatd.core.models import Application
from chatd.db.cursor import Cursor, Row
from chatd.queries import (
    application_commands,
    applications,
    channels,
    command_permissions,
    integrations,
)
from chatd.services.access import access
from chatd.services.access.access import GuildAccess, PrivateAccess
from chatd.services.commands.invocation import command_user, context_of

MAX_APPLICATIONS: Final = 50
"""The applications in an index. A guild has at most as many."""

MAX_COMMANDS: Final = 3000
MAX_BYTES: Final = 2**23
"""The commands in an index, and the bytes of their options and translations.

Without these bounds, 50 applications with the largest commands would have 200 MB.
"""

_SLICE = 50
"""Commands that are decided without a pause, so that a large index does not hold the loop."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What an index contains of one command or application: the overwrites for the caller."""

    overwrites: tuple[CommandOverwrite, ...] | None
    """None outside of guilds."""


@dataclass(frozen=True, slots=True)
class IndexedApplication(Indexed):
    application: Application


@dataclass(frozen=True, slots=True)
class IndexedCommand(Indexed):
    command: Command


@dataclass(frozen=True, slots=True)
class CommandIndex:
    """The commands that the caller can use, and the applications that they belong to."""

    applications: Sequence[IndexedApplication] = ()
    commands: Sequence[IndexedCommand] = ()
    version: int = 0
    """It changes with each change of the commands."""


async def of_guild(ctx: Context, guild_id: GuildId) -> CommandIndex:
    """Return the commands that the caller can use in some channel of a guild.

    Raises UnknownGuild, MissingAccess.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        collected = await _collect(cur, granted)
    return await _in_guild(collected, _member(granted), is_nsfw=True)


async def of_channel(ctx: Context, channel_id: ChannelId) -> CommandIndex:
    """Return the commands that the caller can use in a channel.

    In a private channel, these are those of the bot that is the other recipient. Raises
    UnknownChannel, MissingAccess.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
        if isinstance(granted, PrivateAccess):
            for recipient in granted.channel.recipients_except(ctx.user.id):
                context = context_of(granted, recipient.id)
                if recipient.bot and context is InteractionContext.BOT_DM:
                    return await _in_dm(cur, recipient.id)
            return CommandIndex()
        collected = await _collect(cur, granted)
    return await _in_guild(collected, command_user(granted), is_nsfw=granted.channel.nsfw)


async def of_caller(ctx: Context) -> CommandIndex:
    """Return the commands of the applications that the caller has installed for itself."""
    async with ctx.database.cursor() as cur:
        installed = await integrations.list_for_user(cur, ctx.user.id)
        ids = [each.bot.id for each in installed[:MAX_APPLICATIONS]]
        rows = await _rows(cur, ids, None)
        version = await application_commands.newest_version(cur, ids, None)
    found = []
    async for command in _commands(rows):
        if IntegrationType.USER_INSTALL in command.integration_types:
            found.append(IndexedCommand(None, command))
    return _with_applications(found, installed, version)


async def of_application(ctx: Context, application_id: UserId) -> CommandIndex:
    """Return the commands of an application that people can use in direct messages with its bot.

    Raises UnknownApplication.
    """
    async with ctx.database.cursor() as cur:
        return await _in_dm(cur, application_id)


async def _in_dm(cur: Cursor, application_id: UserId) -> CommandIndex:
    application = await applications.get(cur, application_id)
    if application is None:
        raise UnknownApplication
    context, installed = InteractionContext.BOT_DM, tuple(IntegrationType)
    usable = [
        IndexedCommand(None, each)
        for each in await application_commands.list_in_scope(cur, application_id, None)
        if each.usable_installations(context, installed) and not each.nsfw
    ]
    version = await application_commands.newest_version(cur, [application_id], None)
    return CommandIndex([IndexedApplication(None, application)], usable, version)


async def _rows(cur: Cursor, ids: Sequence[UserId], guild_id: GuildId | None) -> list[Row]:
    return await application_commands.rows_for_applications(
        cur, ids, guild_id, max_commands=MAX_COMMANDS, max_bytes=MAX_BYTES
    )


async def _commands(rows: Sequence[Row]) -> AsyncIterator[Command]:
    """Yield the commands of rows, with pauses."""
    for index, row in enumerate(rows, 1):
        yield application_commands.make(*row)
        if index % _SLICE == 0:
            await asyncio.sleep(0)


def _with_applications(
    commands: Sequence[IndexedCommand], known: Iterable[Application], version: int
) -> CommandIndex:
    named = {each.command.application_id for each in commands}
    found = [IndexedApplication(None, each) for each in known if each.bot.id in named]
    return CommandIndex(found, commands, version)


@dataclass(frozen=True, slots=True)
class _Collected:
    """What the index of a guild is made of."""

    applications: Sequence[Application]
    rows: Sequence[Row]
    permissions: Sequence[CommandPermissions]
    visible: frozenset[int]
    """The channels that the caller can see, and the id that means all channels."""
    version: int


async def _collect(cur: Cursor, granted: GuildAccess) -> _Collected:
    guild_id = granted.guild.id
    found = await integrations.list_for_guild(cur, guild_id, limit=MAX_APPLICATIONS)
    installed = [each.application for each in found]
    ids = [each.bot.id for each in installed]
    there = await channels.overwrites_for_member(cur, [guild_id], granted.targets)
    visible = {int(each.id) for each in there if granted.can_see(each)}
    return _Collected(
        installed,
        await _rows(cur, ids, guild_id),
        await command_permissions.list_for_guild(cur, guild_id),
        frozenset({*visible, all_channels(guild_id)}),
        await application_commands.newest_version(cur, ids, guild_id),
    )


async def _in_guild(collected: _Collected, user: CommandUser, *, is_nsfw: bool) -> CommandIndex:
    """Return the index for a member. `is_nsfw`: age-restricted commands can be used."""
    overwrites = {each.command_id: each.overwrites for each in collected.permissions}

    def concerning(target: int) -> tuple[CommandOverwrite, ...]:
        return _concerning(user, collected.visible, overwrites.get(target, ()))

    commands = []
    async for command in _commands(collected.rows):
        permitted = may_use(
            command,
            user,
            of_command=overwrites.get(command.id, ()),
            of_application=overwrites.get(command.application_id, ()),
        )
        is_there = command.usable_installations(
            InteractionContext.GUILD, (IntegrationType.GUILD_INSTALL,)
        )
        if permitted and is_there and (is_nsfw or not command.nsfw):
            commands.append(IndexedCommand(concerning(command.id), command))
    named = {each.command.application_id for each in commands}
    found = [
        IndexedApplication(concerning(each.bot.id), each)
        for each in collected.applications
        if each.bot.id in named
    ]
    return CommandIndex(found, commands, collected.version)


def _member(granted: GuildAccess) -> CommandUser:
    return CommandUser(
        granted.guild.id, granted.member.user.id, granted.member.roles, granted.in_guild
    )


def _concerning(
    user: CommandUser, visible: frozenset[int], overwrites: Iterable[CommandOverwrite]
) -> tuple[CommandOverwrite, ...]:
    """Return the overwrites for the member, its roles, and the channels that it can see."""
    targets = {
        PermissionTarget.USER: {int(user.user_id)},
        PermissionTarget.ROLE: {int(user.guild_id), *map(int, user.roles)},
        PermissionTarget.CHANNEL: visible,
    }
    return tuple(each for each in overwrites if each.target_id in targets[each.type])
