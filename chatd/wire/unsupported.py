"""Fields that Discord documents and this server does not support.

A client that sends such a field must not believe that it has an effect. So the schemas name these
fields, and refuse values that request the feature. Values that request nothing are dropped, because
libraries send them for every field that they know: null, false, 0, an empty string, array or
object, and values that the schema declares as harmless, which describe what the server does anyway.
"""

from __future__ import annotations

from typing import Any, Final

from marshmallow import missing

from chatd.core.field_errors import NOT_SUPPORTED
from chatd.core.json import JsonObject
from chatd.wire.fields import Value
from chatd.wire.validators import FieldError

_NOTHING: Final[tuple[object, ...]] = (None, False, 0, 0.0, "", [], {})
_NOTHING_IN_A_QUERY: Final = ("", "0", "false")
_MAX_ACCEPTED = 32  # characters; every accepted value is shorter, so longer ones are not compared


class Unsupported(Value[Any]):
    """A documented field that is refused, unless its value requests nothing.

    `what` names the missing feature. `harmless` values describe what the server does without it.
    """

    def __init__(self, what: str, *harmless: object) -> None:
        text = f"This server does not support this field: {what}."
        super().__init__(error_messages={"unsupported": FieldError(NOT_SUPPORTED, text)})
        self._what = what
        self._accepted: tuple[object, ...] = (*_NOTHING, *harmless)

    @property
    def json(self) -> JsonObject:
        """The values that are accepted."""
        return {
            "enum": [each for each in self._accepted if type(each) is not float],
            "description": f"Not supported: {self._what}. Only values that request nothing.",
            "x-unsupported": self._what,
        }

    def deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        """Return `missing`. Raises ValidationError for a value that requests the feature."""
        if value is not missing and not self._requests_nothing(value):
            raise self.make_error("unsupported")
        return missing

    def _requests_nothing(self, value: Any) -> bool:
        return any(type(value) is type(each) and value == each for each in self._accepted)


class UnsupportedParameter(Unsupported):
    """An unsupported field of a query string, where every value is text."""

    def __init__(self, what: str, *harmless: str) -> None:
        super().__init__(what)
        self._accepted = (*_NOTHING_IN_A_QUERY, *harmless)

    def _requests_nothing(self, value: Any) -> bool:
        return len(value) < _MAX_ACCEPTED and value.lower() in self._accepted


class WithoutEffect(Value[Any]):
    """A documented field that has no meaning here; what a client sends is ignored.

    For fields that no answer depends on: what a client reports, or proves to Discord's own checks.
    `why` says why the field has no effect.
    """

    def __init__(self, why: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._why = why

    @property
    def json(self) -> JsonObject:
        """Every value is accepted."""
        return {"description": f"Has no effect: {self._why}.", "x-without-effect": True}

    def deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        """Return `missing`."""
        return missing


class Derived(Value[Any]):
    """A documented field whose value the server derives; what a client sends is ignored.

    Clients send such fields back as they received them. Discord documents that they have no
    effect: Message resource, "Create Message", about `type`, `provider`, `video` and the sizes of
    embeds.
    """

    json: JsonObject = {"description": "Has no effect: the server derives it.", "x-derived": True}  # noqa: RUF012

    def deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        """Return `missing`."""
        return missing
