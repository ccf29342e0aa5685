"""Run a Python module and sample its stacks: python -m tests.bench.sampled FILE MODULE ARGUMENTS...

The stack is sampled every few milliseconds of CPU time (setitimer(2), ITIMER_PROF: as often as the
kernel's clock allows). SIGUSR1 starts counting. SIGUSR2 stops it and writes a line for each stack
with its count to FILE. The time of C code counts for the Python function that calls it.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

from tests.bench import large_limits

_EVERY_S = 0.001


class Sampler:
    """Counts stacks."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stacks: Counter[tuple[CodeType, ...]] = Counter()

    def install(self) -> None:
        """Install the signal handlers."""
        signal.signal(signal.SIGPROF, self._look)
        signal.signal(signal.SIGUSR1, self._begin)
        signal.signal(signal.SIGUSR2, self._end)

    def _look(self, _: int, frame: FrameType | None) -> None:
        stack = []
        while frame is not None:
            stack.append(frame.f_code)
            frame = frame.f_back
        self._stacks[tuple(stack)] += 1

    def _begin(self, _: int, __: FrameType | None) -> None:
        self._stacks.clear()
        signal.setitimer(signal.ITIMER_PROF, _EVERY_S, _EVERY_S)

    def _end(self, _: int, __: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        lines = [
            f"{count}\t{';'.join(map(_name, stack))}\n" for stack, count in self._stacks.items()
        ]
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text("".join(lines))
        unfinished.rename(self._file)


def _name(code: CodeType) -> str:
    """Return the name of a function with the significant part of its path."""
    path = code.co_filename.replace(os.sep, "/")
    for root in ("/site-packages/", f"/python3.{sys.version_info.minor}/"):
        path = path.rpartition(root)[2] or path
    if "/chatd/" in path:
        path = "chatd/" + path.rpartition("/chatd/")[2]
    return f"{path}:{code.co_qualname}"


if __name__ == "__main__":
    large_limits.enlarge()
    Sampler(Path(sys.argv[1])).install()
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
