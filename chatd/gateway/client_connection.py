"""A connection as the handlers of IDENTIFY, RESUME and member requests see it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from chatd.core.ids import UserId
from chatd.gateway.send_queue import SendQueue
from chatd.gateway.session.session import Session, SessionSink


class ClientConnection(SessionSink, Protocol):
    """One socket, which serves at most one session."""

    session: Session | None
    """None before IDENTIFY or RESUME, and after the session has ended."""

    late_guilds: asyncio.Task[None] | None
    """The task that sends late guilds (`lifecycle.late_guilds`); None without late guilds."""

    @property
    def url(self) -> str:
        """The gateway's URL as the client reached it, without a query string."""

    @property
    def send_queue(self) -> SendQueue:
        """The send queue of this socket."""

    def require_not_blocked(self, user_id: UserId) -> None:
        """Record the client's account.

        Raises CloseConnection if too many connections of the account were closed for abuse.
        """

    def set_session(self, session: Session) -> None:
        """Serve this session from now on."""
