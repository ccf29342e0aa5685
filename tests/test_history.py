"""Nothing acknowledged is lost, whatever fails; the long form is `scripts/history`."""

from __future__ import annotations

from pathlib import Path

from tests.history.playing import play
from tests.history.record import Epoch, History, Sent
from tests.history.stage import staged


async def test_nothing_is_lost_whatever_fails(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.furnish(people=3, channels=2)
        assert await play(stage, seconds=8, every_s=0.6) == []
        counts = stage.history.counts
        assert min(counts[name] for name in stage.faults()) >= 1, counts
        assert counts["resumes"] >= 1, counts
        assert len(stage.history.sent) > 20


def test_the_checker_finds_what_is_wrong() -> None:
    sent = [Sent(number, "c", 1.0 + number, 2.0 + number) for number in (1, 2, 3)]
    stored = {"c": [3, 2, 1]}

    def problems(*heard: int, ready_at: float = 0.0, told: float | None = None) -> list[str]:
        epoch = Epoch(ready_at, [("c", each) for each in heard], len(heard), told)
        return History(sent, [[epoch]]).problems(stored)

    assert problems(1, 2, 3) == []
    assert problems(3, ready_at=3.5) == []
    assert problems(1, told=9.0) == []
    assert problems(1, 3) == ["client 0: 2 did not come"]
    assert "client 0: 2 came 2 times" in problems(1, 2, 2, 3)
    assert problems(1, 3, 2) == ["client 0: channel c came out of order"]
    stored = {"c": [3, 2]}
    assert problems(1, 2, 3) == ["message 1 is lost"]
    stored = {"c": [3, 2, 2, 1]}
    assert problems(1, 2, 3) == ["channel c has messages twice"]
