"""Commands as they will be stored, from what an application sends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from chatd.core.commands import Command, InteractionContext
from chatd.core.ids import CommandId, GuildId, UserId
from chatd.core.installation import IntegrationType
from chatd.core.unset import UNSET, Maybe
from chatd.wire.schemas.application_commands import CommandChange, NewCommand

T = TypeVar("T")

Contexts = tuple[InteractionContext, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where commands are: an application, globally or in a guild."""

    application_id: UserId
    guild_id: GuildId | None


def of(scope: Scope, wanted: NewCommand, defaults: Collection[IntegrationType]) -> Command:
    """Return a command that has no id and no version yet.

    `defaults` are the kinds of installation that the application supports.
    """
    needed = wanted.default_member_permissions
    contexts = _contexts(wanted.contexts)
    if contexts is None and not wanted.dm_permission:
        contexts = _without_dms(None)
    return Command(
        id=CommandId(0),
        application_id=scope.application_id,
        guild_id=scope.guild_id,
        type=wanted.type,
        version=0,
        name=wanted.name,
        name_localizations=wanted.name_localizations,
        description=wanted.description,
        description_localizations=wanted.description_localizations,
        options=wanted.options,
        default_member_permissions=(
            0 if needed is None and not wanted.default_permission else needed
        ),
        nsfw=wanted.nsfw,
        contexts=contexts,
        integration_types=_integration_types(wanted.integration_types, defaults),
    )


def changed(
    command: Command, change: CommandChange, defaults: Collection[IntegrationType]
) -> Command:
    """Return the command with the fields of a change. Its version stays the same.

    `contexts` counts before `dm_permission`, and `default_member_permissions` before
    `default_permission`: Discord has replaced the latter by the former.
    """
    needed = command.default_member_permissions
    if change.default_member_permissions is not UNSET:
        needed = change.default_member_permissions
    elif change.default_permission is not UNSET:
        needed = None if change.default_permission else 0
    contexts = command.contexts
    if change.contexts is not UNSET:
        contexts = _contexts(change.contexts)
    elif change.dm_permission is not UNSET:
        contexts = (_with_dms if change.dm_permission else _without_dms)(command.contexts)
    types: Sequence[int] | None = command.integration_types
    if change.integration_types is not UNSET:
        types = change.integration_types
    return replace(
        command,
        name=_given(change.name, command.name),
        name_localizations=_given(change.name_localizations, command.name_localizations),
        description=_given(change.description, command.description),
        description_localizations=_given(
            change.description_localizations, command.description_localizations
        ),
        options=_given(change.options, command.options),
        default_member_permissions=needed,
        nsfw=_given(change.nsfw, command.nsfw),
        contexts=contexts,
        integration_types=_integration_types(types, defaults),
    )


def _given(value: Maybe[T], otherwise: T) -> T:
    return otherwise if value is UNSET else value


def _contexts(given: Iterable[int] | None) -> Contexts | None:
    return None if given is None else tuple(InteractionContext(each) for each in sorted(given))


def _with_dms(contexts: Contexts | None) -> Contexts | None:
    return None if contexts is None else _contexts({*contexts, InteractionContext.BOT_DM})


def _without_dms(contexts: Contexts | None) -> Contexts:
    """Return these contexts, by default those of a guild, without direct messages."""
    if contexts is None:
        return (InteractionContext.GUILD,)
    return tuple(each for each in contexts if each is not InteractionContext.BOT_DM)


def _integration_types(
    given: Iterable[int] | None, defaults: Collection[IntegrationType]
) -> tuple[IntegrationType, ...]:
    wanted = defaults if given is None else given
    return tuple(IntegrationType(each) for each in sorted(wanted))
