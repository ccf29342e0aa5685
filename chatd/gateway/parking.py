"""Parking: sessions outlive the instance that served them, when it leaves in good order.

Before an instance tells its clients to reconnect, it lets go of all its sessions at once and puts
them into Redis: what they would replay, how far each of their feeds has come, and for each guild
who could see what at that point. Whichever instance a client resumes on takes its session up
there. What happened meanwhile it has among the recent events, which every instance keeps of all;
they pass through a feed that stands where the session's stood, so that each is judged by what was
true when it happened.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from redis import asyncio as aioredis
from redis.exceptions import RedisError

from chatd.core.ids import GuildId, LoginId, StreamId
from chatd.core.intents import Intents
from chatd.events.event import Event, to_user
from chatd.gateway.feed import GuildFeed
from chatd.gateway.frames import Dispatch
from chatd.gateway.registry import Registry
from chatd.gateway.session import Session, SessionState
from chatd.gateway.visibility import Visibility

log = logging.getLogger(__name__)

_BATCH = 500
_TIMEOUT_S = 5.0
_AT_ONCE = 16  # sessions on their way out; the client has a connection for each


@dataclass(frozen=True, slots=True)
class ParkedSession:
    """A session as it was parked: what it replays, where its feeds stood, what its guilds were."""

    state: SessionState
    replay: Sequence[Dispatch]
    user_position: int
    guilds: Mapping[GuildId, tuple[int, Visibility]]


@dataclass(frozen=True, slots=True)
class _Leaving:
    """A session on its way into Redis; `positions` is how far its feeds have come, by stream."""

    state: SessionState
    replay: Sequence[Dispatch]
    positions: Mapping[str, int]

    @classmethod
    def now(cls, session: Session) -> _Leaving:
        """The session as it is at this moment."""
        positions = {
            str(feed.stream): feed.order.position
            for feed in session.feeds
            if feed.order.position is not None
        }
        return cls(session.state(), tuple(session.replayed), positions)


class Parking:
    """Where sessions wait, for as long as they can be resumed."""

    def __init__(self, redis_url: str, *, lasting_s: float, within_s: float) -> None:
        self._lasting_s = int(lasting_s)
        self._within_s = within_s
        self._lot = secrets.token_hex(8)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._client = aioredis.Redis.from_url(
            redis_url,
            protocol=2,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            retry_on_timeout=False,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Gives its connections back when the context ends."""
        try:
            yield
        finally:
            with contextlib.suppress(RedisError, OSError):
                await self._client.aclose()

    async def park(self, registry: Registry) -> int:
        """Put all sessions of this instance into Redis; from here on they are not here any more.

        Returns how many; 0 when Redis is away or too slow: then their clients have to identify
        anew.
        """
        sessions = registry.let_go()
        if not sessions or not self._lasting_s:
            return 0
        numbers: dict[Dispatch, int] = {}
        guilds: dict[StreamId, GuildFeed] = {}
        # As they are now: what a client that is still there asks for from here on comes too late.
        leaving = [_Leaving.now(session) for session in sessions]
        for session in sessions:
            for dispatch in session.replayed:
                numbers.setdefault(dispatch, len(numbers))
            for feed in session.feeds:
                if isinstance(feed, GuildFeed):
                    guilds[feed.stream] = feed
        fields: list[tuple[str, int, bytes]] = [
            (self._events, number, _packed(dispatch)) for dispatch, number in numbers.items()
        ]
        fields += [(self._guilds, stream, _state_of(feed)) for stream, feed in guilds.items()]
        try:
            async with asyncio.timeout(self._within_s):
                await self._write_hashes(fields)
                await self._write_sessions(leaving, numbers)
        except (RedisError, OSError, TimeoutError) as error:
            log.error("cannot park the sessions: %s", error)
            return 0
        log.info("parked %d sessions", len(sessions))
        return len(sessions)

    async def claim(self, session_id: str, login_id: LoginId) -> ParkedSession | None:
        """Take a session out, for the login that it belongs to. None when it is not there."""
        key = _session_key(session_id)
        try:
            async with self._turns, asyncio.timeout(_TIMEOUT_S):
                data = await self._client.get(key)
                if data is None or (parked := orjson.loads(data))["login"] != login_id:
                    return None
                if not await self._client.delete(key):
                    return None  # another connection was faster
                return await self._load(session_id, parked)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("cannot look for a parked session: %s", error)
            return None

    async def _write_hashes(self, fields: Sequence[tuple[str, int, bytes]]) -> None:
        for start in range(0, len(fields), _BATCH):
            pipeline = self._client.pipeline(transaction=False)
            for key, field, value in fields[start : start + _BATCH]:
                pipeline.hset(key, str(field), value)
            await pipeline.execute()
        pipeline = self._client.pipeline(transaction=False)
        for key in (self._events, self._guilds):
            pipeline.expire(key, self._lasting_s)
        await pipeline.execute()

    async def _write_sessions(
        self, sessions: Sequence[_Leaving], numbers: Mapping[Dispatch, int]
    ) -> None:
        for start in range(0, len(sessions), _BATCH):
            pipeline = self._client.pipeline(transaction=False)
            for session in sessions[start : start + _BATCH]:
                parked = {
                    "lot": self._lot,
                    "login": session.state.login_id,
                    "state": session.state.packed(),
                    "replay": [numbers[dispatch] for dispatch in session.replay],
                    "feeds": session.positions,
                }
                key = _session_key(session.state.id)
                pipeline.set(key, orjson.dumps(parked), ex=self._lasting_s)
            await pipeline.execute()

    async def _load(self, session_id: str, parked: dict[str, Any]) -> ParkedSession | None:
        state = SessionState.unpacked(session_id, parked["login"], parked["state"])
        positions = {StreamId(int(stream)): seq for stream, seq in parked["feeds"].items()}
        user_position = positions.pop(StreamId(state.user_id), None)
        lot = parked["lot"]
        events = await self._fields(_events_key(lot), parked["replay"])
        states = await self._fields(_guilds_key(lot), list(positions))
        if user_position is None or None in events or None in states:
            return None
        return ParkedSession(
            state,
            [_unpacked(event, state) for event in events if event is not None],
            user_position,
            {
                GuildId(stream): (seq, Visibility.restored(orjson.loads(packed)))
                for (stream, seq), packed in zip(positions.items(), states, strict=True)
                if packed is not None
            },
        )

    async def _fields(self, key: str, fields: Sequence[int]) -> list[bytes | None]:
        if not fields:
            return []
        found: Any = await self._client.hmget(key, [str(each) for each in fields])
        return list(found)

    @property
    def _events(self) -> str:
        return _events_key(self._lot)

    @property
    def _guilds(self) -> str:
        return _guilds_key(self._lot)


def _session_key(session_id: str) -> str:
    return f"chatd:session:{session_id}"


def _events_key(lot: str) -> str:
    return f"chatd:parked:{lot}:events"


def _guilds_key(lot: str) -> str:
    return f"chatd:parked:{lot}:guilds"


def _state_of(feed: GuildFeed) -> bytes:
    return orjson.dumps(feed.visibility.state())


def _packed(dispatch: Dispatch) -> bytes:
    event = dispatch.event
    head = orjson.dumps([event.name, int(event.intent)])
    return b"%d:%s%s" % (len(head), head, event.body)


def _unpacked(data: bytes, state: SessionState) -> Dispatch:
    size, _, rest = data.partition(b":")
    head, body = rest[: int(size)], rest[int(size) :]
    name, intent = orjson.loads(head)
    audience = to_user(state.user_id)
    return Dispatch(Event(name, StreamId(state.user_id), audience, body, Intents(intent)))
