"""The history checker: no acknowledged message is lost. `scripts/history` runs it for longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.history.broken import BUILDS, finds
from tests.history.environment import running_cluster
from tests.history.record import Epoch, History, Received, Sent, SentToOne, Stored
from tests.history.scenario import play

SOME = ("acknowledge early", "lose on the bus")
"""One with a bug, and one whose bug the server makes up for."""
MORE = ("drop", "ignore gaps", "show to all")
"""`scripts/history --broken` runs all builds."""

_SETTLES_S = 120.0  # for busy machines; it ends when all listeners have everything


async def test_no_acknowledged_message_is_lost_during_faults(tmp_path: Path) -> None:
    async with running_cluster(tmp_path) as cluster:
        await cluster.set_up(people=3, channels=2)
        playing = play(
            cluster, seconds=8, every_s=0.6, settles_s=_SETTLES_S, is_enough=has_everything
        )
        assert await playing == []
        counts = cluster.history.counts
        assert min(counts[name] for name in cluster.faults()) >= 1, counts


def has_everything(history: History) -> bool:
    """Whether sessions were resumed, and messages of both kinds were sent."""
    return history.counts["resumes"] >= 1 and len(history.sent) > 20 and bool(history.ephemeral)


@pytest.mark.parametrize("names", [SOME, pytest.param(MORE, marks=pytest.mark.soak)], ids=str)
async def test_checker_finds_bugs_of_broken_builds(tmp_path: Path, names: tuple[str, ...]) -> None:
    """It must find nothing in the build whose bug the server makes up for."""
    async with running_cluster(tmp_path) as cluster:
        await cluster.set_up(people=3, channels=2)
        found = {name: await finds(cluster, name) for name in names}
    for name, problem in found.items():
        wanted = BUILDS[name].shows
        assert problem is None if wanted is None else wanted in (problem or ""), (name, problem)


def test_checker_finds_wrong_receipts() -> None:
    sent = [Sent(number, "c", f"{number}", 1.0 + number, 2.0 + number) for number in (1, 2, 3)]
    stored: Stored = {"c": [(3, "3"), (2, "2"), (1, "1")]}

    def problems(
        *received: int, ready_at: float = 0.0, invalidated: float | None = None
    ) -> list[str]:
        messages = [Received(each, "c", f"{each}") for each in received]
        return History(
            sent, epochs=[[Epoch(ready_at, messages, len(received), invalidated)]]
        ).problems(stored)

    assert problems(1, 2, 3) == []
    assert problems(3, ready_at=3.5) == []
    assert problems(1, invalidated=9.0) == []
    assert problems(1, 3) == ["client 0: 2 did not come"]
    assert "client 0: 2 came 2 times" in problems(1, 2, 2, 3)
    assert problems(1, 3, 2) == ["client 0: channel c came out of order"]
    stored["c"] = [(3, "3"), (2, "2")]
    assert problems(2, 3, invalidated=9.0) == ["message 1 is lost"]
    assert "client 0: 1 came and is not stored so" in problems(1, 2, 3)
    stored["c"] = [(3, "3"), (2, "2"), (2, "2"), (1, "1")]
    assert problems(1, 2, 3) == ["channel c has an id twice", "channel c has a message twice"]
    stored["c"] = [(4, "3"), (3, "3"), (2, "2"), (1, "1")]
    assert problems(1, 2, 3) == ["channel c has a message twice"]
    stored["c"] = [(3, "3"), (2, "x"), (1, "1")]
    assert problems(1, 3, invalidated=9.0) == ["message 2 is another one"]


def test_checker_finds_ephemeral_messages_of_other_users() -> None:
    sent = [SentToOne(number, "c", f"7 {number}", 1.0, 2.0, "7") for number in (1, 2)]

    def problems(user_id: str, *received: int, stored: Stored | None = None) -> list[str]:
        epoch = Epoch(0.0, user_id=user_id)
        epoch.ephemeral = [Received(each, "c", f"7 {each}") for each in received]
        return History(ephemeral=sent, epochs=[[epoch]]).problems(stored or {})

    assert problems("7", 1, 2) == []
    assert problems("8") == []
    assert problems("8", 1) == ["client 0: the ephemeral 1 is for another user"]
    assert problems("7", 1) == ["client 0: the ephemeral 2 did not come"]
    assert problems("7", 1, 2, 2) == ["client 0: the ephemeral 2 came 2 times"]
    there: Stored = {"c": [(1, "7 1")]}
    assert problems("7", 1, 2, stored=there) == ["client 0: the ephemeral 1 is in the history"]


def test_checker_finds_misnumbered_dispatches() -> None:
    def problems(*numbers: int) -> list[str]:
        epoch = Epoch(0.0)
        for number in numbers:
            epoch.count(number)
        return History(epochs=[[epoch]]).problems({})

    assert problems(1, 2, 3) == []
    assert problems(2) == ["client 0: number 2 came after 0"]
    assert problems(1, 2, 4, 5) == ["client 0: number 4 came after 2"]
    assert problems(1, 2, 2, 3) == ["client 0: number 2 came after 2"]
