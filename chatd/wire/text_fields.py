"""The kinds of text fields in requests.

All of them refuse NUL, which Postgres cannot store. Lone surrogates do not get here: orjson refuses
them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from marshmallow import fields, validate

from chatd.core import names, webhooks
from chatd.core.json import JsonObject
from chatd.wire.fields import InOrder
from chatd.wire.validators import ERRORS, FieldError, at_most, bound_of, length


class Text(InOrder, fields.String):
    """A string without NUL. With `trimmed`, white space at both ends is removed.

    The length is checked first, and includes white space that is removed later.
    """

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("BASE_TYPE_BAD_TYPE", "Could not interpret this value as string."),
        "nul": FieldError("BASE_TYPE_INVALID", "Must not contain NUL."),
    }

    def __init__(self, *, trimmed: bool = False, **kwargs: Any) -> None:
        self._trimmed = trimmed
        super().__init__(**kwargs)
        self._bound = _bound_of_text(self.validators)
        self._max_length = _max_length_of(self._bound)

    @property
    def max_length(self) -> int | None:
        """The maximum number of characters; None if the field has no bound."""
        return self._max_length

    @property
    def json(self) -> JsonObject:
        """A pattern without NUL; a trimmed text must be long enough without its white space."""
        shortest = 0
        for validator in self.validators if self._trimmed else ():
            if isinstance(validator, validate.Length):
                shortest = max(shortest, validator.min or 0)
        if any(isinstance(each, validate.Email) for each in self.validators):
            return {"format": "email"}
        return {"pattern": "^" + r"[^\u0000]*[^\s\u0000]" * shortest + r"[^\u0000]*$"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if self._max_length is not None and len(value) > self._max_length:
            self._refuse_as_too_long(value)
        if "\0" in value:
            raise self.make_error("nul")
        return value.strip() if self._trimmed else value

    def _refuse_as_too_long(self, value: str) -> None:
        if isinstance(self._bound, validate.Length):
            self._bound(value)
        elif self._bound is not None:
            self._bound("")  # raises the same error, without comparing the long text


class Name(Text):
    """A display name: trimmed and visible; emojis are allowed."""

    default_error_messages = {"name": FieldError("STRING_TYPE_REGEX", "{why}")}  # noqa: RUF012

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trimmed=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return self._normalized(text)
        except ValueError as refused:
            raise self.make_error("name", why=refused) from None

    def _normalized(self, text: str) -> str:
        names.check(text)
        return text


class WebhookName(Name):
    """The name of a webhook, or one that its message shows instead."""

    default_error_messages = {  # noqa: RUF012
        "contains": FieldError("USERNAME_INVALID_CONTAINS", 'Username cannot contain "{word}"')
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=length(1, webhooks.MAX_NAME_LENGTH), **kwargs)

    def _normalized(self, text: str) -> str:
        name = super()._normalized(text)
        if word := webhooks.forbidden_word(name):
            raise self.make_error("contains", word=word)
        return name


class Username(Name):
    """A username, which is unique on the server."""

    default_error_messages = {"name": FieldError("USERNAME_INVALID", "{why}")}  # noqa: RUF012

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=at_most(names.MAX_INPUT_LENGTH), **kwargs)

    @property
    def json(self) -> JsonObject:
        """The schema with the bounds of the normalized name."""
        return {**super().json, "minLength": 2, "maxLength": 32}

    def _normalized(self, text: str) -> str:
        return names.normalize_username(text)


def _bound_of_text(
    validators: Sequence[Callable[[Any], Any]],
) -> validate.Length | validate.OneOf | None:
    choices = (each for each in validators if isinstance(each, validate.OneOf))
    return bound_of(validators) or next(choices, None)


def _max_length_of(bound: validate.Length | validate.OneOf | None) -> int | None:
    if isinstance(bound, validate.OneOf):
        return max(map(len, bound.choices))
    return None if bound is None else bound.max
