"""Steps of tests that subscribe to the bus."""

from __future__ import annotations

import asyncio

from chatd.bus.subscription import EventBatch, LinkRestored, Subscription
from chatd.embedded.valkey import Valkey


def database_of(valkey: Valkey, number: int) -> str:
    """Return the URL of a database that no server of other tests uses."""
    return f"{valkey.url}?db={number}"


async def received_numbers(subscription: Subscription, count: int) -> list[int]:
    """Receive this many events; return their sequence numbers."""
    numbers: list[int] = []
    async with asyncio.timeout(60):
        while len(numbers) < count:
            match await subscription.get():
                case EventBatch(events) as delivery:
                    numbers += [each.seq for each in events]
                    delivery.ack()
    return numbers


async def wait_until_connected(subscription: Subscription) -> None:
    """Wait for the interruption that a new connection to Redis reports."""
    async with asyncio.timeout(60):
        while not isinstance(await subscription.get(), LinkRestored):
            pass
