"""Where a server spends its CPU time: the sampled stacks of a workload, added up."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path

from tests.bench.adapters import Chatd
from tests.bench.environment import Process

_LINES = 25
_TIMEOUT_S = 10.0


class Sampled(Chatd):
    """chatd, run by `sampled`."""

    name = "chatd (sampled)"

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.program = ["-m", "tests.bench.sampled", str(file), "chatd", "serve"]

    def begin(self, process: Process) -> None:
        """Begin to count samples."""
        self.file.unlink(missing_ok=True)
        os.kill(process.child.pid, signal.SIGUSR1)

    async def end(self, process: Process) -> str:
        """Stop counting; return the table of samples."""
        os.kill(process.child.pid, signal.SIGUSR2)
        async with asyncio.timeout(_TIMEOUT_S):
            while not self.file.exists():
                await asyncio.sleep(0.05)
        return table(self.file.read_text())


def table(samples: str) -> str:
    """Return the share of each function itself, and of each module with all that it calls."""
    own: Counter[str] = Counter()
    within: Counter[str] = Counter()
    total = 0
    for line in samples.splitlines():
        count_text, _, stack_text = line.partition("\t")
        count, stack = int(count_text), stack_text.split(";")
        total += count
        own[stack[0]] += count
        for name in {_part(each) for each in stack}:
            within[name] += count
    lines = [f"{total} samples", "", "in the function itself"]
    lines += [f"{count / total:6.1%}  {name}" for name, count in own.most_common(_LINES)]
    lines += ["", "in the module and all it calls"]
    inner = [(name, count) for name, count in within.most_common() if count < total]
    lines += [f"{count / total:6.1%}  {name}" for name, count in inner[:_LINES]]
    return "\n".join(lines)


def _part(name: str) -> str:
    """Return the module of chatd, or the package of other code."""
    path = name.partition(":")[0]
    return path if path.startswith("chatd/") else path.partition("/")[0]
