"""A body is loaded by a schema narrowed to its fields, with the same result as the whole schema."""

from __future__ import annotations

from functools import cache
from types import MethodType
from typing import Any

import marshmallow as ma
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.core.errors import InvalidForm
from chatd.wire.base_schema import Schema
from tests.helpers.examples import examples
from tests.helpers.walk import walk
from tests.wire.schemas import OF_QUERIES, SCHEMAS

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


@cache
def both(kind: type[Schema[Any]]) -> tuple[Schema[Any], Schema[Any]]:
    """Return a schema that narrows itself, and one that loads its fields as marshmallow does."""
    whole = kind()
    whole._narrowed = lambda data: whole  # type: ignore[method-assign]
    plain = MethodType(ma.Schema._deserialize, whole)
    whole._deserialize = plain  # type: ignore[method-assign]
    return kind(), whole


@walk("kind", SCHEMAS)
@settings(max_examples=examples(8))
@given(data=st.data())
def test_narrowed_schema_agrees_with_whole_schema(
    kind: type[Schema[Any]], data: st.DataObject
) -> None:
    narrowed, whole = both(kind)
    names = [field.data_key or name for name, field in whole.fields.items()]
    values = _WORDS if kind in OF_QUERIES else _VALUES
    body = data.draw(st.dictionaries(st.sampled_from([*names, "unknown"]), values))
    assert outcome(narrowed, body) == outcome(whole, body)
