"""Session handoff: saves the sessions of an instance that shuts down, for later resumes.

Before an instance asks its clients to reconnect, it detaches all its sessions at once and saves
them in Redis: their replay buffers, the positions of their feeds, and the visibility of each guild
at its position. The instance on which a client resumes claims the session and restores it
(`restore`). It takes the events since then from its event history.

The layout in Redis is as follows. Its names cannot change, because instances of two versions share
it during a rolling upgrade. `lot` and `parked` are former terms of the code:

- `chatd:session:<session id>`: a JSON object with `lot` (the handoff id), `login`, `state`
  (`SessionState.to_record`), `replay` (field names of the events), `feeds` (positions by stream),
  and `client` (`SessionState.client_record`) if it has capabilities or member lists.
- `chatd:parked:<handoff id>:events`: a hash of encoded events. Sessions share them.
- `chatd:parked:<handoff id>:guilds`: a hash of `Visibility.state` by guild.
- `chatd:parked:<handoff id>:presences`: a hash of `KnownPresences.encode` by guild. It lacks large
  guilds, and the version before this one does not know it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

import orjson

from chatd.bus.redis_client import REDIS_FAULTS, close, connect
from chatd.core.ids import GuildId, LoginId, StreamId
from chatd.core.intents import Intents
from chatd.core.time_slices import TimeSlices
from chatd.events.event import Event, to_user
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.known_presences import KnownPresences
from chatd.gateway.fanout.visibility import Visibility
from chatd.gateway.protocol.frames import Dispatch
from chatd.gateway.session.session import Session
from chatd.gateway.session.state import SessionState

log = logging.getLogger(__name__)

_PIPELINE_SIZE = 500
"""Commands in one pipeline to Redis. The client keeps all of them and their responses in memory."""

_TIMEOUT_S = 5.0
"""The timeout of a command to Redis in seconds."""

_READ_CONCURRENCY = 16
"""Sessions that are read or claimed at a time. The Redis client opens a connection for each."""


def _numbered(sessions: Iterable[Session]) -> dict[Dispatch, int]:
    """Number the dispatches of all replay buffers. Sessions share most of them."""
    numbers: dict[Dispatch, int] = {}
    for session in sessions:
        for dispatch in session.replay_buffer:
            numbers.setdefault(dispatch, len(numbers))
    return numbers


@dataclass(frozen=True, slots=True)
class SuspendedSession:
    """A session as it was saved: its state, its replay buffer, and the state of its feeds."""

    state: SessionState
    replay: Sequence[Event]
    user_position: int
    """The position of its user's feed."""
    guilds: Mapping[GuildId, tuple[int, Visibility]]
    """The position of each guild's feed, and the visibility at that position."""
    presences: Mapping[GuildId, KnownPresences]
    """The presences in each guild that its clients know. Large guilds are missing."""

    @property
    def positions(self) -> dict[StreamId, int]:
        """The position of each of its feeds, by stream."""
        positions = {StreamId(guild_id): seq for guild_id, (seq, _) in self.guilds.items()}
        positions[StreamId(self.state.user_id)] = self.user_position
        return positions


@dataclass(frozen=True, slots=True)
class _SessionSnapshot:
    """The state of a session that is saved in Redis."""

    state: SessionState
    replay: Sequence[Dispatch]
    positions: Mapping[str, int]
    """The position of each of its feeds, by stream."""

    @classmethod
    def of(cls, session: Session) -> _SessionSnapshot:
        """Return the snapshot of a session's present state."""
        positions = {
            str(feed.stream): feed.position for feed in session.feeds if feed.position is not None
        }
        return cls(session.state(), tuple(session.replay_buffer), positions)


class HandoffStore:
    """The suspended sessions in Redis. They expire after `ttl_s`, the resume window.

    `save_all` may take `timeout_s` seconds.
    """

    def __init__(self, redis_url: str, *, ttl_s: float, timeout_s: float) -> None:
        self._ttl_s = int(ttl_s)
        self._timeout_s = timeout_s
        self._handoff_id = secrets.token_hex(8)
        """Names the hashes that the sessions of this instance share."""
        self._read_slots = asyncio.Semaphore(_READ_CONCURRENCY)
        self._known_presences: WeakValueDictionary[tuple[str, int], KnownPresences] = (
            WeakValueDictionary()
        )
        """The presences of restored sessions, by handoff and guild: other sessions share them."""
        self._client = connect(redis_url, timeout_s=_TIMEOUT_S)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Close the connections to Redis at the end of the context."""
        try:
            yield
        finally:
            await close(self._client)

    async def save_all(self, hub: Hub) -> int:
        """Detach all sessions of this instance and save them.

        Returns how many were saved. It is 0 when Redis is unavailable or too slow: then the clients
        have to identify again.
        """
        sessions = hub.detach_all()
        if not sessions or not self._ttl_s:
            return 0
        # Before the first await: commands of connected clients must not change the snapshots.
        snapshots = [_SessionSnapshot.of(session) for session in sessions]
        numbers = _numbered(sessions)
        fields: list[tuple[str, int, bytes]] = [
            (self._events, number, _encode_event(dispatch.event))
            for dispatch, number in numbers.items()
        ]
        feeds = {feed for session in sessions for feed in session.feeds}
        guilds = [feed for feed in feeds if isinstance(feed, GuildFeed)]
        fields += [(self._guilds, feed.stream, _encode_guild(feed)) for feed in guilds]
        known = hub.read_known_presences(GuildId(feed.stream) for feed in guilds)
        fields += [(self._presences, each, presences.encode()) for each, presences in known.items()]
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._write_hashes(fields)
                await self._write_sessions(snapshots, numbers)
        except REDIS_FAULTS as error:
            log.error("session handoff failed: %s", error)
            return 0
        log.info("saved %d sessions for handoff", len(sessions))
        return len(sessions)

    async def find(self, session_id: str, login_id: LoginId) -> SuspendedSession | None:
        """Return a suspended session of this login.

        Returns None when there is none, or when another version saved it in a form that this one
        cannot read: then the client has to identify again.
        """
        try:
            async with self._read_slots, asyncio.timeout(_TIMEOUT_S):
                data = await self._client.get(_session_key(session_id))
                if data is None or (record := orjson.loads(data))["login"] != login_id:
                    return None
                return await self._load(session_id, record)
        except REDIS_FAULTS as error:
            log.warning("cannot read suspended session: %s", error)
            return None
        except (LookupError, TypeError, ValueError, AttributeError) as unreadable:
            log.warning("suspended session has an unknown format: %r", unreadable)
            return None

    async def claim(self, session_id: str) -> bool:
        """Delete a session that was found, so that only this connection restores it.

        Returns False when another connection has deleted it, or Redis is unavailable.
        """
        try:
            async with self._read_slots, asyncio.timeout(_TIMEOUT_S):
                return bool(await self._client.delete(_session_key(session_id)))
        except REDIS_FAULTS as error:
            log.warning("cannot claim suspended session: %s", error)
            return False

    async def _write_hashes(self, fields: Sequence[tuple[str, int, bytes]]) -> None:
        for start in range(0, len(fields), _PIPELINE_SIZE):
            pipeline = self._client.pipeline(transaction=False)
            for key, field, value in fields[start : start + _PIPELINE_SIZE]:
                pipeline.hset(key, str(field), value)
            await pipeline.execute()
        pipeline = self._client.pipeline(transaction=False)
        for key in (self._events, self._guilds, self._presences):
            pipeline.expire(key, self._ttl_s)
        await pipeline.execute()

    async def _write_sessions(
        self, snapshots: Sequence[_SessionSnapshot], numbers: Mapping[Dispatch, int]
    ) -> None:
        for start in range(0, len(snapshots), _PIPELINE_SIZE):
            pipeline = self._client.pipeline(transaction=False)
            for snapshot in snapshots[start : start + _PIPELINE_SIZE]:
                record = {
                    "lot": self._handoff_id,
                    "login": snapshot.state.login_id,
                    "state": snapshot.state.to_record(),
                    "replay": [numbers[dispatch] for dispatch in snapshot.replay],
                    "feeds": snapshot.positions,
                }
                if (client := snapshot.state.client_record()) is not None:
                    record["client"] = client
                key = _session_key(snapshot.state.id)
                pipeline.set(key, orjson.dumps(record), ex=self._ttl_s)
            await pipeline.execute()

    async def _load(self, session_id: str, record: dict[str, Any]) -> SuspendedSession | None:
        state = SessionState.from_record(
            session_id, record["login"], record["state"], record.get("client")
        )
        positions = {StreamId(int(stream)): seq for stream, seq in record["feeds"].items()}
        user_position = positions.pop(StreamId(state.user_id), None)
        handoff_id = record["lot"]
        events = await self._fields(_events_key(handoff_id), record["replay"])
        guilds = await self._fields(_guilds_key(handoff_id), list(positions))
        presences = await self._load_presences(handoff_id, list(positions))
        if user_position is None or None in events or None in guilds:
            return None
        visibilities: dict[GuildId, tuple[int, Visibility]] = {}
        slices = TimeSlices()
        for (stream, seq), guild in zip(positions.items(), guilds, strict=True):
            if guild is not None:
                visibility = Visibility.restored(orjson.loads(guild))
                visibilities[GuildId(stream)] = seq, visibility
                await slices.step()
        replay = [_decode_event(event, state) for event in events if event is not None]
        return SuspendedSession(state, replay, user_position, visibilities, presences)

    async def _load_presences(
        self, handoff_id: str, streams: Iterable[StreamId]
    ) -> dict[GuildId, KnownPresences]:
        shared = {each: self._known_presences.get((handoff_id, each)) for each in streams}
        missing = [each for each, known in shared.items() if known is None]
        read = await self._fields(_presences_key(handoff_id), missing)
        found = {GuildId(each): known for each, known in shared.items() if known is not None}
        slices = TimeSlices()
        for stream, data in zip(missing, read, strict=True):
            # Another session may have read it during an await.
            known = self._known_presences.get((handoff_id, stream))
            if known is None and data is not None:
                known = KnownPresences.decode(GuildId(stream), data)
                self._known_presences[handoff_id, stream] = known
                await slices.step()
            if known is not None:
                found[GuildId(stream)] = known
        return found

    async def _fields(self, key: str, fields: Sequence[int]) -> list[bytes | None]:
        if not fields:
            return []
        found: Any = await self._client.hmget(key, [str(each) for each in fields])
        return list(found)

    @property
    def _events(self) -> str:
        return _events_key(self._handoff_id)

    @property
    def _guilds(self) -> str:
        return _guilds_key(self._handoff_id)

    @property
    def _presences(self) -> str:
        return _presences_key(self._handoff_id)


def _session_key(session_id: str) -> str:
    return f"chatd:session:{session_id}"


def _events_key(handoff_id: str) -> str:
    return f"chatd:parked:{handoff_id}:events"


def _guilds_key(handoff_id: str) -> str:
    return f"chatd:parked:{handoff_id}:guilds"


def _presences_key(handoff_id: str) -> str:
    return f"chatd:parked:{handoff_id}:presences"


def _encode_guild(feed: GuildFeed) -> bytes:
    return orjson.dumps(feed.visibility.state())


def _encode_event(event: Event) -> bytes:
    """Encode an event as the length of a JSON head, the head, and the body."""
    head = orjson.dumps([event.name, int(event.intent)])
    return b"%d:%s%s" % (len(head), head, event.body)


def _decode_event(data: bytes, state: SessionState) -> Event:
    size, _, rest = data.partition(b":")
    head, body = rest[: int(size)], rest[int(size) :]
    name, intent = orjson.loads(head)
    audience = to_user(state.user_id)
    return Event(name, StreamId(state.user_id), audience, body, Intents(intent))
