"""Session lists: an instance with many people reports them in parts, each in its own turn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from chatd.bus.bus import Bus
from chatd.core.ids import LoginId, UserId
from chatd.core.intents import Intents
from chatd.core.presence_table import PresenceTable
from chatd.events.event import Event
from chatd.events.presence import read_sessions
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.session_lists import SessionLists
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.commands import CloseCode
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.session.session import Session
from chatd.gateway.session.state import SessionState
from chatd.observability.metrics import Counters

_PEOPLE = 450  # three parts


class _Sink:
    """A connection that receives nothing."""

    send_queue = None

    write_buffer_bytes = 0

    def send(self, batch: Batch, seq: int) -> None:
        raise AssertionError

    def invalidate(self) -> None:
        raise AssertionError

    def close(self, code: CloseCode, reason: str) -> None:
        raise AssertionError

    def abort_slow_consumer(self) -> None:
        raise AssertionError


class _Bus(Bus):
    """A bus without Redis and subscribers. It notes in which turn each event is published."""

    def __init__(self) -> None:
        super().__init__("redis://127.0.0.1:1", worker_id=0)
        self.turn = 0
        self.published: list[tuple[int, Event]] = []

    def publish(self, events: Sequence[Event]) -> asyncio.Future[None]:
        self.published += [(self.turn, event) for event in events]
        return super().publish(events)

    async def count_turns(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)


def _hub() -> tuple[Hub, DeliveryQueue]:
    budget = ReplayBudget(2**20)
    delivery_queue = DeliveryQueue(FlushScheduler(max_bytes=2**20), Counters(), budget)
    hub = Hub(
        resume_window_s=60.0,
        replay_budget=budget,
        sessions_per_user=0,
        presence_table=PresenceTable(),
        delivery_queue=delivery_queue,
    )
    for number in range(1, _PEOPLE + 1):
        state = SessionState(f"{number}", UserId(number), LoginId(number), Intents.GUILDS)
        session = Session(state, budget)
        hub.add(session)
        hub.attach(session, _Sink())
    return hub, delivery_queue


async def test_reports_of_many_people_take_several_turns() -> None:
    """This instance, too, dispatches its reports, and may do so while they are published."""
    hub, delivery_queue = _hub()
    bus = _Bus()
    lists = SessionLists(hub, bus, delivery_queue)
    counting = asyncio.create_task(bus.count_turns())
    await asyncio.sleep(0)
    hub.mark_session_lists_dirty(map(UserId, range(1, _PEOPLE + 1)))
    for report in (lists.update, lists.report_everything):
        bus.published.clear()
        await report()
        turns = [turn for turn, _ in bus.published]
        assert len(set(turns)) == len(turns) >= 3
        reported = [user_id for _, event in bus.published for user_id in read_sessions(event)[1]]
        assert sorted(reported) == list(range(1, _PEOPLE + 1))
    counting.cancel()
