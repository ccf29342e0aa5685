"""The table: a row for each workload, with the figures of the bare program and their ratio."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.bench.measuring import Figures

_BUSY = 0.85  # of a core; above it, the generator may limit the rate
_WIDTH = 28


@dataclass
class Row:
    """One line of the table. Times are in seconds, memory in bytes."""

    server: str
    what: str
    rate: float | None = None
    p50_s: float | None = None
    p99_s: float | None = None
    server_cpu_s: float | None = None
    postgres_cpu_s: float | None = None
    valkey_cpu_s: float | None = None
    bytes_each: float | None = None
    generator_share: float | None = None
    bare: str = ""
    bare_rate: float | None = None
    bare_p50_s: float | None = None
    bare_p99_s: float | None = None
    bare_cpu_s: float | None = None
    bare_bytes_each: float | None = None
    cost: float | None = None
    """CPU time of a unit as a multiple of the bare program's, with Postgres and Valkey.

    It varies less than rates do when other programs use the machine."""
    compared: str = ""
    """The quantity of the ratio: rate, p50, p99, CPU or memory."""
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    notes: list[str] = field(default_factory=list)
    more: dict[str, float] = field(default_factory=dict)
    """Further figures of a workload, which only the JSON has."""


def row(server: str, what: str, own: Figures) -> Row:
    """Return the row of a workload."""
    made = Row(
        server,
        what,
        rate=own.rate,
        p50_s=own.latency_s(0.5),
        p99_s=own.latency_s(0.99),
        server_cpu_s=own.cpu_s("server"),
        postgres_cpu_s=own.cpu_s("postgres"),
        valkey_cpu_s=own.cpu_s("valkey"),
        generator_share=own.generator_share,
    )
    if own.generator_share > _BUSY:
        made.notes.append("generator busy")
    return made


def beside(
    made: Row,
    name: str,
    bare: Figures,
    compared: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Row:
    """Add the figures of the bare program to a row, and compare their rate or latency."""
    made.bare = name
    made.bare_rate = bare.rate
    made.bare_p50_s, made.bare_p99_s = bare.latency_s(0.5), bare.latency_s(0.99)
    made.bare_cpu_s = bare.all_cpu_s
    own_cpu_s = sum(
        each or 0.0 for each in (made.server_cpu_s, made.postgres_cpu_s, made.valkey_cpu_s)
    )
    made.cost = own_cpu_s / bare.all_cpu_s if bare.all_cpu_s else None
    if bare.generator_share > _BUSY:
        made.notes.append("generator busy in bare")
    own, other = {
        "rate": (made.rate, made.bare_rate),
        "p50": (made.p50_s, made.bare_p50_s),
        "p99": (made.p99_s, made.bare_p99_s),
    }[compared]
    return compare(made, compared, own, other, at_least=at_least, at_most=at_most)


def compare(
    made: Row,
    compared: str,
    own: float | None,
    other: float | None,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Row:
    """Add a ratio to a row, and whether it meets its target."""
    made.compared = compared
    if own is not None and other:
        made.ratio = own / other
        if at_least is not None:
            made.target, made.met = f"≥ {at_least:g}", made.ratio >= at_least
        if at_most is not None:
            made.target, made.met = f"≤ {at_most:g}", made.ratio <= at_most
    return made


def bounded(made: Row, target: str, *, met: bool) -> Row:
    """Add a target to a row that is not a ratio."""
    made.target, made.met = target, met
    return made


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a text table. README.md explains the columns."""
    heads = ["", "rate", "p50", "p99", "server CPU", "Postgres CPU", "Valkey CPU", "memory"]
    heads += ["bare: rate", "p50", "p99", "CPU of all", "memory", "CPU ratio", "ratio"]
    heads += ["target", "", "bare is"]
    lines = [heads, *map(_cells, rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(heads))]
    texts = []
    for first, *figures, verdict, bare in lines:
        aligned = [cell.rjust(width) for cell, width in zip(figures, widths[1:-2], strict=True)]
        cells = [first.ljust(widths[0]), *aligned, verdict.ljust(widths[-2]), bare]
        texts.append("  ".join(cells).rstrip())
    return "\n".join(texts)


def _cells(made: Row) -> list[str]:
    verdict = {None: "", True: "ok", False: "MISSED"}[made.met]
    return [
        f"{made.server}: {made.what}",
        _rate(made.rate),
        _time(made.p50_s),
        _time(made.p99_s),
        _time(made.server_cpu_s),
        _time(made.postgres_cpu_s),
        _time(made.valkey_cpu_s),
        _memory(made.bytes_each),
        _rate(made.bare_rate),
        _time(made.bare_p50_s),
        _time(made.bare_p99_s),
        _time(made.bare_cpu_s),
        _memory(made.bare_bytes_each),
        "" if made.cost is None else f"{made.cost:.2f}x",
        "" if made.ratio is None else f"{made.ratio:.2f} {made.compared}",
        made.target,
        ", ".join([verdict, *made.notes] if verdict else made.notes),
        made.bare,
    ]


def _rate(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}/s"


def _time(value: float | None) -> str:
    if not value:
        return ""
    if value < 0.001:
        return f"{value * 1e6:.3g} µs" if value < 1e-4 else f"{value * 1e6:.0f} µs"
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.2f} s"


def _memory(value: float | None) -> str:
    return "" if value is None else f"{value / 1024:.1f} KB"


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the rows as JSON objects."""
    return [asdict(made) for made in rows]


class Progress:
    """A progress bar on a terminal, and a line for each step elsewhere."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._done = -1
        self._is_terminal = sys.stderr.isatty()

    def step(self, what: str) -> None:
        """Show the step that begins now."""
        self._done += 1
        share = self._done / self._steps
        if self._is_terminal:
            bar = "#" * round(share * _WIDTH)
            sys.stderr.write(f"\r\033[K[{bar:<{_WIDTH}}] {share:4.0%} {what}")
        else:
            sys.stderr.write(f"[{self._done}/{self._steps}] {what}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Clear the line."""
        if self._is_terminal:
            sys.stderr.write("\r\033[K")
