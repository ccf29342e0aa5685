"""Application commands: what an application offers in its menus, and who may use it.

Rule: Discord docs, "Application Commands".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any, Final

import orjson

from chatd.core.ids import CommandId, GuildId, UserId
from chatd.core.installation import IntegrationType


class CommandType(IntEnum):
    """Rule: Discord docs, "Application Command Types"."""

    CHAT_INPUT = 1
    USER = 2
    MESSAGE = 3


class OptionType(IntEnum):
    """Rule: Discord docs, "Application Command Option Type"."""

    SUB_COMMAND = 1
    SUB_COMMAND_GROUP = 2
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    NUMBER = 10
    ATTACHMENT = 11


class InteractionContext(IntEnum):
    """Where a command is used. Rule: Discord docs, "Interaction Context Types"."""

    GUILD = 0
    BOT_DM = 1
    """The direct messages of a person with the bot of the application."""
    PRIVATE_CHANNEL = 2
    """Other private channels, for applications that a person has installed."""


COMMAND_LIMITS: Final = {
    CommandType.CHAT_INPUT: 100,
    CommandType.USER: 15,
    CommandType.MESSAGE: 15,
}
"""The commands of one type that an application can have globally, and again in each guild."""

MAX_COMMANDS: Final = sum(COMMAND_LIMITS.values())

# Rule: Discord docs, Application Commands; lengths in characters.
MAX_OPTIONS: Final = 25
MAX_CHOICES: Final = 25
MAX_NAME: Final = 32
MAX_DESCRIPTION: Final = 100
MAX_CHOICE_NAME: Final = 100
MAX_STRING: Final = 6000
"""Characters of the value of a STRING option."""
MAX_INTEGER: Final = 2**53 - 1
"""The largest INTEGER: a double represents each integer up to it exactly."""

MAX_CHARACTERS: Final = 8000
"""Characters of all names, descriptions and values of a command with its options and choices."""

CREATES_PER_DAY: Final = 200
"""The commands that an application can create in a day globally, and again in each guild."""

MAX_PERMISSIONS: Final = 100
"""The overwrites of a command in a guild."""

LOCALES: Final = frozenset(
    {
        *("ar", "bg", "cs", "da", "de", "el", "en-GB", "en-US", "es-419", "es-ES", "fi", "fr"),
        *("he", "hi", "hr", "hu", "id", "it", "ja", "ko", "lt", "nl", "no", "pl", "pt-BR", "ro"),
        *("ru", "sv-SE", "th", "tr", "uk", "vi", "zh-CN", "zh-TW"),
    }
)
"""Rule: Discord docs, Reference, "Locales"."""

LOCALE_FALLBACKS: Final = {"en-US": "en-GB", "en-GB": "en-US", "es-419": "es-ES"}
"""The locale that is used when a text has no translation into the first one."""

Localizations = Mapping[str, str]
"""Translations of a text by locale."""

Option = Mapping[str, Any]
"""An option as sent to clients. Rule: Discord docs, "Application Command Option Structure"."""


class Options:
    """The options of a command, in the JSON that is stored and sent. They are parsed on first use.

    A command has up to 8,000 characters of options, each with translations. Most responses only
    forward the JSON.
    """

    def __init__(self, json: str) -> None:
        self.json: Final = json

    @classmethod
    def of(cls, options: Sequence[Option]) -> Options:
        """Return these options."""
        return cls(orjson.dumps(options).decode())

    @cached_property
    def parsed(self) -> Sequence[Option]:
        """The options as objects."""
        parsed: list[Option] = orjson.loads(self.json)
        return parsed

    @property
    def are_localized(self) -> bool:
        """Whether an option may have translations: some text contains the name of their field."""
        return '_localizations"' in self.json

    def __bool__(self) -> bool:
        return self.json != "[]"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Options) and self.json == other.json

    def __hash__(self) -> int:
        return hash(self.json)

    def __repr__(self) -> str:
        return f"Options({self.json!r})"


NO_OPTIONS: Final = Options("[]")


@dataclass(frozen=True, slots=True)
class Command:
    """A command of an application: a global one, or one of a guild."""

    id: CommandId
    application_id: UserId
    guild_id: GuildId | None
    type: CommandType
    version: int
    """A snowflake that differs after each change. Clients send it when they invoke the command."""
    name: str
    name_localizations: Localizations | None
    description: str
    """Empty for commands in context menus (USER and MESSAGE)."""
    description_localizations: Localizations | None
    options: Options
    default_member_permissions: int | None
    """What members need to use the command, unless an overwrite says otherwise. None is nothing,
    0 is for administrators only."""
    nsfw: bool
    contexts: tuple[InteractionContext, ...] | None
    """None is for all contexts."""
    integration_types: tuple[IntegrationType, ...]

    @property
    def key(self) -> tuple[CommandType, str]:
        """What is unique among the commands of an application in one scope."""
        return self.type, self.name

    @property
    def dm_permission(self) -> bool:
        """Whether the contexts include direct messages with the bot."""
        return self.contexts is None or InteractionContext.BOT_DM in self.contexts

    def usable_installations(
        self, context: InteractionContext, installed: Collection[IntegrationType]
    ) -> frozenset[IntegrationType]:
        """Return the installations by which the command can be used in this context.

        `installed` is how the application is installed there: in the guild or for the bot's direct
        messages, or by the person. Only the latter counts in other private channels. Commands of a
        guild can be used in guilds only.
        """
        if self.guild_id is not None:
            is_there = IntegrationType.GUILD_INSTALL in installed
            if context is not InteractionContext.GUILD or not is_there:
                return frozenset()
            return frozenset({IntegrationType.GUILD_INSTALL})
        if self.contexts is not None and context not in self.contexts:
            return frozenset()
        found = frozenset(self.integration_types) & frozenset(installed)
        if context is InteractionContext.PRIVATE_CHANNEL:
            found -= {IntegrationType.GUILD_INSTALL}
        return found


class PermissionTarget(IntEnum):
    """Rule: Discord docs, "Application Command Permission Type"."""

    ROLE = 1
    USER = 2
    CHANNEL = 3


@dataclass(frozen=True, slots=True)
class CommandOverwrite:
    """Whether a role, a user, or all members in a channel may use a command."""

    target_id: int
    """The id of a role, user or channel; for all channels of a guild, the guild's id - 1."""
    type: PermissionTarget
    permission: bool


@dataclass(frozen=True, slots=True)
class CommandPermissions:
    """The overwrites of a command in a guild."""

    guild_id: GuildId
    application_id: UserId
    command_id: int
    """The command; or the application, for the overwrites of all its commands."""
    overwrites: tuple[CommandOverwrite, ...]


def localized(localizations: Localizations | None, locale: str) -> str | None:
    """Return the translation into a locale or its fallback; None without one."""
    if not localizations:
        return None
    found = localizations.get(locale)
    if found is None and (fallback := LOCALE_FALLBACKS.get(locale)) is not None:
        found = localizations.get(fallback)
    return found
