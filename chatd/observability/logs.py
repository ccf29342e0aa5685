"""Logging: format and context of log lines, as plain text or JSON, with priorities for journald.

Each line names the request or the session in which it was written. Secrets are never logged:
tokens, passwords, message content, and the parameters of statements.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TextIO

import orjson

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
SESSION_ID: ContextVar[str] = ContextVar("session_id", default="")
"""The first 8 characters of the session id. RESUME needs the whole id, so it is not logged."""


def configure(level: str, style: str) -> None:
    """Log to stderr, in the style `plain` or `json`.

    If journald reads stderr, each line begins with its priority. The time is left out, because
    journald adds it.
    """
    handler = logging.StreamHandler(sys.stderr)
    in_journal = is_journal(sys.stderr, os.environ)
    formatter = JsonFormatter() if style == "json" else PlainFormatter(with_time=not in_journal)
    handler.setFormatter(PriorityFormatter(formatter) if in_journal else formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging.getLogger("yoyo").setLevel(logging.WARNING)  # it logs every statement


def bind_session(session_id: str) -> None:
    """Add the session to all lines that this task logs."""
    SESSION_ID.set(session_id[:8])


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether journald reads this stream.

    JOURNAL_STREAM names journald's socket by device and inode. A child process inherits the
    variable even if its stderr is redirected, so both are compared.
    Rule: systemd.exec(5), "$JOURNAL_STREAM".
    """
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # the stream is closed or has no file descriptor
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def prioritized(text: str, level: int) -> str:
    """Prefix every line with its syslog priority, for journald.

    Rule: sd-daemon(3). journald assumes the priority 6 (info) for a line without a prefix.
    """
    priority = next((number for lowest, number in _PRIORITIES if level >= lowest), 7)
    return "\n".join(f"<{priority}>{line}" for line in text.splitlines())


_PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
)


class PriorityFormatter(logging.Formatter):
    """Adds journald's priorities to the lines of another formatter."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return prioritized(self._inner.format(record), record.levelno)


class PlainFormatter(logging.Formatter):
    """Formats a record as a line of plain text."""

    def __init__(self, *, with_time: bool = True) -> None:
        time = "%(asctime)s " if with_time else ""
        super().__init__(f"{time}%(levelname)-7s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        text = super().formatMessage(record)
        if request_id := REQUEST_ID.get():
            text += f" request={request_id}"
        if session_id := SESSION_ID.get():
            text += f" session={session_id}"
        return text


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object in one line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        if session_id := SESSION_ID.get():
            line["session_id"] = session_id
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()
