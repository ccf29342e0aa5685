"""The kinds of fields in a query string, where every value is text.

Texts and times are those of `fields` and `text_fields`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import fields

from chatd.core.json import JsonObject
from chatd.wire.fields import Bool, InOrder, Int, Snowflake, split_ids
from chatd.wire.json_schema import ID, ids_in_text
from chatd.wire.validators import ERRORS, FieldError, bound_of, most_of


class Digits(Int):
    """An integer of at most nine digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not (len(value) < 10 and value.isascii() and value.isdigit()):
            raise self.make_error("invalid")
        return int(value)


class Id(Snowflake):
    """An id, which is always a string in a query."""

    json: ClassVar[JsonObject] = ID


class Flag(Bool):
    """A boolean: true, false, 1 or 0, in upper or lower case."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("BASE_TYPE_BAD_TYPE", "Must be either true or false."),
    }
    json: ClassVar[JsonObject] = {"type": "string", "enum": ["true", "false", "1", "0"]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        word = value.lower() if len(value) <= 5 else ""
        if word not in ("true", "false", "1", "0"):
            raise self.make_error("invalid")
        return word in ("true", "1")


class Ids(InOrder, fields.Field[list[int]]):
    """A comma-separated list of ids; its length is checked before the ids."""

    default_error_messages = {**Snowflake.default_error_messages}  # noqa: RUF012
    underived: ClassVar[tuple[str, ...]] = ("minLength", "maxLength")
    """What apispec would read from the validators, which count ids, not characters."""

    @property
    def json(self) -> JsonObject:
        """The schema, with the bound of the number of ids."""
        return {"type": "string", **ids_in_text(most_of(self.validators))}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[int]:
        one = Id()
        return [
            one.deserialize(each)
            for each in split_ids(value, check_length=bound_of(self.validators))
        ]
