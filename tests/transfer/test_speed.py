"""How fast an export of 100,000 messages is imported."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator

import pytest

from chatd.runtime.gc_tuning import tune_gc
from tests.transfer.conftest import Importer
from tests.transfer.exports import Json, reaction
from tests.world import World

MESSAGES = 100_000


class Steps:
    """Measures the step that imports messages."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self._began: tuple[str, float, float] = ("", 0.0, 0.0)

    def begin(self, title: str, total_bytes: int | None) -> None:
        name, wall, cpu = self._began
        if name == "importing messages":
            self.wall = time.perf_counter() - wall
            self.cpu = time.process_time() - cpu
        self._began = title, time.perf_counter(), time.process_time()

    def advance(self, count: int) -> None:
        pass


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_import_of_100000_messages(
    world: World,
    importer: Importer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    general = importer.channel(1)
    authors = [importer.user(number, f"author {number}") for number in range(200)]

    def messages() -> Iterator[Json]:
        for number in range(MESSAGES):
            message = general.add(
                authors[number % 200], f"message {number} about engines and what they weave"
            )
            message["id"] = str(int(general.message_id(0)) + (number << 23))
            if number % 10 == 0:
                message["reactions"] = [reaction("👍", authors[:2])]
            general.messages.clear()
            yield message

    importer.folder.mkdir()
    with (importer.folder / "general.json").open("w") as file:
        file.writelines(general.pieces(messages()))
    owner = await world.person("owner")
    steps = Steps()
    importer.progress = steps
    monkeypatch.setattr(gc, "freeze", lambda: None)
    thresholds = gc.get_threshold()
    tune_gc()  # as the command does
    began, used = time.perf_counter(), time.process_time()
    done = await importer.run(owner)
    steps.begin("end", None)
    gc.set_threshold(*thresholds)
    took, cpu = time.perf_counter() - began, time.process_time() - used
    assert (done.totals.messages, importer.findings.problems) == (MESSAGES, 0)
    began = time.perf_counter()
    for path in importer.folder.iterdir():
        path.touch()
    again = await importer.run()
    repeated = time.perf_counter() - began
    assert (again.totals.messages, again.totals.existing) == (0, MESSAGES)
    with capsys.disabled():
        print(
            f"\n{MESSAGES} messages into Postgres: {steps.wall:.1f} s"
            f" ({MESSAGES / steps.wall:,.0f}/s; {steps.cpu:.1f} s of CPU of this process);"
            f" with the search index {took:.1f} s ({cpu:.1f} s of CPU); again: {repeated:.1f} s"
        )
