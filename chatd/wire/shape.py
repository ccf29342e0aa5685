"""What the shapes of answers are made of: JSON schemas (draft 2020-12), some of them with a name.

A schema is a dictionary as in OpenAPI 3.1, in which a Shape may stand wherever a schema may.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What an answer is, or a part of one. One with a name is a component of the document."""

    schema: Json
    name: str | None = None
    media: str = "application/json"


def record(
    name: str, about: str, required: Mapping[str, Any], optional: Mapping[str, Any] | None = None
) -> Shape:
    """An object: what is always in it, and what only sometimes."""
    schema = {
        "type": "object",
        "description": about,
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }
    return Shape(schema, name)


def extended(
    base: Shape,
    name: str,
    about: str,
    required: Mapping[str, Any],
    optional: Mapping[str, Any] | None = None,
) -> Shape:
    """An object with all of another and more."""
    before = {key: base.schema["properties"][key] for key in base.schema["required"]}
    sometimes = {key: each for key, each in base.schema["properties"].items() if key not in before}
    return record(name, about, {**before, **required}, {**sometimes, **(optional or {})})


def array_of(items: Any) -> Shape:
    """An array of these."""
    return Shape({"type": "array", "items": items})


def nullable(schema: Any) -> Json:
    """This, or null."""
    if isinstance(schema, Shape):
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def one_of(*values: Any) -> Json:
    """One of these and nothing else."""
    return {"enum": list(values)}


STRING: Json = {"type": "string"}
INT: Json = {"type": "integer"}
COUNT: Json = {"type": "integer", "minimum": 0}
ANYTHING: Json = {}
BOOL: Json = {"type": "boolean"}
ID: Json = {"type": "string", "format": "snowflake", "pattern": "^[0-9]{1,19}$"}
BITS: Json = {"type": "string", "description": "Permissions as bits.", "pattern": "^[0-9]{1,20}$"}
MOMENT: Json = {"type": "string", "format": "date-time"}
NULL: Json = {"type": "null"}
EMPTY: Json = {"type": "array", "maxItems": 0}
"""For what Discord's objects hold and a server without the feature has none of."""
