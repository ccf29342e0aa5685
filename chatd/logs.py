"""What the log looks like: lines for people and journald, or JSON for machines.

Each line names the request or the session in which it was written. Nothing secret is ever logged:
no token, password, content of a message, nor the parameters of a statement.
"""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar

import orjson

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
SESSION_ID: ContextVar[str] = ContextVar("session_id", default="")
"""The start of the id: all of it is half of what is needed to resume."""


def set_up(level: str, style: str) -> None:
    """Log to stderr from now on: `plain` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if style == "json" else Plain())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging.getLogger("yoyo").setLevel(logging.WARNING)  # it tells every statement


def name_session(session_id: str) -> None:
    """What is logged in this task is about this session."""
    SESSION_ID.set(session_id[:8])


class Plain(logging.Formatter):
    """A line for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        text = super().formatMessage(record)
        if request_id := REQUEST_ID.get():
            text += f" request={request_id}"
        if session_id := SESSION_ID.get():
            text += f" session={session_id}"
        return text


class Json(logging.Formatter):
    """An object in one line."""

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
