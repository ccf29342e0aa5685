"""Two versions of chatd beside each other: the same work in turns, and the ratio of their cost."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Awaitable, Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from tests.bench import connect, create, history, measuring, report
from tests.bench.adapters import Chatd
from tests.bench.environment import Stage
from tests.bench.measuring import Lap, Subject
from tests.bench.plans import Plan
from tests.bench.report import Progress, Row

_PARTS = ("chatd", "sql")
"""What a server consists of. The programs of the measurement are those of this checkout."""

ROUNDS = 5
"""Turns of each version. The ratio of the CPU time then varies by some percent between runs."""

_ROOT = Path(__file__).resolve().parents[2]

Turn = Callable[[Subject], Awaitable[Lap]]


class UnknownVersion(Exception):
    """Git does not know a version; the text is what it says."""


def extract(version: str, folder: Path) -> Path:
    """Write the server of a commit, branch or tag into a folder; return it.

    Raises UnknownVersion.
    """
    command = ["git", "-C", str(_ROOT), "archive", version, "--", *_PARTS]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        raise UnknownVersion(done.stderr.decode(errors="replace").strip())
    folder.mkdir()
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        # Python before 3.11.4 has no filters, which guard against archives of others than Git.
        safely: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(folder, **safely)
    return folder


async def rows(stage: Stage, version: str, plan: Plan, progress: Progress) -> list[Row]:
    """Return a row for each workload, compared with another version.

    Both have the same data in databases of their own, and work in turns. Raises UnknownVersion.
    """
    subjects = []
    for name, sources in (("chatd", None), (version, extract(version, stage.folder / "other"))):
        progress.step(f"{name}: filling")
        adapter = Chatd()
        adapter.name, adapter.sources = name.replace("/", "-"), sources
        subject = Subject(adapter, stage, [await measuring.start(adapter, stage)])
        subject.scene = await adapter.furnish(stage, subject.port, plan.size)
        subjects.append(subject)
    made = []
    for title, turn in _workloads(plan).items():
        progress.step(title)
        figures = await measuring.take_turns(
            {each.adapter.name: partial(turn, each) for each in subjects},
            rounds=min(plan.rounds, 1) * ROUNDS,
        )
        [own, other] = figures.values()
        row = report.beside(report.row("chatd", title, own), version, other, "rate")
        made.append(report.compare(row, "CPU", own.all_cpu_s, other.all_cpu_s))
    return made


def _workloads(plan: Plan) -> dict[str, Turn]:
    def create_messages(at_once: int) -> Turn:
        return partial(create.on_server, at_once=at_once, seconds=plan.seconds)

    async def read_history(subject: Subject) -> Lap:
        scene = subject.scene
        raw = subject.adapter.page(scene.reader_token, scene.long_channel)
        return await history.on_server(subject, raw, at_once=history.AT_ONCE, seconds=plan.seconds)

    async def identify(subject: Subject) -> Lap:
        count = max(connect.AT_ONCE, plan.connects // 10)
        return await connect.identify(subject, [subject.scene.busy_token], count)

    return {
        **{f"create, {at_once} at once": create_messages(at_once) for at_once in (1, 16, 64)},
        f"history, {history.AT_ONCE} at once": read_history,
        f"IDENTIFY to READY, {plan.size.guilds:,} guilds": identify,
    }
