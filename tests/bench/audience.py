"""Many sessions of one guild, and the ways in which messages are sent to them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench.adapters import Place
from tests.bench.http import Connection
from tests.bench.measuring import Lap, Subject
from tests.bench.sockets import FrameCounter, Session, Socket

_AT_ONCE = 32  # sessions that identify at the same time
_SAMPLES = 20  # sessions that read their frames
_TIMEOUT_S = 60.0
_QUIET_S = 0.2
_HEARTBEAT_S = 20.0  # at least every; below the interval that servers ask for
_HEARTBEAT = b'{"op":1,"d":null}'
_TEXT = "a message of the usual length, about as long as people write them"


class Audience:
    """Sessions of one guild. All count frames; a sample also measures when each event arrives."""

    def __init__(self, subject: Subject, place: Place, sessions: list[Session]) -> None:
        self._subject = subject
        self._place = place
        self.sessions = sessions
        self.payload_size = 0
        """The size of the last event in bytes, decompressed."""
        self._counter = FrameCounter()
        self._sent_at: list[float] = []
        self._latencies_s: list[float] = []
        self._alive_at = time.perf_counter()
        every = max(1, len(sessions) // _SAMPLES)
        for number, session in enumerate(sessions):
            if number % every == every // 2:
                session.socket.on_payload = self._received_frames
            else:
                session.socket.only_count()
            session.socket.counter = self._counter

    async def one_at_a_time(self, events: int) -> Lap:
        """Send each event when all sessions have received the one before."""
        async with self._lap(events) as counted, await self._connection() as connection:
            for _ in range(events):
                arrived = self._expect(1)
                await connection.well(self._message())
                await self._all(arrived)
        return counted

    async def bursts(self, count: int, of: int) -> Lap:
        """Send bursts of events; send each burst when all sessions have received the one before."""
        connections = [await self._connection() for _ in range(of)]
        async with self._lap(count * of) as counted:
            for _ in range(count):
                arrived = self._expect(of)
                await asyncio.gather(*(each.well(self._message()) for each in connections))
                await self._all(arrived)
        for connection in connections:
            connection.close()
        return counted

    async def steadily(self, rate: float, seconds: float) -> Lap:
        """Send at a fixed rate. The lap ends when all sessions have received all events."""
        events = max(1, round(rate * seconds))
        free = [await self._connection() for _ in range(8)]
        sending: set[asyncio.Task[None]] = set()

        async def send() -> None:
            connection = free.pop() if free else await self._connection()
            await connection.well(self._message())
            free.append(connection)

        async with self._lap(events) as counted:
            arrived = self._expect(events)
            started = time.perf_counter()
            for number in range(events):
                await asyncio.sleep(started + number / rate - time.perf_counter())
                sending.add(asyncio.create_task(send()))
            await asyncio.gather(*sending)
            await self._all(arrived)
        for connection in free:
            connection.close()
        return counted

    @asynccontextmanager
    async def _lap(self, events: int) -> AsyncIterator[Lap]:
        await self._stay_alive()
        self._sent_at.clear()
        self._latencies_s = []
        before = [session.socket.frames for session in self.sessions]
        async with self._subject.lap() as counted:
            yield counted
        after = [session.socket.frames for session in self.sessions]
        got = Counter(a - b for a, b in zip(after, before, strict=True))
        assert set(got) == {events}, f"of {events} events, sessions got: {dict(got)}"
        counted.units = events * len(self.sessions)
        counted.latencies_s = self._latencies_s

    async def _stay_alive(self) -> None:
        """Send heartbeats between laps if they are due."""
        if time.perf_counter() - self._alive_at < _HEARTBEAT_S:
            return
        self._alive_at = time.perf_counter()
        before = [session.socket.frames for session in self.sessions]
        for session in self.sessions:
            session.socket.send(_HEARTBEAT)
        while any(a.socket.frames == b for a, b in zip(self.sessions, before, strict=True)):
            await asyncio.sleep(_QUIET_S)  # a later HEARTBEAT_ACK would count as an event
        await until_quiet(self.sessions)

    async def _connection(self) -> Connection:
        return await Connection.to(self._subject.port)

    def _message(self) -> bytes:
        """Return the request for the next event, with its number in the content."""
        content = f"#{len(self._sent_at)}: {_TEXT}"
        place = self._place
        raw = self._subject.adapter.message(place.tokens[0], place.channel, content)
        self._sent_at.append(time.perf_counter())
        return raw

    def _received_frames(self, _: Socket, payload: bytes) -> None:
        start = payload.find(b'"#') + 2
        if start > 1:
            number = int(payload[start : payload.index(b":", start)])
            self._latencies_s.append(time.perf_counter() - self._sent_at[number])
            self.payload_size = len(payload)

    def _expect(self, events: int) -> asyncio.Future[None]:
        return self._counter.reach(self._counter.frames + events * len(self.sessions))

    async def _all(self, arrived: asyncio.Future[None]) -> None:
        async with asyncio.timeout(_TIMEOUT_S):
            await arrived


async def gather(subject: Subject, place: Place, count: int, compress: str = "") -> list[Session]:
    """Open and identify sessions, spread over all instances; return them when nothing arrives."""
    adapter, tokens = subject.adapter, place.tokens
    ports = [process.port for process in subject.processes]
    sessions: list[Session] = []
    numbers = iter(range(count))

    async def identify() -> None:
        for number in numbers:
            session = await adapter.connect(ports[number % len(ports)], compress)
            await session.identify(tokens[number % len(tokens)], intents=adapter.intents)
            sessions.append(session)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(min(_AT_ONCE, count)):
            tasks.create_task(identify())
    await until_quiet(sessions)
    return sessions


async def until_quiet(sessions: list[Session]) -> None:
    """Wait until no more frames arrive."""
    before = -1
    while (now := sum(session.socket.frames for session in sessions)) != before:
        before = now
        await asyncio.sleep(_QUIET_S)


async def disconnect(sessions: list[Session]) -> None:
    """Abort all connections."""
    for session in sessions:
        session.socket.counter = None
        session.socket.abort()
    await asyncio.sleep(_QUIET_S)  # so that the server is done with it before the next lap


@asynccontextmanager
async def listening(
    subject: Subject, count: int, compress: str = "", *, place: int = 0
) -> AsyncIterator[Audience]:
    """Connect an audience within the block."""
    guild = subject.scene.places[place]
    sessions = await gather(subject, guild, count, compress)
    try:
        yield Audience(subject, guild, sessions)
    finally:
        await disconnect(sessions)
