"""The arithmetic of windows: how much gets through when instances report to each other late."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.ephemeral.windows import Counted, Limit, Report, Window


@dataclass
class Shared:
    """What the script in Redis does, for one key that does not end."""

    id: str = ""
    used: int = 0

    def count(self, report: Report) -> Counted:
        if not self.id or self.id == report.after:
            self.id, self.used = report.id, 0
        self.used = max(self.used + report.counted, 0)
        refused = max(min(report.asked, self.used + report.asked - report.limit), 0)
        self.used += report.asked - refused
        return Counted(self.id, self.used, report.left_ms, refused)


@dataclass
class Instance:
    """One that counts, and whose reports travel for as long as a test lets them."""

    window: Window
    granted: int = 0
    told: list[bool] = field(default_factory=list)
    in_flight: Counted | None = None

    def hit(self) -> None:
        if self.window.is_full:
            return
        if self.window.must_ask:
            self.window.ask(self.told.append)
        else:
            self.window.count()
            self.granted += 1

    def send(self, shared: Shared) -> None:
        if self.in_flight is None:
            self.in_flight = shared.count(self.window.report(1.0))

    def hear(self) -> None:
        if self.in_flight is not None:
            self.window.answered(self.in_flight, 1.0)
            self.in_flight = None

    @property
    def let_through(self) -> int:
        return self.granted + sum(self.told)


limits = st.builds(Limit, st.integers(1, 60), st.just(60.0), exact=st.booleans())
steps = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["hit", "send", "hear"])))


def play(limit: Limit, instances: int, script: list[tuple[int, str]]) -> list[Instance]:
    shared = Shared()
    crowd = [Instance(Window(limit, str(number), 0.0)) for number in range(instances)]
    for number, step in script:
        one = crowd[number % instances]
        match step:
            case "hit":
                one.hit()
            case "send":
                one.send(shared)
            case "hear":
                one.hear()
    for one in crowd * 3:  # all reports arrive in the end
        one.hear()
        one.send(shared)
        one.hear()
    return crowd


@given(limits, st.integers(1, 4), steps)
def test_together_they_let_through_what_is_promised(
    limit: Limit, instances: int, script: list[tuple[int, str]]
) -> None:
    crowd = play(limit, instances, script)
    total = sum(one.let_through for one in crowd)
    most = limit.requests
    if instances > 1 and limit.credit:
        most += instances * limit.credit - 1
    assert total <= most
    hits = sum(step == "hit" for _, step in script)
    assert total >= min(hits, limit.requests)  # nobody is refused who has a right
    assert {one.window.used for one in crowd} == {max(total, 0)}


def test_the_promise_is_not_too_large() -> None:
    """Two instances that know nothing of each other do let one more through."""
    limit = Limit(5, 5.0)
    script = [(0, "hit"), (0, "send"), (0, "hear")] * 5
    crowd = play(limit, 2, [(1, "hit"), (1, "hit"), *script, (0, "hit")])
    assert sum(one.let_through for one in crowd) == 6


@given(limits, st.lists(st.floats(0, 100), min_size=1))
def test_an_announced_end_never_moves_back(limit: Limit, answers: list[float]) -> None:
    window = Window(limit, "a", 0.0)
    ends = [window.ends]
    for left_s in answers:
        window.count()
        window.report(0.0)
        window.answered(Counted("b", 1, int(left_s * 1000), 0), 0.0)
        ends.append(window.ends)
    assert ends == sorted(ends, reverse=True)


@given(limits, st.integers(0, 200))
def test_without_an_answer_each_counts_alone(limit: Limit, hits: int) -> None:
    one = Instance(Window(limit, "a", 0.0))
    for number in range(hits):
        one.hit()
        if number % 3 == 0:
            one.window.report(0.0)
            one.window.unanswered()
    one.window.unanswered()
    assert one.let_through == min(hits, limit.requests)


def test_who_waits_moves_on_with_the_window() -> None:
    told: list[bool] = []
    old = Window(Limit(1, 0.25), "a", 0.0)
    old.count()
    old.ask(told.append)
    new = Window(Limit(1, 0.25), "b", 0.25, after=old)
    assert new.report(0.25) == Report(0, 1, 1, 250, "b", "a")
    new.answered(Counted("b", 1, 250, 0), 0.25)
    assert told == [True]


def test_what_is_given_back_is_no_credit() -> None:
    one = Instance(Window(Limit(5, 60.0, exact=True), "a", 0.0))
    shared = Shared()
    one.hit()
    one.send(shared)
    one.hear()
    one.window.give_back()
    assert one.window.must_ask
    one.send(shared)
    one.hear()
    assert (one.window.used, shared.used) == (0, 0)


@pytest.mark.parametrize(
    ("limit", "credit"),
    [
        (Limit(1, 0.25), 1),
        (Limit(5, 5.0), 1),
        (Limit(50, 1.0), 5),
        (Limit(10_000, 600.0), 10),
        (Limit(5, 60.0, exact=True), 0),
    ],
    ids=["reactions", "messages", "global", "invalid tokens", "passwords"],
)
def test_credit(limit: Limit, credit: int) -> None:
    assert limit.credit == credit
