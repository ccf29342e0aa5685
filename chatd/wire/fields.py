"""The kinds of fields in requests, and the schema that reads them into values.

All text refuses NUL, which Postgres cannot store; lone surrogates never get here, since orjson
refuses them. Every message carries Discord's code for it. Where a kind takes something else than
marshmallow's own would say, `json` is what the API's description says of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cached_property
from typing import Any, ClassVar, Final, Generic, Self, TypeAlias, TypeVar

import marshmallow as ma
from marshmallow import EXCLUDE, ValidationError, fields, validate

from chatd.core.errors import FieldErrors, InvalidForm
from chatd.core.ids import MAX_ID, parse_id
from chatd.core.permissions import ALL


class Unset(Enum):
    """Tells a key that was left out from one that was sent as null."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
Json: TypeAlias = dict[str, Any]
T = TypeVar("T")
Maybe: TypeAlias = T | Unset

_MOST_NARROWED = 64  # schemas for as many sets of fields, of each kind of body


class Problem(str):
    """The text of a field error, with Discord's code for it."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, code: str, text: str) -> Problem:
        self = super().__new__(cls, text)
        self.code = code
        return self

    def format(self, *args: object, **kwargs: object) -> str:
        """Filled in, and still with its code."""
        return Problem(self.code, super().format(*args, **kwargs))


ERRORS: dict[str, Any] = {
    "required": Problem("BASE_TYPE_REQUIRED", "This field is required"),
    "null": Problem("BASE_TYPE_REQUIRED", "This field is required"),
    "invalid": Problem("BASE_TYPE_INVALID", "This value has the wrong type"),
}


def length(low: int, high: int) -> validate.Length:
    """Between so many characters, or elements."""
    text = f"Must be between {low} and {high} in length."
    return validate.Length(low, high, error=Problem("BASE_TYPE_BAD_LENGTH", text))


def within(low: int, high: int) -> validate.Range:
    """A number between these two."""
    text = f"int value should be between {low} and {high}."
    return validate.Range(low, high, error=Problem("NUMBER_TYPE_RANGE", text))


def choice(*choices: int) -> validate.OneOf:
    """One of these numbers."""
    listed = ", ".join(f"{each:d}" for each in choices)
    text = f"Value must be one of {{{{{listed}}}}}."  # marshmallow formats it once more
    return validate.OneOf(choices, error=Problem("BASE_TYPE_CHOICES", text))


NAME = length(1, 100)
MAX_POSITION = 2**31 - 1
POSITION = within(0, MAX_POSITION)


def whole(value: Any) -> int | None:
    """The number that a JSON number is, when it is whole; 1.0 is (JSON Schema, "integer").

    int() would take true, 1.5 and "１", too.
    """
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) is int else None


class Text(fields.String):
    """A string without NUL; `trimmed` takes off the white space around it first."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": Problem("BASE_TYPE_BAD_TYPE", "Could not interpret this value as string."),
        "nul": Problem("BASE_TYPE_INVALID", "Must not contain NUL."),
    }

    def __init__(self, *, trimmed: bool = False, **kwargs: Any) -> None:
        self._trimmed = trimmed
        super().__init__(**kwargs)

    @property
    def json(self) -> Json:
        """Without NUL; what is trimmed must be long enough without the white space around it."""
        shortest = 0
        for validator in self.validators if self._trimmed else ():
            if isinstance(validator, validate.Length):
                shortest = max(shortest, validator.min or 0)
        if any(isinstance(each, validate.Email) for each in self.validators):
            return {"format": "email"}
        return {"pattern": "^" + r"[^\u0000]*[^\s\u0000]" * shortest + r"[^\u0000]*$"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if "\0" in text:
            raise self.make_error("nul")
        return text.strip() if self._trimmed else text


class Int(fields.Integer):
    """A whole number, as a JSON number."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": Problem("NUMBER_TYPE_COERCE", "Value is not int."),
        "too_large": Problem("NUMBER_TYPE_RANGE", "Value is out of range."),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if (number := whole(value)) is None:
            raise self.make_error("invalid")
        return number


class Bool(fields.Boolean):
    """true or false, and nothing else."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": Problem("BASE_TYPE_BAD_TYPE", "Must be either true or false."),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Snowflake(fields.Field[int]):
    """An id, as a string or as a number."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": Problem("NUMBER_TYPE_COERCE", "Value is not snowflake."),
    }
    json: ClassVar[Json] = {
        "type": ["string", "integer"],
        "format": "snowflake",
        "pattern": "^[0-9]{1,19}$",
        "minimum": 0,
        "maximum": MAX_ID,
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if (number := whole(value)) is not None and 0 <= number <= MAX_ID:
            return number
        if isinstance(value, str):
            try:
                return parse_id(value)
            except ValueError:
                pass
        raise self.make_error("invalid")


class Nested(fields.Nested):
    """An object inside the object."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "type": Problem("MODEL_TYPE_CONVERT", "Only dictionaries may be used."),
    }


class PermissionBits(fields.Field[int]):
    """A set of permissions, as a string of digits or as a number. Unknown bits are dropped."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": Problem("PERMISSIONS_TYPE_COERCE", "Value is not a set of permissions."),
    }
    json: ClassVar[Json] = {
        "type": ["string", "integer"],
        "pattern": "^[0-9]{1,20}$",
        "minimum": 0,
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
            value = int(value)
        if (number := whole(value)) is None or number < 0:
            raise self.make_error("invalid")
        return number & ALL


class Moment(fields.AwareDateTime):
    """A time in ISO 8601, read into UTC; without an offset it is UTC already."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": Problem("DATE_TIME_TYPE_PARSE", "Could not parse as an ISO 8601 timestamp."),
        "format": Problem("DATE_TIME_TYPE_PARSE", "Could not parse as an ISO 8601 timestamp."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", default_timezone=UTC, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment: datetime = super()._deserialize(value, attr, data, **kwargs)
        try:
            return moment.astimezone(UTC)  # Postgres takes no offset of 16 hours or more
        except OverflowError:  # before the year 1 or after 9999
            raise self.make_error("invalid", input=value, obj_type="datetime") from None


class Nonce(fields.Field[str | int]):
    """What a client marks its message with, to know it again: up to 25 characters or an int."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": Problem("BASE_TYPE_BAD_TYPE", "Must be a string or an integer."),
        "long": Problem("BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length."),
    }
    json: ClassVar[Json] = {
        "type": ["string", "integer"],
        "pattern": r"^[^\u0000]{0,25}$",
        "minimum": -MAX_ID,
        "maximum": MAX_ID,
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | int:
        if (number := whole(value)) is not None and -MAX_ID <= number <= MAX_ID:
            return number
        if not isinstance(value, str) or "\0" in value:
            raise self.make_error("invalid")
        if len(value) > 25:
            raise self.make_error("long")
        return value


NULL_IS_ABSENT: Final[dict[str, Any]] = {
    "allow_none": True,
    "metadata": {"null_is_absent": True},
}
"""Of a field in which null says no more than leaving it out, as libraries like to send it."""


class Schema(ma.Schema, Generic[T]):
    """A schema that loads into the dataclass of its annotation `into`."""

    into: ClassVar[type[Any]]
    error_messages = {  # noqa: RUF012
        "type": Problem("MODEL_TYPE_CONVERT", "Only dictionaries may be used."),
    }

    class Meta:
        unknown = EXCLUDE

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> Any:
        return self.into(**data)

    @cached_property
    def lists(self) -> frozenset[str]:
        """The names of its fields that are arrays."""
        return frozenset(
            field.data_key or name
            for name, field in self.fields.items()
            if isinstance(field, fields.List)
        )

    @cached_property
    def _said_by_null(self) -> frozenset[str]:
        """The names of its fields in which null says something."""
        return frozenset(
            field.data_key or name
            for name, field in self.fields.items()
            if not field.metadata.get("null_is_absent", False)
        )

    def read(self, data: Any) -> T:
        """The value in `data`. Raises InvalidForm with every field at fault."""
        if isinstance(data, dict) and None in data.values():
            kept = self._said_by_null
            data = {key: each for key, each in data.items() if each is not None or key in kept}
        schema = self._narrowed(data) if isinstance(data, dict) else self
        try:
            value: T = schema.load(data)
        except ValidationError as refused:
            raise InvalidForm(_field_errors(refused.messages)) from None
        return value

    def _narrowed(self, data: dict[str, Any]) -> Self:
        """The same schema, without the fields that may be missing and are.

        A field that is not there costs marshmallow about as much as one that is, and most bodies
        have few of many. One schema is kept for each set of fields, as long as these are not too
        many.
        """
        given = self._optional.intersection(data)
        found = self._narrow.get(given)
        if found is None:
            if len(self._narrow) >= _MOST_NARROWED or given == self._optional:
                return self
            found = self._narrow[given] = type(self)(exclude=self._optional - given)
        return found

    @cached_property
    def _narrow(self) -> dict[frozenset[str], Self]:
        return {}

    @cached_property
    def _optional(self) -> frozenset[str]:
        """The fields of which nothing comes when they are not given."""
        return frozenset(
            name
            for name, field in self.fields.items()
            if not field.required and field.load_default is ma.missing and field.data_key is None
        )

    def read_many(self, data: Any) -> list[T]:
        """The values in an array. Raises InvalidForm with every field at fault, by index."""
        try:
            values: list[T] = self.load(data, many=True)
        except ValidationError as refused:
            raise InvalidForm(_field_errors(refused.messages)) from None
        return values


class Part(Schema[Mapping[str, Any]]):
    """A part of something that is kept as clients are given it: without what was sent as null."""

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {key: value for key, value in data.items() if value is not None}


def _field_errors(messages: Any) -> FieldErrors:
    """marshmallow's messages in Discord's shape."""
    if isinstance(messages, Mapping):
        errors: FieldErrors = {}
        for key, inner in messages.items():
            if key == "_schema":
                errors |= _field_errors(inner)
            else:
                errors[str(key)] = _field_errors(inner)
        return errors
    return {
        "_errors": [
            {"code": getattr(text, "code", "BASE_TYPE_INVALID"), "message": str(text)}
            for text in messages
        ]
    }
