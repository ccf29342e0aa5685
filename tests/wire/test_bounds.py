"""Bounds of what clients send: every field of every schema checks its size first."""

from __future__ import annotations

from copy import copy
from typing import Any

import orjson
import pytest
from marshmallow import ValidationError, fields, validate

from chatd.core.errors import InvalidForm
from chatd.core.field_errors import MAX_FIELD_ERRORS
from chatd.wire.base_schema import Schema
from chatd.wire.command_fields import DefaultPermissions, Kind, OptionList, TranslatedText
from chatd.wire.fields import (
    MAX_DATA_URI,
    Bool,
    ById,
    Discriminator,
    Int,
    JsonObjectField,
    List,
    Nested,
    Nonce,
    PermissionBits,
    Snowflake,
    Timestamp,
)
from chatd.wire.query_fields import Ids
from chatd.wire.schemas.components.base import ByType
from chatd.wire.schemas.excerpts import Excerpt, FirstOf
from chatd.wire.schemas.gateway import ChunkNonce, IsTrue, Properties, Windows
from chatd.wire.schemas.interactions import ChoiceValue
from chatd.wire.schemas.notifications import Seconds
from chatd.wire.schemas.oauth2 import Scopes
from chatd.wire.schemas.slack import UnixTime
from chatd.wire.schemas.user_settings import ProtoMessage
from chatd.wire.text_fields import Text
from chatd.wire.unsupported import Derived, Unsupported, WithoutEffect
from chatd.wire.validators import MAX_BAD_ELEMENTS, bound_of, length
from tests.helpers.walk import walk
from tests.wire.schemas import FIELDS, OF_QUERIES, SCHEMAS

MOST_CHARACTERS = 6000
MOST_ELEMENTS = 1000
MOST_DEPTH = 6
MOST_ANSWER = 2**15  # bytes

BOUNDED = (
    Bool,
    ByType,  # reads with one of several schemas, each of which is tested here too
    Discriminator,
    Int,
    JsonObjectField,  # the size of the body bounds it
    Timestamp,
    ChoiceValue,
    Nonce,
    PermissionBits,
    Snowflake,
    ChunkNonce,
    IsTrue,
    Properties,
    DefaultPermissions,
    Kind,
    OptionList,
    TranslatedText,
    Seconds,
    ProtoMessage,
    Derived,
    Scopes,
    Unsupported,
    Windows,
    Excerpt,
    UnixTime,
    WithoutEffect,
)
"""Kinds of fields with a bound of their own, whatever a schema says."""

IMAGES = {path for path in FIELDS if path.rpartition(".")[2] in ("avatar", "icon")}
LISTS = [path for path, (field, _) in FIELDS.items() if isinstance(field, fields.List)]
OBJECTS = [path for path, (field, _) in FIELDS.items() if isinstance(field, ById)]
REFUSED_LISTS = [path for path in LISTS if not isinstance(FIELDS[path][0], FirstOf)]
TEXTS = [path for path, (field, _) in FIELDS.items() if isinstance(field, fields.String)]


class Sealed(str):
    """A text that raises when anything but its length is read."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("a text was read before its length was checked")

    __contains__ = __iter__ = __getitem__ = __hash__ = __eq__ = _refuse
    strip = casefold = lower = split = encode = isascii = isdigit = count = _refuse


class SealedList(list[Any]):
    """An array that raises when an element is read."""

    def __iter__(self) -> Any:
        raise AssertionError("an element was read before the length was checked")

    __getitem__ = __iter__  # type: ignore[assignment]


@walk("path", FIELDS)
def test_every_field_has_a_bound(path: str) -> None:
    field, depth = FIELDS[path]
    assert depth <= MOST_DEPTH
    if isinstance(field, Text):
        assert field.max_length is not None
        assert field.max_length <= (MAX_DATA_URI if path in IMAGES else MOST_CHARACTERS)
    elif isinstance(field, List | Ids | ById):
        bound = bound_of(field.validators)
        assert bound is not None
        assert bound.max is not None
        assert bound.max <= MOST_ELEMENTS
    else:
        assert isinstance(field, (*BOUNDED, Nested)), "a kind of field without a bound"


@walk("path", TEXTS)
def test_text_length_is_checked_before_content(path: str) -> None:
    field, _ = FIELDS[path]
    with pytest.raises(ValidationError):
        field.deserialize(Sealed("x" * (field.max_length + 1)), "name", {})


@walk("path", REFUSED_LISTS)
def test_array_length_is_checked_before_elements(path: str) -> None:
    field, _ = FIELDS[path]
    bound = bound_of(field.validators)
    assert bound is not None
    with pytest.raises(ValidationError) as refused:
        field.deserialize(SealedList([{}] * ((bound.max or 0) + 1)), "name", {})
    assert len(refused.value.messages) == 1


@walk("path", LISTS)
def test_reading_an_array_stops_after_a_few_bad_elements(path: str) -> None:
    field, _ = FIELDS[path]
    bound = bound_of(field.validators)
    assert bound is not None
    many = bound.max or 0
    with pytest.raises(ValidationError) as refused:
        field.deserialize([[]] * many, "name", {})
    assert len(refused.value.messages) == min(many, MAX_BAD_ELEMENTS)


@walk("path", OBJECTS)
def test_number_of_keys_is_checked_first(path: str) -> None:
    field, _ = FIELDS[path]
    bound = bound_of(field.validators)
    assert bound is not None
    with pytest.raises(ValidationError) as refused:
        field.deserialize({str(key): {} for key in range((bound.max or 0) + 1)}, "name", {})
    assert len(refused.value.messages) == 1
    with pytest.raises(ValidationError) as refused:
        field.deserialize({str(key): [] for key in range(bound.max or 0)}, "name", {})
    assert len(refused.value.messages) == MAX_BAD_ELEMENTS
    for key in ("x", "-1", "\u0661", str(2**63), ""):
        with pytest.raises(ValidationError):
            field.deserialize({key: {}}, "name", {})


@walk("path", TEXTS)
def test_validators_stop_at_the_first_error(path: str) -> None:
    field, _ = FIELDS[path]
    later: list[Any] = []

    def refuse(_: Any) -> None:
        raise ValidationError("no")

    field = copy(field)
    field.validators = [refuse, later.append]
    with pytest.raises(ValidationError):
        field.deserialize("name", "name", {})
    assert later == []


@walk("path", FIELDS)
def test_first_validator_bounds_the_length(path: str) -> None:
    """Later validators scan at most that many characters or elements."""
    field, _ = FIELDS[path]
    if isinstance(field, Text | List | Ids | ById):
        assert isinstance(field.validators[0], validate.Length | validate.OneOf)


@walk("kind", SCHEMAS)
def test_field_errors_are_bounded(kind: type[Schema[Any]]) -> None:
    schema = kind()
    is_query = kind in OF_QUERIES  # whose values are texts
    body: Any = {
        field.data_key or name: "x" * 10_000 if is_query else worst(field)
        for name, field in schema.fields.items()
    }
    body |= {str(number) * 100: str(number) for number in range(1000)}
    given: list[Any] = [body, {}, [], "x" * 10_000]
    for data in given:
        try:
            schema.read(data)
        except InvalidForm as refused:
            assert len(orjson.dumps(refused.body())) < MOST_ANSWER
            assert leaves(refused.errors) <= MAX_FIELD_ERRORS


def worst(field: Any) -> Any:
    """Return a value with as many errors as the field can have."""
    if isinstance(field, fields.List):
        bound = bound_of(field.validators)
        return [worst(field.inner)] * ((bound and bound.max) or 0)
    if isinstance(field, fields.Nested):
        inner = field.schema.fields.items()
        return {each.data_key or name: worst(each) for name, each in inner}
    return {}


def leaves(errors: Any) -> int:
    if not isinstance(errors, dict):
        return len(errors)
    return sum(leaves(each) for each in errors.values())


def test_number_of_errors_is_bounded() -> None:
    one = {"_errors": [{"code": "CODE", "message": "x" * 10_000}]}
    errors = {f"{number:0<1000}": {"0": one, "1": one} for number in range(1000)}
    refused = InvalidForm(errors)
    assert leaves(refused.errors) == MAX_FIELD_ERRORS
    assert len(orjson.dumps(refused.body())) < MOST_ANSWER


class Several:
    pass


class ElementSchema(Schema[Several]):
    into = Several
    number = Int(required=True)


class ListSchema(Schema[Several]):
    into = Several
    elements = List(Nested(ElementSchema), validate=length(0, 100))


def test_reading_an_array_body_stops_after_a_few_bad_elements() -> None:
    with pytest.raises(InvalidForm) as refused:
        ElementSchema().read_many([{}] * 500)
    assert list(refused.value.errors) == ["0", "1", "2"]
    with pytest.raises(InvalidForm) as refused:
        ListSchema().read({"elements": [{}] * 101})
    assert refused.value.errors["elements"]["_errors"][0]["code"] == "BASE_TYPE_BAD_LENGTH"
