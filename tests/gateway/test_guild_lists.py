"""Member lists of a guild: whose windows get updates."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any, cast

import orjson
import pytest

from chatd.core.ids import ChannelId, GuildId, LoginId, RoleId, StreamId, UserId
from chatd.core.intents import ALL_INTENTS, Intents
from chatd.core.member_list import MemberList
from chatd.core.presence_table import PresenceTable
from chatd.db.pool import Database
from chatd.events.event import Event, to_guild
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.fanout.guild_lists import GuildLists
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.visibility import Visibility
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.session.session import Session
from chatd.gateway.session.state import SessionState
from chatd.observability.metrics import Counters

GUILD, CHANNEL, ROLE = GuildId(1 << 22), ChannelId(300), RoleId(100)
PEOPLE = [UserId(each) for each in range(200, 204)]
NO_DATABASE = cast(Database, None)
VIEW = str(1 << 10)
WINDOWS = {CHANNEL: [(0, 9)]}


class Scene:
    """A channel for a role that all members have, with a list."""

    def __init__(self) -> None:
        self.received: list[set[UserId]] = []
        budget = ReplayBudget(2**20)
        queue = DeliveryQueue(FlushScheduler(max_bytes=0), Counters(), budget)
        table = PresenceTable()
        self.hub = Hub(
            resume_window_s=120,
            replay_budget=budget,
            sessions_per_user=0,
            presence_table=table,
            delivery_queue=queue,
        )
        everyone = {"id": str(GUILD), "permissions": "0", "position": 0}
        role = {"id": str(ROLE), "permissions": VIEW, "position": 1}
        state: dict[str, Any] = {"guild_id": GUILD, "owner_id": 1, "members": [], "roles": []}
        state["shown_roles"] = [everyone, role]
        state["channels"] = [{"id": str(CHANNEL), "position": 0, "permission_overwrites": []}]
        self.feed = self.hub.guild_feed(GUILD)
        self.feed.restore(Visibility.restored(state), 0, 0.0)
        self.lists = GuildLists(self.feed, table, send=self.send)
        self.lists.members.is_loaded = True
        self.sessions: dict[UserId, Session] = {}
        for user_id in PEOPLE:
            state_of = SessionState(str(user_id), user_id, LoginId(user_id), ALL_INTENTS)
            session = self.sessions[user_id] = Session(state_of, budget)
            self.hub.add(session)
            self.feed.add_member_session(session, (ROLE,), 0.0)
            self.push("GUILD_MEMBER_ADD", user_id, [ROLE])

    def send(self, body: Any, sessions: Collection[Session]) -> None:
        self.received.append({each.user_id for each in sessions})

    def push(self, name: str, user_id: UserId, roles: list[RoleId]) -> None:
        """Add or change a member."""
        user = {"id": str(user_id), "username": f"m{user_id}", "global_name": None}
        body: dict[str, Any] = {"user": user, "nick": None, "roles": [str(each) for each in roles]}
        body |= {"guild_id": str(GUILD), "communication_disabled_until": None}
        seq = (self.feed.position or 0) + 1
        audience, intent = to_guild(GUILD), Intents.GUILD_MEMBERS
        event = Event(name, StreamId(GUILD), audience, orjson.dumps(body), intent, seq)
        self.feed.push(event, 0.0)

    async def subscribe(self, user_id: UserId) -> None:
        await self.lists.subscribe(NO_DATABASE, self.sessions[user_id], WINDOWS)

    async def update(self) -> set[UserId]:
        """Return who receives an update after a change of the first member."""
        self.received.clear()
        self.lists.members.mark(PEOPLE[0])
        await self.lists.update(NO_DATABASE)
        return set().union(*self.received)


async def test_change_is_sent_to_all_sessions_with_the_same_windows() -> None:
    scene = Scene()
    for user_id in PEOPLE:
        await scene.subscribe(user_id)
    await scene.update()
    assert await scene.update() == set(PEOPLE)
    assert len(scene.received) == 1  # one update for all of them
    scene.hub.remove(scene.sessions[PEOPLE[1]])
    assert await scene.update() == {PEOPLE[0], PEOPLE[2], PEOPLE[3]}


async def test_hidden_list_is_not_sent_before_the_lists_are_built_again() -> None:
    scene = Scene()
    for user_id in PEOPLE[:3]:
        await scene.subscribe(user_id)
    await scene.update()
    vars(scene.lists)["_next_build_at"] = math.inf
    scene.push("GUILD_MEMBER_UPDATE", PEOPLE[1], [])  # it does not see the channel any more
    await scene.update()
    scene.received.clear()
    scene.lists.members.mark(PEOPLE[0])
    await scene.subscribe(PEOPLE[3])
    assert set().union(*scene.received) == {PEOPLE[0], PEOPLE[2], PEOPLE[3]}


async def test_list_that_ends_while_it_is_built_is_not_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    members, ended = scene.lists.members, scene.sessions[PEOPLE[1]]
    build = members.build

    async def end_meanwhile(channel_id: ChannelId) -> MemberList:
        items = await build(channel_id)
        scene.lists.remove(ended)  # its client requests lists of too many guilds
        return items

    monkeypatch.setattr(members, "build", end_meanwhile)
    await scene.subscribe(PEOPLE[1])
    monkeypatch.undo()
    await scene.subscribe(PEOPLE[0])
    await scene.update()
    assert await scene.update() == {PEOPLE[0]}
    scene.push("GUILD_MEMBER_UPDATE", PEOPLE[1], [])  # it does not see the channel any more
    await scene.update()
    assert await scene.update() == {PEOPLE[0]}
