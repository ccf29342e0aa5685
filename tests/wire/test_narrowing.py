"""A body is loaded by a schema narrowed to its fields, with the same result as the whole schema."""

from __future__ import annotations

from functools import cache
from random import Random
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

_WORDS = ("", " a ", "users", "x" * 101, "nul\0", "5", "-1", "2026-01-01T00:00:00")
_NUMBERS = (0, 1, 2, 5, -1, 1.0, 1.5, 2**31, 2**63, 10**30, True)
_NAMES = ("id", "parse", "users", "type", "title", "fields", "name", "text")
_MAX_NAMES = 12
_MAX_DEPTH = 3


def _value(random: Random, depth: int = 0) -> Any:
    """Return a value of JSON, of up to three levels.

    Strategies of hypothesis would take ten times as long to draw it as the schemas to read it.
    """
    match random.randrange(3 if depth == _MAX_DEPTH else 5):
        case 0:
            return None
        case 1:
            return random.choice(_WORDS)
        case 2:
            return random.choice(_NUMBERS)
        case 3:
            return [_value(random, depth + 1) for _ in range(random.randrange(4))]
        case _:
            names = random.sample(_NAMES, random.randrange(4))
            return {name: _value(random, depth + 1) for name in names}


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
@given(seed=st.integers(0, 2**32))
def test_narrowed_schema_agrees_with_whole_schema(kind: type[Schema[Any]], seed: int) -> None:
    narrowed, whole = both(kind)
    random = Random(seed)
    names = ["unknown", *(field.data_key or name for name, field in whole.fields.items())]
    given_names = random.sample(names, random.randint(0, min(len(names), _MAX_NAMES)))
    body = {
        name: random.choice(_WORDS) if kind in OF_QUERIES else _value(random)
        for name in given_names
    }
    assert outcome(narrowed, body) == outcome(whole, body), body
