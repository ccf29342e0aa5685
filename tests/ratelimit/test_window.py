"""Windows: how many hits instances grant together when their reports are delayed."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.ratelimit import limiter
from chatd.ratelimit.window import Limit, SharedCount, UsageReport, Window


@dataclass
class Shared:
    """The script in Redis, for one key that does not expire."""

    id: str = ""
    used: int = 0

    def count(self, report: UsageReport) -> SharedCount:
        if not self.id or self.id == report.after:
            self.id, self.used = report.id, 0
        self.used = max(self.used + report.counted, 0)
        refused = max(min(report.asked, self.used + report.asked - report.limit), 0)
        self.used += report.asked - refused
        return SharedCount(self.id, self.used, report.left_ms, refused)


@dataclass
class Instance:
    """An instance that counts. The test decides when its reports arrive."""

    window: Window
    granted: int = 0
    decisions: list[bool] = field(default_factory=list)
    in_flight: SharedCount | None = None

    def hit(self) -> None:
        granted = self.window.hit(is_shared=True)
        if granted is None:
            self.window.request_decision(self.decisions.append)
        else:
            self.granted += granted

    def send(self, shared: Shared) -> None:
        if self.in_flight is None:
            self.in_flight = shared.count(self.window.report(1.0))

    def receive(self) -> None:
        if self.in_flight is not None:
            self.window.apply_shared(self.in_flight, 1.0)
            self.in_flight = None

    @property
    def total_granted(self) -> int:
        return self.granted + sum(self.decisions)


limits = st.builds(Limit, st.integers(1, 60), st.just(60.0), exact=st.booleans())
steps = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["hit", "send", "receive"])))


def play(limit: Limit, instances: int, script: list[tuple[int, str]]) -> list[Instance]:
    shared = Shared()
    simulated = [Instance(Window(limit, str(number), 0.0)) for number in range(instances)]
    for number, step in script:
        one = simulated[number % instances]
        match step:
            case "hit":
                one.hit()
            case "send":
                one.send(shared)
            case "receive":
                one.receive()
    for one in simulated * 3:  # finally all reports arrive
        one.receive()
        one.send(shared)
        one.receive()
    return simulated


@given(limits, st.integers(1, 4), steps)
def test_instances_together_grant_at_most_the_documented_number(
    limit: Limit, instances: int, script: list[tuple[int, str]]
) -> None:
    simulated = play(limit, instances, script)
    total = sum(one.total_granted for one in simulated)
    most = limit.requests
    if instances > 1 and limit.local_allowance:
        most += instances * limit.local_allowance - 1
    assert total <= most
    hits = sum(step == "hit" for _, step in script)
    assert total >= min(hits, limit.requests)  # no hit below the limit is refused
    assert {one.window.used for one in simulated} == {max(total, 0)}


def test_one_instance_does_not_exceed_the_limit_while_decisions_are_pending() -> None:
    confirmed = [(0, "hit"), (0, "send"), (0, "receive")] * 42
    local, asking = [(0, "hit")] * 5, [(0, "hit")] * 3
    script = [*confirmed, *local, (0, "send"), *asking, (0, "receive"), (0, "send"), *asking]
    [one] = play(Limit(50, 60.0), 1, script)
    assert one.total_granted == 50


def test_documented_number_can_be_reached() -> None:
    """Two instances that have not exchanged reports grant one hit above the limit."""
    limit = Limit(5, 5.0)
    script = [(0, "hit"), (0, "send"), (0, "receive")] * 5
    simulated = play(limit, 2, [(1, "hit"), (1, "hit"), *script, (0, "hit")])
    assert sum(one.total_granted for one in simulated) == 6


@given(limits, st.lists(st.floats(0, 100), min_size=1))
def test_announced_end_is_never_postponed(limit: Limit, answers: list[float]) -> None:
    window = Window(limit, "a", 0.0)
    ends = [window.ends]
    for left_s in answers:
        window.hit(is_shared=False)
        window.report(0.0)
        window.apply_shared(SharedCount("b", 1, int(left_s * 1000), 0), 0.0)
        ends.append(window.ends)
    assert ends == sorted(ends, reverse=True)


@given(limits, st.integers(0, 200))
def test_without_redis_an_instance_grants_the_limit(limit: Limit, hits: int) -> None:
    one = Instance(Window(limit, "a", 0.0))
    for number in range(hits):
        one.hit()
        if number % 3 == 0:
            one.window.report(0.0)
            one.window.resolve_locally()
    one.window.resolve_locally()
    assert one.total_granted == min(hits, limit.requests)


def test_pending_decisions_move_to_the_next_window() -> None:
    decisions: list[bool] = []
    old = Window(Limit(1, 0.25), "a", 0.0)
    old.hit(is_shared=False)
    old.request_decision(decisions.append)
    new = Window(Limit(1, 0.25), "b", 0.25, after=old)
    assert new.report(0.25) == UsageReport(0, 1, 1, 250, "b", "a")
    new.apply_shared(SharedCount("b", 1, 250, 0), 0.25)
    assert decisions == [True]


def test_refund_does_not_extend_the_local_allowance() -> None:
    one = Instance(Window(Limit(5, 60.0, exact=True), "a", 0.0))
    shared = Shared()
    one.hit()
    one.send(shared)
    one.receive()
    one.window.refund()
    assert one.window.hit(is_shared=True) is None
    one.send(shared)
    one.receive()
    assert (one.window.used, shared.used) == (0, 0)


@pytest.mark.parametrize(
    ("limit", "allowance"),
    [
        (Limit(1, 0.25), 1),
        (Limit(5, 5.0), 1),
        (Limit(50, 1.0), 5),
        (Limit(10_000, 600.0), 10),
        (Limit(5, 60.0, exact=True), 0),
    ],
    ids=["reactions", "messages", "global", "invalid tokens", "passwords"],
)
def test_local_allowance(limit: Limit, allowance: int) -> None:
    assert limit.local_allowance == allowance


async def test_full_window_is_not_evicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "_MAX_WINDOWS", 20)
    limits, limit = limiter.RateLimits("redis://127.0.0.1:1"), Limit(2, 60.0)
    for _ in range(2):
        assert (await limits.hit_shared(limit, "guesses")).granted
    for number in range(500):
        await limits.hit_shared(limit, f"other {number}")
        assert not (await limits.hit_shared(limit, "guesses")).granted
    assert len(limits._windows) == 20


@pytest.mark.parametrize("counts_locally", [True, False])
@pytest.mark.parametrize("limit", [Limit(3, 60.0), Limit(50, 60.0), Limit(2, 60.0, exact=True)])
async def test_grant_cannot_be_told_from_hit(limit: Limit, counts_locally: bool) -> None:
    one, other = (limiter.RateLimits("redis://127.0.0.1:1") for _ in range(2))
    for limits in (one, other):
        limits._counts_locally = counts_locally
    for _ in range(limit.requests + 2):
        decision = other.hit(limit, "key")
        assert one.grant(limit, "key") == (decision is not None and decision.granted)
        windows = one._windows["key"], other._windows["key"]
        assert len({(each.used, each.should_report, each.is_dirty) for each in windows}) == 1
        assert one._dirty.keys() == other._dirty.keys()
