"""Rules about a whole message: which components it may have, by its flags.

Rule: Discord docs, "Component Reference", "Legacy Message Component Behavior" and "Components V2".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chatd.core.components import IS_COMPONENTS_V2, ComponentType, texts
from chatd.core.models import Component
from chatd.wire.schemas.components.base import union_error
from chatd.wire.schemas.components.layout import MAX_TEXT
from chatd.wire.validators import FieldError

_MAX_ROWS: Final = 5
_NOT_WITH_V2: Final = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"


def layout_errors(
    flags: int, components: Sequence[Component], *, content: str, embeds: Sequence[Any]
) -> dict[str, Any]:
    """Return the errors of a message with these fields, by field; nothing if there are none.

    With IS_COMPONENTS_V2 a message has neither content nor embeds. Without it, it has up to five
    action rows, and no other components.
    """
    if not flags & IS_COMPONENTS_V2:
        return _errors_of_rows(components) if components else {}
    legacy = {"content": content, "embeds": embeds}
    errors = {name: [_legacy(name)] for name, value in legacy.items() if value}
    if not errors and sum(map(len, texts(components))) > MAX_TEXT:
        text = f"Components displayable text size exceeds maximum size of {MAX_TEXT}"
        return {"components": [FieldError("COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", text)]}
    return errors


def _legacy(field: str) -> FieldError:
    text = f"The '{field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
    return FieldError(_NOT_WITH_V2, text)


def _errors_of_rows(components: Sequence[Component]) -> dict[str, Any]:
    if len(components) > _MAX_ROWS:
        text = f"Must be {_MAX_ROWS} or fewer in length."
        return {"components": [FieldError("BASE_TYPE_MAX_LENGTH", text)]}
    rows = (ComponentType.ACTION_ROW.value,)
    others = {
        index: union_error(rows).messages
        for index, each in enumerate(components)
        if each["type"] not in rows
    }
    return {"components": others} if others else {}
