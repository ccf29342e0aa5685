"""A process that has imported chatd, and forks a process for each command that a test runs.

Importing chatd takes most of the CPU time of a command, and the suite runs hundreds of them. A
forked process has its own pid, environment, folder, files and signals, like one that executes
`python -m chatd`; only the imports are shared. Tests of imports execute a new interpreter.

All processes of tests share one, since its own start takes as long as that of ten commands.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from chatd.rest import table
from tests.helpers import clusters

MODULES = (
    "chatd.__main__",
    "chatd.cli.invitation",
    "chatd.db.migrations",
    "chatd.embedded.lifecycle",
    "chatd.server",
    "rich.progress",
    "rich.table",
)
"""What commands import."""

_FIRST_PASSED_FD = 3  # sd_listen_fds(3)
_MAX_REQUEST = 2**17
_MAX_FDS = 16


@dataclass(frozen=True)
class Request:
    """A program with its arguments, and where it runs."""

    command: list[str]
    folder: str
    environment: dict[str, str]
    is_executed: bool
    """Whether it needs a new interpreter, or is not `python -m …` or `python -c …` at all."""
    cluster: str | None
    """The data folder that private Postgres servers of the program copy, if any."""

    def send(self, control: socket.socket, fds: list[int]) -> None:
        """Send it with the socket for the answer, standard input, output, error, and more."""
        content = json.dumps(asdict(self)).encode()
        assert len(content) < _MAX_REQUEST
        socket.send_fds(control, [content], fds)


def main() -> None:
    """Answer requests on standard input until it is closed; return in the process of a command.

    A process of its own does so, because its starter may end before the other processes of tests.
    """
    if os.fork():
        os._exit(0)
    for name in MODULES:
        importlib.import_module(name)
    del sys.modules["chatd.__main__"]  # a command executes it
    table.resources()  # a server shares what is there before it is forked
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the tests, which end this process
    with socket.socket(fileno=0) as control:
        forked = _serve(control)
        control.detach()
    if forked is None:
        return
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _become(*forked)


def _serve(control: socket.socket) -> tuple[Request, list[int]] | None:
    """Fork a process for each request; return its request and files in it.

    Returns None when all processes of tests have closed their end of the socket. Sends the pid of
    each process, and then its exit status. A process that only waits for each would need a fork of
    its own, which copies all page tables.
    """
    answers: dict[int, int] = {}
    woken, waker = socket.socketpair()
    for end in (woken, waker):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    with woken, waker:
        while True:
            readable, _, _ = select.select([control, woken], [], [])
            if woken in readable:
                woken.recv(_MAX_REQUEST)
                _report(answers)
            if control not in readable:
                continue
            content, fds, _, _ = socket.recv_fds(control, _MAX_REQUEST, _MAX_FDS)
            if not content:
                return None
            answer, *given = fds
            child = os.fork()
            if not child:
                signal.set_wakeup_fd(-1)
                for other in (answer, *answers.values()):
                    os.close(other)
                return Request(**json.loads(content)), given
            for fd in given:
                os.close(fd)
            answers[child] = answer
            _send(answer, child)


def _report(answers: dict[int, int]) -> None:
    """Send the exit statuses of the processes that have ended."""
    while answers:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        answer = answers.pop(child)
        _send(answer, os.waitstatus_to_exitcode(status))
        os.close(answer)


def _send(answer: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # the tests do not wait for it
        os.write(answer, b"%d\n" % number)


def _become(request: Request, given: list[int]) -> None:
    """Take over the files, folder and environment of a command, and run it."""
    first = max(given) + 1  # so that no number is overwritten before it is copied
    copies = [_moved(fd, first) for fd in given]
    for place, fd in enumerate(copies):
        os.dup2(fd, place, inheritable=True)
    os.closerange(len(copies), max(copies) + 1)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    if len(copies) > _FIRST_PASSED_FD:
        os.environ["LISTEN_FDS"] = str(len(copies) - _FIRST_PASSED_FD)
        os.environ["LISTEN_PID"] = str(os.getpid())
    if request.is_executed:
        os.execvp(request.command[0], request.command)
    if request.cluster is not None:
        clusters.copy_cluster(Path(request.cluster))
    time.tzset()
    sys.stdin = _text(0, "r")
    sys.stdout = _text(1, "w")
    sys.stderr = _text(2, "w", errors="backslashreplace", is_line_buffered=True)
    _, kind, what, *arguments = request.command
    sys.argv = [what, *arguments]
    try:
        if kind == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        code = end.code or 0
    else:
        code = 0
    _exit(code)


def _exit(code: int) -> None:
    """End like the interpreter does, but free no modules: that would copy every page of them.

    Raises SystemExit if the output cannot be written, which the interpreter then reports.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    gc.collect()  # what is in cycles may report that it was not closed
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    raise SystemExit(code)


def _moved(fd: int, first: int) -> int:
    copy = fcntl.fcntl(fd, fcntl.F_DUPFD, first)
    os.close(fd)
    return copy


def _text(
    fd: int, mode: str, *, errors: str = "surrogateescape", is_line_buffered: bool = False
) -> io.TextIOWrapper:
    """Open a standard stream like the interpreter does at its start."""
    return io.TextIOWrapper(
        open(fd, f"{mode}b", closefd=False),  # it stays open until the end
        encoding="utf-8",
        errors=errors,
        line_buffering=is_line_buffered or os.isatty(fd),
    )


if __name__ == "__main__":
    main()
