"""The wire format of Protocol Buffers: numbered fields of a few wire types.

Reading a message of many values would hold the event loop for long, so the loops here avoid calls
and objects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

VARINT: Final = 0
I64: Final = 1
LEN: Final = 2
I32: Final = 5
"""How the value of a field is encoded. Discord uses no groups, which have two more types."""

_SIZES: Final = {I64: 8, I32: 4}
_MAX_NUMBER = 2**29 - 1
_MAX_VARINT_BYTES = 10  # of 64 bits
_MASK_64 = 2**64 - 1
_TOO_LONG_VARINT = re.compile(rb"[\x80-\xff]{10}")
_CONTINUED = bytes(range(0x80, 0x100))  # bytes after which a number continues

Field = tuple[int, int, "int | bytes"]
"""A field of a message: its number, its wire type, and its value: an int for VARINT, else bytes."""


class MalformedMessage(ValueError):
    """The bytes or the JSON are not a message of this kind; the text says why.

    `path` is the field of the JSON with the problem; it is empty for the message itself.
    """

    def __init__(self, problem: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(f"{'.'.join(path)}: {problem}" if path else problem)
        self._problem, self._path = problem, path

    def inside(self, name: str) -> MalformedMessage:
        """Return the same problem of a field that is inside another one."""
        return MalformedMessage(self._problem, (name, *self._path))


@dataclass(slots=True)
class Budget:
    """How many values may still be read."""

    values: int

    def spend(self, values: int = 1) -> None:
        """Count values that are read. Raises MalformedMessage when there are too many."""
        self.values -= values
        if self.values < 0:
            raise MalformedMessage("too many values")


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at this position, and the position after it.

    Raises MalformedMessage.
    """
    number = 0
    for index in range(_MAX_VARINT_BYTES):
        if at + index >= len(data):
            raise MalformedMessage("a number is cut off")
        byte = data[at + index]
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return number & _MASK_64, at + index + 1
    raise MalformedMessage("a number is too long")


def varint(number: int) -> bytes:
    """Encode a number; a negative one as its complement of 64 bits."""
    number &= _MASK_64
    if number < 0x80:
        return bytes((number,))
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def count_packed(data: bytes, wire_type: int) -> int:
    """Return how many values are packed into these bytes. Raises MalformedMessage."""
    if wire_type != VARINT:
        count, rest = divmod(len(data), _SIZES[wire_type])
        if rest:
            raise MalformedMessage("a list is cut off")
        return count
    if data and data[-1] >= 0x80:
        raise MalformedMessage("a number is cut off")
    if _TOO_LONG_VARINT.search(data):
        raise MalformedMessage("a number is too long")
    return len(data.translate(None, _CONTINUED))


def read_packed(data: bytes, wire_type: int) -> list[int | bytes]:
    """Return the values that are packed into these bytes. Raises MalformedMessage."""
    if wire_type != VARINT:
        count_packed(data, wire_type)
        size = _SIZES[wire_type]
        return [data[at : at + size] for at in range(0, len(data), size)]
    values: list[int | bytes] = []
    at = 0
    while at < len(data):
        value, at = read_varint(data, at)
        values.append(value)
    return values


def read_fields(data: bytes, budget: Budget) -> list[Field]:
    """Read the fields of a message, in their order. Raises MalformedMessage."""
    fields: list[Field] = []
    at, end, most = 0, len(data), budget.values
    value: int | bytes
    while at < end:
        key, at = (data[at], at + 1) if data[at] < 0x80 else read_varint(data, at)
        kind = key & 7
        if not key >= 8 or key >> 3 > _MAX_NUMBER:
            raise MalformedMessage("a field has an invalid number")
        if len(fields) == most:
            raise MalformedMessage("too many values")
        if kind == VARINT:
            small = at < end and data[at] < 0x80
            value, at = (data[at], at + 1) if small else read_varint(data, at)
        else:
            if kind == LEN:
                small = at < end and data[at] < 0x80
                size, at = (data[at], at + 1) if small else read_varint(data, at)
            elif kind in _SIZES:
                size = _SIZES[kind]
            else:
                raise MalformedMessage("a field has an unknown type")
            value = data[at : at + size]
            if len(value) < size:
                raise MalformedMessage("a field is cut off")
            at += size
        fields.append((key >> 3, kind, value))
    budget.values -= len(fields)
    return fields


def field(number: int, wire_type: int, value: bytes) -> bytes:
    """Encode a field. `value` is already encoded, but without its length."""
    head = varint(number << 3 | wire_type)
    return head + varint(len(value)) + value if wire_type == LEN else head + value


def encode(fields: list[Field]) -> bytes:
    """Encode fields as a message."""
    return b"".join(
        field(number, wire_type, varint(value) if isinstance(value, int) else value)
        for number, wire_type, value in fields
    )
