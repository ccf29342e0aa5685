"""The handler of member requests: REQUEST_GUILD_MEMBERS, and similar commands of user clients.

Each client has a task for its member requests, so that they do not delay its other commands.
Listing 1,000 members takes 10 ms of the event loop, and a client may send 120 requests a minute.
So one throttle bounds the members that an instance lists per second, for all clients together. The
instance answers one request of each account at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from weakref import WeakValueDictionary

from orjson import Fragment

from chatd.auth.signed_urls import SignedUrls
from chatd.core.errors import ApiError
from chatd.core.ids import GuildId, UserId
from chatd.core.intents import Intents
from chatd.core.json import JsonObject
from chatd.core.models import Member, MemberChunk
from chatd.db.pool import Database
from chatd.events import members as events
from chatd.events import messages as message_events
from chatd.gateway.client_connection import ClientConnection
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.time_slicing import encode_each
from chatd.gateway.protocol.commands import CloseCode, CloseConnection
from chatd.gateway.session.session import Session
from chatd.services.guilds import member_chunks
from chatd.services.messages import last_messages
from chatd.wire import payloads
from chatd.wire.schemas.gateway import LastMessagesRequest, MemberRequest, RecentMembers

log = logging.getLogger(__name__)

MAX_QUEUED = 240
"""Queued requests of one client: as many as it may send in two minutes."""

_MEMBERS_PER_S = 20_000.0  # of all clients together: a fifth of the event loop's time

_MEMBERS_PER_FURTHER_GUILD = 100
"""As how many members the throttle counts each further guild of a request. The queries for a guild
of any size take as long as listing 100 members."""

_MEMBERS_PER_CHANNEL = 20
"""As how many members the throttle counts each channel of a request for last messages."""


class MemberListThrottle:
    """Bounds how many members per second an instance lists, over all clients.

    An account has one slot, and holds it while one of its requests waits in `throttle`. So at most
    one request of each account waits there, and an account gains nothing by more sessions.
    """

    def __init__(self) -> None:
        self._free_at = 0.0
        self._locks: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def slot(self, user_id: UserId) -> AsyncIterator[None]:
        """Hold the account's lock in this context: one of its requests is answered at a time."""
        lock = self._locks.setdefault(user_id, asyncio.Lock())
        async with lock:
            yield

    async def throttle(self, count: int) -> None:
        """Reserve `count / _MEMBERS_PER_S` seconds, and sleep until they have passed."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(now, self._free_at) + count / _MEMBERS_PER_S
        await asyncio.sleep(self._free_at - now)


class MemberRequestQueue:
    """Runs the requests of one client one after the other, in a task of their own."""

    def __init__(self) -> None:
        self._queued: deque[Callable[[], Awaitable[None]]] = deque()
        self._task: asyncio.Task[None] | None = None

    def add(self, request: Callable[[], Awaitable[None]]) -> None:
        """Run this request after those queued before. Raises CloseConnection at MAX_QUEUED."""
        if len(self._queued) >= MAX_QUEUED:
            raise CloseConnection(CloseCode.RATE_LIMITED, "You are being rate limited.")
        self._queued.append(request)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="gateway member requests")

    def stop(self) -> None:
        """Drop the queued requests and cancel the running one."""
        self._queued.clear()
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            while self._queued:
                try:
                    await self._queued.popleft()()
                except Exception:
                    log.exception("member request failed")
        finally:
            self._task = None


class MemberRequestHandler:
    """Sends members to the clients of an instance."""

    def __init__(self, database: Database, hub: Hub, signed_urls: SignedUrls) -> None:
        self._database = database
        self._signed_urls = signed_urls
        self._hub = hub
        self.throttle = MemberListThrottle()

    async def handle(
        self, connection: ClientConnection, session: Session, request: MemberRequest
    ) -> None:
        """Send the chunks of one request, no faster than the client reads and the throttle allows.

        Sends nothing for guilds that the user is no member of. Stops when this connection no longer
        serves the session.
        """
        for number, guild_id in enumerate(dict.fromkeys(request.guild_ids)):
            async with self.throttle.slot(session.user_id):
                if number:
                    await self.throttle.throttle(_MEMBERS_PER_FURTHER_GUILD)
                if connection.session is not session:
                    return
                await self._send_chunks(connection, session, guild_id, request)

    async def handle_recent(
        self, connection: ClientConnection, session: Session, wanted: RecentMembers
    ) -> None:
        """Send the members that joined last, in one chunk, when the throttle allows it."""
        may_list = session.wants(Intents.GUILD_MEMBERS)
        try:
            async with self.throttle.slot(session.user_id):
                await self.throttle.throttle(member_chunks.CHUNK_SIZE)
                if connection.session is not session:
                    return
                chunk = await member_chunks.read_recent(
                    self._database, session.user_id, wanted, may_list=may_list
                )
            payload = payloads.members_chunk(chunk)
            payload["members"] = await encode_each(chunk.members, payloads.member)
        except ApiError as refused:
            log.debug("no members for user %d: %s", session.user_id, refused.text)
            return
        if connection.session is session:
            session.send_event(events.members_chunk(session.user_id, payload))

    async def handle_last_messages(
        self, connection: ClientConnection, session: Session, wanted: LastMessagesRequest
    ) -> None:
        """Send the last messages of channels to a user client."""
        if session.user_client is None or connection.session is not session:
            return
        try:
            async with self.throttle.slot(session.user_id):
                await self.throttle.throttle(_MEMBERS_PER_CHANNEL * len(wanted.channel_ids))
                if connection.session is not session:
                    return
                found = await last_messages.read(
                    self._database,
                    self._signed_urls,
                    session.user_id,
                    wanted.guild_id,
                    wanted.channel_ids,
                )
        except ApiError as refused:
            log.debug("no messages for user %d: %s", session.user_id, refused.text)
            return
        if connection.session is session:
            shown = Fragment(await payloads.encode_array(found, payloads.message_to_encode))
            if connection.session is session:
                event = message_events.last_messages(session.user_id, wanted.guild_id, shown)
                session.send_event(event)

    def _member(self, chunk: MemberChunk, member: Member, *, with_presences: bool) -> JsonObject:
        """Return a member of a chunk.

        If a user client requested it by its id, the member has its bio and its presence.
        Fermi finds them nowhere else, and other clients ignore them here.
        """
        shown = payloads.member(member)
        if chunk.bios is not None:
            shown["user"]["bio"] = chunk.bios.get(member.user.id, "")
            if with_presences:
                presence = self._hub.presence_in(member.guild_id, member.user.id)
                shown["presence"] = payloads.presence(member.user.id, presence)
        return shown

    async def _send_chunks(
        self,
        connection: ClientConnection,
        session: Session,
        guild_id: GuildId,
        request: MemberRequest,
    ) -> None:
        chunks = member_chunks.read_requested(
            self._database,
            session.user_id,
            guild_id,
            request,
            may_list=session.wants(Intents.GUILD_MEMBERS),
            with_bios=session.user_client is not None,
        )
        try:
            async for chunk in chunks:
                if connection.session is not session:
                    return
                payload = payloads.members_chunk(chunk)
                show = partial(self._member, chunk, with_presences=request.presences)
                payload["members"] = await encode_each(chunk.members, show)
                if connection.session is not session:
                    return
                if request.presences and session.wants(Intents.GUILD_PRESENCES):
                    user_ids = (each.user.id for each in chunk.members)
                    payload["presences"] = self._hub.presences_in(guild_id, user_ids)
                session.send_event(events.members_chunk(session.user_id, payload))
                await connection.send_queue.wait_for_drain()
                if len(chunk.members) == member_chunks.CHUNK_SIZE:
                    await self.throttle.throttle(len(chunk.members))
        except ApiError as refused:
            log.debug("no members for user %d: %s", session.user_id, refused.text)
