"""The sessions of a user, at the hub and in a feed: few each, so that idle ones take no sets."""

from __future__ import annotations

import asyncio

import pytest

from chatd.core.ids import LoginId, StreamId, UserId
from chatd.core.intents import ALL_INTENTS
from chatd.core.presence_table import PresenceTable
from chatd.events.event import Event, to_user
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.session.session import Session
from chatd.gateway.session.state import SessionState
from chatd.observability.metrics import Counters

USER = UserId(7)


@pytest.fixture
def hub() -> Hub:
    counters, budget = Counters(), ReplayBudget(2**30)
    return Hub(
        resume_window_s=60.0,
        replay_budget=budget,
        sessions_per_user=0,
        presence_table=PresenceTable(),
        delivery_queue=DeliveryQueue(FlushScheduler(max_bytes=2**30), counters, budget),
    )


def add_session(hub: Hub, name: str) -> Session:
    session = Session(SessionState(name, USER, LoginId(1), ALL_INTENTS), hub.replay_budget)
    hub.add(session)
    return session


async def test_session_attached_twice_receives_each_event_once(hub: Hub) -> None:
    session, feed = add_session(hub, "a"), hub.user_feed(USER)
    feed.attach(session)
    feed.attach(session)
    feed.start(0, 0.0)
    feed.push(Event("USER_UPDATE", StreamId(USER), to_user(USER), b"{}", seq=1), 0.0)
    await asyncio.wait_for(hub.wait_until_delivered(), 10)
    assert (session.seq, session.feeds, feed.sessions) == (1, [feed], [session])
    feed.detach(session)
    feed.detach(session)
    assert (session.feeds, feed.sessions, feed.is_unused) == ([], [], True)


async def test_sessions_of_a_user_end_independently(hub: Hub) -> None:
    first, second, third = (add_session(hub, name) for name in "abc")
    feed = hub.user_feed(USER)
    for session in (first, second, third):
        feed.attach(session)
    before = hub.sessions_of(USER)
    hub.remove(second)
    hub.remove(second)
    assert list(hub.sessions_of(USER)) == feed.sessions == [first, third]
    assert list(before) == [first, second, third]
    hub.remove(first)
    hub.remove(third)
    assert list(hub.sessions_of(USER)) == []
    assert hub.feed(StreamId(USER)) is None
