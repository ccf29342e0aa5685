"""The kinds of fields in requests: arrays, numbers, booleans, ids, objects, times.

Every error message has Discord's code for it. Where a kind accepts other values than the kind of
marshmallow that it is based on, its attribute `json` is the schema for the API description.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from marshmallow import ValidationError, fields, validate

from chatd.core.ids import MAX_ID, parse_id
from chatd.core.json import JsonObject
from chatd.core.permissions import ALL
from chatd.wire.base_schema import Schema
from chatd.wire.json_schema import ID_IN_LIST, ids_in_text
from chatd.wire.validators import ERRORS, MAX_BAD_ELEMENTS, FieldError, bound_of, most_of

T = TypeVar("T")

_MAX_DIGITS = 19  # of an id, which is below 2^63
_MAX_TIMESTAMP = 64  # characters; a time with offset and microseconds has 32


def whole(value: Any) -> int | None:
    """Return the integer that a JSON number is, or None; 1.0 is one (JSON Schema, "integer").

    int() would also accept true, 1.5 and "１".
    """
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) is int else None


class InOrder:
    """A field whose validators run in their order, up to the first that refuses the value.

    marshmallow runs all validators of a field, even after one has refused. Here the first
    validator bounds the length, so the others never read a value that is too long.
    """

    validators: list[Callable[[Any], Any]]

    def _validate(self, value: Any) -> None:
        for validator in self.validators:
            validator(value)


class Value(InOrder, fields.Field[T]):
    """The base of our own kinds of fields. Each kind bounds the size of what it reads."""

    default_error_messages = ERRORS


class List(InOrder, fields.List[Any]):
    """An array. Its length is checked first, and reading stops after a few bad elements.

    The list of marshmallow reads every element and collects an error for each: one body of 1 MB
    took 20 s and caused a response of 35 MB.
    """

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType."),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        if (bound := bound_of(self.validators)) is not None:
            bound(value)
        read, errors = [], {}
        for index, each in enumerate(value):
            try:
                read.append(self.inner.deserialize(each, **kwargs))
            except ValidationError as refused:
                errors[index] = refused.messages
                if len(errors) == MAX_BAD_ELEMENTS:
                    break
        if errors:
            raise ValidationError(errors)
        return read


class ById(InOrder, fields.Dict):
    """An object with an id as each key. The number of keys is checked first.

    Reading stops after a few bad entries, as for a `List`.
    """

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("MODEL_TYPE_CONVERT", "Only dictionaries may be used."),
    }

    underived: ClassVar[tuple[str, ...]] = ("minLength", "maxLength")
    """What apispec would read from the validators, which count keys, not characters."""

    def __init__(self, inner: fields.Field[Any], **kwargs: Any) -> None:
        self.inner = inner
        super().__init__(keys=Snowflake(), values=inner, **kwargs)

    @property
    def json(self) -> JsonObject:
        """What keys are, and the bound of their number."""
        bound = bound_of(self.validators)
        most = {} if bound is None else {"maxProperties": bound.max}
        return {"propertyNames": {"pattern": f"^{ID_IN_LIST}$"}, **most}

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> dict[int, Any]:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        if (bound := bound_of(self.validators)) is not None:
            bound(value)
        read: dict[int, Any] = {}
        errors = {}
        for key, each in value.items():
            try:
                number = _KEY.deserialize(key)
                read[number or 0] = self.inner.deserialize(each, **kwargs)
            except ValidationError as refused:
                errors[key] = refused.messages
                if len(errors) == MAX_BAD_ELEMENTS:
                    break
        if errors:
            raise ValidationError(errors)
        return read


class IdList(List):
    """Ids, as an array or as a comma-separated string."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Snowflake(), **kwargs)

    @property
    def json(self) -> JsonObject:
        """The schema of both forms."""
        return {"type": ["array", "string"], **ids_in_text(most_of(self.validators))}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, str):
            value = split_ids(value, check_length=bound_of(self.validators))
        return super()._deserialize(value, attr, data, **kwargs)


def split_ids(text: str, *, check_length: Callable[[Any], Any] | None) -> list[str]:
    """Split a comma-separated list; discord.py adds spaces after the commas.

    `check_length` refuses a list that is too long before its ids are read.
    """
    if check_length is not None:
        check_length(range(text.count(",") + 1 if text else 0))
    return [each.strip(" ") for each in text.split(",")] if text else []


class Several(List):
    """An array, or a single element, which is read as an array of one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        several = value if isinstance(value, list) else [value]
        return super()._deserialize(several, attr, data, **kwargs)


class Int(InOrder, fields.Integer):
    """An integer, as a JSON number."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("NUMBER_TYPE_COERCE", "Value is not int."),
        "too_large": FieldError("NUMBER_TYPE_RANGE", "Value is out of range."),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if (number := whole(value)) is None:
            raise self.make_error("invalid")
        return number


class IntOrDigits(Int):
    """An integer from 0 on, as a JSON number or as its digits.

    Discord accepts the digits of every number. Here only the fields do that some client sends so.
    """

    @property
    def json(self) -> JsonObject:
        """The schema of both forms. The pattern leaves out texts as long as the largest number."""
        largest = next(each.max for each in self.validators if isinstance(each, validate.Range))
        most = len(str(largest)) - 1
        return {"type": ["integer", "string"], "pattern": f"^[0-9]{{1,{most}}}$"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and len(value) < _MAX_DIGITS:
            if value.isascii() and value.isdigit():
                return int(value)
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


class Bool(InOrder, fields.Boolean):
    """true or false; no other value is accepted."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("BASE_TYPE_BAD_TYPE", "Must be either true or false."),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class BoolOrWord(Bool):
    """true or false, also as a string: discord.py and endcord send strings for some fields."""

    json: ClassVar[JsonObject] = {
        "type": ["boolean", "string"],
        "enum": [True, False, "true", "false"],
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if isinstance(value, str) and value in ("true", "false"):
            return value == "true"
        return super()._deserialize(value, attr, data, **kwargs)


class Snowflake(Value[int]):
    """An id, as a string or as a number."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("NUMBER_TYPE_COERCE", "Value is not snowflake."),
    }
    json: ClassVar[JsonObject] = {
        "type": ["string", "integer"],
        "format": "snowflake",
        "pattern": "^[0-9]{1,19}$",
        "minimum": 0,
        "maximum": MAX_ID,
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if (number := whole(value)) is not None and 0 <= number <= MAX_ID:
            return number
        if isinstance(value, str) and len(value) <= _MAX_DIGITS:
            try:
                return parse_id(value)
            except ValueError:
                pass
        raise self.make_error("invalid")


_KEY = Snowflake(required=True)


class Discriminator(fields.Field[int]):
    """The four digits that usernames once had, as a string or as a number; "0" means none."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("NUMBER_TYPE_COERCE", "Value is not a discriminator."),
    }
    json: ClassVar[JsonObject] = {
        "type": ["string", "integer"],
        "pattern": "^[0-9]{1,4}$",
        "minimum": 0,
        "maximum": 9999,
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if (number := whole(value)) is not None and 0 <= number <= 9999:
            return number
        if isinstance(value, str) and len(value) <= 4 and value.isascii() and value.isdigit():
            return int(value)
        raise self.make_error("invalid")


class Nested(InOrder, fields.Nested):
    """An object inside an object."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "type": FieldError("MODEL_TYPE_CONVERT", "Only dictionaries may be used."),
    }

    def _load(self, value: Any, partial: Any = None) -> Any:
        schema = self.schema
        if isinstance(schema, Schema):
            return schema.read_part(value)
        return super()._load(value, partial=partial)


class JsonObjectField(Value[JsonObject]):
    """An object whose content depends on other fields, so that a service reads it.

    The size of the body bounds it.
    """

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("MODEL_TYPE_CONVERT", "Only dictionaries may be used."),
    }
    json: ClassVar[JsonObject] = {"type": "object"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> JsonObject:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        return value


class PermissionBits(Value[int]):
    """A set of permissions, as a string of digits or as a number. Unknown bits are dropped."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("PERMISSIONS_TYPE_COERCE", "Value is not a set of permissions."),
    }
    json: ClassVar[JsonObject] = {
        "type": ["string", "integer"],
        "pattern": "^[0-9]{0,20}$",
        "minimum": 0,
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if value == "":  # of new roles in clients for Spacebar
            return 0
        if isinstance(value, str) and len(value) <= 20 and value.isascii() and value.isdigit():
            value = int(value)
        if (number := whole(value)) is None or number < 0:
            raise self.make_error("invalid")
        return number & ALL


class Timestamp(InOrder, fields.AwareDateTime):
    """A time in ISO 8601, converted to UTC. A time without an offset is in UTC."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("DATE_TIME_TYPE_PARSE", "Could not parse as an ISO 8601 timestamp."),
        "format": FieldError("DATE_TIME_TYPE_PARSE", "Could not parse as an ISO 8601 timestamp."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", default_timezone=UTC, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if isinstance(value, str) and len(value) > _MAX_TIMESTAMP:
            raise self.make_error("invalid", input="", obj_type="datetime")
        moment: datetime = super()._deserialize(value, attr, data, **kwargs)
        try:
            return moment.astimezone(UTC)  # Postgres refuses offsets of 16 hours or more
        except OverflowError:  # before the year 1 or after 9999
            raise self.make_error("invalid", input=value, obj_type="datetime") from None


NONCE_MAX_LENGTH = 25  # characters


class Nonce(Value[str | int]):
    """A client's own id of its message, to recognize it: up to 25 characters or an integer."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("BASE_TYPE_BAD_TYPE", "Must be a string or an integer."),
        "long": FieldError("BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length."),
    }
    json: ClassVar[JsonObject] = {
        "type": ["string", "integer"],
        "pattern": r"^[^\u0000]{0,25}$",
        "minimum": -MAX_ID,
        "maximum": MAX_ID,
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | int:
        if (number := whole(value)) is not None and -MAX_ID <= number <= MAX_ID:
            return number
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if len(value) > NONCE_MAX_LENGTH:
            raise self.make_error("long")
        if "\0" in value:
            raise self.make_error("invalid")
        return value


MAX_DATA_URI = 3 * 2**20
"""Maximum characters of an image as a data URI; the body that contains it has the same limit in
bytes."""
