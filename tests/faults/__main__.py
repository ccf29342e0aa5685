"""The command: `scripts/faults`."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys
import tempfile
import textwrap
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from tests.faults.runner import FAULTS, Row, run_faults

_WIDTHS = (24, 54, 30, 8)
_HEAD = ("fault", "what the user saw", "what was lost", "healed")


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/faults",
        description="Inject faults into instances and their dependencies, while clients write and"
        " listen. All processes are its own, and run on this machine.",
        epilog="faults: " + ", ".join(FAULTS),
    )
    parser.add_argument("names", nargs="*", metavar="FAULT", help="faults to inject (default: all)")
    parser.add_argument("--short", action="store_true", help="shorten faults to seconds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to FILE")
    arguments = parser.parse_args(words)
    if unknown := sorted(set(arguments.names) - FAULTS.keys()):
        parser.error(f"there is no fault {unknown[0]!r}")
    rows = asyncio.run(_run(arguments.names or list(FAULTS), short=arguments.short))
    print("\n" + table(rows))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(list(map(_as_dict, rows)), indent=2) + "\n")
    return 1 if any(row.problems for row in rows) else 0


def _as_dict(row: Row) -> dict[str, object]:
    """Return a row as JSON-compatible data."""
    fields = {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    return {**fields, "saw": row.saw, "lost": row.lost}


async def _run(names: list[str], *, short: bool) -> list[Row]:
    rows: list[Row] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chatd-faults-") as folder:
        async with aclosing(run_faults(Path(folder), names, short=short)) as running_faults:
            async for row in running_faults:
                rows.append(row)
                is_well = row.skipped or ("WRONG" if row.problems else "well")
                print(
                    f"{time.monotonic() - began:5.0f} s  {len(rows)}/{len(names)}"
                    f"  {row.fault}: {is_well}",
                    flush=True,
                )
    return rows


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a text table."""
    lines = [_line(_HEAD), "-+-".join("-" * width for width in _WIDTHS)]
    for row in rows:
        if row.skipped:
            lines += _lines((row.fault, f"left out: {row.skipped}", "", ""))
        else:
            lines += _lines((row.fault, row.saw, row.lost, row.healed))
        lines.append("-+-".join("-" * width for width in _WIDTHS))
    return "\n".join(lines)


def _lines(cells: Sequence[str]) -> list[str]:
    parts = [textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, _WIDTHS, strict=True)]
    height = max(map(len, parts))
    return [_line([part[i] if i < len(part) else "" for part in parts]) for i in range(height)]


def _line(cells: Sequence[str]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True))
    return " | ".join(padded).rstrip()


if __name__ == "__main__":
    sys.exit(main())
