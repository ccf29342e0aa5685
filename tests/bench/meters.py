"""Cores, and what processes use of them: CPU seconds, and resident memory."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_SELF, _CHILDREN = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN


@dataclass(frozen=True)
class Cores:
    """The core of the server with its Postgres and Valkey, and the core of the generator."""

    server: int | None
    generator: int | None

    @classmethod
    def of_this_machine(cls) -> Cores:
        """Return the first two cores that this process may use; None without CPU affinity."""
        if not hasattr(os, "sched_setaffinity"):
            return cls(None, None)
        allowed = sorted(os.sched_getaffinity(0))
        return cls(allowed[0], allowed[1 % len(allowed)])

    @property
    def are_two(self) -> bool:
        return self.server is not None and self.server != self.generator

    def take_generator(self) -> None:
        """Bind this process to the generator's core."""
        if self.generator is not None:
            os.sched_setaffinity(0, {self.generator})

    def give_server(self, pid: int) -> None:
        """Bind a process with its threads and children to the server's core."""
        if self.server is None:
            return
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                for thread in process.threads():
                    with contextlib.suppress(ProcessLookupError):
                        os.sched_setaffinity(thread.id, {self.server})


def cpu_s(pids: Sequence[int]) -> float:
    """Return the CPU seconds of processes and their children, including ended ones."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(pid)
            ended = root.cpu_times()
            total += _cpu_s(root) + ended.children_user + ended.children_system
            for child in root.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    total += _cpu_s(child)
    return total


def _cpu_s(process: psutil.Process) -> float:
    """Return the CPU seconds of one process.

    Linux counts nanoseconds in schedstat; elsewhere the unit is a hundredth of a second.
    """
    try:
        threads = Path(f"/proc/{process.pid}/task").iterdir()
        texts = [(thread / "schedstat").read_text() for thread in threads]
    except OSError:
        times = process.cpu_times()
        return times.user + times.system
    return sum(int(text.split()[0]) for text in texts) / 1e9


def wanted_s() -> float:
    """Return the seconds in which this process ran or waited for its core."""
    try:
        ran_ns, waited_ns, _ = Path("/proc/self/schedstat").read_text().split()
    except OSError:
        return time.process_time()
    return (int(ran_ns) + int(waited_ns)) / 1e9


class Others:
    """The CPU time that other programs use from now on."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._busy_s, self._own_s = self._used()

    def share(self) -> float:
        """Return their share of all cores. A child counts as another program until it ends."""
        busy_s, own_s = self._used()
        elapsed_s = (time.monotonic() - self._started) * (psutil.cpu_count() or 1)
        return max(0.0, busy_s - self._busy_s - (own_s - self._own_s)) / elapsed_s

    def _used(self) -> tuple[float, float]:
        times = psutil.cpu_times()._asdict()
        busy_s = sum(times.get(name, 0.0) for name in ("user", "system", "irq", "softirq", "steal"))
        usages = (resource.getrusage(who) for who in (_SELF, _CHILDREN))
        return busy_s, sum(usage.ru_utime + usage.ru_stime for usage in usages)


def resident_bytes(pids: Sequence[int]) -> int:
    """Return the resident memory of processes."""
    return sum(psutil.Process(pid).memory_info().rss for pid in pids)


def raise_file_limit(needed: int) -> str | None:
    """Raise the limit of open files to the hard limit; return a warning if that is too low."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < needed:
        return f"{needed} open files are needed and {hard} allowed: see `ulimit -Hn`."
    return None
