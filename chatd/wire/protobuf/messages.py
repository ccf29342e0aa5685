"""Messages: named fields, each with a number and a kind, and their JSON."""

from __future__ import annotations

from functools import cache
from typing import Any

from chatd.core.json import JsonObject
from chatd.wire.protobuf.encoding import (
    LEN,
    Budget,
    Field,
    MalformedMessage,
    count_packed,
    field,
    read_fields,
    read_packed,
)
from chatd.wire.protobuf.kinds import Kind


class OneOf(Kind):
    """A value that can be absent, and that excludes others."""

    def __init__(self, kind: Kind) -> None:
        self.wire_type = kind.wire_type
        self.decode = kind.decode  # type: ignore[method-assign]
        self.encode = kind.encode  # type: ignore[method-assign]
        self.check = kind.check  # type: ignore[method-assign]


class Repeated:
    """A list of values. Numbers are usually packed into one field, and both forms are read."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def empty(self) -> list[Any]:
        """Return the JSON of no value."""
        return []

    def add(self, found: list[Any], wire_type: int, value: Any) -> None:
        """Add the JSON of the values in a field."""
        if wire_type == self._kind.wire_type:
            found.append(self._kind.decode(value))
        elif wire_type == LEN:
            found += map(self._kind.decode, read_packed(value, self._kind.wire_type))

    def check(self, wire_type: int, value: Any, budget: Budget) -> None:
        """Check the values in a field."""
        if wire_type == self._kind.wire_type:
            self._kind.check(value, budget)
        elif wire_type == LEN:
            budget.spend(count_packed(value, self._kind.wire_type))

    def encode(self, number: int, value: Any, budget: Budget) -> bytes:
        """Encode the values as fields with this number."""
        if not isinstance(value, list):
            raise MalformedMessage("a value is not a list")
        budget.spend(len(value))
        encoded = [self._kind.encode(each, budget) for each in value]
        if self._kind.wire_type == LEN:
            return b"".join(field(number, LEN, each) for each in encoded)
        return field(number, LEN, b"".join(encoded))


class Map:
    """An object in JSON. Each entry is a message with a key and a value."""

    def __init__(self, key: Kind, value: Kind) -> None:
        self._key = key
        self._value = value
        self._entry = Message(key=(1, key), value=(2, value))

    def empty(self) -> JsonObject:
        """Return the JSON of no entry."""
        return {}

    def add(self, found: JsonObject, wire_type: int, value: Any) -> None:
        """Add an entry."""
        if wire_type == LEN:
            entry = self._entry.decode(value)
            found[str(entry["key"])] = entry.get("value", {})

    def check(self, wire_type: int, value: Any, budget: Budget) -> None:
        """Check an entry."""
        if wire_type == LEN:
            self._entry.check(value, budget)

    def encode(self, number: int, value: Any, budget: Budget) -> bytes:
        """Encode the entries as fields with this number."""
        if not isinstance(value, dict):
            raise MalformedMessage("a value is not an object")
        budget.spend(2 * len(value))
        entries = []
        for key, each in value.items():
            encoded = field(1, self._key.wire_type, self._key.encode(key, budget))
            encoded += field(2, self._value.wire_type, self._value.encode(each, budget))
            entries.append(field(number, LEN, encoded))
        return b"".join(entries)


class Message(Kind):
    """A message. Each keyword is the name of a field, with its number and kind."""

    wire_type = LEN

    def __init__(self, **fields: tuple[int, Kind | Repeated | Map]) -> None:
        self.numbers = {name: number for name, (number, _) in fields.items()}
        """The number of each field."""
        self._by_number = {
            number: (json_name(name), kind) for name, (number, kind) in fields.items()
        }
        self._by_name = {
            each: numbered for name, numbered in fields.items() for each in (name, json_name(name))
        }
        self._defaults = {
            name: kind.default
            for name, kind in self._by_number.values()
            if isinstance(kind, Kind) and kind.default is not None
        }
        self._lists = [
            (name, kind) for name, kind in self._by_number.values() if not isinstance(kind, Kind)
        ]

    def decode(self, value: Any) -> JsonObject:
        """Return the JSON of a message. Drops fields that it does not know.

        It contains the defaults of absent fields that cannot be null. Raises MalformedMessage.
        """
        return self.decode_fields(read_fields(value, Budget(len(value))) if value else [])

    def decode_fields(self, fields: list[Field]) -> JsonObject:
        """Return the JSON of a message with these fields."""
        found: JsonObject = dict(self._defaults)
        for name, of_several in self._lists:
            found[name] = of_several.empty()
        if not fields:
            return found
        parts: dict[str, tuple[Kind, list[bytes]]] = {}  # several parts of a message are merged
        for number, wire_type, each in fields:
            name, kind = self._by_number.get(number, ("", None))
            if kind is None:
                continue
            if not isinstance(kind, Kind):
                kind.add(found[name], wire_type, each)
            elif wire_type == kind.wire_type:
                if kind.default is None and isinstance(each, bytes):
                    parts.setdefault(name, (kind, []))[1].append(each)
                else:
                    found[name] = kind.decode(each)
        for name, (kind, values) in parts.items():
            found[name] = kind.decode(b"".join(values))
        return found

    def check(self, value: Any, budget: Budget) -> None:
        """Check the values of all fields, and count them. Raises MalformedMessage."""
        for number, wire_type, each in read_fields(value, budget):
            _, kind = self._by_number.get(number, ("", None))
            if wire_type != LEN or kind is None:
                continue
            if not isinstance(kind, Kind):
                kind.check(wire_type, each, budget)
            elif kind.wire_type == LEN:
                kind.check(each, budget)

    def encode(self, value: Any, budget: Budget) -> bytes:
        """Encode a JSON object. Drops fields that it does not know. Raises MalformedMessage."""
        return b"".join(self.encode_fields(value, budget).values())

    def encode_fields(self, value: Any, budget: Budget) -> dict[int, bytes]:
        """Encode the fields of a JSON object, by number; null is as an absent field."""
        if not isinstance(value, dict):
            raise MalformedMessage("a value is not an object")
        budget.spend(len(value))
        encoded = {}
        for name, each in value.items():
            if name in self._by_name and each is not None:
                number, kind = self._by_name[name]
                try:
                    encoded[number] = _encode_field(number, kind, each, budget)
                except MalformedMessage as malformed:
                    raise malformed.inside(name) from None
        return encoded


def _encode_field(number: int, kind: Kind | Repeated | Map, value: Any, budget: Budget) -> bytes:
    if isinstance(kind, Kind):
        return field(number, kind.wire_type, kind.encode(value, budget))
    return kind.encode(number, value, budget)


@cache
def json_name(name: str) -> str:
    """Return the name of a field in JSON."""
    first, *others = name.split("_")
    return first + "".join(each[:1].upper() + each[1:] for each in others)
