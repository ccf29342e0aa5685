"""The long form of the checker."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from tests.history.broken import BUILDS, finds
from tests.history.play import play
from tests.history.rolling import next_version, roll
from tests.history.stage import Stage, staged

_FEW = 20  # problems that are shown


class Progress:
    """What is happening: one line that changes on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty()
        self._shown = ""
        self._skipped = 0

    def tell(self, text: str) -> None:
        """Show what is true now."""
        if self._is_live:
            width = shutil.get_terminal_size().columns
            print(f"\r\x1b[K{text[: width - 1]}", end="", file=sys.stderr, flush=True)
            self._shown = text
        elif self._skipped == 0:
            print(text, file=sys.stderr, flush=True)
        self._skipped = (self._skipped + 1) % 10

    def say(self, text: str) -> None:
        """Say what stays."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = ""
        print(text, flush=True)


async def main(arguments: argparse.Namespace) -> int:
    """Returns the exit code."""
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="chatd-history-") as folder:
        held = bool(arguments.rolling)
        async with staged(Path(folder), instances=arguments.instances, held=held) as stage:
            await stage.furnish(people=5, channels=4)
            if arguments.broken:
                return await _broken(stage, progress)
            if arguments.rolling:
                version = next_version(Path(folder)) if arguments.upgrade else None
                problems = await roll(
                    stage, sockets=arguments.rolling, version=version, tell=progress.say
                )
            else:
                problems = await play(
                    stage,
                    seconds=arguments.minutes * 60,
                    every_s=arguments.every,
                    tell=progress.tell,
                )
            progress.say(f"{len(stage.history.sent)} messages acknowledged")
            for name, count in sorted(stage.history.counts.items()):
                progress.say(f"{count} {name}")
            if problems:
                for instance in stage.instances:
                    kept = Path(tempfile.gettempdir(), f"chatd-history-{instance.log.name}")
                    shutil.copy(instance.log, kept)
                    progress.say(f"see {kept}")
    progress.say(
        "\n".join(problems[:_FEW]) or "Nothing is missing, nothing came twice, all came in order."
    )
    return 1 if problems else 0


async def _broken(stage: Stage, progress: Progress) -> int:
    """Let the checker look at builds that are broken on purpose."""
    missed = 0
    for name, build in BUILDS.items():
        problem = await finds(stage, name)
        as_it_should = (problem is not None) == (build.shows is not None)
        missed += not as_it_should
        remark = "" if as_it_should else "  <- WRONG"
        progress.say(f"{name:20} {problem or 'nothing is wrong'}{remark}")
    return 1 if missed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/history")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two faults")
    parser.add_argument("--instances", type=int, default=2)
    parser.add_argument(
        "--rolling",
        type=int,
        default=0,
        metavar="SOCKETS",
        help="instead, restart all instances in good order, one by one, while so many listen and"
        " others read and write: no request may fail",
    )
    parser.add_argument(
        "--upgrade",
        action="store_true",
        help="with --rolling: migrate to a next version first, which the restarts bring",
    )
    parser.add_argument(
        "--broken",
        action="store_true",
        help="instead, see the checker find what is wrong in builds that are broken on purpose",
    )
    sys.exit(asyncio.run(main(parser.parse_args())))
