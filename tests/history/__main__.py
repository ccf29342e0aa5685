"""The command line of the checker."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from tests.history.broken import BUILDS, finds
from tests.history.environment import Cluster, running_cluster
from tests.history.rolling import build_next_version, restart_all
from tests.history.scenario import play

_MAX_SHOWN = 20  # problems that are shown


class Progress:
    """Progress output: one line that is rewritten on a terminal, otherwise a line now and then."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty()
        self._shown = ""
        self._skipped = 0

    def report(self, text: str) -> None:
        """Show the present state."""
        if self._is_live:
            width = shutil.get_terminal_size().columns
            print(f"\r\x1b[K{text[: width - 1]}", end="", file=sys.stderr, flush=True)
            self._shown = text
        elif self._skipped == 0:
            print(text, file=sys.stderr, flush=True)
        self._skipped = (self._skipped + 1) % 10

    def print_line(self, text: str) -> None:
        """Print a line that stays."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = ""
        print(text, flush=True)


async def main(arguments: argparse.Namespace) -> int:
    """Run the checker; return the exit code."""
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="chatd-history-") as folder:
        held = bool(arguments.rolling)
        async with running_cluster(
            Path(folder), instances=arguments.instances, held=held
        ) as cluster:
            await cluster.set_up(people=5, channels=4)
            if arguments.broken:
                return await _broken(cluster, progress)
            if arguments.rolling:
                version = build_next_version(Path(folder)) if arguments.upgrade else None
                problems = await restart_all(
                    cluster, sockets=arguments.rolling, version=version, report=progress.print_line
                )
            else:
                problems = await play(
                    cluster,
                    seconds=arguments.minutes * 60,
                    every_s=arguments.every,
                    report=progress.report,
                )
            progress.print_line(f"{len(cluster.history.sent)} messages acknowledged")
            for name, count in sorted(cluster.history.counts.items()):
                progress.print_line(f"{count} {name}")
            if problems:
                for instance in cluster.instances:
                    kept = Path(tempfile.gettempdir(), f"chatd-history-{instance.log.name}")
                    shutil.copy(instance.log, kept)
                    progress.print_line(f"see {kept}")
    progress.print_line(
        "\n".join(problems[:_MAX_SHOWN])
        or "Nothing is missing, nothing came twice, all came in order."
    )
    return 1 if problems else 0


async def _broken(cluster: Cluster, progress: Progress) -> int:
    """Run the checker on builds that are broken on purpose; return the exit code."""
    missed = 0
    for name, build in BUILDS.items():
        problem = await finds(cluster, name)
        is_as_expected = (problem is not None) == (build.shows is not None)
        missed += not is_as_expected
        remark = "" if is_as_expected else "  <- WRONG"
        progress.print_line(f"{name:20} {problem or 'nothing is wrong'}{remark}")
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
        help="instead, restart the instances gracefully, one by one, while this many clients listen"
        " and others read and write: no request may fail",
    )
    parser.add_argument(
        "--upgrade",
        action="store_true",
        help="with --rolling: migrate to the next version first; the restarts upgrade to it",
    )
    parser.add_argument(
        "--broken",
        action="store_true",
        help="instead, check that the checker finds the bugs of builds that are broken on purpose",
    )
    sys.exit(asyncio.run(main(parser.parse_args())))
