"""Errors of fields with Discord's codes, and validators that raise them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from marshmallow import ValidationError, validate

from chatd.core.field_errors import NOT_SUPPORTED

MAX_BAD_ELEMENTS = 3
"""After how many bad elements the rest of an array is not read."""


class FieldError(str):
    """The text of a field error, with Discord's code for it."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, code: str, text: str) -> FieldError:
        self = super().__new__(cls, text)
        self.code = code
        return self

    def format(self, *args: object, **kwargs: object) -> str:
        """Return the text with its fields filled in, and with the same code."""
        return FieldError(self.code, super().format(*args, **kwargs))


ERRORS: dict[str, Any] = {
    "required": FieldError("BASE_TYPE_REQUIRED", "This field is required"),
    "null": FieldError("BASE_TYPE_REQUIRED", "This field is required"),
    "invalid": FieldError("BASE_TYPE_INVALID", "This value has the wrong type"),
}


def length(low: int, high: int) -> validate.Length:
    """Return a validator that accepts from `low` to `high` characters or elements."""
    text = f"Must be between {low} and {high} in length."
    return validate.Length(low, high, error=FieldError("BASE_TYPE_BAD_LENGTH", text))


def at_most(high: int) -> validate.Length:
    """Return a validator that accepts at most `high` characters or elements."""
    text = f"Must be {high} or fewer in length."
    return validate.Length(max=high, error=FieldError("BASE_TYPE_MAX_LENGTH", text))


def within(low: int, high: int) -> validate.Range:
    """Return a validator that accepts a number from `low` to `high`."""
    text = f"int value should be between {low} and {high}."
    return validate.Range(low, high, error=FieldError("NUMBER_TYPE_RANGE", text))


def choice(*choices: int) -> validate.OneOf:
    """Return a validator that accepts one of these numbers."""
    listed = ", ".join(f"{each:d}" for each in choices)
    text = f"Value must be one of {{{{{listed}}}}}."  # marshmallow formats this text again
    return validate.OneOf(choices, error=FieldError("BASE_TYPE_CHOICES", text))


def supported(choices: Iterable[int], text: str) -> validate.OneOf:
    """Return a validator that accepts these numbers, of those that Discord documents.

    It follows `choice`, which refuses all other numbers. `text` says what the server does not have.
    """
    return validate.OneOf([*choices], error=FieldError(NOT_SUPPORTED, text))


def unique(values: Sequence[Hashable]) -> None:
    """Refuse an array that contains a value twice."""
    if len(set(values)) < len(values):
        raise ValidationError(FieldError("BASE_TYPE_INVALID", "Values must be unique."))


URL_REST = r"[^\s\x00-\x1f\x7f-\x9f/][^\x00-\x1f\x7f-\x9f\u2028\u2029]*\Z"
"""A regular expression for a URL after `://`. It has no control characters: a line break in the
header of a redirect would begin another header. Names of attachments can contain spaces."""


def url(schemes: str) -> list[validate.Validator]:
    """Return validators that accept a URL of at most 2048 characters with one of these schemes."""
    problem = FieldError("URL_TYPE_INVALID_URL", "Not a well formed URL.")
    return [at_most(2048), validate.Regexp(rf"(?i)({schemes})://{URL_REST}", error=problem)]


MAX_NAME = 100
"""Characters of the name of a guild, a channel or a role."""

NAME = length(1, MAX_NAME)
MAX_POSITION = 2**31 - 1
POSITION = within(0, MAX_POSITION)


def bound_of(validators: Iterable[Callable[[Any], Any]]) -> validate.Length | None:
    """Return the validator that bounds the length, or None if no validator does."""
    for validator in validators:
        if isinstance(validator, validate.Length) and validator.max is not None:
            return validator
    return None


def most_of(validators: Iterable[Callable[[Any], Any]]) -> int | None:
    """Return the maximum length that the validators accept, or None if there is none."""
    bound = bound_of(validators)
    return None if bound is None else bound.max
