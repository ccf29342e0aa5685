"""Fixed rate limit windows, as far as this instance knows their use. Without clock and I/O.

A window begins with its first hit, and later hits do not move it. Its announced end stays valid,
and after it the whole limit is available again. Times are seconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from chatd.core.records import record

DecisionCallback = Callable[[bool], None]
"""Called with the decision on a hit: whether it is granted."""

_MAX_LOCAL_ALLOWANCE = 10
"""Bounds how far several instances together can exceed a large limit."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`requests` per `per_s` seconds, in each window of `bucket`.

    Routes of one bucket share their windows; without a name, each route has its own. With `exact`,
    each hit needs the shared count: for rare requests that must never exceed the limit. Responses
    carry the X-RateLimit headers if it is `announced`.
    """

    requests: int
    per_s: float
    bucket: str = ""
    exact: bool = False
    announced: bool = True

    @property
    def local_allowance(self) -> int:
        """The number of hits that an instance may grant before Redis knows them."""
        return 0 if self.exact else max(1, min(self.requests // 10, _MAX_LOCAL_ALLOWANCE))


@record(frozen=True, slots=True)
class Decision:
    """Whether a hit is granted, and the state of its window.

    `ends` is a time of the monotonic clock.
    """

    granted: bool
    limit: Limit
    remaining: int
    ends: float


class UsageReport(NamedTuple):
    """The report of one window to Redis: hits to add, and hits that need a decision.

    `counted` hits were granted locally; negative when more were refunded. `asked` hits wait for a
    decision. `after` is the id of the previous window of the key, which has ended on this
    instance. If the shared count still belongs to it, the shared window has ended too.
    """

    counted: int
    asked: int
    limit: int
    left_ms: int
    id: str
    after: str


class SharedCount(NamedTuple):
    """The shared count after a report.

    `used` hits are in the window `id`, which ends in `left_ms`. Of the hits that were asked for,
    the last `refused` are not granted.
    """

    id: str
    used: int
    left_ms: int
    refused: int


class Window:
    """One window, as this instance knows it."""

    __slots__ = (
        "_counted",
        "_next_callbacks",
        "_reported",
        "_reported_callbacks",
        "_unconfirmed",
        "after",
        "ends",
        "id",
        "is_dirty",
        "limit",
        "local_allowance",
        "used",
    )

    def __init__(self, limit: Limit, id_: str, now: float, *, after: Window | None = None) -> None:
        self.limit = limit
        self.local_allowance = limit.local_allowance
        self.id = id_
        self.after = "" if after is None else after.id
        self.ends = now + limit.per_s
        self.used = 0
        self.is_dirty = False
        # Hits that were granted locally and are not yet reported.
        self._counted = 0
        # Hits that Redis has not yet confirmed, including those that wait for a decision.
        self._unconfirmed = 0
        # Those of them that are in the report that was sent.
        self._reported = 0
        # Called with the decisions of the next report, and of the report that was sent.
        self._next_callbacks: list[DecisionCallback] = []
        self._reported_callbacks: list[DecisionCallback] = []
        if after is not None:
            self._next_callbacks, after._next_callbacks = after._next_callbacks, []
            self._unconfirmed = len(self._next_callbacks)

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached, as far as this instance knows."""
        return self.used >= self.limit.requests

    @property
    def share_used(self) -> float:
        """The used fraction of the limit, as far as this instance knows."""
        return self.used / self.limit.requests

    @property
    def should_report(self) -> bool:
        """Whether half the allowance is used: a report now keeps the next hits from waiting."""
        return self._unconfirmed * 2 > self.local_allowance

    def hit(self, *, is_shared: bool) -> bool | None:
        """Count a hit if it is granted; return whether it is.

        Returns None when Redis has to decide: the counts are shared, and the local allowance is
        used.
        """
        if self.used >= self.limit.requests:
            return False
        if is_shared:
            if self._unconfirmed >= self.local_allowance:
                return None
            # Redis may grant all hits that wait for a decision.
            waiting = len(self._next_callbacks) + len(self._reported_callbacks)
            if self.used + waiting >= self.limit.requests:
                return None
        self.used += 1
        self._counted += 1
        self._unconfirmed += 1
        return True

    def refund(self) -> None:
        """Take back a granted hit."""
        if self.used > 0:
            self.used -= 1
            self._counted -= 1

    def request_decision(self, resolve: DecisionCallback) -> None:
        """Let the next report ask for one hit; `resolve` is called with the decision."""
        self._next_callbacks.append(resolve)
        self._unconfirmed += 1

    def decision(self, *, granted: bool) -> Decision:
        """Return a decision with the present state of the window."""
        return Decision(granted, self.limit, max(self.limit.requests - self.used, 0), self.ends)

    def report(self, now: float) -> UsageReport:
        """Return the report to send.

        The caller must call `apply_shared` or `resolve_locally` before the next report.
        """
        self._reported = self._unconfirmed
        counted, self._counted = self._counted, 0
        self._reported_callbacks, self._next_callbacks = self._next_callbacks, []
        left_ms = max(int((self.ends - now) * 1000), 0)
        asked = len(self._reported_callbacks)
        return UsageReport(counted, asked, self.limit.requests, left_ms, self.id, self.after)

    def apply_shared(self, shared: SharedCount, now: float) -> None:
        """Apply the shared count, and resolve the decisions that the report asked for."""
        self.id = shared.id
        self.used = max(self.used, shared.used + self._counted)
        # Never later, since the end has been announced. If the shared window lasts longer, the
        # next report ends it by `after`.
        self.ends = min(self.ends, now + (shared.left_ms + 1) / 1000)
        self._clear_report()
        answering, self._reported_callbacks = self._reported_callbacks, []
        for position, resolve in enumerate(answering):
            resolve(position < len(answering) - shared.refused)

    def resolve_locally(self) -> None:
        """Redis is unavailable: resolve all pending decisions by the local count.

        Redis may or may not have counted the report that was sent. It is not reported again, since
        a double count would refuse hits that were promised.
        """
        answering, self._reported_callbacks = self._reported_callbacks, []
        asking, self._next_callbacks = self._next_callbacks, []
        self._clear_report()
        for resolve in answering:
            granted = not self.is_full
            self.used += granted
            resolve(granted)
        for resolve in asking:
            self._unconfirmed -= 1
            resolve(bool(self.hit(is_shared=False)))

    def _clear_report(self) -> None:
        self._unconfirmed -= self._reported
        self._reported = 0
