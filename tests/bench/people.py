"""People who use a server, simulated: each does what `Habits` states, independently of the others.

The arrivals are open-loop: an action begins at its time, whether or not earlier ones have ended.
Latencies count from that time, so that a server that is late makes all that waits for it late.
One heap holds the next actions of all people; there is no task for a person.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from tests.bench.adapters import Adapter
from tests.bench.http import Answer
from tests.bench.open_loop import RequestPool, Window
from tests.bench.population import Guild
from tests.bench.sockets import Session, Socket

_TEXT = "a message of the usual length, about as long as people write them"
_EMOJI = ("%F0%9F%91%8D", "%F0%9F%8E%89", "%F0%9F%98%84")
_STATUSES = ("online", "idle", "dnd")
_CAPABILITIES = 22525
"""The forms of payloads that a common client of people requests in IDENTIFY."""

_WATCHED_EVERY = 20
"""One of so many people reads its socket at once, to measure when messages arrive."""

_PACKED_EVERY = 10
"""One of so many people has a socket with compress=zlib-stream."""

_READ_EVERY_S = 2.0
"""Seconds between two reads of the sockets of the others. So their frames are read together."""

_TICK_S = 0.002
"""The time between two looks at the heap, in seconds."""

_AT_ONCE = 64  # people who connect at the same time
_PRESENCE = b'{"op":0,"t":"PRESENCE_UPDATE",'
_SOURCES = 16  # loopback addresses from which sockets are opened: each has 28,000 ports


@dataclass(frozen=True)
class Habits:
    """Mean times in seconds between two actions of one person, and shares."""

    write_s: float = 180.0
    type_s: float = 4.0
    """How long before a message TYPING_START is requested."""
    open_s: float = 90.0
    """A channel is opened: its newest 50 messages are read, and it is marked as read."""
    page_back_share: float = 0.25
    """The share of openings after which the 50 messages before these are read."""
    page_back_s: float = 3.0
    react_s: float = 600.0
    presence_s: float = 1800.0
    drop_s: float = 1800.0
    """The socket is lost, and resumed `away_s` later."""
    away_s: float = 3.0
    heartbeat_s: float = 41.25

    def faster(self, factor: float) -> Habits:
        """Return habits with all times divided by a factor."""
        shares = {"page_back_share"}
        times = {name: each / factor for name, each in vars(self).items() if name not in shares}
        return replace(self, **times)


@dataclass
class _Sent:
    """A message on its way: when it was due, and how many watched receipts are to come."""

    due: float
    window: Window | None
    awaited: int


class Crowd:
    """The people who are connected, and what they do next."""

    def __init__(self, adapter: Adapter, port: int, habits: Habits) -> None:
        self.adapter = adapter
        self.habits = habits
        self.people: list[Person] = []
        self.window: Window | None = None
        """What is measured now."""
        self.dispatches = 0
        """Dispatches that have arrived at all people."""
        self.presences = 0
        """How many of them were presences."""
        self.newest: dict[int, str] = {}
        """The newest message of each channel that is known."""
        self.requests = RequestPool(port)
        self.messages: dict[int, _Sent] = {}
        self._port = port
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = 0
        self._swept = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = asyncio.create_task(self._run())

    async def join(self, people: Sequence[Person], per_s: float) -> None:
        """Connect people, this many in a second at most. They act from then on."""
        slots = asyncio.Semaphore(_AT_ONCE)
        began = time.perf_counter()

        async def connect(person: Person) -> None:
            try:
                await person.identify()
            finally:
                slots.release()
            self.people.append(person)
            person.begin()

        async with asyncio.TaskGroup() as tasks:
            for number, person in enumerate(people):
                await asyncio.sleep(began + number / per_s - time.perf_counter())
                await slots.acquire()
                tasks.create_task(connect(person))

    async def act(self, seconds: float) -> None:
        """Let people act for some seconds. Raises what ends their actions."""
        done, _ = await asyncio.wait([self._running], timeout=seconds)
        for task in done:
            await task

    def presences_due(self, seconds: float) -> float:
        """Return how many presences arrive in this time when all people are connected."""
        each = sum(person.acquaintances for person in self.people)
        return each * seconds / self.habits.presence_s

    async def leave(self) -> None:
        """End all actions, and abort all connections."""
        self._running.cancel()
        await asyncio.wait([self._running])
        for task in self._tasks:
            task.cancel()
        for person in self.people:
            person.leave()
        self.requests.close()

    def at(self, due: float, action: Callable[[float], None]) -> None:
        """Run an action at a time; it gets this time."""
        self._numbers += 1
        heapq.heappush(self._due, (due, self._numbers, action))

    def spawn(self, action: Any) -> None:
        """Run a coroutine; what it raises counts as a failure."""
        task = asyncio.create_task(action)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def request(self, due: float, raw: bytes, then: Callable[[Answer], None] | None = None) -> None:
        """Send a request that was due at a time; `then` gets its response if it succeeds."""
        self.requests.send(due, raw, self.window, then)

    async def open(self, number: int) -> Session:
        """Open a socket for the person of this number."""
        compress = "zlib-stream" if number % _PACKED_EVERY == 0 else ""
        socket = Socket(self.adapter.gateway, compress)
        session = Session(socket)
        await socket.open(self._port, f"127.0.0.{2 + number % _SOURCES}")
        return session

    def expect(self, due: float, guild: Guild) -> int:
        """Return the number of a message of a guild; its receipts are measured."""
        number = len(self.messages)
        self.messages[number] = _Sent(due, self.window, guild.watchers)
        if self.window is not None:
            self.window.awaited += guild.watchers
        return number

    def received(self, payload: bytes) -> None:
        """Measure the receipt of a dispatch, if it is a message."""
        start = payload.find(b'"content":"#') + 12
        if start < 12:
            return
        sent = self.messages[int(payload[start : payload.index(b":", start)])]
        sent.awaited -= 1
        if sent.window is not None:
            sent.window.receipts_s.append(time.perf_counter() - sent.due)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(str(error) or type(error).__name__)

    def fail(self, what: str) -> None:
        """Count a failure."""
        if self.window is not None:
            self.window.failures[what] += 1

    async def _run(self) -> None:
        clock, due = time.perf_counter, self._due
        while True:
            await asyncio.sleep(_TICK_S)
            while due and due[0][0] <= clock():
                at, _, action = heapq.heappop(due)
                if self.window is not None:
                    self.window.delays_s.append(clock() - at)
                action(at)
            self._sweep()

    def _sweep(self) -> None:
        """Read the sockets of some people, so that all are read every `_READ_EVERY_S`."""
        people = self.people
        for _ in range(round(len(people) * _TICK_S / _READ_EVERY_S) + 1):
            if people:
                self._swept = (self._swept + 1) % len(people)
                people[self._swept].read_once()


class Person:
    """One person with a session."""

    def __init__(self, crowd: Crowd, number: int, token: str, guilds: list[Guild]) -> None:
        self._crowd = crowd
        self._number = number
        self._token = token
        self._guilds = guilds
        self._is_watched = number % _WATCHED_EVERY == _WATCHED_EVERY // 3
        self._session: Session | None = None
        self._earlier: Session | None = None

    @property
    def acquaintances(self) -> int:
        """How many members the guilds of this person have; who is in two counts twice."""
        return sum(len(guild.members) for guild in self._guilds)

    async def identify(self) -> None:
        """Connect, and begin a session."""
        session = await self._crowd.open(self._number)
        await session.identify(self._token, capabilities=_CAPABILITIES)
        self._attach(session)

    def begin(self) -> None:
        """Schedule the first actions of this person."""
        habits, now = self._crowd.habits, time.perf_counter()
        for guild in self._guilds:
            guild.watchers += self._is_watched
        for action, mean_s in (
            (self._write, habits.write_s),
            (self._open_channel, habits.open_s),
            (self._react, habits.react_s),
            (self._set_presence, habits.presence_s),
            (self._drop, habits.drop_s),
        ):
            self._again(now, mean_s, action)
        first = now + random.uniform(0, habits.heartbeat_s)
        self._crowd.at(first, self._heartbeat)

    def read_once(self) -> None:
        """Read the socket, if it is not read at once anyway."""
        if self._session is not None and not self._is_watched:
            self._session.socket.read_once()

    def leave(self) -> None:
        """Abort the connection."""
        session, self._session = self._session, None
        if session is not None:
            session.socket.on_lost = None
            session.socket.abort()
        for guild in self._guilds:
            guild.watchers -= self._is_watched

    def _attach(self, session: Session) -> None:
        """Use a connected session."""
        self._session = session
        session.socket.on_payload = self._watch if self._is_watched else self._count
        session.socket.on_lost = self._lost
        if not self._is_watched:
            session.socket.read_on_demand()

    def _count(self, _: Socket, payload: bytes) -> None:
        if payload.startswith(b'{"op":0,') and self._session is not None:
            self._session.seq += 1
            self._crowd.dispatches += 1
            self._crowd.presences += payload.startswith(_PRESENCE)

    def _watch(self, socket: Socket, payload: bytes) -> None:
        self._count(socket, payload)
        self._crowd.received(payload)

    def _lost(self) -> None:
        """Resume after the server has closed the connection, which it must not do."""
        self._crowd.fail("socket closed")
        self._earlier, self._session = self._session, None
        self._crowd.spawn(self._resume())

    async def _resume(self) -> None:
        earlier = self._earlier
        assert earlier is not None
        session = await self._crowd.open(self._number)
        try:
            await session.resume(earlier)
        except ConnectionError:
            session.socket.abort()
            await self.identify()
            raise  # it is a failure nevertheless
        self._attach(session)

    def _again(self, due: float, mean_s: float, action: Callable[[float], None]) -> None:
        """Schedule an action: the intervals are those of a Poisson process."""
        self._crowd.at(due + random.expovariate(1 / mean_s), action)

    def _anywhere(self) -> tuple[Guild, int]:
        guild = random.choice(self._guilds)
        return guild, random.choice(guild.channels)

    def _call(self, method: str, path: str, body: object = None) -> bytes:
        return self._crowd.adapter.call(method, path, self._token, body)

    def _write(self, due: float) -> None:
        crowd = self._crowd
        guild, channel = self._anywhere()
        crowd.request(due, self._call("POST", f"/channels/{channel}/typing"))
        crowd.at(due + crowd.habits.type_s, partial(self._send, guild, channel))
        self._again(due, crowd.habits.write_s, self._write)

    def _send(self, guild: Guild, channel: int, due: float) -> None:
        crowd = self._crowd
        content = f"#{crowd.expect(due, guild)}: {_TEXT}"

        def remember(answer: Answer) -> None:
            crowd.newest[channel] = answer.json["id"]

        crowd.request(due, crowd.adapter.message(self._token, str(channel), content), remember)

    def _open_channel(self, due: float) -> None:
        crowd = self._crowd
        _, channel = self._anywhere()

        def mark_as_read(answer: Answer) -> None:
            now, page = time.perf_counter(), answer.json
            crowd.newest[channel] = newest = page[0]["id"]
            crowd.request(now, self._call("POST", f"/channels/{channel}/messages/{newest}/ack", {}))
            if random.random() < crowd.habits.page_back_share:
                action = partial(self._page_back, channel, page[-1]["id"])
                crowd.at(now + crowd.habits.page_back_s, action)

        crowd.request(due, crowd.adapter.page(self._token, str(channel)), mark_as_read)
        self._again(due, crowd.habits.open_s, self._open_channel)

    def _page_back(self, channel: int, before: str, due: float) -> None:
        self._crowd.request(due, self._crowd.adapter.page(self._token, str(channel), before))

    def _react(self, due: float) -> None:
        crowd = self._crowd
        _, channel = self._anywhere()
        if (message := crowd.newest.get(channel)) is not None:
            path = f"/channels/{channel}/messages/{message}/reactions/{random.choice(_EMOJI)}/@me"
            crowd.request(due, self._call("PUT", path))
        self._again(due, crowd.habits.react_s, self._react)

    def _set_presence(self, due: float) -> None:
        if self._session is not None:
            data = {"status": random.choice(_STATUSES), "since": 0, "activities": [], "afk": False}
            self._session.socket.send(orjson.dumps({"op": 3, "d": data}))
        self._again(due, self._crowd.habits.presence_s, self._set_presence)

    def _heartbeat(self, due: float) -> None:
        if self._session is not None:
            self._session.socket.send(orjson.dumps({"op": 1, "d": self._session.seq}))
        self._crowd.at(due + self._crowd.habits.heartbeat_s, self._heartbeat)

    def _drop(self, due: float) -> None:
        """Lose the socket. Those whose receipts are measured keep theirs."""
        session = self._session
        if session is not None and not self._is_watched:
            self._earlier, self._session = session, None
            session.socket.on_lost = None
            session.socket.abort()
            back = due + self._crowd.habits.away_s
            self._crowd.at(back, lambda _: self._crowd.spawn(self._resume()))
        self._again(due, self._crowd.habits.drop_s, self._drop)
