"""All request schemas, and a walk over their fields."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from marshmallow import fields

from chatd.rest.table import table
from chatd.wire import schemas
from chatd.wire.base_schema import MappingSchema, Schema
from chatd.wire.fields import ById

for module in pkgutil.iter_modules(schemas.__path__, f"{schemas.__name__}."):
    import_module(module.name)


def _every(kind: type[Any]) -> Iterator[type[Schema[Any]]]:
    for below in kind.__subclasses__():
        yield from _every(below)
        is_ours = below.__module__.startswith("chatd.")  # tests declare schemas without `into`
        if is_ours and (hasattr(below, "into") or issubclass(below, MappingSchema)):
            yield below


def _named(kind: type[Any]) -> str:
    return f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"


SCHEMAS = sorted({*_every(Schema)} - {MappingSchema}, key=_named)


OF_QUERIES = {route.query for route in table()}


def fields_of(schema: Schema[Any], path: str) -> Iterator[tuple[str, Any, int]]:
    """Yield each field below a schema: its path, the field, and the number of containers around
    it.
    """
    yield from _below(schema, path, 1)


def _below(schema: Any, path: str, depth: int) -> Iterator[tuple[str, Any, int]]:
    assert depth < 20, f"{path} holds itself"
    for name, field in schema.fields.items():
        yield from _within(field, f"{path}.{name}", depth)


def _within(field: Any, path: str, depth: int) -> Iterator[tuple[str, Any, int]]:
    yield path, field, depth
    if isinstance(field, fields.List):
        yield from _within(field.inner, f"{path}[]", depth + 1)
    elif isinstance(field, ById):
        yield from _within(field.inner, f"{path}{{}}", depth + 1)
    elif isinstance(field, fields.Nested):
        yield from _below(field.schema, path, depth + 1)


FIELDS = {
    path: (field, depth)
    for kind in SCHEMAS
    for path, field, depth in fields_of(kind(), _named(kind))
}
"""Every field of every schema, by its path."""
