"""A proxy before a server, whose connections a test can cut or stall."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

Endpoint = Path | int
"""A Unix socket, or a TCP port of the loopback address."""


class Proxy:
    """Forwards connections from one endpoint to another, as long as a test lets it."""

    def __init__(self, here: Endpoint, target: Endpoint) -> None:
        self._here = here
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.Task[None] | None] = set()
        self._passes = asyncio.Event()
        self._passes.set()
        self._answers = asyncio.Event()
        self._answers.set()
        self._is_cut = False

    @asynccontextmanager
    async def forwarding(self) -> AsyncIterator[Proxy]:
        """Accept and forward connections within the block."""
        if isinstance(self._here, int):
            serving = await asyncio.start_server(self._serve, "127.0.0.1", self._here)
        else:
            serving = await asyncio.start_unix_server(self._serve, self._here)
        async with serving:
            try:
                yield self
            finally:
                self.restore()
                self.cut()
                # The loop of uvloop cannot be closed before its transports are.
                while open_ones := {each for each in self._connections if each is not None}:
                    await asyncio.wait(open_ones)

    def cut(self) -> None:
        """Abort all connections, and those that are opened until `restore`."""
        self._is_cut = True
        for task in self._tasks:
            task.cancel()

    def stall(self) -> None:
        """Forward nothing in either direction until `restore`; all connections stay open."""
        self._passes.clear()

    def stall_responses(self) -> None:
        """Forward what clients send, and none of the responses, until `restore`."""
        self._answers.clear()

    def stall_open_connections(self) -> None:
        """Forward nothing more on the connections that are open now; forward new ones."""
        self._passes.clear()
        self._passes = asyncio.Event()
        self._passes.set()

    def restore(self) -> None:
        """Forward again, except on connections that `stall_open_connections` has stalled."""
        self._is_cut = False
        self._passes.set()
        self._answers.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        self._connections.add(connection)
        try:
            if not self._is_cut:
                await self._forward(reader, writer)
        finally:
            writer.transport.abort()
            self._connections.discard(connection)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passes = self._passes
        await passes.wait()
        if isinstance(self._target, int):
            back, others = await asyncio.open_connection("127.0.0.1", self._target)
        else:
            back, others = await asyncio.open_unix_connection(self._target)
        ways = {
            asyncio.create_task(_carry(reader, others, passes)),
            asyncio.create_task(_carry(back, writer, passes, self._answers)),
        }
        self._tasks |= ways
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            self._tasks -= ways
            others.transport.abort()


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *passes: asyncio.Event
) -> None:
    while data := await reader.read(65536):
        for each in passes:
            await each.wait()
        writer.write(data)
