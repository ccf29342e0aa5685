"""The handler of IDENTIFY: checks limits, starts a session and sends its late guilds."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatd.core.errors import ApiError, Unauthorized
from chatd.core.ids import GuildId
from chatd.core.models import Caller
from chatd.db.acquire_timeout import acquire_timeout
from chatd.db.pool import Database
from chatd.gateway.client_connection import ClientConnection
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.lifecycle.late_guilds import LateGuilds
from chatd.gateway.lifecycle.startup import DisallowedIntents, SessionStartup
from chatd.gateway.protocol.commands import CloseCode, CloseConnection, Identify
from chatd.gateway.protocol.encoders import PLAIN, ZLIB_PAYLOADS
from chatd.gateway.session.session import Session
from chatd.gateway.session.state import SessionState
from chatd.observability.metrics import Counters
from chatd.ratelimit import identify_limits
from chatd.ratelimit.limiter import RateLimits
from chatd.services.accounts.authentication import Authenticator

log = logging.getLogger(__name__)

_ACQUIRE_TIMEOUT_S = 30.0
"""How long a session that starts waits for a database connection, in seconds. It is longer than for
requests: a client that is refused identifies again, and then waits behind all others. It is shorter
than the heartbeat interval, because the gateway answers no heartbeat until the session starts."""


@dataclass(frozen=True, slots=True)
class StartLimits:
    """Limits on IDENTIFY."""

    rate_limits: RateLimits | None
    """The limits of an account; None disables them."""
    concurrency: int
    """How many sessions start concurrently. When all clients reconnect, other requests still get
    database connections and event-loop time."""


class IdentifyHandler:
    """Starts the sessions of an instance."""

    def __init__(
        self,
        database: Database,
        authenticator: Authenticator,
        hub: Hub,
        counters: Counters,
        limits: StartLimits,
    ) -> None:
        self._database = database
        self._authenticator = authenticator
        self._hub = hub
        self._counters = counters
        self._rate_limits = limits.rate_limits
        self._slots = asyncio.Semaphore(limits.concurrency)

    async def handle(self, connection: ClientConnection, command: Identify) -> None:
        """Start a session on a connection that has none. Raises CloseConnection."""
        async with self._slots:
            with acquire_timeout(_ACQUIRE_TIMEOUT_S):
                await self._start_session(connection, command)

    async def _start_session(self, connection: ClientConnection, command: Identify) -> None:
        caller = await self._authenticate(command.token)
        connection.require_not_blocked(caller.user.id)
        if not await self._check_identify_limit(caller):
            connection.invalidate()  # after op 9 a client waits 1 to 5 s before it identifies
            return
        if not self._hub.make_room_for(caller.user.id):
            raise CloseConnection(CloseCode.RATE_LIMITED, "Too many sessions.")
        session = Session(_initial_state(caller, command), self._hub.replay_budget)
        client = session.user_client
        if session.sees_only_itself or (client is not None and client.dedupes):
            command = replace(command, large_threshold=0)
        # The web client Fermi sends `compress`, but then expects one zlib stream, not compressed
        # payloads. Discord promises to compress only some payloads, so user clients get none.
        if command.compress and client is None and connection.send_queue.encoder is PLAIN:
            connection.send_queue.encoder = ZLIB_PAYLOADS
        startup = SessionStartup(self._database, self._hub, session)
        await _start(startup, connection, command)
        connection.set_session(session)
        self._counters.identifies += 1
        log.debug("user %d identified", session.user_id)
        connection.send_queue.raise_limit()
        if startup.later:
            sending = self._send_late_guilds(
                connection, session, startup.later, command.large_threshold
            )
            connection.late_guilds = asyncio.create_task(sending, name="late guilds")

    async def _authenticate(self, token: str) -> Caller:
        try:
            return await self._authenticator.authenticate(token)
        except Unauthorized:
            raise _authentication_failed() from None
        except ApiError as refused:
            raise CloseConnection(CloseCode.UNKNOWN_ERROR, refused.text) from None

    async def _check_identify_limit(self, caller: Caller) -> bool:
        """Count an IDENTIFY of the caller, and return whether it is allowed now.

        Raises CloseConnection when the caller has used up the sessions of this day.
        """
        if self._rate_limits is None:
            return True
        decision = await identify_limits.count_identify(self._rate_limits, caller.user.id)
        if decision.limit is identify_limits.PER_DAY and not decision.granted:
            raise CloseConnection(CloseCode.RATE_LIMITED, "Too many sessions today.")
        return decision.granted

    async def _send_late_guilds(
        self,
        connection: ClientConnection,
        session: Session,
        parts: Sequence[Sequence[GuildId]],
        large_threshold: int,
    ) -> None:
        """Send the guilds that did not fit into READY, no faster than the client reads them."""
        try:
            for guild_ids in parts:
                await connection.send_queue.wait_for_drain()
                async with self._slots:
                    if connection.session is not session or session.sink is not connection:
                        return
                    late = LateGuilds(
                        self._database,
                        self._hub,
                        session,
                        guild_ids,
                        large_threshold=large_threshold,
                    )
                    await late.send()
            session.has_all_guilds = True
        except ApiError as refused:
            connection.close(CloseCode.UNKNOWN_ERROR, refused.text)
        except Exception:
            log.exception("cannot send the guilds of user %d", session.user_id)
            connection.close(CloseCode.UNKNOWN_ERROR, "Something went wrong here.")
        finally:
            if not session.has_all_guilds:
                self._hub.remove(session)


def _initial_state(caller: Caller, command: Identify) -> SessionState:
    return SessionState(
        secrets.token_hex(16),
        caller.user.id,
        caller.login_id,
        command.intents,
        shard=command.shard,
        presence=command.presence,
        device=command.device,
        is_bot=caller.user.bot,
        user_client=None if caller.user.bot else command.user_client,
    )


async def _start(startup: SessionStartup, connection: ClientConnection, command: Identify) -> None:
    """Start a session. Raises CloseConnection with the code for what went wrong."""
    try:
        await startup.start(connection, command, connection.url)
    except Unauthorized:
        raise _authentication_failed() from None
    except DisallowedIntents:
        raise CloseConnection(CloseCode.DISALLOWED_INTENTS, "Disallowed intents.") from None
    except ApiError as refused:
        raise CloseConnection(CloseCode.UNKNOWN_ERROR, refused.text) from None


def _authentication_failed() -> CloseConnection:
    return CloseConnection(CloseCode.AUTHENTICATION_FAILED, "Authentication failed.")
