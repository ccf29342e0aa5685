"""Payloads of application commands, their permissions, and the index of commands for clients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from chatd.core.commands import (
    Command,
    CommandOverwrite,
    CommandPermissions,
    PermissionTarget,
    localized,
)
from chatd.core.json import JsonObject
from chatd.core.models import Application


def command(command: Command) -> JsonObject:
    """A command with all translations (ApplicationCommandResponse)."""
    payload = _head(command)
    payload["name_localizations"] = command.name_localizations
    payload["description_localizations"] = command.description_localizations
    if command.options:
        payload["options"] = orjson.Fragment(command.options.json)
    return payload


def localized_command(command: Command, locale: str) -> JsonObject:
    """A command with the translations into one locale, as `name_localized` and others."""
    payload = _head(command)
    _add_localized(payload, command.name_localizations, "name", locale)
    _add_localized(payload, command.description_localizations, "description", locale)
    if command.options:
        payload["options"] = _options(command, locale, _add_localized)
    return payload


def indexed_command(
    command: Command, locale: str, permissions: JsonObject | None = None
) -> JsonObject:
    """A command in an index: translated texts replace the original ones (`name_default`)."""
    payload = _head(command)
    _replace_by_localized(payload, command.name_localizations, "name", locale)
    _replace_by_localized(payload, command.description_localizations, "description", locale)
    if command.options:
        payload["options"] = _options(command, locale, _replace_by_localized)
    if permissions is not None:
        payload["permissions"] = permissions
    return payload


def _head(command: Command) -> JsonObject:
    needed = command.default_member_permissions
    payload: JsonObject = {
        "id": str(command.id),
        "application_id": str(command.application_id),
        "version": str(command.version),
        "default_member_permissions": None if needed is None else str(needed),
        "type": command.type,
        "name": command.name,
        "description": command.description,
        "nsfw": command.nsfw,
        "contexts": command.contexts,
        "integration_types": command.integration_types,
    }
    if command.guild_id is None:
        payload["dm_permission"] = command.dm_permission
    else:
        payload["guild_id"] = str(command.guild_id)
    return payload


def _options(command: Command, locale: str, add: Any) -> Any:
    """Return the options with their translations into one locale."""
    if not command.options.are_localized:
        return orjson.Fragment(command.options.json)
    return [_option(each, locale, add) for each in command.options.parsed]


def _option(option: Mapping[str, Any], locale: str, add: Any) -> JsonObject:
    """Return an option, or a choice, with its translations into one locale."""
    payload = {
        key: value
        for key, value in option.items()
        if key not in ("name_localizations", "description_localizations", "options", "choices")
    }
    add(payload, option.get("name_localizations"), "name", locale)
    add(payload, option.get("description_localizations"), "description", locale)
    for key in ("options", "choices"):
        if key in option:
            payload[key] = [_option(each, locale, add) for each in option[key]]
    return payload


def _add_localized(
    payload: JsonObject, localizations: Mapping[str, str] | None, key: str, locale: str
) -> None:
    if (text := localized(localizations, locale)) is not None:
        payload[f"{key}_localized"] = text


def _replace_by_localized(
    payload: JsonObject, localizations: Mapping[str, str] | None, key: str, locale: str
) -> None:
    if (text := localized(localizations, locale)) is not None:
        payload[f"{key}_default"] = payload[key]
        payload[key] = text


def command_permissions(permissions: CommandPermissions) -> JsonObject:
    """CommandPermissionsResponse."""
    return {
        "id": str(permissions.command_id),
        "application_id": str(permissions.application_id),
        "guild_id": str(permissions.guild_id),
        "permissions": [command_overwrite(each) for each in permissions.overwrites],
    }


def command_overwrite(overwrite: CommandOverwrite) -> JsonObject:
    """CommandPermissionResponse."""
    return {
        "id": str(overwrite.target_id),
        "type": overwrite.type,
        "permission": overwrite.permission,
    }


def index_permissions(overwrites: Iterable[CommandOverwrite]) -> JsonObject:
    """The overwrites that concern the caller, by the kind of their targets."""
    payload: JsonObject = {}
    for each in overwrites:
        if each.type == PermissionTarget.USER:
            payload["user"] = each.permission
        else:
            kind = "roles" if each.type == PermissionTarget.ROLE else "channels"
            payload.setdefault(kind, {})[str(each.target_id)] = each.permission
    return payload


def indexed_application(
    application: Application, permissions: JsonObject | None = None
) -> JsonObject:
    """An application in an index of commands."""
    payload: JsonObject = {
        "id": str(application.bot.id),
        "name": application.name,
        "description": application.description,
        "icon": application.icon,
        "bot_id": str(application.bot.id),
        "flags": str(application.flags),
    }
    if permissions is not None:
        payload["permissions"] = permissions
    return payload
