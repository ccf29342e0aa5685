"""What a user has entered into components, checked against the components as the bot sent them.

The functions are pure. They raise InvalidForm with paths in the body of an interaction, where the
values are in `data`. Rule: Discord docs, Interactions, "Interaction Data".
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, Final

from chatd.core.components import ComponentType, Path, walk
from chatd.core.errors import InvalidForm
from chatd.core.ids import parse_id
from chatd.core.json import JsonObject
from chatd.core.models import Component
from chatd.wire.base_schema import field_errors
from chatd.wire.schemas.components.base import MAX_COMPONENTS, add_error
from chatd.wire.schemas.components.modals import MAX_INPUT
from chatd.wire.validators import FieldError

_REQUIRED: Final = FieldError("BASE_TYPE_REQUIRED", "This field is required")
_NOT_A_LIST: Final = FieldError("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType.")
_NOT_A_TEXT: Final = FieldError("BASE_TYPE_BAD_TYPE", "Could not interpret this value as string.")
_NOT_A_BOOLEAN: Final = FieldError("BASE_TYPE_BAD_TYPE", "Must be either true or false.")
_NUL: Final = FieldError("BASE_TYPE_INVALID", "Must not contain NUL.")
_UNKNOWN_OPTION: Final = FieldError("BASE_TYPE_CHOICES", "This is not one of the options.")
_NOT_AN_ID: Final = FieldError("NUMBER_TYPE_COERCE", "Value is not snowflake.")
_REPEATED: Final = FieldError("SET_TYPE_ALREADY_CONTAINS_VALUE", "Set already contains this value")
_UNKNOWN_FIELD: Final = FieldError("BASE_TYPE_INVALID", "The modal has no such component.")

_MAX_ID_LENGTH: Final = 19


class _Refused(Exception):
    """A value is refused for this reason."""

    def __init__(self, error: FieldError) -> None:
        super().__init__(error)
        self.error = error


def validate_values(component: Component, values: Any) -> list[str]:
    """Return the values that a user has chosen in a select.

    Their number is within the bounds of the select; each is one of its options, or an id. The
    caller checks that the users, roles and channels exist. Raises InvalidForm.
    """
    try:
        return _values(component, values)
    except _Refused as refused:
        raise _invalid(("values",), refused.error) from None


def validate_submission(modal: Sequence[Component], submitted: Any) -> list[JsonObject]:
    """Return the values that a user has entered into a modal, in the structure of the modal.

    `modal` are its components as they were sent to the user, `submitted` the components of the
    body. The result is what the bot receives. Raises InvalidForm.
    """
    given = _by_custom_id(submitted)
    known = {each["custom_id"] for _, each in walk(modal) if "custom_id" in each}
    for custom_id, (path, _) in given.items():
        if custom_id not in known:
            raise _invalid((*path, "custom_id"), _UNKNOWN_FIELD)
    return [_submitted_part(each, given) for each in modal]


_Given = Mapping[str, tuple[Path, Mapping[str, Any]]]


def _by_custom_id(submitted: Any) -> dict[str, tuple[Path, Mapping[str, Any]]]:
    """Return the submitted fields by custom id. Reads at most `MAX_COMPONENTS` of them."""
    found: dict[str, tuple[Path, Mapping[str, Any]]] = {}
    waiting: list[tuple[Path, Any]] = [(("components",), submitted)]
    left = MAX_COMPONENTS
    while waiting:
        path, several = waiting.pop()
        if not isinstance(several, list):
            raise _invalid(path, _NOT_A_LIST)
        left -= len(several)
        if left < 0:
            text = f"Total number of components cannot exceed {MAX_COMPONENTS}"
            error = FieldError("COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", text)
            raise _invalid(("components",), error)
        for index, each in enumerate(several):
            if not isinstance(each, dict):
                error = FieldError("MODEL_TYPE_CONVERT", "Only dictionaries may be used.")
                raise _invalid((*path, index), error)
            inner = each.get("component")
            place, field = ((*path, index, "component"), inner) if inner else ((*path, index), each)
            if isinstance(field, dict) and isinstance(custom_id := field.get("custom_id"), str):
                found[custom_id] = (place, field)
            if "components" in each:
                waiting.append(((*path, index, "components"), each["components"]))
    return found


def _submitted_part(component: Component, given: _Given) -> JsonObject:
    """Return a component of the modal with what was entered into it, or into those inside."""
    part: JsonObject = {"type": component["type"], "id": component["id"]}
    if "components" in component:
        part["components"] = [_submitted_part(each, given) for each in component["components"]]
    elif "component" in component:
        part["component"] = _submitted_part(component["component"], given)
    elif "custom_id" in component:
        custom_id = component["custom_id"]
        path, field = given.get(custom_id, (("components",), {}))
        key = "value" if component["type"] in _SINGLE else "values"
        try:
            read: Callable[[Component, Any], Any] = _SINGLE.get(component["type"], _values)
            part |= {"custom_id": custom_id, key: read(component, field.get(key))}
        except _Refused as refused:
            raise _invalid((*path, key) if field else path, refused.error) from None
    return part


def _text(component: Component, value: Any) -> str:
    text = "" if value is None else value
    if not isinstance(text, str):
        raise _Refused(_NOT_A_TEXT)
    low, high = component["min_length"] or 0, component["max_length"] or MAX_INPUT
    if not text:
        if component.get("required", True):
            raise _Refused(_REQUIRED)
        return text
    if not low <= len(text) <= high:
        raise _Refused(_bad_length(low, high))
    if "\0" in text:
        raise _Refused(_NUL)
    return text


def _choice(component: Component, value: Any) -> str | None:
    if value is None:
        if component.get("required", True):
            raise _Refused(_REQUIRED)
        return None
    if not isinstance(value, str) or value not in _options(component):
        raise _Refused(_UNKNOWN_OPTION)
    return value


def _checked(component: Component, value: Any) -> bool:
    if value is None:
        return False
    if not isinstance(value, bool):
        raise _Refused(_NOT_A_BOOLEAN)
    return value


def _values(component: Component, values: Any) -> list[str]:
    """Return the values of a select, a checkbox group or a file upload."""
    chosen = [] if values is None else values
    if not isinstance(chosen, list):
        raise _Refused(_NOT_A_LIST)
    low, high = component.get("min_values", 1), component.get("max_values")
    if high is None:
        high = len(component["options"])  # of a checkbox group
    if not chosen and component.get("required") is False:
        return []
    if not low <= len(chosen) <= high:
        raise _Refused(_bad_length(low, high))
    options = _options(component)
    for each in chosen:
        _require_option(each, options)
    if len(set(chosen)) < len(chosen):
        raise _Refused(_REPEATED)
    return chosen


def _require_option(value: Any, options: Container[str] | None) -> None:
    """Raise _Refused unless a value is one of the options, or without options an id."""
    if options is None:
        _require_id(value)
    elif not isinstance(value, str) or value not in options:
        raise _Refused(_UNKNOWN_OPTION)


def _options(component: Component) -> Any:
    """Return the values of the options; None for a component whose values are ids."""
    options = component.get("options")
    return None if options is None else {each["value"] for each in options}


def _require_id(value: Any) -> None:
    if not isinstance(value, str) or len(value) > _MAX_ID_LENGTH:
        raise _Refused(_NOT_AN_ID)
    try:
        parse_id(value)
    except ValueError:
        raise _Refused(_NOT_AN_ID) from None


def _bad_length(low: int, high: int) -> FieldError:
    return FieldError("BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")


_SINGLE: Final[Mapping[int, Callable[[Component, Any], Any]]] = {
    ComponentType.TEXT_INPUT: _text,
    ComponentType.RADIO_GROUP: _choice,
    ComponentType.CHECKBOX: _checked,
}
"""The components with a single value, and how it is read. All others have a list of values."""


def _invalid(path: Path, error: FieldError) -> InvalidForm:
    errors: dict[str | int, Any] = {}
    add_error(errors, ("data", *path), error)
    return InvalidForm(field_errors(errors))
