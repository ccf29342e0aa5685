"""Building blocks of response schemas: JSON Schema (draft 2020-12), optionally with a name.

A schema is a dictionary as in OpenAPI 3.1, in which a ResponseSchema can be in place of a schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chatd.core.json import JsonObject


@dataclass(frozen=True, slots=True, eq=False)
class ResponseSchema:
    """The schema of a response, or of a part of one.

    A schema with a name becomes a component of the OpenAPI document.
    """

    schema: JsonObject
    name: str | None = None
    media: str = "application/json"
    has_page: bool = False
    """Whether browsers get a page instead."""


def object_schema(
    name: str, about: str, required: Mapping[str, Any], optional: Mapping[str, Any] | None = None
) -> ResponseSchema:
    """Return the schema of an object with required and optional keys."""
    schema = {
        "type": "object",
        "description": about,
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }
    return ResponseSchema(schema, name)


def extended_schema(
    base: ResponseSchema,
    name: str,
    about: str,
    required: Mapping[str, Any],
    optional: Mapping[str, Any] | None = None,
) -> ResponseSchema:
    """Return the schema of an object with all keys of `base` and more."""
    inherited = {key: base.schema["properties"][key] for key in base.schema["required"]}
    optional_keys = {
        key: each for key, each in base.schema["properties"].items() if key not in inherited
    }
    return object_schema(
        name, about, {**inherited, **required}, {**optional_keys, **(optional or {})}
    )


def array_of(items: Any) -> ResponseSchema:
    """Return the schema of an array of such items."""
    return ResponseSchema({"type": "array", "items": items})


def nullable(schema: Any) -> JsonObject:
    """Return the schema of such a value or null."""
    if isinstance(schema, ResponseSchema):
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def one_of(*values: Any) -> JsonObject:
    """Return the schema of a value that is one of these."""
    return {"enum": list(values)}


ID_IN_LIST: Final = "([0-9]{1,18}|[0-8][0-9]{18})"
"""The pattern of an id in a list. It excludes ids of the year 2083 and later, because an exact
pattern for numbers below 2^63 has nearly twenty branches."""


def ids_in_text(most: int | None) -> JsonObject:
    """Return the schema of a comma-separated list of at most `most` ids; None is no bound."""
    more = "*" if most is None else f"{{0,{most - 1}}}"
    return {"pattern": f"^({ID_IN_LIST}(, ?{ID_IN_LIST}){more})?$"}


STRING: JsonObject = {"type": "string"}
INT: JsonObject = {"type": "integer"}
COUNT: JsonObject = {"type": "integer", "minimum": 0}
ANYTHING: JsonObject = {}
BOOL: JsonObject = {"type": "boolean"}
ID: JsonObject = {"type": "string", "format": "snowflake", "pattern": "^[0-9]{1,19}$"}
BITS: JsonObject = {
    "type": "string",
    "description": "Permissions as bits.",
    "pattern": "^[0-9]{1,20}$",
}
DATETIME: JsonObject = {"type": "string", "format": "date-time"}
NULL: JsonObject = {"type": "null"}
EMPTY: JsonObject = {"type": "array", "maxItems": 0}
"""An array that Discord documents, for a feature that chatd does not have."""
