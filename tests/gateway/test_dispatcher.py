"""The dispatcher: a failure ends it, and with it the server, wherever the failure happens."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from chatd.bus.subscription import EventBatch, Subscription
from chatd.core.ids import StreamId, UserId
from chatd.events.event import Event, to_user
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.dispatcher import Dispatcher
from chatd.gateway.fanout.event_history import EventHistory
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.observability.metrics import Counters


class _FailingHistory(EventHistory):
    def add(self, event: Event) -> None:
        raise KeyError(event.name)


@pytest.mark.parametrize("waits", [True, False], ids=["at once", "later"])
async def test_failure_reaches_the_dispatcher_and_not_the_publisher(waits: bool) -> None:
    unused: Any = None
    hub: Any = SimpleNamespace(ended_feeds=SimpleNamespace(run=asyncio.Event().wait))
    flush_scheduler = FlushScheduler(max_bytes=2**20)
    dispatcher = Dispatcher(
        hub,
        unused,
        unused,
        delivery_queue=DeliveryQueue(flush_scheduler, Counters(), ReplayBudget(2**20)),
        presence_reporter=unused,
        friend_presences=unused,
        event_history=_FailingHistory(retention_s=1.0),
    )
    subscription = Subscription()
    running = asyncio.create_task(dispatcher.run(subscription))
    if waits:
        await asyncio.sleep(0)
    processed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    event = Event("TEST", StreamId(1), to_user(UserId(1)), b"{}", seq=1)
    subscription.put(EventBatch([event], processed))
    await processed
    with pytest.raises(ExceptionGroup) as raised:
        await running
    assert [type(error) for error in raised.value.exceptions] == [KeyError]
