"""A connection: one socket, from HELLO to its close."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

from aiohttp import WSMsgType, web

from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import UserId
from chatd.core.presence import Presence
from chatd.core.tracebacks import drop_tracebacks
from chatd.events import members as events
from chatd.gateway.connection_table import ConnectionTable
from chatd.gateway.gateway import Gateway
from chatd.gateway.member_requests import MemberRequestQueue
from chatd.gateway.protocol import frames, parsing
from chatd.gateway.protocol.commands import (
    SESSION_ENDING_CODES,
    CloseCode,
    CloseConnection,
    Command,
    Heartbeat,
    Identify,
    IgnoredCommand,
    RequestChannelInfo,
    RequestLastMessages,
    RequestMembers,
    RequestSoundboardSounds,
    Resume,
    SearchRecentMembers,
    Subscribe,
    UpdatePresence,
)
from chatd.gateway.protocol.encoders import FrameEncoder
from chatd.gateway.send_queue import SendQueue
from chatd.gateway.session.session import Session
from chatd.observability import logs
from chatd.web.http_server import mark_authenticated
from chatd.wire.schemas.gateway import GuildSubscription

log = logging.getLogger(__name__)

# Payloads from a client per window. Rule: Discord docs, Gateway, "Rate Limiting". Pings and pongs
# have a count of their own, with the same limit.
_MAX_PAYLOADS = 120
_WINDOW_S = 60.0
_CLOSE_TIMEOUT_S = 5.0  # for the close frame of the client, before the socket is aborted
# In heartbeat intervals, of 45 s by default, since the client's last payload:
_PROBE_AFTER = 1.1  # the server requests a heartbeat, which the network may delay by 4.5 s
_TIMEOUT_AFTER = 1.5  # the server disconnects the client, which had 18 s for its heartbeat


class Connection:
    """Serves one socket."""

    __slots__ = (
        "_control_frames",
        "_ended",
        "_gateway",
        "_heartbeat_requested",
        "_last_payload_at",
        "_loop",
        "_member_requests",
        "_payloads",
        "_socket",
        "_table",
        "_transport",
        "_window_ends",
        "late_guilds",
        "send",
        "send_queue",
        "session",
        "url",
        "user_id",
    )

    def __init__(
        self,
        gateway: Gateway,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        encoder: FrameEncoder,
        url: str,
        *,
        table: ConnectionTable,
    ) -> None:
        self.url = url
        self.session: Session | None = None
        self.user_id: UserId | None = None
        """The account of the last valid token that the client sent."""
        self.late_guilds: asyncio.Task[None] | None = None
        self.send_queue = SendQueue(transport, encoder, gateway.flush_scheduler, gateway.counters)
        self.send = self.send_queue.send  # an attribute: a method would add a call per delivery
        self._gateway = gateway
        self._table = table
        self._socket = socket
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[CloseConnection | None] = self._loop.create_future()
        """Why the server disconnects the client; None if reading from the client has ended."""
        self._payloads = self._control_frames = 0
        self._window_ends = 0.0
        self._last_payload_at = self._loop.time()
        self._heartbeat_requested = False
        self._member_requests: MemberRequestQueue | None = None

    async def run(self) -> CloseCode | None:
        """Serve until either side closes. No input of a client makes this raise.

        Returns the close code if the client was disconnected for what it sent.
        """
        self.send_queue.send_payload(frames.hello(self._gateway.heartbeat_interval_ms))
        reading = asyncio.create_task(self._read(), name="gateway reader")
        reading.add_done_callback(self._on_read_end)
        try:
            # Waiting with `asyncio.wait` for the first of two futures would take 1.2 kB of memory
            # per connection.
            if (requested := await self._ended) is not None:
                await self._close(requested)
            elif (closing := reading.result()) is not None:
                if closing.code in SESSION_ENDING_CODES and self.session is not None:
                    self._gateway.hub.remove(self.session)
                await self._close(closing)
                return closing.code
        finally:
            self.send_queue.close()
            if self._member_requests is not None:
                self._member_requests.stop()
            self._detach()
            tasks = {reading} if self.late_guilds is None else {reading, self.late_guilds}
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            if not reading.cancelled():
                reading.exception()  # mark it as retrieved, so that asyncio does not log it
        return None

    def invalidate(self) -> None:
        """Send INVALID_SESSION: the client has to identify again, on any instance."""
        self._gateway.counters.invalid_sessions += 1
        self.session = None
        self.send_queue.send_payload(frames.INVALID_SESSION)

    def close(self, code: CloseCode, reason: str) -> None:
        """Disconnect the client."""
        if not self._ended.done():
            self._ended.set_result(CloseConnection(code, reason))

    def reconnect(self) -> None:
        """Send RECONNECT and disconnect: the client resumes here or on another instance."""
        self.send_queue.send_payload(frames.RECONNECT)
        self.close(CloseCode.GOING_AWAY, "The server restarts.")

    def check_heartbeat(self, now: float) -> None:
        """Request a heartbeat when the client's is overdue; disconnect the client if none follows.

        `now` is in seconds of the event loop's clock.
        """
        idle_ms = (now - self._last_payload_at) * 1000
        if idle_ms <= self._gateway.heartbeat_interval_ms * _PROBE_AFTER:
            return
        if idle_ms > self._gateway.heartbeat_interval_ms * _TIMEOUT_AFTER:
            self.close(CloseCode.SESSION_TIMED_OUT, "No heartbeat.")
        elif self.session is not None and not self._heartbeat_requested:
            self._heartbeat_requested = True
            self.send_queue.send_payload(frames.HEARTBEAT)

    @property
    def send_queue_bytes(self) -> int:
        """The bytes that the client has not read yet."""
        return self.send_queue.size

    def require_not_blocked(self, user_id: UserId) -> None:
        """Record the client's account.

        Raises CloseConnection if too many connections of the account were closed for abuse.
        """
        self.user_id = user_id
        if self._table.is_blocked(user_id):
            raise CloseConnection(
                CloseCode.RATE_LIMITED, "Too many of your connections were closed for abuse."
            )

    def set_session(self, session: Session) -> None:
        """Serve this session from now on."""
        self.session = session
        mark_authenticated(self._transport, session.user_id)
        logs.bind_session(session.id)
        if session.member_lists:  # resumed, perhaps from an instance that updated its lists so far
            wanted = [GuildSubscription(*each) for each in session.member_lists.items()]
            self._member_queue().add(partial(self._subscribe, session, wanted))

    def _on_read_end(self, _: asyncio.Task[CloseConnection | None]) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    async def _read(self) -> CloseConnection | None:
        """Handle what the client sends. Returns why the server must disconnect the client.

        Returns None when the client has closed the connection.
        """
        try:
            await self._read_payloads()
        except CloseConnection as closing:
            # The result of this task is an exception whose traceback refers to the task.
            drop_tracebacks(closing)
            return closing
        except ConnectionError:
            pass  # the socket broke without a close frame; the session can still be resumed
        return None

    async def _read_payloads(self) -> None:
        """Handle what the client sends. Raises CloseConnection, ConnectionError."""
        async for message in self._socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                self._count_control_frame()
                if message.type is WSMsgType.PING:
                    await self._socket.pong(message.data)
                continue
            self._count_payload()
            await self._handle_command(parsing.parse(message.data))
            if self.session is not None:  # before IDENTIFY, payloads do not extend the timeout
                self._last_payload_at, self._heartbeat_requested = self._loop.time(), False

    async def _handle_command(self, command: Command) -> None:
        """Handle a command. Raises CloseConnection."""
        match command:
            case Heartbeat(seq):
                self._on_heartbeat(seq)
            case Identify():
                # IDENTIFY extends the timeout, since the handler may have to wait for a slot.
                self._last_payload_at = self._loop.time()
                self._require_no_session()
                await self._gateway.identify.handle(self, command)
            case Resume():
                self._require_no_session()
                await self._gateway.resume.handle(self, command)
            case IgnoredCommand():
                pass
            case _:
                if self.session is None:
                    raise CloseConnection(CloseCode.NOT_AUTHENTICATED, "Not authenticated.")
                self._handle_session_command(self.session, command)

    def _handle_session_command(self, session: Session, command: Command) -> None:
        """Handle a command that only an identified client may send. Raises CloseConnection."""
        match command:
            case UpdatePresence(status, activities):
                session.set_presence(Presence(status or session.presence.status, activities))
                self._gateway.hub.mark_presence_dirty(session.user_id)
            case RequestChannelInfo(guild_id, name):
                if session.follows(guild_id):
                    session.send_event(events.no_voice_channels(session.user_id, guild_id, name))
            case RequestSoundboardSounds(guild_ids):
                for guild_id in filter(session.follows, guild_ids):
                    session.send_event(events.soundboard(session.user_id, guild_id))
            case _:
                self._queue_member_request(session, command)

    def _queue_member_request(self, session: Session, command: Command) -> None:
        """Queue a command that reads members or messages from Postgres."""
        requests = self._gateway.member_requests
        match command:
            case RequestMembers(request):
                self._member_queue().add(partial(requests.handle, self, session, request))
            case SearchRecentMembers(wanted):
                self._member_queue().add(partial(requests.handle_recent, self, session, wanted))
            case RequestLastMessages(wanted_messages):
                handle = requests.handle_last_messages
                self._member_queue().add(partial(handle, self, session, wanted_messages))
            case Subscribe(subscriptions):
                self._member_queue().add(partial(self._subscribe, session, subscriptions))

    def _member_queue(self) -> MemberRequestQueue:
        if self._member_requests is None:
            self._member_requests = MemberRequestQueue()
        return self._member_requests

    async def _subscribe(
        self, session: Session, subscriptions: Sequence[GuildSubscription]
    ) -> None:
        """Send the windows of member lists, no faster than the throttle for members allows."""
        for each in subscriptions:
            if self.session is not session:
                return
            if each.typing is not None:
                self._gateway.hub.subscribe_to_typing(session, each.guild_id, wanted=each.typing)
            if each.channels is None:
                continue
            lists, throttle = self._gateway.member_lists, self._gateway.member_requests.throttle
            async with throttle.slot(session.user_id):
                await throttle.throttle(lists.cost(session, each.guild_id, each.channels))
                if self.session is not session:
                    return
                try:
                    await lists.subscribe(session, each.guild_id, each.channels)
                except ServiceUnavailable as error:
                    log.info("no member list for user %d: %s", session.user_id, error)

    def _on_heartbeat(self, seq: int | None) -> None:
        # A client that identified again may still send the number of its earlier session.
        if self.session is not None and seq is not None and seq <= self.session.seq:
            self.session.acknowledge(seq)
        self.send_queue.send_payload(frames.HEARTBEAT_ACK)

    def _require_no_session(self) -> None:
        if self.session is not None:
            raise CloseConnection(CloseCode.ALREADY_AUTHENTICATED, "Already authenticated.")

    def _count_payload(self) -> None:
        self._begin_window()
        self._payloads += 1
        if self._payloads > _MAX_PAYLOADS:
            raise CloseConnection(CloseCode.RATE_LIMITED, "You are being rate limited.")

    def _count_control_frame(self) -> None:
        """Count a ping or a pong.

        Raises CloseConnection above the limit. Without one, 100,000 pings (600 kB) would take 0.6 s
        of CPU time.
        """
        self._begin_window()
        self._control_frames += 1
        if self._control_frames > _MAX_PAYLOADS:
            raise CloseConnection(CloseCode.RATE_LIMITED, "You are being rate limited.")

    def _begin_window(self) -> None:
        now = self._loop.time()
        if now >= self._window_ends:
            self._payloads = self._control_frames = 0
            self._window_ends = now + _WINDOW_S

    async def _close(self, closing: CloseConnection) -> None:
        self.send_queue.flush()
        self._detach()
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._socket.close(code=closing.code, message=closing.reason.encode())
        except (TimeoutError, ConnectionError):
            self._transport.abort()

    def _detach(self) -> None:
        if self.session is not None:
            self._gateway.hub.detach(self.session, self)
            self.session = None
