"""A body is read by a schema of the fields that it has, which says what the whole one says."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.core.errors import InvalidForm
from chatd.rest.routes import table
from chatd.wire import schemas
from chatd.wire.fields import Part, Schema

for module in pkgutil.iter_modules(schemas.__path__, f"{schemas.__name__}."):
    import_module(module.name)


def _every(kind: type[Any]) -> Iterator[type[Schema[Any]]]:
    for below in kind.__subclasses__():
        yield from _every(below)
        is_ours = below.__module__.startswith("chatd.")  # tests have some that load into nothing
        if is_ours and (hasattr(below, "into") or issubclass(below, Part)):
            yield below


SCHEMAS = sorted({*_every(Schema)} - {Part}, key=lambda each: f"{each.__module__}.{each.__name__}")
OF_QUERIES = {route.query for route in table()}

_WORDS = st.sampled_from(["", " a ", "users", "x" * 101, "nul\0", "5", "-1", "2026-01-01T00:00:00"])
_NUMBERS = st.sampled_from([0, 1, 2, 5, -1, 1.0, 1.5, 2**31, 2**63, 10**30, True])
_VALUES = st.recursive(
    st.none() | _WORDS | _NUMBERS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "parse", "users", "type", "title", "fields", "name", "text"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def outcome(schema: Schema[Any], data: Any) -> tuple[str, Any]:
    try:
        return "read", schema.read(data)
    except InvalidForm as refused:
        return "refused", refused.errors


@pytest.mark.parametrize("kind", SCHEMAS, ids=lambda each: each.__name__)
@settings(max_examples=40)
@given(data=st.data())
def test_narrowed_and_whole_say_the_same(kind: type[Schema[Any]], data: st.DataObject) -> None:
    narrowed, whole = kind(), kind()
    whole._narrowed = lambda data: whole  # type: ignore[method-assign]
    names = [field.data_key or name for name, field in whole.fields.items()]
    values = _WORDS if kind in OF_QUERIES else _VALUES
    body = data.draw(st.dictionaries(st.sampled_from([*names, "unknown"]), values))
    assert outcome(narrowed, body) == outcome(whole, body)
