"""A plugin of pytest that runs test files in several processes: `-p tests.helpers.parallel`.

One process imports and collects all tests, which takes as long as hundreds of them run. Then it
forks the processes of tests. These take one file after the other and send it their reports.

Tests that are marked `few_processes` share something whose start takes seconds. Two of the
processes take their files first, and the others take them only at the end.
"""

from __future__ import annotations

import atexit
import itertools
import mmap
import multiprocessing
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Literal, NoReturn

import pytest
from _pytest import runner

_NUMBER_BYTES = 4

_FEW = 2
"""How many processes first take the files of tests that are marked `few_processes`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the number of processes."""
    parser.getgroup("parallel").addoption(
        "--processes",
        type=int,
        default=0,
        help="run the test files in this number of processes",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the collected tests in other processes, if the option is given."""
    option = session.config.option
    if not option.processes or option.collectonly or option.usepdb or session.testsfailed:
        return None
    _Parent(session).run(option.processes)
    return True


class _Queue:
    """The files that no process has taken yet, and whether to take more.

    A file is the numbers of its tests. The queue is two pipes with the numbers of the files: the
    kernel gives each one to one of the processes. One pipe is for files of `few_processes`.
    """

    def __init__(self, items: list[pytest.Item]) -> None:
        numbers = range(len(items))
        grouped = itertools.groupby(numbers, key=lambda number: items[number].path)
        self.files = [[*tests] for _, tests in grouped]
        few, most = list[int](), list[int]()
        for number, tests in enumerate(self.files):
            is_few = any(items[test].get_closest_marker("few_processes") for test in tests)
            (few if is_few else most).append(number)
        self._pipes = [_pipe_with(few), _pipe_with(most)]
        self._shared = mmap.mmap(-1, 1)

    def tests(self, process: int) -> Iterator[tuple[int, int | None]]:
        """Yield each test of the files that this process takes, and the next one."""
        tests = self._take(process)
        while tests and not self.is_stopped:
            following = [] if len(tests) > 1 else self._take(process)
            test, *tests = [*tests, *following]
            yield test, tests[0] if tests else None

    def _take(self, process: int) -> list[int]:
        for pipe in self._pipes if process < _FEW else reversed(self._pipes):
            if number := os.read(pipe, _NUMBER_BYTES):
                return self.files[int.from_bytes(number)]
        return []

    @property
    def is_stopped(self) -> bool:
        """Whether no process starts another test."""
        return self._shared[0] == 1

    def stop(self) -> None:
        """Let no process start another test."""
        self._shared[0] = 1


def _pipe_with(numbers: list[int]) -> int:
    """Return the end of a pipe from which these numbers can be read."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as pipe:
        for number in numbers:
            pipe.write(number.to_bytes(_NUMBER_BYTES))
    return reader


class _Parent:
    """The process that has collected the tests: it prints the results."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._hook = session.config.hook
        self._queue = _Queue(session.items)
        self._left = set(range(len(session.items)))
        self._pids: dict[Connection, int] = {}
        self._running: dict[Connection, int] = {}

    def run(self, processes: int) -> None:
        """Fork the processes, and handle what they send until all have ended."""
        if reporter := self._session.config.pluginmanager.getplugin("terminalreporter"):
            reporter.showfspath = False  # several files run at once; each dot would name its own
        try:
            for number in range(min(processes, len(self._queue.files))):
                self._fork(number)
            while self._pids:
                for ready in wait([*self._pids]):
                    assert isinstance(ready, Connection)
                    self._receive(ready)
        finally:
            self._queue.stop()
            for connection, pid in self._pids.items():
                connection.close()
                os.waitpid(pid, 0)
        session = self._session
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        for number in sorted(self._left):
            self._fail(number, "it was not run, because a process of tests has ended")

    def _fork(self, number: int) -> None:
        received, sent = multiprocessing.Pipe(duplex=False)
        folder = self._session.config._tmp_path_factory.getbasetemp() / str(number)  # type: ignore[attr-defined]
        pid = os.fork()
        if pid == 0:
            for other in (received, *self._pids):
                other.close()
            folder.mkdir(mode=0o700)
            self._session.config._tmp_path_factory._basetemp = folder  # type: ignore[attr-defined]
            _Child(self._session, self._queue, sent).run(number)
        sent.close()
        self._pids[received] = pid

    def _receive(self, connection: Connection) -> None:
        """Handle what a process sends, or its end."""
        try:
            kind, content = connection.recv()
        except (EOFError, OSError):
            self._end(connection)
            return
        match kind:
            case "started":
                self._running[connection] = content
                item = self._session.items[content]
                self._hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            case "report":
                report = self._hook.pytest_report_from_serializable(
                    config=self._session.config, data=content
                )
                self._hook.pytest_runtest_logreport(report=report)
            case "finished":
                item = self._session.items[self._running.pop(connection)]
                self._left.remove(content)
                self._hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
            case "warning":
                self._warn(**content)
        if self._session.shouldfail or self._session.shouldstop:
            self._queue.stop()

    def _warn(self, message: str, filename: str, lineno: int, **where: Any) -> None:
        """Count a warning for the summary."""
        warning = warnings.WarningMessage(Warning(message), Warning, filename, lineno)
        self._hook.pytest_warning_recorded.call_historic(
            kwargs={"warning_message": warning, **where}
        )

    def _end(self, connection: Connection) -> None:
        """Report the test that was running when a process ended, if there is one."""
        connection.close()
        _, status = os.waitpid(self._pids.pop(connection), 0)
        if (number := self._running.pop(connection, None)) is not None:
            self._left.remove(number)
            code = os.waitstatus_to_exitcode(status)
            self._fail(number, f"its process has ended with code {code}")

    def _fail(self, number: int, reason: str) -> None:
        """Report a test as failed that has not reported itself."""
        item = self._session.items[number]
        keywords: dict[str, Literal[1]] = dict.fromkeys(item.keywords, 1)
        report = pytest.TestReport(item.nodeid, item.location, keywords, "failed", reason, "call")
        self._hook.pytest_runtest_logreport(report=report)


class _Child:
    """A process of tests."""

    def __init__(self, session: pytest.Session, queue: _Queue, sent: Connection) -> None:
        self._session = session
        self._queue = queue
        self._sent = sent
        config = session.config
        config.pluginmanager.register(self)
        # The files for the output of tests, and the terminal, are those of the parent.
        capture = config.pluginmanager.getplugin("capturemanager")
        capture.stop_global_capturing()
        capture.start_global_capturing()
        capture.suspend_global_capture()
        if reporter := config.pluginmanager.getplugin("terminalreporter"):
            reporter._tw._file = Path(os.devnull).open("w")  # noqa: SIM115

    def run(self, process: int) -> NoReturn:
        """Run tests until none are left or the parent has ended, and exit."""
        code = 1
        try:
            self._run(process)
            code = 0
        except (KeyboardInterrupt, BrokenPipeError):
            pass
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            with suppress(BaseException):
                atexit._run_exitfuncs()
            os._exit(code)

    def _run(self, process: int) -> None:
        session = self._session
        try:
            for number, following in self._queue.tests(process):
                self._send("started", number)
                item = session.items[number]
                nextitem = None if following is None else session.items[following]
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
                self._send("finished", number)
                if session.shouldfail or session.shouldstop:
                    self._queue.stop()
        finally:
            runner.pytest_sessionfinish(session)  # ends the fixtures that are left

    def _send(self, kind: str, content: Any) -> None:
        self._sent.send((kind, content))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Send the report of a test."""
        config = self._session.config
        data = config.hook.pytest_report_to_serializable(config=config, report=report)
        self._send("report", data)

    def pytest_warning_recorded(
        self,
        warning_message: warnings.WarningMessage,
        when: str,
        nodeid: str,
        location: tuple[str, int, str] | None,
    ) -> None:
        """Send a warning."""
        content = {
            "message": f"{warning_message.category.__name__}: {warning_message.message}",
            "filename": warning_message.filename,
            "lineno": warning_message.lineno,
            "when": when,
            "nodeid": nodeid,
            "location": location,
        }
        self._send("warning", content)
