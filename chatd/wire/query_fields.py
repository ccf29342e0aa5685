"""The kinds of fields in the query of a URL, where everything is text; ids, texts and times are
those of `fields`."""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import fields

from chatd.wire.fields import ERRORS, Bool, Int, Problem, Snowflake
from chatd.wire.shape import ID, Json


class Digits(Int):
    """A whole number, as up to nine digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise self.make_error("invalid")
        return int(value)


class Id(Snowflake):
    """An id, which is always a string here."""

    json: ClassVar[Json] = ID


class Flag(Bool):
    """A yes or no, in any case."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": Problem("BASE_TYPE_BAD_TYPE", "Must be either true or false."),
    }
    json: ClassVar[Json] = {"type": "string", "enum": ["true", "false", "1", "0"]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if (word := value.lower()) not in ("true", "false", "1", "0"):
            raise self.make_error("invalid")
        return word in ("true", "1")


class Ids(fields.Field[list[int]]):
    """Ids, separated by commas."""

    default_error_messages = {**Snowflake.default_error_messages}  # noqa: RUF012
    json: ClassVar[Json] = {"type": "string", "pattern": "^([0-9]{1,19}(,[0-9]{1,19})*)?$"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[int]:
        one = Id()
        return [one.deserialize(each) for each in value.split(",") if value]
