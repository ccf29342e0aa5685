"""A session: the state that IDENTIFY creates and that RESUME continues on another connection.

A session numbers the dispatches that it sends, and keeps them in a replay buffer until its client
acknowledges them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol

from chatd.core.ids import GuildId, StreamId
from chatd.core.intents import Intents
from chatd.core.presence import Presence
from chatd.events.event import Event, to_user
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.commands import CloseCode
from chatd.gateway.protocol.encoders import PLAIN
from chatd.gateway.protocol.frames import Dispatch
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.send_queue import SendQueue
from chatd.gateway.session import bot_filter
from chatd.gateway.session.state import SessionState
from chatd.wire import payloads

log = logging.getLogger(__name__)

MAX_REPLAY_EVENTS = 10_000
"""The longest replay of one session. A client that missed more has to identify again."""

MAX_REPLAY_BYTES = 4 * 2**20
"""The largest replay buffer of one session; the hub bounds all of them together."""

_SHARD_SHIFT = 22  # bits. Rule: Discord docs, Gateway, "Sharding": (guild_id >> 22) % num_shards


class SessionSink(Protocol):
    """The connection of a session, to which it sends its payloads."""

    @property
    def send_queue(self) -> SendQueue | None:
        """Its send queue, which `dispatch_to_all` may bypass; None without one."""

    def send(self, batch: Batch, seq: int, /) -> None:
        """Send dispatches, numbered from `seq` on. Does not block or raise."""

    def invalidate(self) -> None:
        """Send INVALID_SESSION: the client has to identify again."""

    def close(self, code: CloseCode, reason: str) -> None:
        """Disconnect the client."""


class FollowedFeed(Protocol):
    """The part of `fanout.feed.Feed` that a session uses; `feed` imports this module."""

    @property
    def stream(self) -> StreamId:
        """The stream whose events it delivers."""

    @property
    def position(self) -> int | None:
        """The sequence number of the last event that it delivered; None before it is started."""

    async def wait_for_progress(self) -> None:
        """Wait until it has delivered or buffered another event."""

    def detach(self, session: Session) -> None:
        """Stop delivering events to a session."""


@lru_cache(1024)
def _shared(bits: int) -> int:
    """Return an equal number that sessions share, so that it is in the processor's caches."""
    return bits


class Session:
    """Numbers the dispatches for one client, keeps them for a replay, and sends them."""

    __slots__ = (  # CPython sorts them, so the fields that a delivery reads, with "_", are adjacent
        "_base_seq",
        "_intent_bits",
        "_is_bot",
        "_replay",
        "_replay_budget",
        "_replay_bytes",
        "_sink",
        "_unfiltered_queue",
        "detached_at",
        "device",
        "feeds",
        "has_all_guilds",
        "id",
        "intents",
        "knows_friends",
        "listed_sessions",
        "login_id",
        "member_lists",
        "presence",
        "presence_set_at",
        "shard",
        "user_client",
        "user_id",
    )

    def __init__(self, state: SessionState, replay_budget: ReplayBudget) -> None:
        self.id = state.id
        self.user_id = state.user_id
        self.login_id = state.login_id
        self.feeds: list[FollowedFeed] = []  # a set takes twice as much memory
        self._sink: SessionSink | None = None
        self._unfiltered_queue: SendQueue | None = None
        """The send queue of the connection, unless the dispatches must be filtered for a bot."""
        self.detached_at: float | None = None
        """When it lost its connection, by the event loop's clock; None while it has one."""
        self.has_all_guilds = True
        """Whether all guilds that READY lists have been sent. Before that, no RESUME succeeds."""
        self._base_seq = state.seq
        """The number of the last dispatch before the replay buffer."""
        self.device = state.device
        """The kind of device that the client reported: "desktop" or "mobile"."""
        self.user_client = state.user_client
        """The client, if it is one of a person that sent capabilities."""
        self.member_lists = dict(state.member_lists)
        """The windows of member lists that the client requested."""
        self.listed_sessions = b""
        """The last list of its user's sessions that the client received, encoded."""
        self.knows_friends = False
        """Whether it has received the presences of friends since it began or was restored."""
        self.presence = state.presence
        """The presence that the client has set, at `presence_set_at` (Unix time in seconds)."""
        self.presence_set_at = time.time()
        self.intents = state.intents
        """The intents of IDENTIFY."""
        self._intent_bits = _shared(int(state.intents))  # combining enum flags is slow
        self.shard = state.shard
        self._is_bot = state.is_bot
        self._replay_budget = replay_budget
        self._replay: list[Dispatch] = []
        self._replay_bytes = 0

    @classmethod
    def from_state(
        cls, state: SessionState, replay: Iterable[Event], replay_budget: ReplayBudget
    ) -> Session:
        """Return a session in this state, with these events in its replay buffer."""
        session = cls(state, replay_budget)
        session._replay = [Dispatch(event, replay_budget) for event in replay]
        session._replay_bytes = sum(dispatch.size for dispatch in session._replay)
        session._base_seq -= len(session._replay)
        return session

    def state(self) -> SessionState:
        """Return the current state."""
        return SessionState(
            self.id,
            self.user_id,
            self.login_id,
            self.intents,
            self.shard,
            self.presence,
            self.device,
            self._is_bot,
            self.seq,
            self.user_client,
            dict(self.member_lists),
        )

    @property
    def sink(self) -> SessionSink | None:
        """The connection; None without one."""
        return self._sink

    @sink.setter
    def sink(self, sink: SessionSink | None) -> None:
        self._sink = sink
        self._unfiltered_queue = None if sink is None or self._is_bot else sink.send_queue

    @property
    def seq(self) -> int:
        """The number of the last dispatch.

        It is not stored: a delivery would release one number and create another, which costs more
        than to add two.
        """
        return self._base_seq + len(self._replay)

    @property
    def replay_bytes(self) -> int:
        """The bytes of the replay buffer; other sessions may share the dispatches in it."""
        return self._replay_bytes

    @property
    def replay_buffer(self) -> Sequence[Dispatch]:
        """The dispatches for a replay; the last one has the number `seq`."""
        return self._replay

    def set_presence(self, presence: Presence) -> None:
        """Set the presence that this session contributes to its user's."""
        self.presence = presence
        self.presence_set_at = time.time()

    def wants(self, intent: Intents) -> bool:
        """Return whether the client requested this intent."""
        return bool(self.intents & intent)

    @property
    def is_bot(self) -> bool:
        """Whether the session is one of a bot."""
        return self._is_bot

    @property
    def sees_only_itself(self) -> bool:
        """Whether guilds list only the user's own member: for a bot without GUILD_MEMBERS."""
        return self._is_bot and not self.wants(Intents.GUILD_MEMBERS)

    def follows(self, guild_id: GuildId) -> bool:
        """Return whether the session receives the events of a guild."""
        return any(feed.stream == StreamId(guild_id) for feed in self.feeds)

    def shard_includes(self, guild_id: GuildId) -> bool:
        """Return whether the session's shard receives the events of this guild."""
        shard, count = self.shard
        return (guild_id >> _SHARD_SHIFT) % count == shard

    @property
    def shard_includes_dms(self) -> bool:
        """Whether private channels belong to the session's shard, which is the first one."""
        return self.shard[0] == 0

    def dispatch(self, batch: Batch) -> None:
        """Send the dispatches of a batch that the client's intents include."""
        wanted = batch.for_intents(self._intent_bits)
        if wanted is not None and self._is_bot:
            wanted = bot_filter.filter_for_bot(wanted, self.user_id, self.intents)
        if wanted is None:
            return
        first = self.seq + 1
        self._replay += wanted.dispatches  # also while detached, because RESUME replays them
        self._replay_bytes += wanted.size
        if len(self._replay) > MAX_REPLAY_EVENTS or self._replay_bytes > MAX_REPLAY_BYTES:
            self._drop_oldest(self._excess())
        if (sink := self._sink) is not None:  # the property would add two calls per delivery
            sink.send(wanted, first)

    def send_event(self, event: Event) -> None:
        """Send an event to this session only."""
        self.send_events((event,))

    def send_events(self, events: Iterable[Event]) -> None:
        """Send events to this session only, in one write."""
        batch = Batch([Dispatch(event, self._replay_budget) for event in events])
        if not batch.dispatches:
            return
        self.dispatch(batch)
        batch.release_frames()

    def acknowledge(self, seq: int) -> None:
        """Drop the dispatches up to `seq` from the replay buffer: the client has them."""
        self._drop_oldest(min(len(self._replay), seq - self._base_seq))

    def clear_replay(self) -> None:
        """Release the replay buffer. The session continues; a replay has only later dispatches."""
        self._base_seq = self.seq
        self._replay.clear()
        self._replay_bytes = 0

    def fail(self) -> None:
        """Mark as failed after the loss of a dispatch, so that the session cannot be resumed.

        Closes the connection and sends no further dispatch. A client that received a further one
        could resume after it, and would not notice that an earlier dispatch is missing.
        """
        self.clear_replay()
        self._base_seq += 1
        sink, self.sink = self.sink, None
        if sink is not None:
            sink.close(CloseCode.UNKNOWN_ERROR, "Something went wrong here.")

    def can_replay(self, seq: int) -> bool:
        """Return whether the replay buffer has everything after `seq`."""
        return self._base_seq <= seq <= self.seq

    def replay(self, seq: int, sink: SessionSink) -> Batch:
        """Send everything after `seq` again, in order; return it."""
        missed = Batch(self._replay[seq - self._base_seq :])
        if missed.dispatches:
            sink.send(missed, seq + 1)
        return missed

    def send_resumed(self) -> None:
        """Send RESUMED, the end of a replay; it is numbered and buffered like any dispatch."""
        body = payloads.encode({})
        stream = StreamId(self.user_id)
        self.send_event(Event("RESUMED", stream, to_user(self.user_id), body))

    def _excess(self) -> int:
        """Return how many dispatches exceed the limits of the replay buffer."""
        left, size = len(self._replay), self._replay_bytes
        for dispatch in self._replay:
            if left <= MAX_REPLAY_EVENTS and size <= MAX_REPLAY_BYTES:
                break
            left, size = left - 1, size - dispatch.size
        return len(self._replay) - left

    def _drop_oldest(self, count: int) -> None:
        if count <= 0:
            return
        # Only the sizes of the smaller part are added up, because reading a size costs a cache miss
        # or two. A client mostly acknowledges almost all dispatches.
        self._base_seq += count
        replay, left = self._replay, len(self._replay) - count
        if count < left:
            self._replay_bytes -= sum([dispatch.size for dispatch in replay[:count]])
            del replay[:count]
        else:
            del replay[:count]
            self._replay_bytes = sum([dispatch.size for dispatch in replay])


def dispatch_to_all(batch: Batch, sessions: Iterable[Session], *, at_once: bool) -> None:
    """Dispatch a batch to each session. A session for which this raises fails (`Session.fail`).

    With `at_once`, connections that are not scheduled to flush write before this returns, unless
    the batch can wait.
    """
    if at_once and len(batch.dispatches) == 1:
        _write_to_all(batch, batch.dispatches[0], sessions)
        return
    for session in sessions:
        try:
            session.dispatch(batch)
        except Exception:
            _fail(session)


def _write_to_all(batch: Batch, dispatch: Dispatch, sessions: Iterable[Session]) -> None:
    """Write a dispatch to the connections of sessions.

    It has the effect of `Session.dispatch` with `batch`, which consists of this dispatch. But in
    most cases it calls at most one Python function for a plain connection: six calls would double
    the time.
    """
    frame, intent, size = dispatch.plain, dispatch.intent, dispatch.size
    can_wait = dispatch.can_wait
    for session in sessions:
        try:
            queue = session._unfiltered_queue
            if queue is None or queue.is_scheduled or queue.encoder is not PLAIN:
                session.dispatch(batch)
                continue
            if intent and not session._intent_bits & intent:
                continue
            replay = session._replay
            replay.append(dispatch)
            number = b"%d" % (session._base_seq + len(replay))
            session._replay_bytes = replay_bytes = session._replay_bytes + size
            if replay_bytes > MAX_REPLAY_BYTES or len(replay) > MAX_REPLAY_EVENTS:
                session._drop_oldest(session._excess())
            prefix = frame.prefixes.get(len(number)) or frame.prefix_for(len(number))
            data = b"".join((prefix, number, frame.suffix))
            if can_wait:
                queue.send_later(data)
                continue
            if queue.is_waiting:
                data = queue.take_with(data)
            transport = queue.transport
            if not transport.is_closing():
                transport.write(data)
                backlog = transport.get_write_buffer_size()
                if backlog > queue.checked_above:
                    queue.check_backlog(backlog)
        except Exception:
            _fail(session)


def _fail(session: Session) -> None:
    short_id = session.id[:8]  # the whole id is half of what a RESUME needs
    log.exception("session %s missed an event; session invalidated", short_id)
    session.fail()
