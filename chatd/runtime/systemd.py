"""The systemd protocol: readiness, watchdog, status, and passed sockets.

Rules: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3).
Without systemd, everything here does nothing. No library is used: the maintained ones either lack
reloading or bind to libsystemd, and the protocol is a datagram of a few lines.
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
from functools import partial

from chatd.core.retry import retried

log = logging.getLogger(__name__)

_FIRST_FD = 3  # SD_LISTEN_FDS_START

_PINGS_PER_TIMEOUT = 6
"""Watchdog pings within WatchdogSec. sd_watchdog_enabled(3) recommends two; more of them let a
loop be late a few times before systemd kills the process."""

_STATUS_S = 5.0
"""Interval of status updates where no watchdog sets one."""


class PassedSocketsError(Exception):
    """A passed socket cannot be used; the message is one line for the operator."""


class Notifier:
    """Sends notifications to the service manager at NOTIFY_SOCKET, if there is one.

    Does not block or raise: a service manager that does not read must not stop the server.
    """

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # "@" replaces the NUL byte that begins an abstract address (unix(7)).
        self._address = "\0" + address[1:] if address.startswith("@") else address
        # Opened at the start, so that watchdog pings work without free file descriptors.
        self._sending = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sending.setblocking(False)
        weakref.finalize(self, self._sending.close)
        self._status = ""
        self.watchdog_s = _watchdog_s(environment)
        """Seconds without a ping after which systemd kills this process; None if it never does."""

    @property
    def is_active(self) -> bool:
        """Whether there is a service manager."""
        return bool(self._address)

    def ready(self) -> None:
        """Report that the server serves, with its current settings."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Report the start of a reload; `ready` reports its end."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Report the start of a shutdown."""
        self._send("STOPPING=1", "STATUS=Stopping")

    def status(self, text: str) -> None:
        """Set the status line of `systemctl status`, if it has changed."""
        if text != self._status:
            self._status = text
            self._send(f"STATUS={text}")

    def ping_watchdog(self) -> None:
        """Restart the watchdog's timeout of `watchdog_s`."""
        self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            self._sending.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            log.warning("sd_notify(%s) failed: %s", lines[0], error)


@asynccontextmanager
async def watchdog(notifier: Notifier, status: Callable[[], str]) -> AsyncIterator[None]:
    """Ping the watchdog and update the status, while the event loop works.

    The ping is a task of the loop. When the loop hangs, there is no ping. There is none either
    when the task is late by more than its own interval: a loop that is so late serves no client in
    time. Each such delay is logged. systemd kills the process only if all pings within
    `watchdog_s` are missing.
    """
    if not notifier.is_active:
        yield
        return
    async with asyncio.TaskGroup() as tasks:
        pinging = tasks.create_task(
            retried("watchdog", partial(_ping, notifier, status)), name="watchdog"
        )
        try:
            yield
        finally:
            pinging.cancel()


async def _ping(notifier: Notifier, status: Callable[[], str]) -> None:
    interval_s = notifier.watchdog_s / _PINGS_PER_TIMEOUT if notifier.watchdog_s else _STATUS_S
    clock = asyncio.get_running_loop().time
    while True:
        notifier.status(status())
        if notifier.watchdog_s:
            notifier.ping_watchdog()
        due = clock() + interval_s
        await asyncio.sleep(interval_s)
        while (late_s := clock() - due) > interval_s:
            log.warning("event loop blocked for %.1f s", late_s)
            due = clock() + interval_s
            await asyncio.sleep(interval_s)


def _watchdog_s(environment: MutableMapping[str, str]) -> float | None:
    """Return the watchdog's timeout in seconds; None without one, or if it is another process's."""
    try:
        timeout_s = int(environment.get("WATCHDOG_USEC", "")) / 1e6
        pid = int(environment.get("WATCHDOG_PID", os.getpid()))
    except ValueError:
        return None
    return timeout_s if timeout_s > 0 and pid == os.getpid() else None


def passed_sockets(environment: MutableMapping[str, str]) -> list[socket.socket]:
    """Return the listening sockets passed to this process, in the order of the socket unit.

    Their names (LISTEN_FDNAMES) are ignored, because all ports serve the same. Removes the
    variables from the environment, so that a child process does not use them.
    Raises PassedSocketsError.
    """
    count = environment.pop("LISTEN_FDS", "0")
    pid = environment.pop("LISTEN_PID", "")
    environment.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()):
        return []
    if not count.isdecimal():
        raise PassedSocketsError(f"LISTEN_FDS is not a number: {count!r}")
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
