"""Nothing acknowledged is lost, whatever fails; the long form is `scripts/history`."""

from __future__ import annotations

from pathlib import Path

from tests.history.broken import BUILDS, finds
from tests.history.play import play
from tests.history.record import Epoch, Heard, History, Sent, Stored
from tests.history.stage import staged

A_FEW = ("drop", "acknowledge early", "lose on the bus", "ignore gaps")
"""The others, too, with `scripts/history --broken`."""


async def test_nothing_is_lost_whatever_fails(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.furnish(people=3, channels=2)
        assert await play(stage, seconds=8, every_s=0.6) == []
        counts = stage.history.counts
        assert min(counts[name] for name in stage.faults()) >= 1, counts
        assert counts["resumes"] >= 1, counts
        assert len(stage.history.sent) > 20


async def test_the_checker_finds_broken_builds(tmp_path: Path) -> None:
    """And nothing in the one whose flaw the server has to make up for."""
    async with staged(tmp_path) as stage:
        await stage.furnish(people=3, channels=2)
        found = {name: await finds(stage, name) for name in A_FEW}
    for name, problem in found.items():
        wanted = BUILDS[name].shows
        assert problem is None if wanted is None else wanted in (problem or ""), (name, problem)


def test_the_checker_finds_what_is_wrong() -> None:
    sent = [Sent(number, "c", f"{number}", 1.0 + number, 2.0 + number) for number in (1, 2, 3)]
    stored: Stored = {"c": [(3, "3"), (2, "2"), (1, "1")]}

    def problems(*heard: int, ready_at: float = 0.0, told: float | None = None) -> list[str]:
        messages = [Heard(each, "c", f"{each}") for each in heard]
        return History(sent, [[Epoch(ready_at, messages, len(heard), told)]]).problems(stored)

    assert problems(1, 2, 3) == []
    assert problems(3, ready_at=3.5) == []
    assert problems(1, told=9.0) == []
    assert problems(1, 3) == ["client 0: 2 did not come"]
    assert "client 0: 2 came 2 times" in problems(1, 2, 2, 3)
    assert problems(1, 3, 2) == ["client 0: channel c came out of order"]
    stored["c"] = [(3, "3"), (2, "2")]
    assert problems(2, 3, told=9.0) == ["message 1 is lost"]
    assert "client 0: 1 came and is not stored so" in problems(1, 2, 3)
    stored["c"] = [(3, "3"), (2, "2"), (2, "2"), (1, "1")]
    assert problems(1, 2, 3) == ["channel c has an id twice", "channel c has a message twice"]
    stored["c"] = [(4, "3"), (3, "3"), (2, "2"), (1, "1")]
    assert problems(1, 2, 3) == ["channel c has a message twice"]
    stored["c"] = [(3, "3"), (2, "x"), (1, "1")]
    assert problems(1, 3, told=9.0) == ["message 2 is another one"]


def test_the_checker_finds_what_is_misnumbered() -> None:
    def problems(*numbers: int) -> list[str]:
        epoch = Epoch(0.0)
        for number in numbers:
            epoch.count(number)
        return History([], [[epoch]]).problems({})

    assert problems(1, 2, 3) == []
    assert problems(2) == ["client 0: number 2 came after 0"]
    assert problems(1, 2, 4, 5) == ["client 0: number 4 came after 2"]
    assert problems(1, 2, 2, 3) == ["client 0: number 2 came after 2"]
