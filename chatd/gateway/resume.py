"""The handler of RESUME: finds the session here or in Redis, and replays what its client missed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from chatd.config import Config
from chatd.core.errors import ApiError, Unauthorized
from chatd.gateway.admission import AdmissionGate
from chatd.gateway.client_connection import ClientConnection
from chatd.gateway.fanout.event_history import EventHistory
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.lifecycle.handoff import HandoffStore
from chatd.gateway.lifecycle.restore import RestoreFailed, catch_up, restore_session
from chatd.gateway.lifecycle.resume_validator import LoginEnded, ResumeValidator
from chatd.gateway.protocol.commands import CloseCode, CloseConnection, Resume
from chatd.gateway.session.session import Session
from chatd.observability.metrics import Counters
from chatd.services.accounts.authentication import Authenticator, TokenClaims

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SuspendedSessions:
    """The sessions that an instance saved at shutdown, and the events that they missed since."""

    store: HandoffStore
    history: EventHistory

    @classmethod
    def from_config(cls, config: Config) -> SuspendedSessions:
        """Create the store and the history of an instance with these settings."""
        return cls(
            HandoffStore(
                config.redis_url,
                ttl_s=config.resume_window_s,
                timeout_s=config.shutdown_timeout_s / 4,
            ),
            EventHistory(retention_s=config.resume_window_s),
        )


class ResumeHandler:
    """Attaches sessions to the connections that resume them."""

    def __init__(
        self,
        authenticator: Authenticator,
        hub: Hub,
        counters: Counters,
        suspended_sessions: SuspendedSessions,
        *,
        resume_validator: ResumeValidator,
        admission_gate: AdmissionGate,
    ) -> None:
        self._authenticator = authenticator
        self._hub = hub
        self._counters = counters
        self._handoff_store = suspended_sessions.store
        self._event_history = suspended_sessions.history
        self._resume_validator = resume_validator
        self._admission_gate = admission_gate
        self._restoring: dict[str, asyncio.Event] = {}
        """The sessions that are being restored from Redis, each with an `Event` set at the end."""

    async def handle(self, connection: ClientConnection, command: Resume) -> None:
        """Resume a session on a connection that has none. Raises CloseConnection.

        Sends INVALID_SESSION if the session is unknown or cannot be replayed.
        """
        await self._admission_gate.admit()
        try:
            token = self._authenticator.read(command.token)
            session = await self._find_session(command.session_id, token)
        except Unauthorized:
            raise CloseConnection(
                CloseCode.AUTHENTICATION_FAILED, "Authentication failed."
            ) from None
        except ApiError as refused:  # the session remains, and the client can try again
            raise CloseConnection(CloseCode.UNKNOWN_ERROR, refused.text) from None
        if session is None or not session.has_all_guilds:
            connection.invalidate()
            return
        connection.require_not_blocked(session.user_id)
        if command.seq > session.seq:
            if session.sink is None:
                self._hub.remove(session)
            raise CloseConnection(CloseCode.INVALID_SEQ, "Invalid sequence number.")
        if not session.can_replay(command.seq):
            self._hub.invalidate(session)
            connection.invalidate()
            return
        self._hub.attach(session, connection)
        connection.set_session(session)
        self._hub.retain_replay(session.replay(command.seq, connection))
        session.send_resumed()
        self._counters.resumes += 1
        log.debug("user %d resumed", session.user_id)
        connection.send_queue.raise_limit()

    async def _find_session(self, session_id: str, token: TokenClaims) -> Session | None:
        """Return a session of the token's login, up to date with all events.

        None if the login has no session of this id, or has ended.
        Raises Unauthorized, ServiceUnavailable, DatabaseUnavailable.
        """
        # The client may have given up a connection on which its session is still being restored.
        while (other := self._restoring.get(session_id)) is not None:
            await other.wait()
        session = self._hub.session(session_id)
        if session is None:
            return await self._restore(session_id, token)
        if session.login_id != token.login_id:
            return None
        try:
            streams = {feed.stream for feed in session.feeds}
            positions = await self._resume_validator.validate(token, streams)
            await catch_up(session, self._hub, positions)
        except LoginEnded:
            self._hub.revoke(session)
            return None
        except RestoreFailed:
            self._hub.invalidate(session)
            return None
        # The session may have ended during the awaits.
        return session if self._hub.session(session_id) is session else None

    async def _restore(self, session_id: str, token: TokenClaims) -> Session | None:
        """Restore a session that another instance saved, or this one before it was restarted."""
        ended = self._restoring[session_id] = asyncio.Event()
        try:
            suspended = await self._handoff_store.find(session_id, token.login_id)
            if suspended is None:
                return None
            positions = await self._resume_validator.validate(token, suspended.positions.keys())
            if not await self._handoff_store.claim(session_id):
                return None
            return await restore_session(suspended, self._hub, self._event_history, positions)
        except (LoginEnded, RestoreFailed):
            return None
        finally:
            del self._restoring[session_id]
            ended.set()
