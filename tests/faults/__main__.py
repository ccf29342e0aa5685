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

from tests.faults.suffering import FAULTS, Row, suffer_all

_WIDTHS = (24, 54, 30, 8)
_HEAD = ("fault", "what the user saw", "what was lost", "healed")


def main(words: Sequence[str] | None = None) -> int:
    """Run it; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/faults",
        description="Breaks what a server stands on, while many write and listen: on real processes"
        " of its own, on this machine only. It ends by itself.",
        epilog="faults: " + ", ".join(FAULTS),
    )
    parser.add_argument("names", nargs="*", metavar="FAULT", help="only these; all without")
    parser.add_argument("--short", action="store_true", help="what takes a minute takes a moment")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found there, too")
    arguments = parser.parse_args(words)
    if unknown := sorted(set(arguments.names) - FAULTS.keys()):
        parser.error(f"there is no fault {unknown[0]!r}")
    rows = asyncio.run(_run(arguments.names or list(FAULTS), short=arguments.short))
    print("\n" + table(rows))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(list(map(_told, rows)), indent=2) + "\n")
    return 1 if any(row.problems for row in rows) else 0


def _told(row: Row) -> dict[str, object]:
    """A row, for machines."""
    fields = {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    return {**fields, "saw": row.saw, "lost": row.lost}


async def _run(names: list[str], *, short: bool) -> list[Row]:
    rows: list[Row] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chatd-faults-") as folder:
        async with aclosing(suffer_all(Path(folder), names, short=short)) as suffering:
            async for row in suffering:
                rows.append(row)
                is_well = row.left_out or ("WRONG" if row.problems else "well")
                print(
                    f"{time.monotonic() - began:5.0f} s  {len(rows)}/{len(names)}"
                    f"  {row.fault}: {is_well}",
                    flush=True,
                )
    return rows


def table(rows: Sequence[Row]) -> str:
    """The rows, for people."""
    lines = [_line(_HEAD), "-+-".join("-" * width for width in _WIDTHS)]
    for row in rows:
        if row.left_out:
            lines += _lines((row.fault, f"left out: {row.left_out}", "", ""))
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
