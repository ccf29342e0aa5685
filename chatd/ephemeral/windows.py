"""Fixed windows: how much of a limit is used, by what this instance knows. Pure: no clock, no I/O.

A window opens with its first hit and is not moved by later ones: what was announced as its end
stays true, and at it the whole limit is available again. Times are monotonic seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

Tell = Callable[[bool], None]
"""Takes the answer for one who waits: whether it may go on."""

_MAX_CREDIT = 10


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds, in each window of `bucket`.

    Routes of one bucket share their windows; without a name, each route has its own. `exact` lets
    nobody through before the shared count has been asked: for what is rare and must not slip.
    """

    requests: int
    per_s: float
    bucket: str = ""
    exact: bool = False

    @property
    def credit(self) -> int:
        """How many hits an instance may let through before the others can know of them."""
        return 0 if self.exact else max(1, min(self.requests // 10, _MAX_CREDIT))


class Verdict(NamedTuple):
    """What became of a hit, and what is left of its window."""

    granted: bool
    limit: Limit
    remaining: int
    ends: float


class Report(NamedTuple):
    """What an instance has to say of a window: what to add, and for how many it asks.

    `after` is the id of the window that has ended here before this one began. Should the shared
    count still be in that one, it is over.
    """

    counted: int
    asked: int
    limit: int
    left_ms: int
    id: str
    after: str


class Counted(NamedTuple):
    """The shared count after a report: which window, hits in it, time left, asked for in vain."""

    id: str
    used: int
    left_ms: int
    refused: int


class Window:
    """One window, as this instance sees it."""

    __slots__ = (
        "_answering",
        "_asking",
        "_counted",
        "_reported",
        "_unknown",
        "after",
        "credit",
        "ends",
        "id",
        "is_dirty",
        "limit",
        "used",
    )

    def __init__(self, limit: Limit, id_: str, now: float, *, after: Window | None = None) -> None:
        self.limit = limit
        self.credit = limit.credit
        self.id = id_
        self.after = "" if after is None else after.id
        self.ends = now + limit.per_s
        self.used = 0
        self.is_dirty = False
        self._counted = 0  # to be reported
        self._unknown = 0  # hits of which no answer says that they are known
        self._reported = 0  # those of them that the report under way tells of
        self._asking: list[Tell] = []  # those for whom the next report asks
        self._answering: list[Tell] = []
        if after is not None:
            self._asking, after._asking = after._asking, []
            self._unknown = len(self._asking)

    @property
    def is_full(self) -> bool:
        """Whether the limit is used up, as far as is known here."""
        return self.used >= self.limit.requests

    @property
    def must_ask(self) -> bool:
        """Whether so much is not yet known to the others that the next hit has to wait."""
        return self._unknown >= self.credit

    @property
    def is_worth_a_report(self) -> bool:
        """Whether so much is unknown to the others that it is time to report before having to."""
        return self._unknown * 2 > self.credit

    def count(self) -> None:
        """Take a hit without asking."""
        self.used += 1
        self._counted += 1
        self._unknown += 1

    def give_back(self) -> None:
        """Undo a hit."""
        if self.used > 0:
            self.used -= 1
            self._counted -= 1

    def ask(self, tell: Tell) -> None:
        """Let the next report ask for one hit."""
        self._asking.append(tell)
        self._unknown += 1

    def verdict(self, *, granted: bool) -> Verdict:
        """What to say of a hit at this moment."""
        return Verdict(granted, self.limit, max(self.limit.requests - self.used, 0), self.ends)

    def report(self, now: float) -> Report:
        """What is to be said; `answered` or `unanswered` has to follow before the next one."""
        self._reported = self._unknown
        counted, self._counted = self._counted, 0
        self._answering, self._asking = self._asking, []
        left_ms = max(int((self.ends - now) * 1000), 0)
        asked = len(self._answering)
        return Report(counted, asked, self.limit.requests, left_ms, self.id, self.after)

    def answered(self, shared: Counted, now: float) -> None:
        """Take over the shared count, and tell those who asked."""
        self.id = shared.id
        self.used = max(self.used, shared.used + self._counted)
        # Never later: the end has been announced. `after` will close the shared window then.
        self.ends = min(self.ends, now + (shared.left_ms + 1) / 1000)
        self._forget_report()
        answering, self._answering = self._answering, []
        for place, tell in enumerate(answering):
            tell(place < len(answering) - shared.refused)

    def unanswered(self) -> None:
        """There is nobody to ask: tell those who did by what is known here.

        What was reported may have been counted or not; it is not reported again, since counting it
        twice would break what has been promised.
        """
        answering, self._answering = self._answering, []
        asking, self._asking = self._asking, []
        self._forget_report()
        for tell in answering:
            granted = not self.is_full
            self.used += granted
            tell(granted)
        for tell in asking:
            self._unknown -= 1
            granted = not self.is_full
            if granted:
                self.count()
            tell(granted)

    def _forget_report(self) -> None:
        self._unknown -= self._reported
        self._reported = 0
