"""Reads a JSON object with one long array of objects, in bounded memory.

The file is parsed in chunks. Only one element of the array is held, and of it at most some
megabytes: what a longer field has beyond that is dropped, and the element says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import ijson

from chatd.transfer.errors import BrokenJson, NoArray

_CHUNK_BYTES = 64 * 1024
_ELEMENT_BYTES = 4 * 2**20
"""Of one element in the file. A message with its author has about 1 kB, and each user that has
reacted to it adds 300 bytes."""
_MIN_BUDGET_BYTES = 128 * 1024
_OUTSIDE_BYTES = 2**20
"""Of all that is not in the array."""
_TEXT_BYTES = 16 * 2**20
"""Of one text. The parser holds all of it."""
_DEPTH = 64
_BOM = b"\xef\xbb\xbf"

_ARRAY = 2
_ELEMENT = 3
"""Open containers within the array, and within an element of it."""

_STARTS = ("start_map", "start_array")
_ENDS = ("end_map", "end_array")

Open = tuple[Any, bool, str]
"""A container, whether it is an object, and its newest key."""


@dataclass(slots=True)
class Element:
    """An element of the array."""

    number: int
    """Its place, from 1 on."""
    value: Any
    truncated: tuple[str, ...]
    """Fields that are incomplete because they are too long."""


class JsonArray:
    """One file. Iterating over it yields the elements of its array.

    `header` has the other fields of the object that were read so far. Raises BrokenJson with line
    and byte, after the elements before that position; OSError.
    """

    def __init__(self, path: Path, name: str, *, shown_as: str) -> None:
        self._path = path
        self._name = name
        self._shown_as = shown_as
        self.header: dict[str, Any] = {}
        self.read_bytes = 0
        self.has_array = False
        self.is_read = False
        """Whether the end of the file was reached."""
        self._stack: list[Open] = []
        self._top: Any = None
        self._is_map = False
        self._key = ""
        self._elements: list[Any] = []
        self._number = 0
        self._skipping_to = 0
        self._depth = 0
        self._truncated: list[str] = []
        self._pending = 0
        self._budget = _ELEMENT_BYTES
        self._outside = 0

    def __iter__(self) -> Iterator[Element]:
        events = ijson.sendable_list()
        parser = ijson.basic_parse_coro(events, use_float=True)
        silent = 0
        with self._path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                text = chunk.removeprefix(_BOM) if self.read_bytes == 0 else chunk
                error = None
                try:
                    parser.send(text)
                except (ijson.JSONError, ValueError) as broken:
                    error = broken
                silent = 0 if events else silent + len(chunk)
                yield from self._take(events, len(chunk))
                del events[:]
                if error is not None:
                    raise self._located(file, text, error)
                self.read_bytes += len(chunk)
                if silent > _TEXT_BYTES:
                    raise self._broken("a text of more than 16 MiB")
            try:
                parser.close()
            except (ijson.JSONError, ValueError):
                raise self._broken("the file ends too early") from None
        self.is_read = True

    def _take(self, events: list[tuple[str, Any]], size: int) -> Iterator[Element]:
        """Build values of events, and yield the elements that are complete."""
        self._build(events)
        count = len(self._elements) - (self._is_in_array and len(self._stack) >= _ELEMENT)
        for value in self._elements[:count]:
            self._number += 1
            truncated, self._truncated = tuple(self._truncated), []
            yield Element(self._number, value, truncated)
            self._budget = _ELEMENT_BYTES
            self._pending = 0
        del self._elements[:count]
        self._check_sizes(size)

    @property
    def _is_in_array(self) -> bool:
        if len(self._stack) < _ARRAY:
            return False
        opened = self._top if len(self._stack) == _ARRAY else self._stack[_ARRAY][0]
        return opened is self._elements

    def _check_sizes(self, size: int) -> None:
        if not self._is_in_array:
            self._outside += size
            if self._outside > _OUTSIDE_BYTES:
                raise NoArray(self._shown_as, f"no list {self._name!r} in the first MiB")
        elif len(self._stack) >= _ELEMENT and not self._skipping_to:
            self._pending += size
            if self._pending > self._budget:
                self._skip()

    def _skip(self) -> None:
        """Drop the rest of the field that is being read, or of the element."""
        self._budget //= 2
        self._pending = 0
        self._depth = len(self._stack)
        is_field = self._depth > _ELEMENT and self._budget >= _MIN_BUDGET_BYTES
        self._skipping_to = _ELEMENT if is_field else _ARRAY
        name = self._stack[_ELEMENT][2] if self._depth > _ELEMENT else self._key
        self._truncated.append(name[:40])

    def _build(self, events: list[tuple[str, Any]]) -> None:
        """Add events to the values that are being built. Runs for each value: one plain loop."""
        start = self._skipped(events) if self._skipping_to else 0
        stack, top, is_map, key = self._stack, self._top, self._is_map, self._key
        for event, value in events[start:] if start else events:
            if event == "map_key":
                key = value
            elif event in _STARTS:
                new = self._opened(event, key, is_map=is_map)
                if is_map:
                    top[key] = new
                elif stack:
                    top.append(new)
                stack.append((top, is_map, key))
                top, is_map = new, event == "start_map"
            elif event in _ENDS:
                top, is_map, key = stack.pop()
            elif is_map:
                top[key] = value
            elif stack:
                top.append(value)
        self._top, self._is_map, self._key = top, is_map, key

    def _opened(self, event: str, key: str, *, is_map: bool) -> Any:
        """Return the object or list that an event opens."""
        depth = len(self._stack)
        if depth == 0 and event == "start_map":
            return self.header
        if depth == 1 and is_map and key == self._name and event == "start_array":
            self.has_array = True
            return self._elements
        if depth >= _DEPTH:
            raise self._broken(f"more than {_DEPTH} levels")
        return {} if event == "start_map" else []

    def _skipped(self, events: list[tuple[str, Any]]) -> int:
        """Return the number of events that belong to what is dropped."""
        for index, (event, _) in enumerate(events):
            if event.startswith("start_"):
                self._depth += 1
            elif event.startswith("end_"):
                self._depth -= 1
                if self._depth == self._skipping_to:
                    while len(self._stack) > self._skipping_to:
                        self._top, self._is_map, self._key = self._stack.pop()
                    self._skipping_to = 0
                    return index + 1
        return len(events)

    def _broken(self, what: str) -> BrokenJson:
        return BrokenJson(f"{self._shown_as}: byte {self.read_bytes}", what)

    def _located(self, file: BinaryIO, chunk: bytes, error: Exception) -> BrokenJson:
        """Return the error with its position: the file is parsed again, the last chunk by bytes."""
        events = ijson.sendable_list()
        parser = ijson.basic_parse_coro(events)
        file.seek(0)
        line, at = 1, 0
        while at < self.read_bytes:
            part = file.read(min(2**20, self.read_bytes - at))
            parser.send(part.removeprefix(_BOM) if at == 0 else part)
            del events[:]
            line += part.count(b"\n")
            at += len(part)
        for index in range(len(chunk)):
            try:
                parser.send(chunk[index : index + 1])
            except (ijson.JSONError, ValueError):
                break
            line += chunk[index : index + 1] == b"\n"
        reason = str(error).removeprefix("b'").split("\\n")[0].split("\n")[0].strip()
        return BrokenJson(f"{self._shown_as}: line {line}, byte {at + index}", reason)
