"""The command: `scripts/history`."""

from __future__ import annotations

import argparse
import asyncio
import functools
import sys
import tempfile
from pathlib import Path

from tests.history.playing import play
from tests.history.rolling import next_version, roll
from tests.history.stage import staged


async def main(minutes: float, every_s: float, rolling: int, *, upgrade: bool) -> int:
    """The long form; returns the exit code."""
    tell = functools.partial(print, flush=True)
    with tempfile.TemporaryDirectory(prefix="chatd-history-") as folder:
        async with staged(Path(folder), held=bool(rolling)) as stage:
            await stage.furnish(people=5, channels=4)
            if rolling:
                version = next_version(Path(folder)) if upgrade else None
                problems = await roll(stage, sockets=rolling, version=version, tell=tell)
            else:
                problems = await play(stage, seconds=minutes * 60, every_s=every_s, tell=tell)
            print(f"{len(stage.history.sent)} messages acknowledged", dict(stage.history.counts))
    print("\n".join(problems) or "Nothing is missing, nothing came twice, all came in order.")
    return 1 if problems else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/history")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two faults")
    parser.add_argument(
        "--rolling",
        type=int,
        default=0,
        metavar="SOCKETS",
        help="instead, restart both instances in good order, once, while so many listen and others"
        " read and write: no request may fail",
    )
    parser.add_argument(
        "--upgrade",
        action="store_true",
        help="with --rolling: migrate to a next version first, which the restarts bring",
    )
    arguments = parser.parse_args()
    if arguments.upgrade and not arguments.rolling:
        parser.error("--upgrade needs --rolling")
    ending = main(arguments.minutes, arguments.every, arguments.rolling, upgrade=arguments.upgrade)
    sys.exit(asyncio.run(ending))
