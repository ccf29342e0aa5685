"""Waking readers: an instance that needs few entries does not wait for each of them.

A read costs an instance about as much as ten events, and Redis a tenth of that. So an instance that
needs few of the entries becomes *polling*: it reads the streams of the other instances four times a
second, and between that waits only for *wakeups*, in a Redis stream of its own with one entry. It
announces the streams that it follows as a bitmap. An instance that appends an entry sends
wakeups to the polling instances that need it.

Nothing is lost with a wakeup: the entry is read up to 0.25 s later. An instance waits for entries
of those that do not wake it, such as versions without wakeups. An entry names the instances
that its instance wakes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chatd.bus.interest import FollowedStreams, bits_of, is_bitmap, overlaps

BITMAP = b"follows"
"""The field of an entry with the bitmap of the streams that its instance follows. Only a polling
instance writes it."""

WAKES = b"wakes"
"""The field of an entry with the WORKER_IDs that its instance wakes, one byte each."""

_WINDOW_S = 1.0
"""How often in seconds an instance decides whether to be polling."""

_MIN_ENTRIES = 20
"""Entries in a window above which an instance may become polling. Below, there is little to save,
and a wrong decision would delay events."""

_LEAVE_ENTRIES = 10
"""Entries in a window below which an instance is no longer polling."""

_ENTER_SHARE = 0.25
"""The share of needed entries below which an instance becomes polling."""

_LEAVE_SHARE = 0.5
"""The share above which it is no longer polling. A wakeup costs it a second read."""

_PRESENT_S = 10.0
"""How long in seconds an announcement holds. A running instance repeats it every three seconds."""


class Wakeups:
    """The instances that wake this one, and those that this one wakes."""

    def __init__(self, worker_id: int, on_change: Callable[[], None]) -> None:
        """`on_change` is called when the instance begins or stops polling."""
        self.key = wakeup_key(worker_id)
        """The key of the stream with the wakeups of this instance."""
        self.is_polling = False
        self._on_change = on_change
        self._worker_id = worker_id
        self._waking_keys: set[str] = set()
        """The streams whose instances wake this one."""
        self._bitmaps: dict[int, tuple[float, bytes]] = {}
        """The announcements of polling instances, each with its time of time.monotonic."""
        self._window_ends = 0.0
        self._entries = self._needed = 0

    def wakes(self, key: str) -> bool:
        """Return whether the instance with this stream wakes this one."""
        return self.is_polling and key in self._waking_keys

    def on_entry(self, key: str, fields: Mapping[bytes, bytes]) -> None:
        """Note what the newest entry of another instance announces. `key` is that of its stream."""
        worker_id = int(key.rpartition(":")[2])
        if self._worker_id in fields.get(WAKES, b""):
            self._waking_keys.add(key)
        else:
            self._waking_keys.discard(key)
        bitmap = fields.get(BITMAP)
        if bitmap is not None and is_bitmap(bitmap):
            self._bitmaps[worker_id] = time.monotonic(), bitmap
        else:
            self._bitmaps.pop(worker_id, None)

    def count(self, entries: int, needed: int) -> None:
        """Count entries that were read, and decide whether this instance is polling."""
        self._entries += entries
        self._needed += needed
        now = time.monotonic()
        if now < self._window_ends:
            return
        was_polling = self.is_polling
        if was_polling:
            is_busy = self._entries >= _LEAVE_ENTRIES
            self.is_polling = is_busy and self._needed < self._entries * _LEAVE_SHARE
        else:
            is_busy = self._entries >= _MIN_ENTRIES
            self.is_polling = is_busy and self._needed < self._entries * _ENTER_SHARE
        self._entries = self._needed = 0
        self._window_ends = now + _WINDOW_S
        if self.is_polling is not was_polling:
            self._on_change()

    def fields(self, followed: FollowedStreams | None) -> dict[Any, Any]:
        """Return the fields of announcements for an entry of this instance.

        It follows these streams, or needs all events.
        """
        fields: dict[Any, Any] = {}
        if self._bitmaps and (woken := self._present()):
            fields[WAKES] = bytes(woken)
        if self.is_polling and followed is not None:
            fields[BITMAP] = followed.bitmap
        return fields

    def keys_for(self, labels: Iterable[int]) -> list[str]:
        """Return the keys of the instances to wake for an entry with these labels."""
        if not self._bitmaps:
            return []
        bits = bits_of(labels)
        return [
            wakeup_key(each) for each in self._present() if overlaps(self._bitmaps[each][1], bits)
        ]

    def _present(self) -> list[int]:
        """Return the polling instances that still run."""
        oldest = time.monotonic() - _PRESENT_S
        for worker_id in [each for each, (at, _) in self._bitmaps.items() if at < oldest]:
            del self._bitmaps[worker_id]
        return list(self._bitmaps)


def wakeup_key(worker_id: int) -> str:
    """Return the key of the stream with the wakeups of an instance."""
    return f"chatd:wakeup:{worker_id}"
