"""Faults on real processes, each once and for a moment; the long form is `scripts/faults`.

What else it has is told elsewhere: Postgres and Redis that go away, and `kill -9`, in
`test_history` and `test_faults`; a loop that hangs in `test_systemd`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.faults import __main__ as command
from tests.faults.suffering import Row, suffer, sufferers
from tests.history.stage import Stage


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with sufferers(tmp_path_factory.mktemp("faults")) as made:
        yield made


def nobody_noticed(row: Row) -> bool:
    return row.answers.keys() == {"answered"} and not row.events["told to identify anew"]


EXPECTED: dict[str, Callable[[Row], bool]] = {
    "uploads": lambda row: row.answers["refused with 503"] > 0 and not row.events["lost sockets"],
    "log": nobody_noticed,
    "clock-forward": nobody_noticed,
    "descriptors": lambda row: not row.events["lost sockets"],
    "stopped": lambda row: row.events["told to identify anew"] > 0,
    "readers": lambda row: nobody_noticed(row) and "8 cut off" in row.notes[0],
}


@pytest.mark.parametrize("name", EXPECTED)
async def test_it_heals_and_nothing_is_lost(stage: Stage, name: str) -> None:
    row = await suffer(stage, name, short=True)
    if row.left_out:
        pytest.skip(row.left_out)
    assert row.problems == []
    assert row.healed_s is not None
    assert row.acknowledged > 0
    assert EXPECTED[name](row), row


def test_what_the_command_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def suffered(_: Path, names: list[str], *, short: bool) -> AsyncGenerator[Row, None]:
        assert (names, short) == (["kill", "log"], True)
        answers, events = Counter({"answered": 9, "cut off": 1}), Counter({"resumes": 3})
        yield Row("kill", "kill -9", answers, events, 9, 1.5, 2.5, ["killed twice"], ["7 is lost"])
        yield Row("log", "log full", Counter(), Counter(), 0, 0.0, None, [], [], "no disk")

    monkeypatch.setattr(command, "suffer_all", suffered)
    found = tmp_path / "found.json"
    assert command.main(["--short", "--json", str(found), "kill", "log"]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "1/2 kill -9: WRONG" in shown
    assert "requests: 9 answered, 1 cut off, 1.5 s at most; | 7 is lost | 2.5 s" in shown
    assert "| left out: no disk |" in shown
    assert [row["lost"] for row in json.loads(found.read_text())] == [
        "7 is lost",
        "nothing of 0 messages and 0 deliveries",
    ]
    with pytest.raises(SystemExit):
        command.main(["earthquake"])
    assert "there is no fault 'earthquake'" in capsys.readouterr().err
