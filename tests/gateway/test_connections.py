"""Nobody is held for silent for what the server has not read."""

from __future__ import annotations

import asyncio
import time

from chatd.gateway.connections import Connections
from tests.world import PATIENCE_S

EVERY_S = 0.1


class Client:
    """Counts how often it was looked after."""

    waiting_bytes = 0

    def __init__(self) -> None:
        self.looks = 0

    def look_after(self, now: float) -> None:
        self.looks += 1

    def reconnect(self) -> None:
        raise AssertionError


async def until(client: Client, looks: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while client.looks < looks:
            await asyncio.sleep(0)


async def test_after_the_loop_stood_still_sockets_are_read_first() -> None:
    connections, client = Connections(per_address=0), Client()
    connections.served.add(client)
    looking = asyncio.create_task(connections.look_after(every_s=EVERY_S))
    await until(client, 2)
    before = client.looks
    time.sleep(5 * EVERY_S)  # noqa: ASYNC251 - the loop stands still
    for _ in range(5):
        await asyncio.sleep(0)
    assert client.looks == before
    await until(client, before + 1)
    looking.cancel()
