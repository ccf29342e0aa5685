"""The connection table does not time out clients whose heartbeats it could not read."""

from __future__ import annotations

import asyncio
import time

from chatd.gateway.connection_table import ConnectionTable
from tests.world import TIMEOUT_S

EVERY_S = 0.1


class Client:
    """Counts heartbeat checks."""

    send_queue_bytes = 0

    def __init__(self) -> None:
        self.checks = 0

    def check_heartbeat(self, now: float) -> None:
        self.checks += 1

    def reconnect(self) -> None:
        raise AssertionError


async def until(client: Client, checks: int) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while client.checks < checks:
            await asyncio.sleep(0)


async def test_heartbeats_are_not_checked_right_after_the_loop_was_blocked() -> None:
    table, client = ConnectionTable(per_address=0), Client()
    table.connections.add(client)
    checking = asyncio.create_task(table.check_heartbeats(every_s=EVERY_S))
    await until(client, 2)
    before = client.checks
    time.sleep(5 * EVERY_S)  # noqa: ASYNC251 - blocks the event loop
    clock = asyncio.get_running_loop().time
    resumed_at = clock()
    for _ in range(5):
        await asyncio.sleep(0)
    # A busy machine may take a whole interval for these turns.
    assert client.checks == before or clock() - resumed_at >= EVERY_S
    await until(client, before + 1)
    checking.cancel()
