"""The kinds of values that a field can have, and their JSON.

All functions raise MalformedMessage.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from chatd.wire.protobuf.encoding import (
    I32,
    I64,
    LEN,
    VARINT,
    Budget,
    MalformedMessage,
    field,
    read_fields,
    varint,
)

_WHOLE = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_ENDLESS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_TIMESTAMP = 35  # characters, with nanoseconds and an offset
_FRACTION = re.compile(r"(\.[0-9]{6})[0-9]{1,3}")  # more digits than datetime has


class Kind:
    """A kind of values. `wire_type` is how they are encoded.

    `default` is the JSON of an absent value; None if a value can be absent.
    """

    wire_type: int = VARINT
    default: Any = None

    def decode(self, value: Any) -> Any:
        """Return the JSON of a value: an int for VARINT, else bytes."""
        raise NotImplementedError

    def encode(self, value: Any, budget: Budget) -> bytes:
        """Return the encoded value of this JSON, without its length."""
        raise NotImplementedError

    def check(self, value: Any, budget: Budget) -> None:
        """Check that `decode` accepts a value; it accepts every number."""
        if self.wire_type == LEN:
            self.decode(value)


class Whole(Kind):
    """An integer. Those of 64 bits are strings in JSON, since JavaScript would round them."""

    def __init__(self, bits: int, *, signed: bool = False, fixed: bool = False) -> None:
        self.wire_type = I64 if fixed else VARINT
        self.default = "0" if bits == 64 else 0
        self._is_text = bits == 64
        self._mask = 2**bits - 1
        self._low = -(2 ** (bits - 1)) if signed else 0
        self._high = 2 ** (bits - 1) if signed else 2**bits

    def decode(self, value: Any) -> int | str:
        """Return the number, in the range of the kind."""
        number: int = value if isinstance(value, int) else int.from_bytes(value, "little")
        number &= self._mask
        if number >= self._high:
            number -= self._mask + 1
        return str(number) if self._is_text else number

    def encode(self, value: Any, budget: Budget) -> bytes:
        """Accept a number, or its digits as a string."""
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int or not self._low <= value < self._high:
            raise MalformedMessage("a value is not an integer in its range")
        return value.to_bytes(8, "little") if self.wire_type == I64 else varint(value)


class _Bool(Kind):
    default = False

    def decode(self, value: Any) -> bool:
        return bool(value)

    def encode(self, value: Any, budget: Budget) -> bytes:
        if not isinstance(value, bool):
            raise MalformedMessage("a value is not true or false")
        return varint(value)


class _Float(Kind):
    wire_type = I32
    default = 0.0

    def decode(self, value: Any) -> float | str:
        number: float = struct.unpack("<f", value)[0]
        if math.isnan(number):
            return "NaN"
        return number if math.isfinite(number) else ("Infinity" if number > 0 else "-Infinity")

    def encode(self, value: Any, budget: Budget) -> bytes:
        if isinstance(value, str):
            value = _ENDLESS.get(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise MalformedMessage("a value is not a number")
        try:
            return struct.pack("<f", value)
        except OverflowError:
            raise MalformedMessage("a number is too large") from None


class _String(Kind):
    wire_type = LEN
    default = ""

    def decode(self, value: Any) -> str:
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            raise MalformedMessage("a text is not UTF-8") from None

    def encode(self, value: Any, budget: Budget) -> bytes:
        if not isinstance(value, str):
            raise MalformedMessage("a value is not a text")
        return value.encode()


class _Bytes(Kind):
    wire_type = LEN
    default = ""

    def decode(self, value: Any) -> str:
        return base64.b64encode(value).decode()

    def encode(self, value: Any, budget: Budget) -> bytes:
        if not isinstance(value, str):
            raise MalformedMessage("a value is not Base64")
        return read_base64(value)


class _Timestamp(Kind):
    """google.protobuf.Timestamp, which is a time in RFC 3339 in JSON."""

    wire_type = LEN

    def decode(self, value: Any) -> str:
        seconds = nanos = 0
        for number, _, each in read_fields(value, Budget(len(value))):
            if isinstance(each, int) and number == 1:
                seconds = int(INT64.decode(each))
            elif isinstance(each, int) and number == 2:
                nanos = int(INT32.decode(each))
        try:
            moment = _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
        except OverflowError:
            raise MalformedMessage("a time is out of range") from None
        return moment.isoformat().replace("+00:00", "Z")

    def check(self, value: Any, budget: Budget) -> None:
        read_fields(value, budget)
        self.decode(value)

    def encode(self, value: Any, budget: Budget) -> bytes:
        if not isinstance(value, str) or len(value) > _MAX_TIMESTAMP:
            raise MalformedMessage("a value is not a time")
        try:
            moment = datetime.fromisoformat(_FRACTION.sub(r"\1", value.replace("Z", "+00:00")))
        except ValueError:
            raise MalformedMessage("a value is not a time") from None
        if moment.tzinfo is None:
            raise MalformedMessage("a time has no offset")
        since = moment - _EPOCH
        seconds = since // timedelta(seconds=1)
        nanos = (since - timedelta(seconds=seconds)).microseconds * 1000
        return field(1, VARINT, varint(seconds)) + field(2, VARINT, varint(nanos))


class Choice(Kind):
    """An enum: in JSON the name of the value, or its number when the server does not know it.

    `names` are those of 0, 1, 2 and so on, without the prefix.
    """

    def __init__(self, prefix: str, names: Sequence[str]) -> None:
        self._names = [prefix + name for name in names]
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self.default = self._names[0]

    def decode(self, value: Any) -> str | int:
        """Return the name of a value."""
        number = int(INT32.decode(value))
        return self._names[number] if 0 <= number < len(self._names) else number

    def encode(self, value: Any, budget: Budget) -> bytes:
        """Accept a name or a number."""
        if not isinstance(value, str):
            return INT32.encode(value, budget)
        if value not in self._numbers:
            raise MalformedMessage("a value is not one of its names")
        return varint(self._numbers[value])


class Wrapper(Kind):
    """google.protobuf.BoolValue and similar: a value that can be absent. JSON has the value."""

    wire_type = LEN

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def decode(self, value: Any) -> Any:
        """Return the JSON of the wrapped value."""
        found = self._kind.default
        for number, wire_type, each in read_fields(value, Budget(len(value))):
            if number == 1 and wire_type == self._kind.wire_type:
                found = self._kind.decode(each)
        return found

    def check(self, value: Any, budget: Budget) -> None:
        """Check the wrapped value."""
        for number, wire_type, each in read_fields(value, budget):
            if number == 1 and wire_type == self._kind.wire_type:
                self._kind.check(each, budget)

    def encode(self, value: Any, budget: Budget) -> bytes:
        """Encode the wrapped value."""
        return field(1, self._kind.wire_type, self._kind.encode(value, budget))


BOOL = _Bool()
INT32 = Whole(32, signed=True)
UINT32 = Whole(32)
INT64 = Whole(64, signed=True)
UINT64 = Whole(64)
FIXED64 = Whole(64, fixed=True)
FLOAT = _Float()
STRING = _String()
BYTES = _Bytes()
TIMESTAMP = _Timestamp()
BOOL_VALUE = Wrapper(BOOL)
INT32_VALUE = Wrapper(INT32)
UINT32_VALUE = Wrapper(UINT32)
INT64_VALUE = Wrapper(INT64)
UINT64_VALUE = Wrapper(UINT64)
FLOAT_VALUE = Wrapper(FLOAT)
STRING_VALUE = Wrapper(STRING)


def read_base64(text: str) -> bytes:
    """Decode Base64; the padding is optional. Raises MalformedMessage."""
    stripped = text.rstrip("=")
    try:
        padded = (stripped + "=" * (-len(stripped) % 4)).encode("ascii")
        return binascii.a2b_base64(padded, strict_mode=True)
    except (ValueError, UnicodeEncodeError):
        raise MalformedMessage("a value is not Base64") from None
