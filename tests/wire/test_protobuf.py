"""Protocol Buffers: what the server reads, writes and refuses."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.core.relationships import UserSettings
from chatd.wire.protobuf import legacy, settings
from chatd.wire.protobuf.encoding import (
    I32,
    I64,
    LEN,
    VARINT,
    Budget,
    MalformedMessage,
    count_packed,
    encode,
    field,
    read_fields,
    read_packed,
    read_varint,
    varint,
)
from chatd.wire.protobuf.frecency import FRECENCY_SETTINGS
from chatd.wire.protobuf.kinds import (
    BOOL,
    BOOL_VALUE,
    BYTES,
    FIXED64,
    FLOAT,
    INT32,
    INT64,
    STRING,
    STRING_VALUE,
    TIMESTAMP,
    UINT32,
    UINT64,
    Choice,
    read_base64,
)
from chatd.wire.protobuf.messages import Map, Message, OneOf, Repeated
from chatd.wire.protobuf.preloaded import PRELOADED_SETTINGS
from chatd.wire.protobuf.settings import MAX_BYTES, SettingsType
from tests.helpers.protobuf import PRELOADED, TEXTS, budget

EVERYTHING = Message(
    flag=(1, BOOL),
    small=(2, INT32),
    natural=(3, UINT32),
    large=(4, INT64),
    larger=(5, UINT64),
    fixed_id=(6, FIXED64),
    ratio=(7, FLOAT),
    text=(8, STRING),
    data=(9, BYTES),
    moment=(10, TIMESTAMP),
    choice=(11, Choice("CHOICE_", ("NONE", "ONE", "TWO"))),
    maybe_flag=(12, BOOL_VALUE),
    maybe_text=(13, STRING_VALUE),
    inner=(14, Message(number=(1, UINT32), texts=(2, Repeated(STRING)))),
    numbers=(15, Repeated(UINT32)),
    ids=(16, Repeated(FIXED64)),
    by_text=(17, Map(STRING, Message(number=(1, UINT32)))),
    by_number=(18, Map(INT32, BOOL)),
    either=(19, OneOf(UINT32)),
)

NATURALS = st.integers(0, 2**32 - 1)
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
OBJECTS = st.fixed_dictionaries(
    {
        "flag": st.booleans(),
        "small": st.integers(-(2**31), 2**31 - 1),
        "natural": NATURALS,
        "large": st.integers(-(2**63), 2**63 - 1).map(str),
        "larger": st.integers(0, 2**64 - 1).map(str),
        "fixedId": st.integers(0, 2**64 - 1).map(str),
        "ratio": FLOATS,
        "text": TEXTS,
        "data": st.binary(max_size=20).map(lambda data: base64.b64encode(data).decode()),
        "choice": st.sampled_from(["CHOICE_NONE", "CHOICE_ONE", "CHOICE_TWO", 7, -1]),
        "numbers": st.lists(NATURALS, max_size=5),
        "ids": st.lists(st.integers(0, 2**64 - 1).map(str), max_size=5),
        "byText": st.dictionaries(TEXTS, NATURALS.map(lambda n: {"number": n}), max_size=3),
        "byNumber": st.dictionaries(
            st.integers(-(2**31), 2**31 - 1).map(str), st.booleans(), max_size=3
        ),
    },
    optional={
        "moment": st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
        "maybeFlag": st.booleans(),
        "maybeText": TEXTS,
        "inner": st.fixed_dictionaries({"number": NATURALS, "texts": st.lists(TEXTS, max_size=3)}),
        "either": NATURALS,
    },
)


@given(OBJECTS)
def test_json_survives_encoding(value: Any) -> None:
    assert EVERYTHING.decode(EVERYTHING.encode(value, budget())) == value


@given(OBJECTS)
def test_encoded_message_passes_the_check(value: Any) -> None:
    EVERYTHING.check(EVERYTHING.encode(value, budget()), budget())


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3))
def test_varint_survives_encoding(number: int, rest: bytes) -> None:
    encoded = varint(number)
    assert read_varint(encoded + rest, 0) == (number, len(encoded))


def test_wire_format_is_that_of_the_specification() -> None:
    """Examples of protobuf.dev, "Encoding"."""
    assert read_fields(bytes.fromhex("089601"), budget()) == [(1, VARINT, 150)]
    assert field(1, VARINT, varint(150)) == bytes.fromhex("089601")
    assert read_fields(bytes.fromhex("120774657374696e67"), budget()) == [(2, LEN, b"testing")]
    assert read_packed(bytes.fromhex("038e029ea705"), VARINT) == [3, 270, 86942]
    assert varint(-2) == bytes.fromhex("feffffffffffffffff01")
    assert field(16, I64, struct.pack("<Q", 1)) == bytes.fromhex("81010100000000000000")
    assert read_fields(bytes.fromhex("0d0000803f"), budget()) == [(1, I32, struct.pack("<f", 1.0))]


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_packed_values_are_counted_without_reading_them(values: list[int]) -> None:
    data = b"".join(map(varint, values))
    assert count_packed(data, VARINT) == len(read_packed(data, VARINT)) == len(values)


FIELDS = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 2**29 - 1), st.just(VARINT), st.integers(0, 2**64 - 1)),
        st.tuples(st.integers(1, 40), st.just(LEN), st.binary(max_size=12)),
        st.tuples(st.integers(1, 40), st.just(I64), st.binary(min_size=8, max_size=8)),
        st.tuples(st.integers(1, 40), st.just(I32), st.binary(min_size=4, max_size=4)),
    ),
    max_size=12,
)


@given(FIELDS)
def test_fields_survive_encoding(fields: Any) -> None:
    assert read_fields(encode(fields), budget()) == fields


@given(st.sampled_from([EVERYTHING, PRELOADED_SETTINGS, FRECENCY_SETTINGS]), st.binary())
def test_no_bytes_fail_in_another_way(message: Message, data: bytes) -> None:
    try:
        message.check(data, budget())
    except MalformedMessage:
        return
    message.decode(data)  # what passes the check can be shown


@given(st.sampled_from(list(SettingsType)), FIELDS)
def test_no_fields_fail_in_another_way(kind: SettingsType, fields: Any) -> None:
    data = encode(fields)
    try:
        settings.check(kind, data)
    except MalformedMessage:
        return
    settings.to_json(kind, data)
    settings.to_json(kind, settings.merge(kind, b"", data, data_version=1))
    if kind is PRELOADED:
        legacy.show(data)
        settings.privacy_of(data)
        settings.with_privacy(data, UserSettings())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["number", "texts", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(list(EVERYTHING.numbers)), JSON, max_size=4))
def test_no_json_fails_in_another_way(value: Any) -> None:
    try:
        encoded = EVERYTHING.encode(value, budget())
    except MalformedMessage:
        return
    EVERYTHING.check(encoded, budget())


@pytest.mark.parametrize(
    "data",
    [
        "08",  # a key without a value
        "08ffffffffffffffffffff01",  # a number of eleven bytes
        "0aff",  # a length that is cut off
        "0a05aa",  # fewer bytes than the length says
        "0d0000",  # fewer than four bytes
        "090000",  # fewer than eight bytes
        "00",  # field 0
        "0b",  # a group
        "0f",  # an unknown type
        "4202ff00",  # `text` that is not UTF-8
        "720108",  # `inner` with a key without a value
        "7a0180",  # a packed number that is cut off
        "82010400000000",  # a packed id of four bytes
        "8a010108",  # an entry with a key without a value
    ],
)
def test_malformed_bytes_are_refused(data: str) -> None:
    with pytest.raises(MalformedMessage):
        EVERYTHING.check(bytes.fromhex(data), budget())


@pytest.mark.parametrize(
    "value",
    [
        {"flag": 1},
        {"small": 2**31},
        {"small": "1.5"},
        {"natural": -1},
        {"natural": True},
        {"larger": str(2**64)},
        {"fixedId": "x"},
        {"ratio": "many"},
        {"ratio": 1e39},
        {"text": 5},
        {"data": "!"},
        {"moment": "yesterday"},
        {"moment": "2026-01-01T00:00:00"},
        {"choice": "CHOICE_THREE"},
        {"maybeFlag": "true"},
        {"inner": []},
        {"numbers": 5},
        {"numbers": [None]},
        {"byText": []},
        {"byNumber": {"x": True}},
        [],
    ],
)
def test_malformed_json_is_refused(value: Any) -> None:
    with pytest.raises(MalformedMessage):
        EVERYTHING.encode(value, budget())


def test_json_is_read_leniently() -> None:
    """Rule: protobuf.dev, "ProtoJSON Format": either name, null, strings for numbers, numbers for
    names."""
    value = {
        "fixed_id": 5,
        "natural": "7",
        "small": 3.0,
        "choice": 2,
        "maybe_text": None,
        "unknown": {"x": [1]},
        "ratio": "NaN",
        "data": "AA",
    }
    decoded = EVERYTHING.decode(EVERYTHING.encode(value, budget()))
    assert decoded["fixedId"] == "5"
    assert (decoded["natural"], decoded["small"], decoded["choice"]) == (7, 3, "CHOICE_TWO")
    assert "maybeText" not in decoded
    assert (decoded["ratio"], decoded["data"]) == ("NaN", "AA==")


def test_repeated_numbers_are_read_in_both_forms() -> None:
    data = field(15, VARINT, varint(1)) + field(15, LEN, varint(2) + varint(300))
    assert EVERYTHING.decode(data)["numbers"] == [1, 2, 300]


def test_parts_of_a_message_are_merged() -> None:
    data = field(14, LEN, field(1, VARINT, varint(1)) + field(2, LEN, b"a"))
    data += field(14, LEN, field(1, VARINT, varint(2)) + field(2, LEN, b"b"))
    assert EVERYTHING.decode(data)["inner"] == {"number": 2, "texts": ["a", "b"]}


def test_values_are_bounded() -> None:
    few = {"numbers": [1] * 10, "byText": {str(n): {} for n in range(10)}}
    encoded = EVERYTHING.encode(few, budget())
    for limit, fits in ((100, True), (20, False)):
        for read in (
            lambda limit: EVERYTHING.check(encoded, Budget(limit)),
            lambda limit: EVERYTHING.encode(few, Budget(limit)),
        ):
            if fits:
                read(limit)
            else:
                with pytest.raises(MalformedMessage, match="too many values"):
                    read(limit)


def test_size_is_bounded() -> None:
    settings.check(PRELOADED, field(90, LEN, b"x" * (MAX_BYTES - 10)))
    with pytest.raises(MalformedMessage, match="more than"):
        settings.check(PRELOADED, field(90, LEN, b"x" * MAX_BYTES))


@given(st.binary(max_size=40))
def test_base64_survives(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    assert read_base64(text) == read_base64(text.rstrip("=")) == data


@pytest.mark.parametrize("text", ["A", "A=A=", "AA-_", "AA AA", "AAA\u00e9", "====="])
def test_malformed_base64_is_refused(text: str) -> None:
    if text == "=====":
        assert read_base64(text) == b""
        return
    with pytest.raises(MalformedMessage):
        read_base64(text)
