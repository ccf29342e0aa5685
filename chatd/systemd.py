"""What systemd and chatd tell each other: readiness, the watchdog's beat, sockets and secrets.

Rules: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3), and "Credentials" in systemd.exec(5).
Started by hand, all of it is silent. A library would add little: those that are kept up know no
reload or bind to libsystemd, and the protocol is a datagram of lines.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
import weakref
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager

log = logging.getLogger(__name__)

_FIRST_FD = 3
_BEATS = 6  # in the time after which systemd gives up
_STATUS_S = 5.0


class PassedSocketsError(Exception):
    """What was passed cannot be listened on; the text is one line for who started chatd."""


class Notifier:
    """Tells the service manager how we are, at the address in NOTIFY_SOCKET; without one, nobody.

    Never waits and never raises: a manager that does not listen must not stop the server.
    """

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # "@" stands for the NUL with which abstract addresses begin (unix(7)).
        self._address = "\0" + address[1:] if address.startswith("@") else address
        # Opened now: who has run out of file descriptors is not to be killed for being silent.
        self._sending = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sending.setblocking(False)
        weakref.finalize(self, self._sending.close)
        self._status = ""
        self.watchdog_s = _watchdog_s(environment)
        """After how long without a beat we are given up for dead; None: never."""

    @property
    def is_heard(self) -> bool:
        """Whether there is a service manager to tell."""
        return bool(self._address)

    def ready(self) -> None:
        """Connections are served, with the settings as they are now."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """The settings are being read anew; `ready` tells the end of it."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """It is about to end, as it was asked to."""
        self._tell("STOPPING=1", "STATUS=Stopping")

    def status(self, text: str) -> None:
        """A line for `systemctl status`; told when it has changed."""
        if text != self._status:
            self._status = text
            self._tell(f"STATUS={text}")

    def beat(self) -> None:
        """It is alive and well; `watchdog_s` begins anew."""
        self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            self._sending.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            log.warning("cannot tell the service manager %s: %s", lines[0], error)


@asynccontextmanager
async def watched(notifier: Notifier, status: Callable[[], str]) -> AsyncIterator[None]:
    """Beat, and show the status, for as long as the event loop keeps turning.

    The beat is a task of the loop: when the loop hangs, it stays out. It also stays out when the
    loop turns, but so slowly that the task is late by more than its own interval: what cannot be
    on time for that is on time for no client. One such turn is told; only when all of them are
    slow, for as long as `watchdog_s`, is it the end.
    """
    if not notifier.is_heard:
        yield
        return
    async with asyncio.TaskGroup() as tasks:
        beating = tasks.create_task(_beat(notifier, status), name="watchdog")
        try:
            yield
        finally:
            beating.cancel()


async def _beat(notifier: Notifier, status: Callable[[], str]) -> None:
    interval_s = notifier.watchdog_s / _BEATS if notifier.watchdog_s else _STATUS_S
    clock = asyncio.get_running_loop().time
    while True:
        notifier.status(status())
        if notifier.watchdog_s:
            notifier.beat()
        due = clock() + interval_s
        await asyncio.sleep(interval_s)
        while (late_s := clock() - due) > interval_s:
            log.warning("the event loop was held up for %.1f s", late_s)
            due = clock() + interval_s
            await asyncio.sleep(interval_s)


def _watchdog_s(environment: MutableMapping[str, str]) -> float | None:
    """The patience of the watchdog in seconds; None when there is none, or it watches another."""
    try:
        watched_s = int(environment.get("WATCHDOG_USEC", "")) / 1e6
        pid = int(environment.get("WATCHDOG_PID", os.getpid()))
    except ValueError:
        return None
    return watched_s if watched_s > 0 and pid == os.getpid() else None


def passed_sockets(environment: MutableMapping[str, str]) -> list[socket.socket]:
    """The listening sockets that were passed to this process, in the order of the socket unit.

    Their names (LISTEN_FDNAMES) do not matter: each of our ports serves the same. What told of
    them is removed from the environment, so that a child does not take them for its own.
    Raises PassedSocketsError.
    """
    count = environment.pop("LISTEN_FDS", "0")
    pid = environment.pop("LISTEN_PID", "")
    environment.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()):
        return []
    if not count.isdecimal():
        raise PassedSocketsError(f"LISTEN_FDS is no number: {count!r}")
    return [_listening(fd) for fd in range(_FIRST_FD, _FIRST_FD + int(count))]


def _listening(fd: int) -> socket.socket:
    try:
        os.set_inheritable(fd, False)
        passed = socket.socket(fileno=fd)
        listens = passed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise PassedSocketsError(f"file descriptor {fd} was passed, but: {error}") from error
    if passed.type != socket.SOCK_STREAM or not listens:
        raise PassedSocketsError(
            f"file descriptor {fd} was passed, but does not listen (Accept=no)"
        )
    return passed
