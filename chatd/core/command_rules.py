"""Rules that concern several fields of an application command, or its type.

Rule: Discord docs, "Application Command Structure", "Slash Commands" and "Localization".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from chatd.core import command_names, names
from chatd.core.commands import (
    MAX_CHARACTERS,
    NO_OPTIONS,
    Command,
    CommandType,
    Localizations,
    Option,
)
from chatd.core.field_errors import FieldErrors

_INVALID_NAME: Final = ("APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
_REQUIRED: Final = ("BASE_TYPE_REQUIRED", "This field is required")
_DESCRIBED: Final = (
    "APPLICATION_COMMAND_INVALID_DESCRIPTION",
    "Context menu commands cannot have description",
)
_WITH_OPTIONS: Final = (
    "APPLICATION_COMMAND_INVALID_OPTIONS",
    "Context menu commands cannot have options",
)
_TOO_LARGE: Final = (
    "APPLICATION_COMMAND_TOO_LARGE",
    f"Command exceeds maximum size ({MAX_CHARACTERS})",
)
DUPLICATE_NAME: Final = (
    "APPLICATION_COMMANDS_DUPLICATE_NAME",
    "Application command names must be unique",
)


def _name_errors(command: Command) -> FieldErrors:
    is_valid = _valid_names(command.type)
    errors: FieldErrors = {}
    if not is_valid(command.name):
        errors["name"] = leaf(*_INVALID_NAME)
    invalid = {
        locale: leaf(*_INVALID_NAME)
        for locale, name in (command.name_localizations or {}).items()
        if not is_valid(name)
    }
    if invalid:
        errors["name_localizations"] = invalid
    return errors


def errors_of(command: Command) -> FieldErrors:
    """Return what is wrong with a command whose single fields are valid; empty if nothing is."""
    errors = _name_errors(command)
    if command.type is CommandType.CHAT_INPUT:
        if not command.description:
            errors["description"] = leaf(*_REQUIRED)
        if count_characters(command) > MAX_CHARACTERS:
            errors |= leaf(*_TOO_LARGE)
    else:
        if command.description or command.description_localizations:
            errors["description"] = leaf(*_DESCRIBED)
        if command.options != NO_OPTIONS:
            errors["options"] = leaf(*_WITH_OPTIONS)
    return errors


def _valid_names(kind: CommandType) -> Callable[[str], bool]:
    return command_names.is_valid if kind is CommandType.CHAT_INPUT else _is_visible


def _is_visible(name: str) -> bool:
    """Return whether a command in a context menu can have this name."""
    try:
        names.check(name)
    except ValueError:
        return False
    return name == name.strip()


def leaf(code: str, message: str) -> FieldErrors:
    """Return one error in the form of Discord's."""
    return {"_errors": [{"code": code, "message": message}]}


def count_characters(command: Command) -> int:
    """Count the names, descriptions and values of a command with its options and choices.

    Of a text with translations, the longest one counts.
    """
    return (
        _longest(command.name, command.name_localizations)
        + _longest(command.description, command.description_localizations)
        + _count_options(command.options.parsed)
    )


def _count_options(options: Iterable[Option]) -> int:
    return sum(
        _longest(option["name"], option.get("name_localizations"))
        + _longest(option["description"], option.get("description_localizations"))
        + _count_options(option.get("options", ()))
        + sum(map(_count_choice, option.get("choices", ())))
        for option in options
    )


def _count_choice(choice: Mapping[str, Any]) -> int:
    return _longest(choice["name"], choice.get("name_localizations")) + len(str(choice["value"]))


def _longest(text: str, localizations: Localizations | None) -> int:
    return max(len(text), *map(len, (localizations or {}).values()), 0)
