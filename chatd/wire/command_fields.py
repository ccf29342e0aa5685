"""The kinds of fields of application commands."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from marshmallow import ValidationError

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
    NO_OPTIONS,
    CommandType,
    Options,
    OptionType,
)
from chatd.core.field_errors import NOT_SUPPORTED
from chatd.core.file_types import MAX_FILE_TYPES
from chatd.core.json import JsonObject
from chatd.wire.fields import Value, whole
from chatd.wire.json_schema import nullable
from chatd.wire.option_definitions import (
    CHANNEL_TYPES,
    OptionReader,
    TooManyCharacters,
    TooManyErrors,
)
from chatd.wire.validators import ERRORS, FieldError

TOO_LARGE: Final = FieldError(
    "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({MAX_CHARACTERS})"
)
_MAX_BITS = 2**54 - 1
"""The largest set of permissions in Discord's OpenAPI document."""


class TranslatedText(Value[dict[str, str] | None]):
    """Translations of a text by locale, each of 1 to `high` characters."""

    def __init__(self, high: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._high = high

    @property
    def json(self) -> JsonObject:
        """The schema of the translations."""
        return _translations(self._high)

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> dict[str, str] | None:
        reader = OptionReader()
        found = reader.localizations(value, ("translations",), self._high)
        if reader.errors:
            raise ValidationError(reader.errors["translations"])
        return found or None


class OptionList(Value[Options]):
    """The options of a command.

    Options with more characters than a command may have are read as `OVERSIZED`, which the schema
    refuses: Discord reports that as an error of the command.
    """

    @property
    def json(self) -> JsonObject:
        """The schema of the options in all three levels."""
        return _options(tuple(OptionType))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Options:
        reader = OptionReader()
        try:
            found = reader.options(value, ("options",))
        except TooManyErrors:
            found = []
        except TooManyCharacters:
            if not reader.errors:
                return OVERSIZED
        if reader.errors:
            raise ValidationError(reader.errors["options"])
        return Options.of(found) if found else NO_OPTIONS


OVERSIZED: Final = Options("[null]")
"""The value for options with too many characters, which are not read to their end."""


class DefaultPermissions(Value[int]):
    """The permissions that a command needs, as a string of digits or as a number.

    Unlike in `PermissionBits`, unknown bits are kept: without them, the command would need less.
    """

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("PERMISSIONS_TYPE_COERCE", "Value is not a set of permissions."),
    }
    json: ClassVar[JsonObject] = {
        "type": ["string", "integer"],
        "pattern": "^[0-9]{1,16}$",
        "minimum": 0,
        "maximum": _MAX_BITS,
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and len(value) <= 20 and value.isascii() and value.isdigit():
            value = int(value)
        if (number := whole(value)) is None or not 0 <= number <= _MAX_BITS:
            raise self.make_error("invalid")
        return number


class Kind(Value[CommandType]):
    """The type of a command. There are no activities, so there is no PRIMARY_ENTRY_POINT."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("BASE_TYPE_CHOICES", "Value must be one of {{1, 2, 3}}."),
        "unsupported": FieldError(
            NOT_SUPPORTED, "This server does not support this value: activities."
        ),
    }
    json: ClassVar[JsonObject] = {"type": "integer", "enum": [int(each) for each in CommandType]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> CommandType:
        number = whole(value)
        if number == 4:
            raise self.make_error("unsupported")
        if number is None or number not in tuple(CommandType):
            raise self.make_error("invalid")
        return CommandType(number)


def _translations(high: int) -> JsonObject:
    return {
        "type": "object",
        "propertyNames": {"enum": sorted(LOCALES)},
        "additionalProperties": {
            "type": ["string", "null"],
            "minLength": 1,
            "maxLength": high,
        },
    }


def _options(kinds: tuple[OptionType, ...]) -> JsonObject:
    """Return the schema of options of these types."""
    properties: JsonObject = {
        "type": {
            "type": "integer",
            "enum": [int(each) for each in kinds],
            "description": "1 subcommand, 2 group of subcommands, 3 text, 4 integer, 5 boolean,"
            " 6 user, 7 channel, 8 role, 9 user or role, 10 number, 11 file.",
        },
        "name": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_NAME,
            "description": "The name, without capitals and spaces.",
        },
        "name_localizations": nullable(_translations(MAX_NAME)),
        "description": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_DESCRIPTION,
            "description": "What the option is for.",
        },
        "description_localizations": nullable(_translations(MAX_DESCRIPTION)),
        "required": {
            "type": ["boolean", "null"],
            "description": "Whether a value is required.",
        },
    }
    if OptionType.STRING in kinds:
        properties |= _details()
    if OptionType.SUB_COMMAND_GROUP in kinds:
        inner = tuple(each for each in kinds if each is not OptionType.SUB_COMMAND_GROUP)
        properties["options"] = {
            **nullable(_options(inner)),
            "description": "The subcommands of a group, or the options of a subcommand.",
        }
    elif OptionType.SUB_COMMAND in kinds:
        properties["options"] = {
            **nullable(_options(tuple(OptionType)[2:])),
            "description": "The options of the subcommand.",
        }
    return {
        "type": "array",
        "maxItems": MAX_OPTIONS,
        "items": {
            "type": "object",
            "required": ["type", "name", "description"],
            "properties": properties,
        },
    }


def _details() -> JsonObject:
    """Return the schemas of the fields that options with a value have."""
    choice = {
        "type": "object",
        "required": ["name", "value"],
        "properties": {
            "name": {
                "type": "string",
                "minLength": 1,
                "maxLength": MAX_CHOICE_NAME,
                "description": "The name of the choice.",
            },
            "name_localizations": nullable(_translations(MAX_CHOICE_NAME)),
            "value": {
                "type": ["string", "number", "integer"],
                "maxLength": MAX_STRING,
                "minimum": -MAX_INTEGER - 1,
                "maximum": MAX_INTEGER + 1,
            },
        },
    }
    number: JsonObject = {
        "type": ["number", "integer", "null"],
        "minimum": -MAX_INTEGER - 1,
        "maximum": MAX_INTEGER + 1,
    }
    length: JsonObject = {"type": ["integer", "null"], "maximum": MAX_STRING}
    return {
        "choices": {"type": ["array", "null"], "maxItems": MAX_CHOICES, "items": choice},
        "autocomplete": {"type": ["boolean", "null"]},
        "channel_types": {
            "type": ["array", "null"],
            "uniqueItems": True,
            "items": {"type": "integer", "enum": list(CHANNEL_TYPES)},
        },
        "min_value": number,
        "max_value": number,
        "min_length": {**length, "minimum": 0},
        "max_length": {**length, "minimum": 1},
        "file_types": {
            "type": ["array", "null"],
            "maxItems": MAX_FILE_TYPES,
            "items": {"type": "string", "maxLength": MAX_NAME},
        },
    }
