"""Validating the options with which a person invokes a command.

Rule: Discord docs, "Application Command Interaction Data Option Structure".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from chatd.core import file_types
from chatd.core.command_rules import leaf
from chatd.core.commands import (
    MAX_INTEGER,
    MAX_OPTIONS,
    MAX_STRING,
    Command,
    Option,
    OptionType,
)
from chatd.core.errors import InvalidForm
from chatd.core.field_errors import FieldErrors
from chatd.core.ids import parse_id
from chatd.core.json import JsonObject
from chatd.wire.fields import whole

OUTDATED: Final = (
    "INTERACTION_APPLICATION_COMMAND_INVALID",
    "This command is outdated, please try again in a few minutes.",
)
"""Clients fetch the commands again when they receive this code."""

_T = OptionType
_GROUPING = (_T.SUB_COMMAND, _T.SUB_COMMAND_GROUP)
_IDS = (_T.USER, _T.CHANNEL, _T.ROLE, _T.MENTIONABLE)
_NUMBERS = (_T.INTEGER, _T.NUMBER)

Path = tuple[str | int, ...]


class _Refused(Exception):
    """One value is invalid."""

    def __init__(self, at: Path, code: str, message: str) -> None:
        super().__init__(message)
        self.at, self.error = at, leaf(code, message)


@dataclass(frozen=True, slots=True)
class _Rules:
    """How values are validated: of a command, or while one of its options is completed."""

    is_autocomplete: bool
    filenames: Mapping[str, str] | None


def validate(
    command: Command,
    options: Any,
    *,
    filenames: Mapping[str, str] | None = None,
    autocomplete: bool = False,
    at: Path = ("data", "options"),
) -> list[JsonObject]:
    """Return the options of an invocation as the application receives them.

    `options` is the JSON that the client has sent; it may have any form. `filenames` are the names
    of the files that the client sends along, by their ids; without it, ids of files are not
    checked. With `autocomplete`, the person is still typing: exactly one option is `focused`, its
    value is any text, and required options may be missing. Ids of users, roles and channels are
    only checked for their form.

    Raises InvalidForm, with errors below the path `at`.
    """
    rules = _Rules(autocomplete, filenames)
    focused: list[Path] = []
    try:
        found = _validated(rules, command.options.parsed, options, at, focused)
    except _Refused as refused:
        raise InvalidForm(_nested(refused.at, refused.error)) from None
    if autocomplete and len(focused) != 1:
        code, _ = OUTDATED
        raise InvalidForm(_nested(at, leaf(code, "Exactly one option has to be focused.")))
    return found


def _nested(at: Path, errors: FieldErrors) -> FieldErrors:
    for key in reversed(at):
        errors = {str(key): errors}
    return errors


def _validated(
    rules: _Rules, defined: Sequence[Option], given: Any, at: Path, focused: list[Path]
) -> list[JsonObject]:
    if given is None:
        given = []
    if not isinstance(given, list):
        raise _Refused(at, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType.")
    if len(given) > MAX_OPTIONS:
        raise _Refused(at, "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_OPTIONS} or fewer in length.")
    by_name = {option["name"]: option for option in defined}
    found: dict[str, JsonObject] = {}
    for index, each in enumerate(given):
        here = (*at, index)
        option = _defined(by_name, each, here)
        if option["name"] in found:
            raise _Refused(here, *OUTDATED)
        found[option["name"]] = _option(rules, option, each, here, focused)
    _require_all(rules, defined, found, at)
    return list(found.values())


def _defined(by_name: Mapping[str, Option], given: Any, at: Path) -> Option:
    """Return the definition of a given option."""
    if not isinstance(given, dict):
        raise _Refused(at, "MODEL_TYPE_CONVERT", "Only dictionaries may be used.")
    name = given.get("name")
    option = by_name.get(name) if isinstance(name, str) else None
    if option is None or whole(given.get("type", option["type"])) != option["type"]:
        raise _Refused(at, *OUTDATED)
    return option


def _require_all(
    rules: _Rules, defined: Sequence[Option], found: Mapping[str, JsonObject], at: Path
) -> None:
    """Require all required options; of subcommands and groups, exactly one."""
    if defined and defined[0]["type"] in _GROUPING:
        if len(found) != 1:
            raise _Refused(at, *OUTDATED)
        return
    for option in defined:
        if option.get("required") and option["name"] not in found and not rules.is_autocomplete:
            text = f"The option {option['name']} is required."
            raise _Refused(at, "INTERACTION_APPLICATION_COMMAND_OPTION_MISSING", text)


def _option(
    rules: _Rules, option: Option, given: JsonObject, at: Path, focused: list[Path]
) -> JsonObject:
    kind = OptionType(option["type"])
    found: JsonObject = {"type": int(kind), "name": option["name"]}
    if kind in _GROUPING:
        inner = given.get("options")
        found["options"] = _validated(
            rules, option.get("options", ()), inner, (*at, "options"), focused
        )
        return found
    if rules.is_autocomplete and given.get("focused") is True:
        if not option.get("autocomplete"):
            raise _Refused(at, *OUTDATED)
        focused.append(at)
        return {**found, "value": _typed(given.get("value"), (*at, "value")), "focused": True}
    found["value"] = _value(rules, option, kind, given.get("value"), (*at, "value"))
    return found


def _typed(given: Any, at: Path) -> str:
    """Return what a person has typed into an option so far."""
    if type(given) in (int, float):
        given = str(given)
    return _text(given, at, 0, MAX_STRING)


def _value(rules: _Rules, option: Option, kind: OptionType, given: Any, at: Path) -> Any:
    if kind is _T.STRING:
        low, high = option.get("min_length", 0), option.get("max_length", MAX_STRING)
        value: Any = _text(given, at, 0 if rules.is_autocomplete else low, high)
    elif kind in _NUMBERS:
        value = _number(option, kind, given, at)
    elif kind is _T.BOOLEAN:
        if type(given) is not bool:
            raise _Refused(at, "BASE_TYPE_BAD_TYPE", "Must be either true or false.")
        value = given
    else:
        value = _id(given, at)
        if kind is _T.ATTACHMENT:
            _check_file(rules, option, value, at)
    choices = option.get("choices")
    if choices and value not in [choice["value"] for choice in choices]:
        raise _Refused(at, "BASE_TYPE_CHOICES", "Value must be one of the choices.")
    return value


def _text(given: Any, at: Path, low: int, high: int) -> str:
    if not isinstance(given, str):
        raise _Refused(at, "BASE_TYPE_BAD_TYPE", "Could not interpret this value as string.")
    if not low <= len(given) <= high:
        raise _Refused(at, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
    if "\0" in given:
        raise _Refused(at, "BASE_TYPE_INVALID", "Must not contain NUL.")
    return given


def _number(option: Option, kind: OptionType, given: Any, at: Path) -> float:
    number: Any = whole(given) if kind is _T.INTEGER else given
    if type(number) not in (int, float) or not isfinite(number):
        raise _Refused(at, "NUMBER_TYPE_COERCE", f"Value is not {kind.name.lower()}.")
    low = option.get("min_value", -MAX_INTEGER)
    high = option.get("max_value", MAX_INTEGER)
    if not low <= number <= high:
        raise _Refused(at, "NUMBER_TYPE_RANGE", f"Value should be between {low} and {high}.")
    checked: float = number
    return checked


def _id(given: Any, at: Path) -> str:
    number = whole(given)
    if number is not None and 0 <= number <= MAX_INTEGER:
        return str(number)
    if isinstance(given, str) and len(given) <= 19:
        try:
            return str(parse_id(given))
        except ValueError:
            pass
    raise _Refused(at, "NUMBER_TYPE_COERCE", "Value is not snowflake.")


def _check_file(rules: _Rules, option: Option, file_id: str, at: Path) -> None:
    if rules.filenames is None:
        return
    filename = rules.filenames.get(file_id)
    if filename is None:
        raise _Refused(at, "BASE_TYPE_CHOICES", "Value must be the id of a file.")
    if not file_types.permit(filename, option.get("file_types", ())):
        raise _Refused(at, "BASE_TYPE_CHOICES", "The file must have another type.")
