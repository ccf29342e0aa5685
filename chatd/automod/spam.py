"""Spam: texts that repeat themselves, and messages that repeat each other.

Discord finds spam by a model that it does not publish. These rules are plain instead: the same
message again and again, one line or word again and again, and many links or invites.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

MAX_LINKS: Final = 8
MAX_INVITES: Final = 3
"""Different links and invites of a message. More are spam."""

MAX_REPEATED: Final = 15
"""How often a line or a word may occur in a message that is mostly made of it."""

MAX_EQUAL: Final = 4
EQUAL_WINDOW_S: Final = 30.0
"""How often a member may send the same text within the window."""

MIN_EQUAL_LENGTH: Final = 8
"""Characters of a text that counts as the same: many people say "yes" four times in a minute."""

RAID_MENTIONS: Final = 30
RAID_WINDOW_S: Final = 30.0
"""How many mentions new members together may make within the window. More are a raid."""

NEW_MEMBER_S: Final = 24 * 60 * 60
"""How long a member counts as new: raids are made by accounts that have just joined."""

_LINK = re.compile(r"https?://[^\s<>\"')\]]{1,2048}", re.IGNORECASE)
_INVITE = re.compile(
    r"(?:discord(?:app)?\.(?:gg|com/invite)|/invite)/([\w-]{2,32})", re.ASCII | re.IGNORECASE
)


def is_spam(collapsed: str, text: str) -> bool:
    """Return whether a text is spam by itself. `collapsed` is the text without case and repeated
    spaces.

    The same word sixteen times is, and so are sixteen equal lines, if little else is in the
    message.
    """
    if len(set(_INVITE.findall(text))) > MAX_INVITES or len(set(_LINK.findall(text))) > MAX_LINKS:
        return True
    lines = [line for each in text.splitlines() if (line := each.strip())]
    return _is_repeated(lines) or _is_repeated(collapsed.split())


def _is_repeated(parts: list[str]) -> bool:
    if len(parts) <= MAX_REPEATED:
        return False
    [(_, count)] = Counter(parts).most_common(1)
    return count > MAX_REPEATED and count * 3 > len(parts)


class RecentCounts(Generic[K]):
    """Sums of what happened recently, by key. Each key has a window that begins with its first
    event.

    The oldest keys are forgotten beyond the bound, so the memory is bounded.
    """

    _MAX_KEYS: Final = 20_000
    """Keys of a few dozen bytes: some MB."""

    def __init__(self, window_s: float, clock: Callable[[], float]) -> None:
        self._window_s = window_s
        self._clock = clock
        self._counts: OrderedDict[K, tuple[float, int]] = OrderedDict()

    def count(self, key: K) -> int:
        """Return the sum of a key in its window."""
        began, count = self._counts.get(key, (0.0, 0))
        return count if count and self._clock() < began + self._window_s else 0

    def add(self, key: K, amount: int = 1) -> None:
        """Add to the sum of a key."""
        count = self.count(key)
        began = self._counts[key][0] if count else self._clock()
        self._counts[key] = began, count + amount
        self._counts.move_to_end(key)
        while len(self._counts) > self._MAX_KEYS:
            self._counts.popitem(last=False)
