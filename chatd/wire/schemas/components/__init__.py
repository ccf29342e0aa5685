"""Schemas of components, as Discord validates them.

`message_components` is the field of a message, `layout_errors` the rule about a whole message.
`modal_components` is the field of a modal. `validate_values` and `validate_submission` check what
a user has entered. Rule: Discord docs, "Component Reference".
"""

from __future__ import annotations

from chatd.wire.schemas.components.layout import MAX_TEXT, message_components
from chatd.wire.schemas.components.modals import modal_components
from chatd.wire.schemas.components.rules import layout_errors
from chatd.wire.schemas.components.submissions import validate_submission, validate_values

__all__ = [
    "MAX_TEXT",
    "layout_errors",
    "message_components",
    "modal_components",
    "validate_submission",
    "validate_values",
]
