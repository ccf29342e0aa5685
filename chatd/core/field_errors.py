"""Errors of single fields of a request, in the form of Discord's "Form Body" errors."""

from __future__ import annotations

from typing import Any

FieldErrors = dict[str, Any]
"""Errors in the structure of the request, with leaves {"_errors": [{"code", "message"}]}."""


NOT_SUPPORTED = "NOT_SUPPORTED"
"""The code for fields and values that Discord documents and this server does not support."""

MAX_FIELD_ERRORS = 50
"""The field errors of one response. A client has to fix these before it gets further ones."""

_MAX_NAME_LENGTH = 64  # characters of a field name
_MAX_TEXT_LENGTH = 400  # characters of a message
_MAX_DEPTH = 12  # nested objects; the emoji of an option of a select in a container has 10


def truncated(errors: FieldErrors) -> FieldErrors:
    """Return the first field errors, with names and messages truncated."""
    return _truncated(errors, [MAX_FIELD_ERRORS], _MAX_DEPTH)


def _truncated(errors: FieldErrors, left: list[int], deep: int) -> FieldErrors:
    found: FieldErrors = {}
    for key, inner in errors.items():
        if left[0] <= 0:
            break
        if key == "_errors":
            found[key] = [
                {**each, "message": each["message"][:_MAX_TEXT_LENGTH]} for each in inner[: left[0]]
            ]
            left[0] -= len(found[key])
        elif deep:
            found[key[:_MAX_NAME_LENGTH]] = _truncated(inner, left, deep - 1)
    return found
