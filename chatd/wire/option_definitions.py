"""Reading the options that an application defines for a command.

A command has up to 8,000 characters of options in three levels, with translations into 34 locales.
Schemas of marshmallow would hold the event loop for half a second, so this module reads the objects
itself. Keys that an option of its type does not have are ignored, as all unknown keys are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any, Final

from chatd.core import command_names, file_types
from chatd.core.commands import (
    LOCALES,
    MAX_CHARACTERS,
    MAX_CHOICE_NAME,
    MAX_CHOICES,
    MAX_DESCRIPTION,
    MAX_INTEGER,
    MAX_NAME,
    MAX_OPTIONS,
    MAX_STRING,
    OptionType,
)
from chatd.core.field_errors import MAX_FIELD_ERRORS
from chatd.core.file_types import MAX_FILE_TYPES
from chatd.core.json import JsonObject
from chatd.wire.fields import whole
from chatd.wire.validators import ERRORS, FieldError

INVALID_NAME: Final = FieldError("APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
CHANNEL_TYPES: Final = (0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16)

_T = OptionType
_GROUPING = (_T.SUB_COMMAND, _T.SUB_COMMAND_GROUP)
_VALUES = tuple(each for each in OptionType if each not in _GROUPING)
_WITH_CHOICES = (_T.STRING, _T.INTEGER, _T.NUMBER)
_MAX_KEY = 64  # characters of an unknown locale that an error repeats

_REQUIRED = ERRORS["required"]
_NOT_TEXT = FieldError("BASE_TYPE_BAD_TYPE", "Could not interpret this value as string.")
_NOT_BOOL = FieldError("BASE_TYPE_BAD_TYPE", "Must be either true or false.")
_NOT_INT = FieldError("NUMBER_TYPE_COERCE", "Value is not int.")
_NOT_NUMBER = FieldError("NUMBER_TYPE_COERCE", "Value is not a number.")
_NOT_OBJECT = FieldError("MODEL_TYPE_CONVERT", "Only dictionaries may be used.")
_NOT_LIST = FieldError("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType.")
_NUL = FieldError("BASE_TYPE_INVALID", "Must not contain NUL.")
_MIXED = FieldError(
    "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
    "Sub-command and sub-command group option types are mutually exclusive to all other types",
)
_REQUIRED_LATE = FieldError(
    "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
    "Required options must be placed before non-required options",
)
_CHOICE_TWICE = FieldError(
    "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS",
    "Option choice name already exists",
)
_CHOICES_AND_AUTOCOMPLETE = FieldError(
    "APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID",
    "Options with autocomplete cannot have choices",
)
_UNORDERED = FieldError("NUMBER_TYPE_RANGE", "The minimum is above the maximum.")
_FILE_TYPE = FieldError(
    "BASE_TYPE_CHOICES", "Must be image, video, audio, or an extension with its dot."
)
_REPEATED = FieldError("BASE_TYPE_INVALID", "Values must be unique.")

Path = tuple[str | int, ...]


class TooManyErrors(Exception):
    """There are as many errors as a response contains."""


class TooManyCharacters(Exception):
    """The options alone exceed the maximum size of a command. The rest of them is not read."""


class OptionReader:
    """Reads options, translations and texts of one command, and collects what is wrong with them.

    `characters` counts the names, descriptions and values, each with its longest translation.
    """

    def __init__(self) -> None:
        self.errors: JsonObject = {}
        self.characters = 0
        self._count = 0

    def refuse(self, at: Path, error: FieldError) -> None:
        """Add an error. Raises TooManyErrors."""
        place = self.errors
        for key in at[:-1]:
            inner = place.get(str(key))
            if not isinstance(inner, dict):  # an error of the object itself
                inner = place[str(key)] = {}
            place = inner
        place.setdefault(str(at[-1]), [error])
        self._count += 1
        if self._count >= MAX_FIELD_ERRORS:
            raise TooManyErrors

    def options(
        self, given: Any, at: Path, allowed: tuple[OptionType, ...] = tuple(OptionType)
    ) -> list[JsonObject]:
        """Return the options of a command, a group or a subcommand.

        Raises TooManyErrors, TooManyCharacters.
        """
        if given is None:
            return []
        if not self._is_list(given, at, MAX_OPTIONS):
            return []
        found: list[JsonObject] = []
        taken: set[tuple[str | None, str]] = set()
        for index, each in enumerate(given):
            here = (*at, index)
            option = self._option(each, here, allowed)
            if option is None:
                continue
            self._check_name(option, taken, here)
            if found:
                self._check_order(found[0], found[-1], option, here)
            found.append(option)
        return found

    def _check_name(self, option: JsonObject, taken: set[tuple[str | None, str]], at: Path) -> None:
        """Require another name than those of the options before, in every locale."""
        name = option["name"]
        names = {(None, name)}
        for locale, translation in option.get("name_localizations", {}).items():
            if translation != name:
                names.add((locale, translation))
                if (None, translation) in taken:
                    name = translation
        if names & taken or (None, name) in taken:
            text = f"Option name {name} is already used in these options"
            self.refuse(at, FieldError("APPLICATION_COMMAND_OPTIONS_NAME_INVALID", text))
        taken |= names

    def _check_order(
        self, first: JsonObject, before: JsonObject, option: JsonObject, at: Path
    ) -> None:
        if (option["type"] in _GROUPING) != (first["type"] in _GROUPING):
            self.refuse(at, _MIXED)
        elif option.get("required") and not before.get("required"):
            self.refuse(at, _REQUIRED_LATE)

    def _option(self, given: Any, at: Path, allowed: tuple[OptionType, ...]) -> JsonObject | None:
        if not isinstance(given, dict):
            self.refuse(at, _NOT_OBJECT)
            return None
        kind = whole(given.get("type"))
        if kind is None or kind not in allowed:
            missing = given.get("type") is None
            self.refuse((*at, "type"), _REQUIRED if missing else _one_of(allowed))
            return None
        option: JsonObject = {"type": kind}
        self._texts(given, at, option)
        if kind == _T.SUB_COMMAND_GROUP:
            self._add_options(given, at, option, (_T.SUB_COMMAND,))
        elif kind == _T.SUB_COMMAND:
            self._add_options(given, at, option, _VALUES)
        else:
            if self._flag(given, at, "required"):
                option["required"] = True
            self._details(given, at, option, OptionType(kind))
        if self.characters > MAX_CHARACTERS:
            raise TooManyCharacters
        return option

    def _texts(self, given: JsonObject, at: Path, option: JsonObject) -> None:
        name = self.text(given.get("name"), (*at, "name"), 1, MAX_NAME, is_name=True)
        names = self.localizations(
            given.get("name_localizations"), (*at, "name_localizations"), MAX_NAME, is_name=True
        )
        about = self.text(given.get("description"), (*at, "description"), 1, MAX_DESCRIPTION)
        abouts = self.localizations(
            given.get("description_localizations"),
            (*at, "description_localizations"),
            MAX_DESCRIPTION,
        )
        self.count(name, names)
        self.count(about, abouts)
        option["name"] = name
        if names:
            option["name_localizations"] = names
        option["description"] = about
        if abouts:
            option["description_localizations"] = abouts

    def _add_options(
        self, given: JsonObject, at: Path, option: JsonObject, allowed: tuple[OptionType, ...]
    ) -> None:
        if inner := self.options(given.get("options"), (*at, "options"), allowed):
            option["options"] = inner

    def _details(self, given: JsonObject, at: Path, option: JsonObject, kind: OptionType) -> None:
        if kind in _WITH_CHOICES:
            self._choices(given, at, option, kind)
        if kind is _T.STRING:
            self._bounds(given, at, option, ("min_length", "max_length"), self._length)
        elif kind is _T.INTEGER:
            self._bounds(given, at, option, ("min_value", "max_value"), self._integer)
        elif kind is _T.NUMBER:
            self._bounds(given, at, option, ("min_value", "max_value"), self._number)
        elif kind is _T.CHANNEL:
            types = self._distinct(
                given.get("channel_types"), (*at, "channel_types"), CHANNEL_TYPES
            )
            if types:
                option["channel_types"] = types
        elif kind is _T.ATTACHMENT:
            self._file_types(given, at, option)

    def _choices(self, given: JsonObject, at: Path, option: JsonObject, kind: OptionType) -> None:
        autocomplete = self._flag(given, at, "autocomplete")
        at = (*at, "choices")
        choices: list[JsonObject] = []
        listed = given.get("choices")
        if listed is not None and self._is_list(listed, at, MAX_CHOICES):
            names: set[str] = set()
            for index, each in enumerate(listed):
                choice = self._choice(each, (*at, index), kind)
                if choice["name"] in names:
                    self.refuse((*at, index), _CHOICE_TWICE)
                names.add(choice["name"])
                choices.append(choice)
        if choices:
            option["choices"] = choices
        if autocomplete:
            option["autocomplete"] = True
            if choices:
                self.refuse(at, _CHOICES_AND_AUTOCOMPLETE)

    def _choice(self, given: Any, at: Path, kind: OptionType) -> JsonObject:
        if not isinstance(given, dict):
            self.refuse(at, _NOT_OBJECT)
            given = {}
        name = self.text(given.get("name"), (*at, "name"), 1, MAX_CHOICE_NAME)
        choice: JsonObject = {"name": name}
        names = self.localizations(
            given.get("name_localizations"), (*at, "name_localizations"), MAX_CHOICE_NAME
        )
        self.count(name, names)
        if names:
            choice["name_localizations"] = names
        value, place = given.get("value"), (*at, "value")
        if kind is _T.STRING:
            choice["value"] = self.text(value, place, 0, MAX_STRING)
        elif value is None:
            self.refuse(place, _REQUIRED)
        else:
            read = self._integer if kind is _T.INTEGER else self._number
            choice["value"] = read(value, place, "value")
        self.characters += len(str(choice.get("value", "")))
        return choice

    def text(self, given: Any, at: Path, low: int, high: int, *, is_name: bool = False) -> str:
        """Return a text of `low` to `high` characters; "" after an error."""
        if type(given) is not str:
            self.refuse(at, _REQUIRED if given is None else _NOT_TEXT)
            return ""
        if not low <= len(given) <= high:
            text = f"Must be between {low} and {high} in length."
            self.refuse(at, FieldError("BASE_TYPE_BAD_LENGTH", text))
            return ""
        if is_name:
            if not command_names.is_valid(given):
                self.refuse(at, INVALID_NAME)
                return ""
        elif "\0" in given:
            self.refuse(at, _NUL)
            return ""
        return given

    def localizations(
        self, given: Any, at: Path, high: int, *, is_name: bool = False
    ) -> dict[str, str]:
        """Return translations by locale, each of 1 to `high` characters."""
        if not given:
            if given is not None and given != {}:
                self.refuse(at, _NOT_OBJECT)
            return {}
        if not isinstance(given, dict):
            self.refuse(at, _NOT_OBJECT)
            return {}
        found: dict[str, str] = {}
        for locale, translation in given.items():
            if locale not in LOCALES:
                shown = locale[:_MAX_KEY]
                text = f'Value "{shown}" is not a valid enum value.'
                self.refuse((*at, shown), FieldError("ENUM_TYPE_COERCE", text))
            elif translation is not None:
                found[locale] = self.text(translation, (*at, locale), 1, high, is_name=is_name)
        return found

    def count(self, text: str, localizations: dict[str, str]) -> None:
        """Count a text, or its longest translation."""
        self.characters += max(len(text), *map(len, localizations.values()), 0)

    def _bounds(
        self,
        given: JsonObject,
        at: Path,
        option: JsonObject,
        names: tuple[str, str],
        read: Callable[[Any, Path, str], float],
    ) -> None:
        low, high = names
        for name in names:
            if (value := given.get(name)) is not None:
                option[name] = read(value, (*at, name), name)
        if low in option and high in option and option[low] > option[high]:
            self.refuse((*at, low), _UNORDERED)

    def _length(self, given: Any, at: Path, name: str) -> int:
        low = 1 if name == "max_length" else 0
        return int(self._within(given, at, low, MAX_STRING))

    def _integer(self, given: Any, at: Path, _: str) -> int:
        return int(self._within(given, at, -MAX_INTEGER, MAX_INTEGER))

    def _within(self, given: Any, at: Path, low: int, high: int) -> int:
        number = whole(given)
        if number is None:
            self.refuse(at, _NOT_INT)
            return low
        if not low <= number <= high:
            text = f"int value should be between {low} and {high}."
            self.refuse(at, FieldError("NUMBER_TYPE_RANGE", text))
            return low
        return number

    def _number(self, given: Any, at: Path, _: str) -> float:
        if type(given) not in (int, float) or not isfinite(given) or abs(given) > MAX_INTEGER + 1:
            self.refuse(at, _NOT_NUMBER)
            return 0.0
        number: float = given
        return number

    def _flag(self, given: JsonObject, at: Path, name: str) -> bool:
        value = given.get(name)
        if value is None or type(value) is bool:
            return bool(value)
        self.refuse((*at, name), _NOT_BOOL)
        return False

    def _distinct(self, given: Any, at: Path, allowed: tuple[int, ...]) -> list[int]:
        if not given and given in (None, []):
            return []
        if not self._is_list(given, at, len(allowed)):
            return []
        found = []
        for index, each in enumerate(given):
            number = whole(each)
            if number is None or number not in allowed:
                self.refuse((*at, index), _one_of(allowed))
                return []
            found.append(number)
        if len(set(found)) < len(found):
            self.refuse(at, _REPEATED)
        return found

    def _file_types(self, given: JsonObject, at: Path, option: JsonObject) -> None:
        listed, at = given.get("file_types"), (*at, "file_types")
        if listed is None or not self._is_list(listed, at, MAX_FILE_TYPES):
            return
        found: list[str] = []
        for index, each in enumerate(listed):
            if (
                not isinstance(each, str)
                or len(each) > MAX_NAME
                or not file_types.is_valid(each.lower())
            ):
                self.refuse((*at, index), _FILE_TYPE)
            else:
                found.append(each.lower())
        if found:
            option["file_types"] = found

    def _is_list(self, given: Any, at: Path, most: int) -> bool:
        if not isinstance(given, list):
            self.refuse(at, _NOT_LIST)
            return False
        if len(given) > most:
            text = f"Must be {most} or fewer in length."
            self.refuse(at, FieldError("BASE_TYPE_MAX_LENGTH", text))
            return False
        return True


def _one_of(values: Iterable[int]) -> FieldError:
    listed = ", ".join(f"{each:d}" for each in values)
    return FieldError("BASE_TYPE_CHOICES", f"Value must be one of {{{listed}}}.")
