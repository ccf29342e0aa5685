"""Schemas of responses about application commands."""

from __future__ import annotations

from typing import Any

from chatd.core.commands import (
    CommandType,
    InteractionContext,
    OptionType,
    PermissionTarget,
)
from chatd.core.installation import IntegrationType
from chatd.core.json import JsonObject
from chatd.wire.json_schema import (
    BITS,
    BOOL,
    COUNT,
    ID,
    INT,
    NULL,
    STRING,
    array_of,
    nullable,
    object_schema,
    one_of,
)

_LOCALIZATIONS: JsonObject = {"type": ["object", "null"], "additionalProperties": STRING}
_NUMBER: JsonObject = {"type": ["integer", "number"]}

_TEXTS: dict[str, Any] = {
    "name_localizations": _LOCALIZATIONS,
    "name_localized": STRING,
    "name_default": STRING,
    "description_localizations": _LOCALIZATIONS,
    "description_localized": STRING,
    "description_default": STRING,
}


def _option(name: str, kinds: tuple[OptionType, ...], inner: Any) -> Any:
    """Return the schema of options of these types, which can have options of their own."""
    more: dict[str, Any] = {**_TEXTS, "required": BOOL}
    if OptionType.STRING in kinds:
        more |= {
            "choices": array_of(_CHOICE),
            "autocomplete": BOOL,
            "channel_types": array_of(INT),
            "min_value": _NUMBER,
            "max_value": _NUMBER,
            "min_length": COUNT,
            "max_length": COUNT,
            "file_types": array_of(STRING),
        }
    if inner is not None:
        more["options"] = array_of(inner)
    return object_schema(
        name,
        "An option of a command.",
        {"type": one_of(*kinds), "name": STRING, "description": STRING},
        more,
    )


_CHOICE = object_schema(
    "CommandChoice",
    "A value that a person can choose for an option.",
    {"name": STRING, "value": {"type": ["string", "integer", "number"]}},
    {
        "name_localizations": _LOCALIZATIONS,
        "name_localized": STRING,
        "name_default": STRING,
    },
)
_VALUES = tuple(OptionType)[2:]
_VALUE_OPTION = _option("CommandValueOption", _VALUES, None)
_SUBCOMMAND = _option("Subcommand", (OptionType.SUB_COMMAND, *_VALUES), _VALUE_OPTION)
_OPTION = _option("CommandOption", tuple(OptionType), _SUBCOMMAND)

_INDEX_PERMISSIONS = object_schema(
    "IndexPermissions",
    "The permissions that concern the caller: of it, of its roles, and of channels that it sees.",
    {},
    {
        "user": BOOL,
        "roles": {"type": "object", "additionalProperties": BOOL},
        "channels": {"type": "object", "additionalProperties": BOOL},
    },
)

_COMMAND_FIELDS: dict[str, Any] = {
    "id": ID,
    "application_id": ID,
    "version": ID,
    "default_member_permissions": nullable(BITS),
    "type": one_of(*CommandType),
    "name": STRING,
    "description": STRING,
    "nsfw": BOOL,
    "contexts": nullable(array_of(one_of(*InteractionContext)).schema),
    "integration_types": array_of(one_of(*IntegrationType)),
}
_OPTIONAL_FIELDS: dict[str, Any] = {
    **_TEXTS,
    "guild_id": ID,
    "dm_permission": BOOL,
    "options": array_of(_OPTION),
}
COMMAND = object_schema(
    "Command",
    "A command of an application: a global one, or one of a guild.",
    _COMMAND_FIELDS,
    _OPTIONAL_FIELDS,
)
_INDEXED_COMMAND = object_schema(
    "IndexedCommand",
    "A command that the caller can use. Texts are translated into the caller's locale.",
    _COMMAND_FIELDS,
    {**_OPTIONAL_FIELDS, "permissions": _INDEX_PERMISSIONS},
)
_INDEXED_APPLICATION = object_schema(
    "IndexedApplication",
    "An application with commands that the caller can use.",
    {
        "id": ID,
        "name": STRING,
        "description": STRING,
        "icon": nullable(STRING),
        "bot_id": ID,
        "flags": STRING,
    },
    {"permissions": _INDEX_PERMISSIONS},
)
COMMAND_INDEX = object_schema(
    "CommandIndex",
    "The commands that the caller can use, and the applications that they belong to.",
    {
        "applications": array_of(_INDEXED_APPLICATION),
        "application_commands": array_of(_INDEXED_COMMAND),
        "version": ID,
    },
)
COMMAND_SEARCH = object_schema(
    "CommandSearch",
    "A page of commands that match a search.",
    {
        **COMMAND_INDEX.schema["properties"],
        "cursor": object_schema(
            "CommandCursor",
            "Where other pages begin.",
            {"previous": nullable(STRING), "next": nullable(STRING), "repaired": NULL},
        ),
    },
)
COMMAND_PERMISSIONS = object_schema(
    "CommandPermissions",
    "Which members may use a command in a guild, and in which channels.",
    {
        "id": ID,
        "application_id": ID,
        "guild_id": ID,
        "permissions": array_of(
            object_schema(
                "CommandOverwrite",
                "Whether a role, a user, or all members in a channel may use a command.",
                {"id": ID, "type": one_of(*PermissionTarget), "permission": BOOL},
            )
        ),
    },
)
