"""Faults on real processes, each once and briefly; `scripts/faults` is the long form.

Its other faults have other tests: unavailable Postgres and Redis, and `kill -9`, in `test_history`
and `test_faults`; a blocked event loop in `test_systemd`.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.faults import __main__ as command
from tests.faults.runner import Row, fault_environment, run_fault
from tests.helpers.instances import Instance
from tests.history.environment import Cluster
from tests.world import TIMEOUT_S


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    async with fault_environment(tmp_path_factory.mktemp("faults")) as made:
        yield made


def is_unnoticed(row: Row) -> bool:
    return row.answers.keys() == {"answered"} and not row.events["invalidated sessions"]


def keeps_connections(row: Row) -> bool:
    """With rate limits enabled, some messages of the load are refused with 429."""
    answers = row.answers.keys() - {"refused with 429"}
    return answers == {"answered"} and not row.events["lost sockets"]


EXPECTED: dict[str, Callable[[Row], bool]] = {
    "uploads": lambda row: row.answers["refused with 503"] > 0 and not row.events["lost sockets"],
    "log": is_unnoticed,
    "clock-forward": is_unnoticed,
    "descriptors": lambda row: not row.events["lost sockets"],
    "postgres-silent": lambda row: row.answers["refused with 503"] > 0,
    "stopped": lambda row: row.events["invalidated sessions"] > 0,
    "hostile-bodies": keeps_connections,
    "hostile-searches": keeps_connections,
    "hostile-sockets": keeps_connections,
    "hostile-bans": keeps_connections,
    "readers": lambda row: is_unnoticed(row) and "8 disconnected" in row.notes[0],
}


@pytest.mark.parametrize("name", EXPECTED)
async def test_instances_recover_from_a_fault_and_lose_nothing(cluster: Cluster, name: str) -> None:
    row = await run_fault(cluster, name, short=True)
    if row.skipped:
        pytest.skip(row.skipped)
    assert row.problems == []
    assert row.healed_s is not None
    assert row.acknowledged > 0
    assert EXPECTED[name](row), row


_PING = """
import os, socket, time
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.connect(os.environ["NOTIFY_SOCKET"].replace("@", "\\0"))
manager.send(b"READY=1")
while True:
    manager.send(b"WATCHDOG=1")
    time.sleep(0.05)
"""


async def test_watchdog_does_not_count_time_in_which_pings_are_not_read(tmp_path: Path) -> None:
    instance = Instance(1, tmp_path, {}, watchdog_s=1.0)
    instance.words = ("-c", _PING)
    await instance.start()
    try:
        time.sleep(2.0)  # noqa: ASYNC251 - as a busy machine that does not run this process
        for _ in range(20):
            await asyncio.sleep(0)
        assert instance.given_up == 0
        instance.send(signal.SIGSTOP)
        async with asyncio.timeout(TIMEOUT_S):
            while instance.given_up == 0:
                await asyncio.sleep(0.05)
    finally:
        await instance.end(signal.SIGKILL)
        instance.close()


def test_command_reports_each_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(_: Path, names: list[str], *, short: bool) -> AsyncGenerator[Row, None]:
        assert (names, short) == (["kill", "log"], True)
        answers, events = Counter({"answered": 9, "cut off": 1}), Counter({"resumes": 3})
        yield Row("kill", "kill -9", answers, events, 9, 1.5, 2.5, ["killed twice"], ["7 is lost"])
        yield Row("log", "log full", Counter(), Counter(), 0, 0.0, None, [], [], "no disk")

    monkeypatch.setattr(command, "run_faults", run)
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
