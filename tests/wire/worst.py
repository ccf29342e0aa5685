"""The most expensive bodies that a client can send, generated from the schemas.

New fields, routes and commands are therefore covered without changes here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import orjson
from marshmallow import fields

from chatd.wire.base_schema import Schema
from chatd.wire.fields import ById, Int, List, PermissionBits, Snowflake, Timestamp
from chatd.wire.schemas.components.base import ComponentList
from chatd.wire.text_fields import Text
from chatd.wire.validators import bound_of

FLOODS = {
    "multiplied": "\ufdfa",  # 18 characters in NFKC
    "marks": "a\u0301\u0316\u0327\u0323\u0334",
    "joined": "\U0001f468\u200d",
    "folded": "\u0390",  # three code points when folded
    "mentions": "<@1>",
    "ticks": "@```a``b`",
    "spaces": " \u3000",
    "quotes": 'a"',
    "zeros": "\0",
    "escapes": "%F0%9F",
}
"""Short texts that are expensive in large numbers, by the expensive operation."""

_KEYED_BYTES = 60_000
"""What the values of an object with ids as keys have together. Such objects can be nested, and the
bodies that may have them are of 64 KB."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body, written when a test sends it: writing all takes longer than sending some."""

    write: Callable[[], bytes]
    shape: Hashable = None
    """Bodies of one shape differ at most in letters of a key. None: this one has no shape."""


def bodies(
    schema: Schema[Any] | None, max_bytes: int, *, max_items: int | None = None
) -> Iterator[Body]:
    """Yield bodies of at most `max_bytes` bytes: for a schema, an array of it, or no schema."""
    yield from _shapeless(max_bytes)
    if schema is None:
        return
    for body in _objects(schema):
        yield Body(partial(_fitted, body, max_bytes, max_items))
    if max_items is None:
        yield from _with_one_name(schema, max_bytes)
    else:
        for share in (1, 4):
            size = max_bytes // share - 2
            for each in chain(_shapeless(size), _with_one_name(schema, size)):
                yield Body(partial(_repeated, each, share))


def _objects(schema: Schema[Any]) -> Iterator[Callable[[], dict[str, Any]]]:
    """Yield functions that return objects with all keys that the schema knows."""
    for flood in FLOODS.values():
        for share in (1, 8, 64, 4096):
            yield partial(_object, schema, flood, share, over=0)
        yield partial(_object, schema, flood, 1, over=1)
        yield partial(_object, schema, flood, 4096, over=1)
    if any(isinstance(field, ComponentList) for field in schema.fields.values()):
        for components in _component_trees():
            yield partial(dict, flags=1 << 15, components=components)
    wrong: list[Any] = [[], {}, "", None, 0, -1, 1e308, True, "x" * 30]
    for value in wrong:
        yield partial(wrong_object, schema, value)


def _with_one_name(schema: Schema[Any], max_bytes: int) -> Iterator[Body]:
    """Yield objects in which one key that the schema knows has a value of the maximum size."""
    for name in names(schema):
        key = orjson.dumps(name)
        fillings = (b"[],", b"{},", b"0,", b'"",', b'"1",', b'{"id":"1","type":0},')
        longest = max_bytes - len(key) - 10
        writers: list[Callable[[], bytes]] = [
            *(partial(_with_array, key, filling, longest, max_bytes) for filling in fillings),
            partial(_with_run, key, b'"', b"x", longest, max_bytes),
            partial(_with_run, key, b"", b"9", longest, max_bytes),
            partial(_with_nested_arrays, key),
            partial(_with_key_again, key, max_bytes),
        ]
        for number, write in enumerate(writers):
            yield Body(write, (number, max_bytes, len(key)))


def _with_array(key: bytes, filling: bytes, longest: int, max_bytes: int) -> bytes:
    size = longest // len(filling) * len(filling) - 1
    return b"".join((b"{", key, b":[", _filled(filling, max_bytes)[:size], b"]}"))


def _with_run(key: bytes, quote: bytes, of: bytes, longest: int, max_bytes: int) -> bytes:
    return b"".join((b"{", key, b":", quote, _filled(of, max_bytes)[:longest], quote, b"}"))


def _with_nested_arrays(key: bytes) -> bytes:
    return b"{" + key + b":" + b"[" * 1000 + b"]" * 1000 + b"}"


def _with_key_again(key: bytes, max_bytes: int) -> bytes:
    return b"{" + b",".join([key + b":[]"] * (max_bytes // (len(key) + 5))) + b"}"


def _repeated(each: Body, share: int) -> bytes:
    return b"[" + b",".join([each.write()] * share) + b"]"


@functools.lru_cache(16)
def _filled(filling: bytes, max_bytes: int) -> memoryview:
    return memoryview(filling * (max_bytes // len(filling)))


def _component_trees() -> Iterator[list[Any]]:
    """Yield components of as many parts as a message can have, the right ones and wrong ones."""
    emoji = {"id": "9" * 18, "name": "\u2764\ufe0f", "animated": True}
    for emojis in (emoji, {"name": "\U0001f468\u200d"}, {}):
        options = [
            {"label": "x", "value": str(number), "description": "x", "emoji": emojis}
            for number in range(25)
        ]
        selects = [
            {"type": 3, "custom_id": str(number), "options": options} for number in range(20)
        ]
        yield [{"type": 1, "components": [each]} for each in selects]
        yield [{"type": 1, "components": selects[:5]}] * 6
    defaults = [{"id": "9" * 18, "type": "user"}] * 25
    chosen = {"min_values": 0, "max_values": 25, "default_values": defaults}
    yield [
        {"type": 1, "components": [{"type": 5, "custom_id": str(number), **chosen}]}
        for number in range(20)
    ]
    items = [{"media": {"url": "https://" + "x" * 100}, "description": "x"}] * 10
    yield [{"type": 12, "items": items}] * 40
    for flood in FLOODS.values():
        yield [{"type": 10, "content": (flood * 100)[:100]}] * 40
        yield [{"type": 10, "content": (flood * 4000)[:4000]}]
    nested: Any = []
    for _ in range(60):
        nested = [{"type": 17, "components": nested}]
    yield nested
    yield [{"type": 17, "components": [[], {}, "x"] * 13}] * 3
    yield [{"type": 9, "accessory": {"accessory": {"accessory": nested}}}] * 13


def _shapeless(max_bytes: int) -> Iterator[Body]:
    for number in range(len(_SHAPELESS)):
        yield Body(partial(_written_shapeless, number, max_bytes), (number, max_bytes))


_SHAPELESS: list[Callable[[int], bytes]] = [
    lambda size: b"[" * (size - 1),
    lambda size: b"[" * 1000 + b"]" * 1000,
    lambda size: b'{"a":' * (size // 5),
    lambda size: b"[" + b"[]," * (size // 3 - 2) + b"[]]",
    lambda size: b"[" + b"{}," * (size // 3 - 2) + b"{}]",
    lambda size: b"[" + b"0," * (size // 2 - 2) + b"0]",
    lambda size: b'"' + b"x" * (size - 2) + b'"',
    lambda size: b'"' + "\ufdfa".encode() * ((size - 2) // 3) + b'"',
    lambda size: b"9" * size,
    lambda size: b"0." + b"1" * (size - 2),
    lambda size: b"{" + b",".join(b'"%x":null' % key for key in range(size // 14)) + b"}",
]


@functools.lru_cache(8 * len(_SHAPELESS))
def _written_shapeless(number: int, max_bytes: int) -> bytes:
    return _SHAPELESS[number](max_bytes)


def names(schema: Any) -> Iterator[str]:
    """Return the keys that a schema knows."""
    for name, field in schema.fields.items():
        yield field.data_key or name


def _object(schema: Any, flood: str, share: int, over: int) -> dict[str, Any]:
    """Return an object whose arrays have the maximum length, or exceed it by `over`.

    Texts have a `share`th of their maximum length: texts of full length leave room for few
    elements.
    """
    return {
        field.data_key or name: _largest(field, flood, share, over)
        for name, field in schema.fields.items()
    }


def _largest(field: Any, flood: str, share: int, over: int) -> Any:
    if isinstance(field, List):
        bound = bound_of(field.validators)
        assert bound is not None
        return [_largest(field.inner, flood, share, 0)] * ((bound.max or 0) + over)
    if isinstance(field, ById):
        bound = bound_of(field.validators)
        assert bound is not None
        each = _largest(field.inner, flood, share, 0)
        count = (bound.max or 0) + over if over else _count(each, bound.max or 0, share)
        return {str(number): each for number in range(count)}
    if isinstance(field, fields.Nested):
        return _object(field.schema, flood, share, over)
    if isinstance(field, Text):
        assert field.max_length is not None
        count = max(1, min(field.max_length, 20_000) // share) + (over if share == 1 else 0)
        return (flood * (count // len(flood) + 1))[:count]
    if isinstance(field, Snowflake | PermissionBits):
        return "9" * 18
    moment = "2026-01-01T00:00:00.000000+00:00" if isinstance(field, Timestamp) else flood
    return 2**53 if isinstance(field, Int) else moment


def wrong_object(schema: Any, value: Any) -> dict[str, Any]:
    """Return an object in which every value has the wrong type, on all levels."""
    return {
        field.data_key or name: _wrong_value(field, value) for name, field in schema.fields.items()
    }


def _wrong_value(field: Any, value: Any) -> Any:
    if isinstance(field, List):
        bound = bound_of(field.validators)
        assert bound is not None
        return [_wrong_value(field.inner, value)] * (bound.max or 0)
    if isinstance(field, ById):
        each = _wrong_value(field.inner, value)
        return {str(number): each for number in range(_count(each, 500, 1))}
    if isinstance(field, fields.Nested):
        return wrong_object(field.schema, value)
    return value


def _count(each: Any, most: int, share: int) -> int:
    """Return how many values of an object fit into a `share`th of a body, at least one."""
    return max(1, min(most, _KEYED_BYTES // share // (len(orjson.dumps(each)) + 8)))


def _fitted(body: Callable[[], dict[str, Any]], max_bytes: int, max_items: int | None) -> bytes:
    """Return the body, cut to size: long values are left out, the longest first."""
    parts = sorted(((orjson.dumps({key: each})[1:-1]), key) for key, each in body().items())
    parts.sort(key=lambda part: len(part[0]))
    kept, size = [], 2
    for part, _ in parts:
        if size + len(part) + 1 <= max_bytes:
            kept.append(part)
            size += len(part) + 1
    whole = b"{" + b",".join(kept) + b"}"
    if max_items is not None:
        count = max(1, min(max_items, (max_bytes - 2) // (len(whole) + 1)))
        return b"[" + b",".join([whole] * count) + b"]"
    return whole
