"""scripts/bench: the arguments, and the order of the workloads."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import orjson
import uvloop

from chatd.runtime import interpreter
from tests.bench import adapters, against, machine, measuring, meters, profiled, report
from tests.bench.adapters import Adapter, Chatd
from tests.bench.environment import Stage, staged
from tests.bench.measuring import Subject
from tests.bench.plans import DESCRIPTIONS, FULL, QUICK, SLOW, WORKLOADS, Plan
from tests.bench.report import Progress, Row

_OTHERS = 0.1
"""The share of the machine that other programs may use without a warning."""


async def measure(
    stage: Stage, adapter: Adapter, names: Sequence[str], plan: Plan, progress: Progress
) -> list[Row]:
    """Run workloads on a server. One that raises leaves a row without figures."""
    rows: list[Row] = []
    progress.step(f"{adapter.name}: filling")
    subject = Subject(adapter, stage, [await measuring.start(adapter, stage)])
    subject.scene = await adapter.furnish(stage, subject.port, plan.size)
    for name in names:
        progress.step(f"{adapter.name}: {name}")
        try:
            rows += await WORKLOADS[name](subject, plan)
        except Exception:
            traceback.print_exc()
            rows.append(Row(adapter.name, name, met=False, notes=["failed"]))
            await subject.restart()
    return rows


def _names(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures chatd beside the bare limits of what it is made of. It starts"
        " a private Postgres, Valkey and chatd, and never touches an installed server.",
        epilog="\n".join(
            [
                "workloads:",
                *(f"  {name:<11} {text}" for name, text in DESCRIPTIONS.items()),
                "",
                "scripts/bench products has options of its own: scripts/bench products --help.",
                "tests/bench/README.md explains rows and columns.",
            ]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "workloads",
        nargs="*",
        metavar="workload",
        help=f"one or several of those below; default: all, with --quick all but {_names(SLOW)}",
    )
    parser.add_argument("--quick", action="store_true", help="measure less, and less exactly")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the figures to this file"
    )
    parser.add_argument(
        "--profile",
        action="store_true",
        help=f"show where chatd spends its CPU time instead, in {_names(list(profiled.PROFILED))}",
    )
    parser.add_argument(
        "--against",
        metavar="REF",
        help="compare this checkout with the chatd of a commit instead, in turns; "
        "the ratio is that of the CPU time of a unit",
    )
    parser.add_argument(
        "--adapter",
        action="append",
        default=[],
        metavar="FILE.py:CLASS",
        help="also measure another server; see tests/bench/adapters.py",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.workloads) - WORKLOADS.keys():
        parser.error(f"no such workload: {', '.join(sorted(unknown))}")
    return arguments


def _compare(version: str, plan: Plan) -> None:
    """Print the table of this checkout and another version."""
    progress = Progress(2 + 5)
    with staged() as stage:
        try:
            rows = uvloop.run(against.rows(stage, version, plan, progress))
        except against.UnknownVersion as refused:
            sys.exit(f"scripts/bench: {refused}")
    progress.end()
    print(report.table(rows))


def main() -> None:
    """Read the arguments, measure, and print the table."""
    arguments = _arguments()
    names = arguments.workloads or [
        name for name in WORKLOADS if not (arguments.quick and name in SLOW)
    ]
    plan = QUICK if arguments.quick else FULL
    if not meters.Cores.of_this_machine().are_two:
        print("Server and generator share one core: the rates are too low.")
    if warning := meters.raise_file_limit(plan.files):
        print(warning)
    if arguments.profile:
        chosen = [name for name in names if name in profiled.PROFILED]
        print(uvloop.run(profiled.profile(chosen, QUICK, Progress(len(chosen) + 1))))
        return
    found = machine.described()
    print("\n".join(f"{name:<9}  {value}" for name, value in found.items()), end="\n\n", flush=True)
    if arguments.against:
        _compare(arguments.against, plan)
        return
    servers = [Chatd(), *map(adapters.named, arguments.adapter)]
    progress = Progress(len(servers) * (len(names) + 1))
    others = meters.Others()
    rows = []
    for adapter in servers:
        with staged() as stage:
            rows += uvloop.run(measure(stage, adapter, names, plan, progress))
    progress.end()
    print(report.table(rows))
    busy = others.share()
    if busy > _OTHERS:
        print(f"\nOther programs took {busy:.0%} of the machine: the rates are too low.")
    if arguments.json:
        on = {
            **found,
            "python": sys.version,
            "python_build": interpreter.build(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "used_by_others": busy,
        }
        figures = {"machine": on, "rows": report.as_json(rows)}
        arguments.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    if any(row.rate is None and row.bytes_each is None for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
