"""Fields for bodies of other services, whose texts and arrays may be longer than a message shows.

The size of the body bounds what is read. The rest is cut off instead of being refused: the sender
does not know the limits of this server.
"""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import fields

from chatd.core.json import JsonObject
from chatd.wire.fields import List, Value
from chatd.wire.validators import length

_ELLIPSIS = "…"


class Excerpt(Value[str]):
    """The beginning of a text, without white space at both ends and without NUL."""

    def __init__(self, max_length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_length = max_length

    @property
    def json(self) -> JsonObject:
        """A text of any length."""
        return {"type": "string"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        return cut(value, self.max_length)


class FirstOf(List):
    """The first elements of an array. The others are not read."""

    underived: ClassVar[tuple[str, ...]] = ("minItems", "maxItems")
    """What apispec would read from the validators, which see the first elements only."""

    def __init__(self, inner: fields.Field[Any], count: int, **kwargs: Any) -> None:
        super().__init__(inner, validate=length(0, count), **kwargs)
        self.count = count

    @property
    def json(self) -> JsonObject:
        """An array of any length."""
        return {"x-first": self.count}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        first = value[: self.count] if isinstance(value, list) else value
        return super()._deserialize(first, attr, data, **kwargs)


def cut(text: str, max_length: int) -> str:
    """Return a text of at most this length, with an ellipsis if it was longer.

    White space at both ends is removed, but counts, so that the rest of the text is not read.
    """
    begun = text[:max_length].replace("\0", "").strip()
    if len(text) <= max_length or not begun:
        return begun
    return begun[: max_length - 1].rstrip() + _ELLIPSIS
