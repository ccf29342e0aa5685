"""A guild whose members all have sessions in this process, for `curves`."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, cast

import orjson

from chatd.bus.bus import Bus
from chatd.core.capabilities import Capabilities, UserClient
from chatd.core.ids import ChannelId, GuildId, LoginId, RoleId, StreamId, UserId
from chatd.core.intents import NO_INTENT, Intents
from chatd.core.permissions import EVERYONE, Permissions
from chatd.core.presence import Presence, Status
from chatd.core.presence_table import PresenceTable
from chatd.db.pool import Database
from chatd.events.event import Event, to_channel, to_guild
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.fanout.friend_presences import FriendPresences
from chatd.gateway.fanout.guild_lists import GuildLists
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.member_lists import MemberLists
from chatd.gateway.fanout.presence_reporter import PresenceReporter
from chatd.gateway.fanout.visibility import Visibility
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.commands import CloseCode
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.session.session import Session
from chatd.gateway.session.state import SessionState
from chatd.observability.metrics import Counters

_GUILD = GuildId(1 << 22)
_FIRST_USER, _FIRST_CHANNEL, _FIRST_ROLE = 1 << 30, 1 << 31, 1 << 32
_STAFF_ROLE = RoleId(_FIRST_ROLE)
_STAFF = 10
"""Members with the role that sees the staff channel."""

_INTENTS = (
    Intents.GUILDS
    | Intents.GUILD_MESSAGES
    | Intents.GUILD_MESSAGE_TYPING
    | Intents.GUILD_MESSAGE_REACTIONS
    | Intents.GUILD_PRESENCES
)
_CLIENT = UserClient(Capabilities.DEDUPE_USER_OBJECTS, "Linux")
_STATUSES = (Status.ONLINE, Status.IDLE, Status.DND)
_NO_DATABASE = cast(Database, None)
"""Of lists whose members are known: they read nothing."""


class _Sink:
    """A connection that drops what it is sent."""

    send_queue = None

    def send(self, batch: Batch, seq: int) -> None:
        """Drop dispatches."""

    def invalidate(self) -> None:
        """Do nothing."""

    def close(self, code: CloseCode, reason: str) -> None:
        """Do nothing."""


class _LocalBus:
    """The bus of one instance: what is published arrives at once."""

    def __init__(self) -> None:
        self.reporter: PresenceReporter | None = None

    async def publish(self, events: Sequence[Event]) -> None:
        """Pass events to the reporter."""
        assert self.reporter is not None
        for event in events:
            self.reporter.on_event(event)


class CrowdedGuild:
    """A guild on an instance. `size` members have a session each."""

    def __init__(self, size: int, channels: int, roles: int) -> None:
        self.size = size
        self.staff_channel = ChannelId(_FIRST_CHANNEL)
        self._turn = 0
        self._seq = 0
        self._guests: list[Session] = []
        self._counters = Counters()
        table = PresenceTable()
        self._replay_budget = ReplayBudget(2**30)
        queue = DeliveryQueue(FlushScheduler(max_bytes=0), self._counters, self._replay_budget)
        self._queue = queue
        self._hub = Hub(
            resume_window_s=120,
            replay_budget=self._replay_budget,
            sessions_per_user=0,
            presence_table=table,
            delivery_queue=queue,
        )
        self._feed = self._hub.guild_feed(_GUILD)
        self._feed.restore(Visibility.restored(_state(channels, roles)), 0, 0.0)
        self._roles = [
            (_STAFF_ROLE,) if number < _STAFF else (RoleId(_FIRST_ROLE + 1 + number % (roles - 1)),)
            for number in range(size)
        ]
        self._sessions = [self._begin(number) for number in range(size)]
        self._reporter = self._reporter_of(table, queue)
        self._lists = GuildLists(self._feed, table, send=self._drop)
        self._lists.members.is_loaded = True
        self._has_lists = False

    def _reporter_of(self, table: PresenceTable, queue: DeliveryQueue) -> PresenceReporter:
        bus = _LocalBus()
        bus.reporter = PresenceReporter(
            self._hub,
            cast(Bus, bus),
            presence_table=table,
            delivery_queue=queue,
            counters=self._counters,
            member_lists=MemberLists(
                self._hub, _NO_DATABASE, presence_table=table, delivery_queue=queue
            ),
            friend_presences=FriendPresences(self._hub, _NO_DATABASE, table, queue),
        )
        return bus.reporter

    def _begin(self, number: int) -> Session:
        user_id = UserId(_FIRST_USER + number)
        state = SessionState(str(number), user_id, LoginId(user_id), _INTENTS, user_client=_CLIENT)
        session = Session(state, self._replay_budget)
        session.sink = _Sink()
        self._hub.add(session)
        roles = self._roles[number] if number < self.size else ()
        self._feed.add_member_session(session, roles, 0.0)
        return session

    def arrive(self) -> None:
        """Begin a session of a further member."""
        self._guests.append(self._begin(self.size + len(self._guests)))

    def leave(self) -> None:
        """End the session of a member, or of a guest."""
        if not self._guests:
            self.arrive()
        self._hub.remove(self._guests.pop())

    async def push(self, event: Event) -> None:
        """Deliver an event of the guild to all sessions."""
        self._feed.push(event, asyncio.get_running_loop().time())
        await self._queue.drained()

    def acknowledge(self) -> None:
        """Empty the replay buffers of all sessions."""
        for session in self._sessions:
            session.clear_replay()

    def change_presences(self) -> None:
        """Have all members set another status."""
        self._turn += 1
        status = _STATUSES[self._turn % len(_STATUSES)]
        for session in self._sessions:
            session.set_presence(Presence(status))
            self._hub.mark_presence_dirty(session.user_id)

    async def report_presences(self) -> None:
        """Do what the reporter does after each interval."""
        vars(self._reporter)["_may_report_at"].clear()  # as if the last report were long ago
        await self._reporter.update()

    async def update_lists(self) -> None:
        """Update member lists that all members watch, after one change."""
        if not self._has_lists:
            self._has_lists = True
            await self.report_presences()
            vars(self._lists.members).update(_hides_offline=True, member_count=self.size)
            for number in range(self.size):
                self._lists.members.buffer(self._feed, self._joined(number))
            self._lists.members.take_dirty()
            wanted = {ChannelId(_FIRST_CHANNEL + 1): [(0, 9)]}
            for session in self._sessions:
                await self._lists.subscribe(_NO_DATABASE, session, wanted)
        self._lists.members.mark(UserId(_FIRST_USER + 5))
        await self._lists.update(_NO_DATABASE)

    def typing(self, number: int) -> Event:
        """Return a TYPING_START of a member."""
        body = orjson.dumps({"user_id": str(_FIRST_USER + number), "guild_id": str(_GUILD)})
        audience = to_channel(ChannelId(_FIRST_CHANNEL + 1))
        stream = StreamId(_GUILD)
        return Event("TYPING_START", stream, audience, body, Intents.GUILD_MESSAGE_TYPING)

    def message(self, channel_id: ChannelId) -> Event:
        """Return a MESSAGE_CREATE."""
        body = orjson.dumps({"id": "1", "content": "hi"})
        return self._numbered("MESSAGE_CREATE", body, channel_id, Intents.GUILD_MESSAGES)

    def member_update(self, number: int) -> Event:
        """Return a GUILD_MEMBER_UPDATE: a member gets a role, or loses it."""
        self._turn += 1
        member = _member(_STAFF + number, [_FIRST_ROLE + 1 + self._turn % 20])
        self._seq += 1
        body = orjson.dumps({"guild_id": str(_GUILD), **member})
        audience, stream = to_guild(_GUILD), StreamId(_GUILD)
        name, intent = "GUILD_MEMBER_UPDATE", Intents.GUILD_MEMBERS
        return Event(name, stream, audience, body, intent, self._seq)

    def channel_update(self, channel_id: ChannelId) -> Event:
        """Return a CHANNEL_UPDATE with another name."""
        self._turn += 1
        body = orjson.dumps(_channel(0, name=f"channel-{self._turn}"))
        return self._numbered("CHANNEL_UPDATE", body, channel_id, Intents.GUILDS)

    def staff_overwrite(self, *, granted: bool) -> Event:
        """Return a CHANNEL_UPDATE after which the staff sees its channel, or does not."""
        channel = _channel(0)
        if not granted:
            channel["permission_overwrites"] = channel["permission_overwrites"][:1]
        body = orjson.dumps(channel)
        return self._numbered("CHANNEL_UPDATE", body, self.staff_channel, Intents.GUILDS)

    def _joined(self, number: int) -> Event:
        body = orjson.dumps(_member(number, list(self._roles[number])))
        return Event("GUILD_MEMBER_ADD", StreamId(_GUILD), to_guild(_GUILD), body, NO_INTENT)

    def _numbered(self, name: str, body: bytes, channel_id: ChannelId, intent: Intents) -> Event:
        self._seq += 1
        return Event(name, StreamId(_GUILD), to_channel(channel_id), body, intent, self._seq)

    def _drop(self, body: Any, sessions: Collection[Session]) -> None:
        """Drop an update of a list."""


def _state(channels: int, roles: int) -> dict[str, Any]:
    everyone = {"id": str(_GUILD), "permissions": str(int(EVERYONE)), "position": 0}
    shown = [
        {"id": str(_FIRST_ROLE + number), "permissions": "0", "position": number + 1}
        for number in range(roles)
    ]
    return {
        "guild_id": _GUILD,
        "owner_id": 1,
        "members": [],
        "roles": [],
        "shown_roles": [everyone, *shown],
        "channels": [_channel(number) for number in range(channels)],
    }


def _channel(number: int, name: str = "channel") -> dict[str, Any]:
    """Return a channel; only the staff sees the one with the number 0."""
    view = str(int(Permissions.VIEW_CHANNEL))
    hidden = {"id": str(_GUILD), "type": 0, "allow": "0", "deny": view}
    shown = {"id": str(_STAFF_ROLE), "type": 0, "allow": view, "deny": "0"}
    return {
        "id": str(_FIRST_CHANNEL + number),
        "name": name,
        "position": number,
        "permission_overwrites": [] if number else [hidden, shown],
    }


def _member(number: int, roles: Sequence[int]) -> dict[str, Any]:
    return {
        "user": {
            "id": str(_FIRST_USER + number),
            "username": f"member{number}",
            "global_name": None,
        },
        "nick": None,
        "roles": [str(each) for each in roles],
        "communication_disabled_until": None,
    }
