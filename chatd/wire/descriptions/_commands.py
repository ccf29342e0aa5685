"""Descriptions of the fields of single schemas, about application commands."""

from __future__ import annotations

from typing import Final

_TEXTS: Final = {
    "name": "The name of the command.",
    "description": "What the command does; empty for commands in menus.",
    "type": "1 slash command, 2 command in the menu of users, 3 in the menu of messages.",
    "nsfw": "Whether the command can be used in age-restricted channels only.",
    "options": "What a person enters, at most 25; required ones come first.",
}
_COMMAND: Final = {
    **_TEXTS,
    "application_id": "The application of the command.",
    "id": "The id of the command.",
    "guild_id": "The guild of the command; absent for a global command.",
}
_OPTION: Final = {
    "type": "1 subcommand, 2 group of subcommands, 3 text, 4 integer, 5 boolean, 6 user, 7 channel,"
    " 8 role, 9 user or role, 10 number, 11 file.",
    "name": "The name of the option.",
    "description": "What the option is for.",
    "required": "Whether a value is required.",
    "options": "The subcommands of a group, or the options of a subcommand.",
}
_CHANGE: Final = {
    **_TEXTS,
    "name": "The name: 1 to 32 characters; that of a slash command has no capitals and spaces.",
    "description": "What a slash command does: 1 to 100 characters.",
}
_TARGET: Final = {
    "id": "The role, user or channel; the id of the guild means everyone, and that id minus 1 all"
    " channels.",
    "type": "1 role, 2 user, 3 channel.",
    "permission": "Whether the command may be used.",
}

COMMANDS: Final[dict[str, dict[str, str]]] = {
    "Command": _COMMAND,
    "IndexedCommand": {**_COMMAND, "permissions": "The permissions that concern the caller."},
    "CommandOption": _OPTION,
    "Subcommand": _OPTION,
    "CommandValueOption": {name: about for name, about in _OPTION.items() if name != "options"},
    "CommandChoice": {"name": "The name of the choice."},
    "NewCommand": _CHANGE,
    "ListedCommand": {
        **_CHANGE,
        "id": "The command that this one replaces; by default, the one with its type and name.",
    },
    "CommandChange": {name: about for name, about in _CHANGE.items() if name != "type"},
    "PermissionsChange": {"permissions": "Who may use the command, and where; at most 100."},
    "CommandOverwriteInput": _TARGET,
    "CommandOverwrite": _TARGET,
    "CommandPermissions": {
        "application_id": "The application of the command.",
        "guild_id": "The guild.",
        "id": "The command; or the application, for its commands without permissions of their own.",
        "permissions": "Who may use the command, and where.",
    },
    "IndexPermissions": {
        "user": "Whether the caller may use it.",
        "roles": "Whether members with a role may use it, by the id of the role.",
        "channels": "Whether it may be used in a channel, by the id of the channel.",
    },
    "IndexedApplication": {
        "id": "The id of the application.",
        "name": "The name of the application.",
        "description": "What the application is for.",
        "flags": "Flags of the application, as text.",
        "icon": "The hash of the picture of the application; null without one.",
        "bot_id": "The bot of the application.",
        "permissions": "The permissions of all its commands that concern the caller.",
    },
    "CommandCursor": {
        "previous": "The `cursor` of the page before; null on the first page.",
        "next": "The `cursor` of the next page; null on the last page.",
    },
    "CommandSearch": {"cursor": "Where other pages begin."},
}
