"""A connection: one socket, from HELLO to its close."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import WSMsgType, web

from chatd import logs
from chatd.core.errors import Refusal, Unauthorized
from chatd.core.ids import LoginId, StreamId
from chatd.core.intents import Intents
from chatd.core.models import Caller
from chatd.db import Database
from chatd.ephemeral import identifies
from chatd.ephemeral.rate_limits import RateLimits
from chatd.events import members as events
from chatd.gateway import commands, frames
from chatd.gateway.aside import Aside, Pace
from chatd.gateway.batch import Batch
from chatd.gateway.commands import (
    FINAL,
    CloseCode,
    CloseWith,
    Command,
    Heartbeat,
    Identify,
    RequestMembers,
    RequestSounds,
    Resume,
    ShowPresence,
)
from chatd.gateway.outboxes import Outboxes
from chatd.gateway.parking import Parking
from chatd.gateway.ready import DisallowedIntents, Starter
from chatd.gateway.recent import Recent
from chatd.gateway.registry import Registry
from chatd.gateway.session import Session
from chatd.gateway.taking_up import CannotTakeUp, take_up
from chatd.gateway.transports import PLAIN, ZLIB_PAYLOADS, Transport
from chatd.gateway.turnstile import Turnstile
from chatd.services import member_chunks
from chatd.services.callers import Callers
from chatd.wire import payloads
from chatd.wire.schemas.gateway import MemberRequest

log = logging.getLogger(__name__)

MAX_OUTBOX_BYTES = 8 * 2**20
"""What may wait to be read by a client before it is cut off; its session can resume.

READY with its guilds, and a replay, come on top of it until they are read: nobody is slow for
having much to read.
"""

_NOTED_BYTES = 64 * 1024  # below it, what waits is only on its way
_PAYLOADS = 120  # a client may send so many in _PER_S seconds
_PER_S = 60.0
_CLOSE_S = 5.0
_ASKED_AFTER = 1.1  # intervals without a word
_GONE_AFTER = 1.5
_AHEAD_BYTES = 2**20  # of a long answer that may wait to be read
_AHEAD_S = 0.05


@dataclass(frozen=True, slots=True)
class Gateway:
    """What all connections share."""

    database: Database
    callers: Callers
    registry: Registry
    parking: Parking
    recent: Recent
    outboxes: Outboxes
    turnstile: Turnstile
    starts: asyncio.Semaphore
    """Bounds how many sessions are started at once: when all clients come back, the database and
    the loop are there for others too."""
    pace: Pace
    heartbeat_interval_ms: int
    rate_limits: RateLimits | None
    """None lets everybody identify as often as they like."""


class Connection:
    """Serves one socket. What is to be sent in one turn of the loop leaves in one write."""

    __slots__ = (
        "_allowed_bytes",
        "_aside",
        "_closing",
        "_gateway",
        "_heard_at",
        "_is_asked",
        "_loop",
        "_outbox",
        "_outboxes",
        "_payloads",
        "_session",
        "_socket",
        "_socket_transport",
        "_transport",
        "_url",
        "_window_ends",
    )

    def __init__(
        self,
        gateway: Gateway,
        socket: web.WebSocketResponse,
        socket_transport: asyncio.Transport,
        transport: Transport,
        url: str,
    ) -> None:
        self._gateway = gateway
        self._socket = socket
        self._socket_transport = socket_transport
        self._transport = transport
        self._url = url
        self._session: Session | None = None
        self._outbox: list[bytes] = []
        self._outboxes = gateway.outboxes
        self._allowed_bytes = MAX_OUTBOX_BYTES
        self._loop = asyncio.get_running_loop()
        self._closing: asyncio.Future[CloseWith] = self._loop.create_future()
        self._payloads = 0
        self._window_ends = 0.0
        self._heard_at = self._loop.time()
        self._is_asked = False
        self._aside: Aside | None = None

    async def run(self) -> CloseCode | None:
        """Serve until either side is done. Nothing a client does raises from here.

        Returns why the client was disconnected, if it was for what it sent.
        """
        self._send(frames.hello(self._gateway.heartbeat_interval_ms))
        reading = asyncio.create_task(self._read(), name="gateway reader")
        try:
            either: set[asyncio.Future[Any]] = {reading, self._closing}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._closing.done():
                await self._close(self._closing.result())
            else:
                reading.result()
        except CloseWith as closing:
            if closing.code in FINAL and self._session is not None:
                self._gateway.registry.remove(self._session)
            await self._close(closing)
            return closing.code
        except ConnectionError:
            pass  # vanished without a close frame; its session may still be resumed
        finally:
            self._outboxes.forget(self)
            if self._aside is not None:
                self._aside.stop()
            self._detach()
            reading.cancel()
            await asyncio.wait({reading})
            if not reading.cancelled():
                reading.exception()  # has been dealt with, or came too late to matter
        return None

    def send(self, batch: Batch, seq: int) -> None:
        """Send dispatches, the first of which has this number. Never waits, never raises."""
        data = self._transport.batch(batch, seq)
        if self._outboxes.write_at_once and not self._outbox:
            self._write(data)
        else:
            self._queue(data)

    def invalidate(self) -> None:
        """Tell the client to identify anew, on this socket or another."""
        self._gateway.registry.tally.invalidations += 1
        self._session = None
        self._send(frames.INVALID_SESSION)

    def close(self, code: CloseCode, reason: str) -> None:
        """Disconnect the client."""
        if not self._closing.done():
            self._closing.set_result(CloseWith(code, reason))

    def reconnect(self) -> None:
        """Ask the client to come back, to this or another instance."""
        self._send(frames.RECONNECT)
        self.close(CloseCode.GOING_AWAY, "The server restarts.")

    def look_after(self, now: float) -> None:
        """Ask for a heartbeat if the client has let its interval pass without a word, and
        disconnect it if it goes on like that."""
        silent_ms = (now - self._heard_at) * 1000
        if silent_ms <= self._gateway.heartbeat_interval_ms * _ASKED_AFTER:
            return
        if silent_ms > self._gateway.heartbeat_interval_ms * _GONE_AFTER:
            self.close(CloseCode.SESSION_TIMED_OUT, "No heartbeat.")
        elif self._session is not None and not self._is_asked:
            self._is_asked = True
            self._send(frames.HEARTBEAT)

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be read by the client."""
        return sum(map(len, self._outbox)) + self._socket_transport.get_write_buffer_size()

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            self._count_payload()
            match commands.parse(message.data):
                case Heartbeat(seq):
                    self._heard(seq)
                case Identify() as wanted:
                    await self._identify(wanted)
                case Resume() as wanted:
                    await self._resume(wanted)
                case command:
                    await self._serve(command)
            if self._session is not None:  # who never identifies gets no more time
                self._heard_at, self._is_asked = self._loop.time(), False

    async def _serve(self, command: Command) -> None:
        """Do what only an identified client can ask for."""
        session = self._session
        if session is None:
            raise CloseWith(CloseCode.NOT_AUTHENTICATED, "Not authenticated.")
        match command:
            case ShowPresence(presence):
                session.show(presence)
                self._gateway.registry.restless.add(session.user_id)
            case RequestMembers(wanted):
                self._aside = self._aside or Aside()
                self._aside.add(partial(self._send_members, session, wanted))
            case RequestSounds(guild_ids):
                for guild_id in guild_ids:
                    if any(feed.stream == StreamId(guild_id) for feed in session.feeds):
                        answer = events.soundboard(session.user_id, guild_id)
                        session.tell(answer)

    async def _send_members(self, session: Session, wanted: MemberRequest) -> None:
        """Send chunks no faster than the client reads them, and than is good for the others."""
        if self._session is session:
            async with self._gateway.pace.turn(session.user_id):
                await self._send_chunks(session, wanted)

    async def _send_chunks(self, session: Session, wanted: MemberRequest) -> None:
        asked_for = member_chunks.asked_for(
            self._gateway.database,
            session.user_id,
            wanted,
            may_list=session.wants(Intents.GUILD_MEMBERS),
        )
        try:
            async for chunk in asked_for:
                if self._session is not session:
                    return  # it is over
                payload = payloads.members_chunk(chunk)
                if wanted.presences and session.wants(Intents.GUILD_PRESENCES):
                    shown = self._gateway.registry.presences_of(payload["members"])
                    payload["presences"] = shown
                session.tell(events.members_chunk(session.user_id, payload))
                await self._read_up()
                if len(chunk.members) == member_chunks.CHUNK:
                    await self._gateway.pace.keep(len(chunk.members))
        except Refusal as refused:
            log.debug("no members for user %d: %s", session.user_id, refused.text)

    async def _read_up(self) -> None:
        """Wait until the client has read most of what it was sent."""
        self.flush()
        # The transport tells only its protocol, which is aiohttp's, when there is room again.
        while self._socket_transport.get_write_buffer_size() > _AHEAD_BYTES:  # noqa: ASYNC110
            await asyncio.sleep(_AHEAD_S)

    def _heard(self, seq: int | None) -> None:
        if self._session is not None and seq is not None:
            if seq > self._session.seq:
                raise CloseWith(CloseCode.INVALID_SEQ, "Invalid sequence number.")
            self._session.acknowledge(seq)
        self._send(frames.HEARTBEAT_ACK)

    async def _identify(self, wanted: Identify) -> None:
        self._heard_at = self._loop.time()  # that it has to wait for its turn is not its fault
        if self._session is not None:
            raise CloseWith(CloseCode.ALREADY_AUTHENTICATED, "Already authenticated.")
        async with self._gateway.starts:
            await self._start(wanted)

    async def _start(self, wanted: Identify) -> None:
        caller = await self._caller(wanted.token)
        if not await self._may_identify(caller):
            self.invalidate()  # says to wait up to five seconds
            return
        if not self._gateway.registry.has_room_for(caller.user.id):
            raise CloseWith(CloseCode.RATE_LIMITED, "Too many sessions.")
        session = Session(
            secrets.token_hex(16),
            caller.user.id,
            caller.login_id,
            intents=wanted.intents,
            shard=wanted.shard,
            presence=wanted.presence,
            client=wanted.client,
            is_bot=caller.user.bot,
        )
        if wanted.compress and self._transport is PLAIN:
            self._transport = ZLIB_PAYLOADS
        starter = Starter(self._gateway.database, self._gateway.registry, session)
        try:
            await starter.start(self, wanted, self._url)
        except Unauthorized:
            raise CloseWith(CloseCode.AUTHENTICATION_FAILED, "Authentication failed.") from None
        except DisallowedIntents:
            raise CloseWith(CloseCode.DISALLOWED_INTENTS, "Disallowed intents.") from None
        except Refusal as refused:
            raise CloseWith(CloseCode.UNKNOWN_ERROR, refused.text) from None
        self._session = session
        self._gateway.registry.tally.identifies += 1
        logs.name_session(session.id)
        log.debug("user %d has identified", session.user_id)
        self._allow_burst()

    async def _resume(self, wanted: Resume) -> None:
        if self._session is not None:
            raise CloseWith(CloseCode.ALREADY_AUTHENTICATED, "Already authenticated.")
        await self._gateway.turnstile.enter()
        try:
            # A revoked login has no sessions: that it is valid needs no look into the database.
            login_id = self._gateway.callers.login_of(wanted.token)
        except Unauthorized:
            raise CloseWith(CloseCode.AUTHENTICATION_FAILED, "Authentication failed.") from None
        session = self._gateway.registry.session(wanted.session_id)
        if session is None:
            session = await self._take_up(wanted.session_id, login_id)
        if session is None or session.login_id != login_id:
            self.invalidate()
            return
        if wanted.seq > session.seq:
            if session.outlet is None:
                self._gateway.registry.remove(session)
            raise CloseWith(CloseCode.INVALID_SEQ, "Invalid sequence number.")
        if not session.can_replay(wanted.seq):
            self._gateway.registry.invalidate(session)
            self.invalidate()
            return
        self._gateway.registry.attach(session, self)
        self._session = session
        self._gateway.registry.replayed.append(session.replay(wanted.seq, self))
        session.resumed()
        self._gateway.registry.tally.resumes += 1
        logs.name_session(session.id)
        log.debug("user %d has resumed", session.user_id)
        self._allow_burst()

    async def _take_up(self, session_id: str, login_id: LoginId) -> Session | None:
        """A session that another instance has parked, or this one before it was started anew."""
        gateway = self._gateway
        parked = await gateway.parking.claim(session_id, login_id)
        if parked is None:
            return None
        try:
            return await take_up(parked, gateway.registry, gateway.recent)
        except CannotTakeUp:
            return None

    async def _may_identify(self, caller: Caller) -> bool:
        if self._gateway.rate_limits is None:
            return True
        verdict = await identifies.count(self._gateway.rate_limits, caller.user.id)
        if verdict.limit is identifies.PER_DAY and not verdict.granted:
            raise CloseWith(CloseCode.RATE_LIMITED, "Too many sessions today.")
        return verdict.granted

    async def _caller(self, token: str) -> Caller:
        try:
            return await self._gateway.callers.of_token(token)
        except Unauthorized:
            raise CloseWith(CloseCode.AUTHENTICATION_FAILED, "Authentication failed.") from None
        except Refusal as refused:
            raise CloseWith(CloseCode.UNKNOWN_ERROR, refused.text) from None

    def _count_payload(self) -> None:
        now = self._loop.time()
        if now >= self._window_ends:
            self._payloads, self._window_ends = 0, now + _PER_S
        self._payloads += 1
        if self._payloads > _PAYLOADS:
            raise CloseWith(CloseCode.RATE_LIMITED, "You are being rate limited.")

    def _send(self, payload: bytes) -> None:
        self._queue(self._transport.other(payload))

    def _queue(self, data: bytes) -> None:
        self._outbox.append(data)
        if len(self._outbox) == 1:
            self._outboxes.add(self)

    def flush(self) -> None:
        """Hand over what has been queued; cut off who does not read."""
        outbox, self._outbox = self._outbox, []
        if outbox:
            self._write(outbox[0] if len(outbox) == 1 else b"".join(outbox))

    def _write(self, data: bytes) -> None:
        transport = self._socket_transport
        if transport.is_closing():
            return
        transport.write(data)
        waiting = transport.get_write_buffer_size()
        if waiting > self._allowed_bytes:
            self.cut_off()
            return
        if waiting <= MAX_OUTBOX_BYTES < self._allowed_bytes:
            self._allowed_bytes = MAX_OUTBOX_BYTES
        if waiting > _NOTED_BYTES:
            self._outboxes.unread(self, waiting)

    @property
    def unread_bytes(self) -> int:
        """How much of what was written waits to be read by the client."""
        return self._socket_transport.get_write_buffer_size()

    def cut_off(self) -> None:
        """Drop the client, which does not read; its session can resume."""
        self._gateway.registry.tally.slow_readers += 1
        log.info("cut off a client that does not read")
        self._socket_transport.abort()

    def _allow_burst(self) -> None:
        """What is in the outbox now may wait besides what may always wait."""
        self._allowed_bytes = MAX_OUTBOX_BYTES + sum(map(len, self._outbox))

    async def _close(self, closing: CloseWith) -> None:
        self.flush()
        self._detach()
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._socket.close(code=closing.code, message=closing.reason.encode())
        except (TimeoutError, ConnectionError):
            self._socket_transport.abort()

    def _detach(self) -> None:
        if self._session is not None:
            self._gateway.registry.detach(self._session, self)
            self._session = None
