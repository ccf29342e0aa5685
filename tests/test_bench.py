"""The measurements still run and count right; see `scripts/bench`. How fast is not asked here."""

from __future__ import annotations

import asyncio
import gc
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.embedded.postgres import Postgres
from chatd.embedded.valkey import Valkey
from chatd.gateway.protocol.frames import BINARY, TEXT, frame
from tests.bench import __main__ as bench
from tests.bench import against, capacity, curves, machine, products, profiler, report
from tests.bench.__main__ import measure
from tests.bench.adapters import Adapter, Chatd, Scene, Size
from tests.bench.environment import Stage
from tests.bench.http import Answer, Connection, request
from tests.bench.measuring import Figures, Lap
from tests.bench.meters import Cores
from tests.bench.open_loop import Window
from tests.bench.plans import DESCRIPTIONS, TINY, WORKLOADS
from tests.bench.report import Progress
from tests.bench.sockets import Socket
from tests.conftest import repository
from tests.helpers.processes import Process

CUTS = st.lists(st.integers(1, 400), max_size=20)


@pytest.fixture
def stage(tmp_path: Path, postgres: Postgres, valkey: Valkey) -> Iterator[Stage]:
    """The servers of this process; those that are measured are forked."""
    made = Stage(tmp_path, Cores(None, None), postgres, valkey, forked)
    yield made
    made.close()


def forked(
    command: Sequence[str], folder: Path, environment: dict[str, str], output: IO[bytes]
) -> Process:
    """Start a command like `environment.executed`, but without the time to import chatd."""
    return Process(command, folder, environment, (subprocess.DEVNULL, output, output))


@pytest.mark.parametrize(
    ("names", "titles"),
    [
        pytest.param(["connect"], {"handshake", "IDENTIFY"}, id="some"),
        pytest.param(
            ["create", "automod", "history", "fan-out", "connect", "resume", "search"],
            {"create", "history", "fan-out", "handshake", "IDENTIFY", "REST", "search"},
            id="many",
            marks=pytest.mark.soak,
        ),
    ],
)
async def test_the_workloads_run(stage: Stage, names: list[str], titles: set[str]) -> None:
    rows = await measure(stage, Chatd(), names, TINY, Progress(len(names) + 1))
    assert {row.what.split()[0].rstrip(",") for row in rows} >= titles
    measured = [row for row in rows if not row.what.startswith("indexing")]
    assert all(row.rate and row.p50_s and row.p99_s for row in measured)
    assert len(report.table(rows).splitlines()) == len(rows) + 1
    assert len(report.as_json(rows)) == len(rows)


@pytest.fixture
def frozen_again() -> Iterator[None]:
    """Exclude what exists from garbage collection again, since `capacity` includes it at its end.

    With the objects of pytest, each collection of a later test would take half a second.
    """
    yield
    gc.collect()
    gc.freeze()


@pytest.mark.usefixtures("frozen_again")
async def test_capacity_is_searched(stage: Stage) -> None:
    rows = await measure(stage, Chatd(), ["capacity"], TINY, Progress(2))
    [result, *steps] = rows
    assert [row.more["people"] for row in steps] == [8, 12], [row.notes for row in steps]
    assert all(row.more["failures"] == 0 for row in steps), [row.notes for row in steps]
    assert all(row.rate and row.p50_s and row.p99_s and row.bytes_each for row in rows)
    assert result.more["people"] == 12
    assert result.met is False  # the goal is higher


@pytest.mark.parametrize(
    ("limit", "tried"),
    [
        (1000, [200, 400, 800, 1600, 1200, 1000, 1100]),
        (100, [200, 100]),
        (9999, [200, 400, 800, 1600, 3000]),
    ],
)
async def test_search_doubles_and_then_halves(limit: int, tried: list[int]) -> None:
    async def measure_step(people: int) -> capacity.Step:
        broken = ["late"] if people > limit else []
        return capacity.Step(people, Window(), Lap(), 0, 0.0, broken)

    search = capacity.Search(first=200, resolution=100)
    steps = await capacity.find(measure_step, search, 3000)
    assert [step.people for step in steps] == tried


async def test_search_never_measures_a_number_twice() -> None:
    async def measure_step(people: int) -> capacity.Step:
        return capacity.Step(people, Window(), Lap(), 0, 0.0, ["late"] if people > 1200 else [])

    steps = await capacity.find(measure_step, capacity.Search(bound_s=1.0), 19_000)
    assert [step.people for step in steps] == [2500, 1000, 1750]


async def test_missing_receipts_count_as_late() -> None:
    window = Window(receipts_s=[0.1], awaited=3, pending=1)
    await window.end(timeout_s=0.0)
    assert window.receipts_s == [0.1, 0.0, 0.0]
    assert window.failures == {"receipt missing": 2, "request without response": 1}


async def test_curves_are_measured() -> None:
    rows = await asyncio.to_thread(curves.rows, "chatd", TINY.members)
    assert len(rows) == len(curves.SCENES) * len(TINY.members)
    assert all(row.rate and row.more["turn_s"] for row in rows)
    assert [row.more["size"] for row in rows if "exponent" in row.more] == [40] * len(curves.SCENES)


def test_exponent_of_a_curve() -> None:
    points = [
        curves.Point(size, unit_s, 0.0) for size, unit_s in ((10, 1.0), (20, 9.0), (40, 16.0))
    ]
    assert curves.exponent(points) == pytest.approx(2.0)


@pytest.mark.soak
async def test_two_versions_are_compared(stage: Stage) -> None:
    rows = await against.rows(stage, "HEAD", TINY, Progress(7))
    assert {row.bare for row in rows} == {"HEAD"}
    assert all(row.compared == "CPU" and row.ratio for row in rows)


def test_one_account_of_a_measurement_may_do_the_work_of_many(tmp_path: Path) -> None:
    """Another process, since the limits of this one stay as they are in production."""
    program = """
from tests.bench import large_limits
large_limits.enlarge()
from chatd.rest.middleware import concurrency, rate_limits
limiter = concurrency.ConcurrencyLimiter()
account = limiter._admit("one")
assert all(account.take_slot() for _ in range(1000)), "too few requests at once"
assert rate_limits.GLOBAL.requests > 1000, "too few requests a second"
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(repository()), *sys.path])}
    with (tmp_path / "output").open("w+b") as output:
        code = forked([sys.executable, "-c", program], tmp_path, environment, output).wait(120)
        output.seek(0)
        assert (code, output.read()) == (0, b"")


def test_version_that_git_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(against.UnknownVersion):
        against.extract("no-such-commit", tmp_path / "other")


class Rival(Chatd):
    """A server of which only is known how it is started and how one registers."""

    name = "rival"

    async def furnish(self, stage: Stage, port: int, size: Size) -> Scene:
        """Over the API, as for any other server."""
        return await Adapter.furnish(self, stage, port, size)

    async def register(self, connection: Connection, name: str) -> str:
        """Make an account."""
        email = f"{name}@example.org"
        body = {"username": name, "email": email, "password": "Password123!"}
        answer = await connection.well(request("POST", "/auth/register", body=body))
        return str(answer.json["access_token"])


async def test_a_rival_is_measured_through_its_adapter(stage: Stage) -> None:
    size = Size(members=2, channels=2, guilds=1, messages=60, places=1)
    # On a busy machine, the time can be over before the first request.
    plan = replace(TINY, size=size, seconds=0.0)
    rows = await measure(stage, Rival(), ["create"], plan, Progress(2))
    assert [row.server for row in rows] == ["rival"] * 3
    assert {row.what.split()[0].rstrip(",") for row in rows} == {"create"}
    assert all(row.rate and row.p50_s and row.p99_s for row in rows)


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    """The data as a network may deliver it."""
    found = []
    for size in sizes:
        found.append(data[:size])
        data = data[size:]
    return [each for each in [*found, data] if each]


@given(st.lists(st.integers(0, 70_000), max_size=3), CUTS, st.booleans())
def test_frames_are_counted_however_they_arrive(
    lengths: list[int], sizes: list[int], reading: bool
) -> None:
    async def receive() -> tuple[int, list[bytes]]:
        socket, heard = Socket("/gateway"), list[bytes]()
        if reading:
            socket.on_payload = lambda _, payload: heard.append(payload)
        upgraded = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
        frames = [frame(TEXT if n % 2 else BINARY, b"x" * n) for n in lengths]
        for piece in pieces(upgraded + b"".join(frames), sizes):
            socket.get_buffer(-1)[: len(piece)] = piece
            socket.buffer_updated(len(piece))
        return socket.frames, heard

    count, heard = asyncio.run(receive())
    assert count == len(lengths)
    assert list(map(len, heard)) == (lengths if reading else [])


@given(st.binary(min_size=1, max_size=2000), CUTS, st.booleans())
def test_answers_are_read_however_they_arrive(body: bytes, sizes: list[int], chunked: bool) -> None:
    async def receive() -> Answer:
        connection = Connection()
        connection.connection_made(_Nowhere())
        waiting = connection.send(b"GET / HTTP/1.1\r\n\r\n")
        data = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        if chunked:
            head = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
            data = head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        for piece in pieces(data, sizes):
            connection.data_received(piece)
        return await waiting

    assert asyncio.run(receive()) == (201, body)


class _Nowhere(asyncio.Transport):
    """Takes what is written."""

    def write(self, data: object) -> None:
        """Forget it."""

    def is_closing(self) -> bool:
        """It never is."""
        return False


def test_figures() -> None:
    laps = [Lap(units, 2.0, [0.001] * 99 + [1.0], {"server": 0.5}) for units in (10, 20, 60)]
    figures = Figures(laps)
    assert figures.rate == 10.0  # of the middle lap
    assert figures.latency_s(0.5) == 0.001
    assert figures.latency_s(0.99) == 1.0
    assert figures.cpu_s("server") == 1.5 / 90


def test_machine_is_described() -> None:
    found = machine.described()
    assert found.keys() >= {"date", "commit", "processor", "memory", "libraries"}
    assert found["Python"].startswith(platform.python_version())
    assert re.fullmatch(r"1[4-9]\.\d+", found["Postgres"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["Valkey"])
    assert re.fullmatch(r"[\d.]+ GiB", found["memory"])


def test_help_describes_every_workload(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert DESCRIPTIONS.keys() == WORKLOADS.keys()
    monkeypatch.setattr(sys, "argv", ["scripts/bench", "--help"])
    with pytest.raises(SystemExit, match="0"):
        bench.main()
    said = capsys.readouterr().out
    assert all(f"  {name} " in said and text in said for name, text in DESCRIPTIONS.items())


def test_every_column_is_explained() -> None:
    text = (repository() / "tests/bench/README.md").read_text()
    for head in re.split(r"  +", report.table([]).strip()):
        assert f"`{head}`" in text, head


def test_samples_are_added_up() -> None:
    text = profiler.table("3\tchatd/db/pool.py:a;chatd/app.py:b\n1\tre.py:c;chatd/app.py:b\n")
    assert " 75.0%  chatd/db/pool.py:a" in text
    assert " 75.0%  chatd/db/pool.py" in text.partition("in the module")[2]


def test_the_products_can_be_measured() -> None:
    # Minutes long: that it starts is all that is asked here.
    with pytest.raises(SystemExit, match="0"):
        products.main(["--help"])
