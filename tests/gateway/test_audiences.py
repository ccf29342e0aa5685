"""Audiences of a guild: kept as sessions come and go, they are those that a search would find."""

from __future__ import annotations

import random
from typing import Any

import orjson

from chatd.core.ids import ChannelId, GuildId, LoginId, RoleId, StreamId, UserId
from chatd.core.intents import ALL_INTENTS
from chatd.core.permissions import Permissions
from chatd.core.presence_table import PresenceTable
from chatd.events.event import Event, to_channel, to_guild, to_user
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.visibility import Visibility
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.commands import CloseCode
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.session.session import Session
from chatd.gateway.session.state import SessionState
from chatd.observability.metrics import Counters

GUILD, OWNER = GuildId(1 << 22), UserId(2)
USERS = [OWNER, *(UserId(each) for each in range(200, 209))]
ROLES = [RoleId(each) for each in range(100, 105)]
CHANNELS = [ChannelId(each) for each in range(300, 306)]
VIEW, ADMINISTRATOR, BAN = 1 << 10, 1 << 3, 1 << 2

Received = set[tuple[str, str, str]]
"""Sessions with the names and channels of the events that they received."""


class Recorder:
    """A session sink that records what it is sent."""

    send_queue = None

    def __init__(self, session_id: str, received: Received) -> None:
        self.session_id = session_id
        self.received = received

    def send(self, batch: Batch, seq: int) -> None:
        for dispatch in batch.dispatches:
            name, about = dispatch.event.name, str(dispatch.event.audience.id)
            entry = self.session_id, name, about
            assert entry not in self.received, f"{entry} was received twice"
            self.received.add(entry)

    def invalidate(self) -> None:
        raise AssertionError

    def close(self, code: CloseCode, reason: str) -> None:
        raise AssertionError


class Scene:
    """A guild feed, and a twin of its visibility that is asked about each member separately."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.received: Received = set()
        self.budget = ReplayBudget(2**20)
        self.queue = DeliveryQueue(FlushScheduler(max_bytes=0), Counters(), self.budget)
        self.hub = Hub(
            resume_window_s=120,
            replay_budget=self.budget,
            sessions_per_user=0,
            presence_table=PresenceTable(),
            delivery_queue=self.queue,
        )
        self.roles = {user_id: self.some_roles() for user_id in USERS}
        state: dict[str, Any] = {"guild_id": GUILD, "owner_id": OWNER, "members": [], "roles": []}
        state["shown_roles"] = [self.role(each) for each in (RoleId(GUILD), *ROLES)]
        state["channels"] = [self.channel(each) for each in CHANNELS]
        self.twin = Visibility.restored(orjson.loads(orjson.dumps(state)))
        self.feed: GuildFeed = self.hub.guild_feed(GUILD)
        self.feed.restore(Visibility.restored(orjson.loads(orjson.dumps(state))), 0, 0.0)
        self.sessions: list[Session] = []
        self.seq = 0
        self.numbers = 0

    def some_roles(self) -> tuple[RoleId, ...]:
        return tuple(sorted(self.chance.sample(ROLES, self.chance.randrange(3))))

    def role(self, role_id: RoleId) -> dict[str, Any]:
        granted = self.chance.choice([0, VIEW, VIEW, VIEW | BAN, BAN])
        if self.chance.random() < 0.05:
            granted |= ADMINISTRATOR
        return {"id": str(role_id), "permissions": str(granted), "position": 1}

    def channel(self, channel_id: ChannelId) -> dict[str, Any]:
        targets = [*((each, 0) for each in (GUILD, *ROLES)), *((each, 1) for each in USERS)]
        overwrites = []
        for target, kind in self.chance.sample(targets, self.chance.randrange(4)):
            allow, deny = self.chance.choice([(VIEW, 0), (0, VIEW), (0, 0)])
            bits = {"allow": str(allow), "deny": str(deny)}
            overwrites.append({"id": str(target), "type": kind, **bits})
        about = {"id": str(channel_id), "position": 0, "permission_overwrites": overwrites}
        return {**about, "guild_id": str(GUILD)}

    def begin(self, user_id: UserId) -> None:
        """Begin a session of a member."""
        session = self.session(user_id)
        roles = self.twin.roles_of(user_id) or self.roles[user_id]
        self.twin.add_member(user_id, roles, 0.0)
        self.feed.add_member_session(session, roles, 0.0)

    def session(self, user_id: UserId) -> Session:
        self.numbers += 1
        state = SessionState(str(self.numbers), user_id, LoginId(user_id), ALL_INTENTS)
        session = Session(state, self.budget)
        session.sink = Recorder(session.id, self.received)
        self.hub.add(session)
        self.sessions.append(session)
        return session

    def end(self, session: Session) -> None:
        """End a session."""
        self.sessions.remove(session)
        self.hub.remove(session)
        if all(each.user_id != session.user_id for each in self.sessions):
            self.twin.remove_member(session.user_id)

    def seen(self) -> dict[UserId, set[ChannelId]]:
        """Return what each member with a session sees."""
        visible = self.twin.visible_channels
        local = self.twin.members.roles
        members = {each.user_id for each in self.sessions if each.user_id in local}
        return {each: set(self.twin.channels_in(visible(each))) for each in members}

    def of(self, users: object, name: str, about: int) -> Received:
        assert isinstance(users, set)
        return {(each.id, name, str(about)) for each in self.sessions if each.user_id in users}

    def push(self, event: Event, expected: Received) -> None:
        """Deliver an event, and compare who receives what."""
        self.received.clear()
        self.feed.push(event, 0.0)
        self.queue.flush()
        assert self.received == expected, event

    def numbered(self, name: str, audience: Any, body: object) -> Event:
        self.seq += 1
        return Event(name, StreamId(GUILD), audience, orjson.dumps(body), seq=self.seq)

    def message(self) -> None:
        channel_id = self.chance.choice(CHANNELS)
        viewers = {each for each, seen in self.seen().items() if channel_id in seen}
        body = {"id": "1", "channel_id": str(channel_id)}
        event = self.numbered("MESSAGE_CREATE", to_channel(channel_id), body)
        self.push(event, self.of(viewers, event.name, channel_id))

    def to_moderators(self) -> None:
        needed = Permissions.BAN_MEMBERS
        users = {each for each in self.seen() if self.twin.has_guild_permission(each, needed)}
        event = self.numbered("GUILD_BAN_ADD", to_guild(GUILD, needed), {})
        self.push(event, self.of(users, event.name, GUILD))

    def change(self, event: Event, *, to: str = "all") -> None:
        """Apply an event that may show channels to members, or hide them."""
        before = self.seen()
        self.twin.apply(event)
        after = self.seen()
        expected: Received = set()
        if to == "all":
            expected |= self.of(set(after), event.name, event.audience.id)
        else:
            channel_id = ChannelId(event.audience.id)
            both = {
                each for each in after if channel_id in after[each] and channel_id in before[each]
            }
            expected |= self.of(both, event.name, channel_id)
        for user_id, seen in after.items():
            for channel_id in before[user_id] - seen:
                expected |= self.of({user_id}, "CHANNEL_DELETE", channel_id)
            for channel_id in seen - before[user_id]:
                expected |= self.of({user_id}, "CHANNEL_CREATE", channel_id)
        self.push(event, expected)

    def change_something(self) -> None:
        chance = self.chance
        whole = to_guild(GUILD)
        body: dict[str, Any]
        match chance.randrange(5):
            case 0:
                body = {"role": self.role(chance.choice([RoleId(GUILD), *ROLES]))}
                self.change(self.numbered("GUILD_ROLE_UPDATE", whole, body))
            case 1:
                channel_id = chance.choice(CHANNELS)
                body = self.channel(channel_id)
                audience = to_channel(channel_id)
                self.change(self.numbered("CHANNEL_UPDATE", audience, body), to="viewers")
            case 2:
                user_id = chance.choice(USERS)
                roles = self.roles[user_id] = self.some_roles()
                user = {"user": {"id": str(user_id)}, "communication_disabled_until": None}
                body = {**user, "roles": [str(each) for each in roles]}
                self.change(self.numbered("GUILD_MEMBER_UPDATE", whole, body))
            case 3 if chance.random() < 0.3:
                role_id = chance.choice(ROLES)
                for user_id, roles in self.roles.items():
                    self.roles[user_id] = tuple(each for each in roles if each != role_id)
                body = {"role_id": str(role_id)}
                self.change(self.numbered("GUILD_ROLE_DELETE", whole, body))
            case 4:
                body = {"owner_id": str(chance.choice(USERS))}
                self.change(self.numbered("GUILD_UPDATE", whole, body))

    def leave_and_join(self) -> None:
        """Have a member leave the guild, and join it again with other roles."""
        user_id = self.chance.choice(USERS)
        event = self.numbered("GUILD_DELETE", to_user(user_id), {"id": str(GUILD)})
        self.push(event, self.of({user_id}, event.name, user_id))
        self.twin.apply(event)
        self.message()
        own = self.roles[user_id] = self.some_roles()
        member = {"user": {"id": str(user_id)}, "roles": [str(each) for each in own]}
        member["communication_disabled_until"] = None  # type: ignore[assignment]
        event = self.numbered("GUILD_JOINED", to_user(user_id), _joined(member))
        self.twin.apply(event)
        self.push(event, self.of({user_id}, "GUILD_CREATE", user_id))
        if all(each.user_id != user_id for each in self.sessions):
            self.twin.remove_member(user_id)
            self.feed.visibility.remove_member(user_id)


def _joined(member: object) -> dict[str, Any]:
    return {"members": [member], "member_count": 1, "roles": [], "channels": []}


async def test_channel_that_becomes_known_by_an_update_is_shown() -> None:
    scene = Scene(random.Random(1))
    scene.begin(OWNER)
    unknown = ChannelId(999)
    scene.push(Event("TYPING_START", StreamId(GUILD), to_channel(unknown), b"{}"), set())
    body = {"id": "999", "position": 0, "permission_overwrites": [], "guild_id": str(GUILD)}
    event = scene.numbered("CHANNEL_UPDATE", to_channel(unknown), body)
    scene.push(event, {("1", "CHANNEL_CREATE", "999")})
    message = scene.numbered("MESSAGE_CREATE", to_channel(unknown), {"id": "1"})
    scene.push(message, {("1", "MESSAGE_CREATE", "999")})


async def test_audiences_are_those_that_a_search_finds() -> None:
    for seed in range(60):
        scene = Scene(random.Random(seed))
        for _ in range(80):
            match scene.chance.randrange(7):
                case 0 | 1:
                    scene.begin(scene.chance.choice(USERS))
                case 2 if scene.sessions:
                    scene.end(scene.chance.choice(scene.sessions))
                case 3:
                    scene.change_something()
                case 4 if scene.sessions and scene.chance.random() < 0.3:
                    scene.leave_and_join()
                case 5:
                    scene.to_moderators()
            scene.message()
