"""Components as the schemas load or refuse them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from marshmallow import ValidationError

from chatd.wire.base_schema import field_errors
from chatd.wire.schemas.components import (
    message_components,
    modal_components,
)

MESSAGE = message_components()
MODAL = modal_components()
LENGTH = "BASE_TYPE_BAD_LENGTH"

_KEYS = st.sampled_from(
    [
        *("type", "id", "components", "component", "accessory", "custom_id", "style", "label"),
        *("options", "items", "media", "url", "content", "emoji", "name", "value", "values"),
        *("min_values", "max_values", "default_values", "default", "file", "required", "x"),
    ]
)
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 24)
    | st.floats()
    | st.sampled_from(["", "a", "1", "https://x.org/a", "👍", "nul\0", "x" * 200]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=6),
    max_leaves=30,
)
"""Values with the keys of components, in any structure."""


def load(field: Any, components: Any) -> list[Any]:
    """Return what a field makes of components."""
    return list(field.deserialize(components, "components", {}))


def error_of(field: Any, components: Any) -> tuple[str, str]:
    """Return the path and the code of the first error."""
    with pytest.raises(ValidationError) as refused:
        load(field, components)
    return first_error(field_errors(refused.value.messages))


def first_error(errors: Any) -> tuple[str, str]:
    """Return the path and the code of the first of several errors."""
    path: list[str] = []
    while "_errors" not in errors:
        key = next(iter(errors))
        path.append(key)
        errors = errors[key]
    return ".".join(path), errors["_errors"][0]["code"]


def options(count: int) -> list[Any]:
    """Return options of a select with different values."""
    return [{"label": "x", "value": str(number)} for number in range(count)]
