"""A session: what a client has identified for. It outlives its socket; RESUME moves it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from chatd.core.ids import GuildId, LoginId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.presence import ONLINE, Presence, Status
from chatd.events.event import Event, to_user
from chatd.gateway import bots
from chatd.gateway.batch import Batch
from chatd.gateway.commands import CloseCode
from chatd.gateway.frames import Dispatch
from chatd.wire import payloads

if TYPE_CHECKING:
    from chatd.gateway.feed import Feed

MAX_REPLAY_EVENTS = 10_000
MAX_REPLAY_BYTES = 4 * 2**20

_SHARD_SHIFT = 22


class Outlet(Protocol):
    """Where a session's payloads go: its connection."""

    def send(self, batch: Batch, seq: int) -> None:
        """Send dispatches, the first of which has this number. Never waits, never raises."""

    def invalidate(self) -> None:
        """Tell the client to identify anew, on this socket or another."""

    def close(self, code: CloseCode, reason: str) -> None:
        """Disconnect the client."""


@dataclass(frozen=True, slots=True)
class SessionState:
    """What a session is, but for what it replays and what it follows."""

    id: str
    user_id: UserId
    login_id: LoginId
    intents: Intents
    shard: tuple[int, int]
    presence: Presence
    client: str
    is_bot: bool
    seq: int

    def packed(self) -> list[Any]:
        """As JSON, without its id and its login."""
        presence = [self.presence.status, self.presence.activities]
        about = [self.client, self.is_bot, self.seq]
        return [self.user_id, int(self.intents), self.shard, presence, *about]

    @classmethod
    def unpacked(cls, session_id: str, login_id: int, packed: list[Any]) -> SessionState:
        """What `packed()` stands for."""
        user_id, intents, shard, (status, activities), client, is_bot, seq = packed
        presence = Presence(Status(status), tuple(activities))
        return cls(
            session_id,
            UserId(user_id),
            LoginId(login_id),
            Intents(intents),
            (shard[0], shard[1]),
            presence,
            client,
            is_bot,
            seq,
        )


class Session:
    """Numbers, remembers and queues the events for one client."""

    __slots__ = (  # what a delivery touches lies together
        "_bits",
        "_is_bot",
        "_replay",
        "_replay_bytes",
        "_shard",
        "client",
        "detached_at",
        "feeds",
        "id",
        "intents",
        "login_id",
        "outlet",
        "presence",
        "seq",
        "shown_at",
        "user_id",
    )

    def __init__(
        self,
        session_id: str,
        user_id: UserId,
        login_id: LoginId,
        *,
        intents: Intents,
        shard: tuple[int, int] = (0, 1),
        presence: Presence = ONLINE,
        client: str = "desktop",
        is_bot: bool = False,
    ) -> None:
        self.id = session_id
        self.user_id = user_id
        self.login_id = login_id
        self.feeds: set[Feed] = set()
        self.outlet: Outlet | None = None
        self.detached_at: float | None = None
        """When (of the loop's clock) its socket was lost; None while it has one."""
        self.seq = 0
        self.client = client
        """The kind of device that it runs on."""
        self.presence = presence
        """What it shows, since `shown_at` (monotonic)."""
        self.shown_at = time.monotonic()
        self.intents = intents
        """What its client has asked for."""
        self._bits = int(intents)  # combining flags as such is slow, and done for each event
        self._shard = shard
        self._is_bot = is_bot
        self._replay: list[Dispatch] = []  # the newest has the number `seq`
        self._replay_bytes = 0

    @classmethod
    def restored(cls, state: SessionState, replay: Iterable[Dispatch]) -> Session:
        """As it was when `state()` was asked for, with what it had to replay."""
        session = cls(
            state.id,
            state.user_id,
            state.login_id,
            intents=state.intents,
            shard=state.shard,
            presence=state.presence,
            client=state.client,
            is_bot=state.is_bot,
        )
        session.seq = state.seq
        session._replay = list(replay)
        session._replay_bytes = sum(dispatch.size for dispatch in session._replay)
        return session

    def state(self) -> SessionState:
        """What it is now."""
        return SessionState(
            self.id,
            self.user_id,
            self.login_id,
            self.intents,
            self._shard,
            self.presence,
            self.client,
            self._is_bot,
            self.seq,
        )

    @property
    def replay_bytes(self) -> int:
        """How much it would replay at the most; other sessions may share it."""
        return self._replay_bytes

    @property
    def replayed(self) -> Sequence[Dispatch]:
        """What it would replay; the newest has the number `seq`."""
        return self._replay

    def show(self, presence: Presence) -> None:
        """Show this from now on."""
        self.presence = presence
        self.shown_at = time.monotonic()

    def wants(self, intent: Intents) -> bool:
        """Whether the client has asked for events of this kind."""
        return bool(self.intents & intent)

    def takes(self, guild_id: GuildId) -> bool:
        """Whether this guild belongs to the session's shard."""
        shard, count = self._shard
        return (guild_id >> _SHARD_SHIFT) % count == shard

    @property
    def takes_private(self) -> bool:
        """Whether private channels belong to the session's shard: they do to the first."""
        return self._shard[0] == 0

    def dispatch(self, batch: Batch) -> None:
        """Send events, those of them whose kind the client has asked for."""
        wanted = batch.asked_for(self._bits)
        if wanted is not None and self._is_bot:
            wanted = bots.as_told(wanted, self.user_id, self.intents)
        if wanted is None:
            return
        first = self.seq + 1
        self.seq += len(wanted.dispatches)  # also while detached: RESUME replays it
        self._replay += wanted.dispatches
        self._replay_bytes += wanted.size
        if len(self._replay) > MAX_REPLAY_EVENTS or self._replay_bytes > MAX_REPLAY_BYTES:
            self._forget_oldest(self._too_many())
        if self.outlet is not None:
            self.outlet.send(wanted, first)

    def tell(self, event: Event) -> None:
        """Send an event that is for this session alone."""
        batch = Batch([Dispatch(event)])
        self.dispatch(batch)
        batch.forget()

    def acknowledge(self, seq: int) -> None:
        """Forget what the client says it has; it cannot ask for that again."""
        self._forget_oldest(min(len(self._replay), seq - self._oldest + 1))

    def forget(self) -> None:
        """Forget all that it has sent: it goes on, but cannot be resumed from before."""
        self._replay.clear()
        self._replay_bytes = 0

    def break_off(self) -> None:
        """It has missed something, by a fault of ours: from here on it cannot be resumed.

        Nothing more is sent: a client that had what comes later could resume from there.
        """
        self.seq += 1
        self.forget()
        outlet, self.outlet = self.outlet, None
        if outlet is not None:
            outlet.close(CloseCode.UNKNOWN_ERROR, "Something went wrong here.")

    def can_replay(self, seq: int) -> bool:
        """Whether everything after `seq` is still remembered."""
        return self._oldest - 1 <= seq <= self.seq

    def replay(self, seq: int, outlet: Outlet) -> Batch:
        """Send everything after `seq` again, in order; returns what that was."""
        missed = Batch(self._replay[seq + 1 - self._oldest :])
        if missed.dispatches:
            outlet.send(missed, seq + 1)
        return missed

    def resumed(self) -> None:
        """Say that the replay is over; this too is numbered and remembered."""
        body = payloads.encode({})
        stream = StreamId(self.user_id)
        self.tell(Event("RESUMED", stream, to_user(self.user_id), body))

    @property
    def _oldest(self) -> int:
        """The number of the oldest event that is remembered."""
        return self.seq - len(self._replay) + 1

    def _too_many(self) -> int:
        """How many more are remembered than may be."""
        left, size = len(self._replay), self._replay_bytes
        for dispatch in self._replay:
            if left <= MAX_REPLAY_EVENTS and size <= MAX_REPLAY_BYTES:
                break
            left, size = left - 1, size - dispatch.size
        return len(self._replay) - left

    def _forget_oldest(self, count: int) -> None:
        if count > 0:
            self._replay_bytes -= sum([dispatch.size for dispatch in self._replay[:count]])
            del self._replay[:count]
