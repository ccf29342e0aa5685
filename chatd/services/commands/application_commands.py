"""The commands of an application: global ones, and those of single guilds.

Only the application's bot changes them; its owner can read them. The application has to be
installed in the guild whose commands are meant.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import command_rules
from chatd.core.command_rules import leaf
from chatd.core.commands import (
    COMMAND_LIMITS,
    CREATES_PER_DAY,
    Command,
    CommandType,
)
from chatd.core.errors import (
    DuplicateCommandName,
    ForeignApplication,
    InvalidForm,
    MissingAccess,
    TooManyCommands,
    TooManyCommandsCreated,
    UnknownApplication,
    UnknownCommand,
    UnknownGuild,
)
from chatd.core.field_errors import FieldErrors
from chatd.core.ids import CommandId, GuildId, UserId
from chatd.core.installation import IntegrationType
from chatd.db.cursor import Cursor
from chatd.events import application_commands as events
from chatd.queries import (
    application_commands,
    applications,
    command_permissions,
    guilds,
    integrations,
)
from chatd.services.access import access
from chatd.services.commands import drafts
from chatd.services.commands.drafts import Scope
from chatd.wire.schemas.application_commands import CommandChange, ListedCommand, NewCommand

MAX_SCOPE_BYTES: Final = 2**21
"""Bytes of the options and translations of all commands in a scope.

130 commands with 8,000 characters each, translated into 34 locales, would have 100 MB, and each
listing would read them. A body of the bulk overwrite is smaller than this.
"""


async def list_all(ctx: Context, scope: Scope) -> list[Command]:
    """Return the commands of a scope, in the order of their ids.

    Raises UnknownApplication, ForeignApplication, UnknownGuild, MissingAccess.
    """
    async with ctx.database.cursor() as cur:
        await _require_readable(cur, ctx, scope)
        return await application_commands.list_in_scope(cur, scope.application_id, scope.guild_id)


async def get(ctx: Context, scope: Scope, command_id: CommandId) -> Command:
    """Return a command of a scope.

    Raises UnknownApplication, ForeignApplication, UnknownGuild, MissingAccess, UnknownCommand.
    """
    async with ctx.database.cursor() as cur:
        await _require_readable(cur, ctx, scope)
        return await _existing(cur, scope, command_id)


async def create(ctx: Context, scope: Scope, wanted: NewCommand) -> tuple[Command, bool]:
    """Create a command, or replace the one with the same type and name.

    Returns the command, and whether it is new. Raises InvalidForm, ForeignApplication,
    UnknownGuild, MissingAccess, TooManyCommands, TooManyCommandsCreated.
    """
    draft = drafts.of(scope, wanted, await _install_types(ctx, scope))
    _require_valid(draft)
    async with ctx.begin() as work:
        await _lock(work, ctx, scope)
        existing = await _list(work.cur, scope)
        before = next((each for each in existing if each.key == draft.key), None)
        if before is not None:
            draft = replace(draft, id=before.id, version=before.version)
            if draft == before:
                return before, False
        else:
            draft = replace(draft, id=ctx.new_id(CommandId))
            _require_room([*existing, draft])
        command = replace(draft, version=ctx.new_id(int))
        await application_commands.save(work.cur, [command], renamed=())
        await _record(work, scope, command.version, created=int(before is None))
    return command, before is None


async def update(
    ctx: Context, scope: Scope, command_id: CommandId, change: CommandChange
) -> Command:
    """Change a command. With a new name, its permissions in guilds end.

    Raises InvalidForm, ForeignApplication, UnknownGuild, MissingAccess, UnknownCommand,
    DuplicateCommandName.
    """
    defaults = await _install_types(ctx, scope)
    async with ctx.begin() as work:
        await _lock(work, ctx, scope)
        before = await _existing(work.cur, scope, command_id)
        changed = drafts.changed(before, change, defaults)
        if changed == before:
            return before
        _require_valid(changed)
        is_renamed = changed.name != before.name
        if is_renamed:
            others = await _list(work.cur, scope)
            if any(each.key == changed.key for each in others):
                raise DuplicateCommandName
        changed = replace(changed, version=ctx.new_id(int))
        await application_commands.save(work.cur, [changed], renamed=())
        if is_renamed:  # the row of the command is locked: no other request adds permissions
            await command_permissions.add_pending_deletion(
                work.cur, scope.application_id, [command_id]
            )
        await _record(work, scope, changed.version)
    return changed


async def delete(ctx: Context, scope: Scope, command_id: CommandId) -> None:
    """Delete a command. A background task deletes its permissions in guilds.

    Raises ForeignApplication, UnknownGuild, MissingAccess, UnknownCommand.
    """
    async with ctx.begin() as work:
        await _lock(work, ctx, scope)
        await _existing(work.cur, scope, command_id)
        await application_commands.delete(work.cur, [command_id])
        await command_permissions.add_pending_deletion(work.cur, scope.application_id, [command_id])
        await _record(work, scope, ctx.new_id(int))


async def replace_all(ctx: Context, scope: Scope, listed: Sequence[ListedCommand]) -> list[Command]:
    """Replace all commands of a scope, in one transaction. Returns them in the order of the list.

    A command keeps its id if the list contains its id, or its type and name; it keeps its version,
    too, if nothing about it changes. Raises InvalidForm, ForeignApplication, UnknownGuild,
    MissingAccess, TooManyCommands, TooManyCommandsCreated.
    """
    defaults = await _install_types(ctx, scope)
    wanted = [drafts.of(scope, each, defaults) for each in listed]
    await _require_all_valid(wanted)
    _require_room(wanted)
    async with ctx.begin() as work:
        await _lock(work, ctx, scope)
        existing = {each.id: each for each in await _list(work.cur, scope)}
        wanted = _with_ids(ctx, listed, wanted, existing)
        changed = [each for each in wanted if existing.get(each.id) != each]
        gone = existing.keys() - {each.id for each in wanted}
        if not changed and not gone:
            return wanted
        changed = await _write(ctx, work, scope, existing, changed, gone=gone)
    by_id = {each.id: each for each in changed}
    return [by_id.get(each.id, each) for each in wanted]


async def _write(
    ctx: Context,
    work: UnitOfWork,
    scope: Scope,
    existing: Mapping[CommandId, Command],
    changed: Sequence[Command],
    *,
    gone: Collection[CommandId],
) -> list[Command]:
    """Delete and save commands of a scope. Returns the changed ones with their new versions.

    Commands that are deleted or renamed lose their permissions. Raises TooManyCommandsCreated,
    InvalidForm.
    """
    renamed = [
        each.id for each in changed if each.id in existing and existing[each.id].name != each.name
    ]
    await application_commands.delete(work.cur, gone)
    versioned = [replace(each, version=ctx.new_id(int)) for each in changed]
    if versioned:
        await application_commands.save(work.cur, versioned, renamed=renamed)
    # The rows of these commands are locked: no other request adds permissions.
    await command_permissions.add_pending_deletion(
        work.cur, scope.application_id, [*gone, *renamed]
    )
    created = sum(each.id not in existing for each in versioned)
    await _record(work, scope, ctx.new_id(int), created=created)
    return versioned


def _with_ids(
    ctx: Context,
    listed: Sequence[ListedCommand],
    wanted: Sequence[Command],
    existing: dict[CommandId, Command],
) -> list[Command]:
    """Return the drafts with the ids and versions of the commands that they replace."""
    free = dict(existing)
    replaced: dict[int, Command] = {}
    for index, (each, draft) in enumerate(zip(listed, wanted, strict=True)):
        before = free.get(CommandId(each.id)) if each.id is not None else None
        if before is not None and before.type is draft.type:
            replaced[index] = free.pop(before.id)
    by_key = {each.key: each for each in free.values()}
    found = []
    for index, draft in enumerate(wanted):
        same = replaced.get(index) or by_key.get(draft.key)
        if same is None:
            found.append(replace(draft, id=ctx.new_id(CommandId)))
        else:
            found.append(replace(draft, id=same.id, version=same.version))
    return found


async def _install_types(ctx: Context, scope: Scope) -> Collection[IntegrationType]:
    """Return the kinds of installation that commands are for by default.

    These are those that the application supports; commands of a guild are for that guild.
    """
    if scope.guild_id is not None:
        return (IntegrationType.GUILD_INSTALL,)
    async with ctx.database.cursor() as cur:
        application = await applications.get(cur, scope.application_id)
    return () if application is None else tuple(application.install_config)


async def _require_readable(cur: Cursor, ctx: Context, scope: Scope) -> None:
    """Require the caller to be the application or its owner, and the application to be there."""
    if scope.application_id != ctx.user.id:
        application = await applications.get(cur, scope.application_id)
        if application is None:
            raise UnknownApplication
        if application.owner.id != ctx.user.id:
            raise ForeignApplication
    elif not ctx.user.bot:
        raise UnknownApplication
    if scope.guild_id is not None:
        await _require_installed(cur, scope.guild_id, scope.application_id)


async def _lock(work: UnitOfWork, ctx: Context, scope: Scope) -> None:
    """Lock a scope of the calling bot.

    Raises ForeignApplication, UnknownGuild, MissingAccess, Unauthorized.
    """
    if scope.application_id != ctx.user.id:
        raise ForeignApplication
    if scope.guild_id is not None:
        if not await work.lock(scope.guild_id):
            raise UnknownGuild
        await _require_installed(work.cur, scope.guild_id, scope.application_id)
    else:
        await work.ensure_and_lock(scope.application_id)
        await access.require_account(work.cur, scope.application_id)


async def _require_installed(cur: Cursor, guild_id: GuildId, application_id: UserId) -> None:
    """Raise UnknownGuild, or MissingAccess unless the application is installed in the guild."""
    if not await guilds.by_ids(cur, [guild_id]):
        raise UnknownGuild
    if await integrations.get(cur, guild_id, application_id) is None:
        raise MissingAccess


async def _list(cur: Cursor, scope: Scope) -> list[Command]:
    return await application_commands.list_in_scope(cur, scope.application_id, scope.guild_id)


async def _existing(cur: Cursor, scope: Scope, command_id: CommandId) -> Command:
    """Return a command of a scope. Raises UnknownCommand."""
    command = await application_commands.get(cur, scope.application_id, scope.guild_id, command_id)
    if command is None:
        raise UnknownCommand
    return command


async def _record(work: UnitOfWork, scope: Scope, version: int, *, created: int = 0) -> None:
    """Record and publish a change. Raises TooManyCommandsCreated, InvalidForm.

    Clients learn of changed global commands when they invoke one with an old version.
    """
    state = await application_commands.record_change(
        work.cur, scope.application_id, scope.guild_id, version=version, created=created
    )
    if created and state.created > CREATES_PER_DAY:
        raise TooManyCommandsCreated
    if state.stored_bytes > MAX_SCOPE_BYTES:
        text = f"All commands together exceed maximum size ({MAX_SCOPE_BYTES} bytes)"
        raise InvalidForm(leaf("APPLICATION_COMMAND_TOO_LARGE", text))
    if scope.guild_id is not None:
        work.emit(events.command_index_updated(scope.guild_id, version))


def _require_room(commands: Iterable[Command]) -> None:
    """Raise TooManyCommands if there are too many commands of one type."""
    for kind, count in Counter(each.type for each in commands).items():
        if count > COMMAND_LIMITS[kind]:
            raise TooManyCommands(COMMAND_LIMITS[kind])


def _require_valid(command: Command) -> None:
    if errors := command_rules.errors_of(command):
        raise InvalidForm(errors)


async def _require_all_valid(commands: Sequence[Command]) -> None:
    """Raise InvalidForm with the errors of each command of a list."""
    errors: FieldErrors = {}
    keys: set[tuple[CommandType, str]] = set()
    for index, each in enumerate(commands):
        await asyncio.sleep(0)  # counting the characters of one needs up to a millisecond
        if found := command_rules.errors_of(each):
            errors[str(index)] = found
        elif each.key in keys:
            errors[str(index)] = leaf(*command_rules.DUPLICATE_NAME)
        keys.add(each.key)
    if errors:
        raise InvalidForm(errors)
