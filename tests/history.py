"""The history checker: many write and listen on real instances while everything around them fails,
and afterwards nothing that was acknowledged is missing anywhere.

It keeps every acknowledgement and every receipt. Of each session that stayed valid it is checked
that every message acknowledged in its time came, once, and in the order of ids; of the database,
that every acknowledged message is there once. A session that was told to identify anew has been
told of its loss; a new one begins.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import itertools
import os
import random
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from chatd import embedded, migrations

_SECRET = secrets.token_hex(32)
_RETRY_S = 0.05
_GIVE_UP_S = 60.0
_GONE = (WebSocketException, InvalidHandshake, OSError, TimeoutError, EOFError)


class Instance:
    """A server in a process of its own, which can be stopped, killed and started anew."""

    def __init__(self, number: int, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._environment = {
            **os.environ,
            **environment,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "API_PORT": str(self.port),
            "GATEWAY_PORT": str(self.port),
            "WORKER_ID": str(number),
            "JWT_SECRET": _SECRET,
            "RATE_LIMITS": "off",
            "SESSIONS_PER_USER": "0",
            "SOCKETS_PER_ADDRESS": "0",
            "DATABASE_MAX_CONNECTIONS": "6",
        }
        self._number = number
        self._process: asyncio.subprocess.Process | None = None
        self.is_up = False

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start, and wait until it serves."""
        with (self._folder / f"instance{self._number}.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "chatd",
                "serve",
                cwd=self._folder,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        async with aiohttp.ClientSession() as http, asyncio.timeout(60):
            while not self.is_up:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"{self.url}/health/ready") as answer:
                        self.is_up = answer.status == 200
                await asyncio.sleep(_RETRY_S)

    async def end(self, number: signal.Signals) -> None:
        """Send a signal, and wait for the end."""
        self.is_up = False
        if self._process is not None:
            self._process.send_signal(number)
            async with asyncio.timeout(60):
                await self._process.wait()
            self._process = None


@dataclass
class Sent:
    """A message: when its first request went out, and when it was acknowledged."""

    id: int
    channel: str
    asked_at: float
    acknowledged_at: float


@dataclass
class Epoch:
    """A session, from READY until it was told to identify anew, or the end."""

    ready_at: float
    heard: list[tuple[str, int]] = field(default_factory=list)
    seq: int = 0
    told_at: float | None = None


@dataclass
class History:
    """All that was acknowledged and heard."""

    sent: list[Sent] = field(default_factory=list)
    epochs: list[list[Epoch]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def problems(self, stored: dict[str, list[int]]) -> list[str]:
        """What is wrong with it; `stored` are the messages of each channel in the database."""
        found = []
        for channel, ids in stored.items():
            if len(ids) != len(set(ids)):
                found.append(f"channel {channel} has messages twice")
        there = {each for ids in stored.values() for each in ids}
        found += [f"message {each.id} is lost" for each in self.sent if each.id not in there]
        for number, epochs in enumerate(self.epochs):
            for epoch in epochs:
                found += [f"client {number}: {text}" for text in self._of(epoch)]
        return found

    def _of(self, epoch: Epoch) -> list[str]:
        found = []
        ids = [message for _, message in epoch.heard]
        found += [f"{each} came {count} times" for each, count in Counter(ids).items() if count > 1]
        for channel in {channel for channel, _ in epoch.heard}:
            own = [message for where, message in epoch.heard if where == channel]
            if own != sorted(own):
                found.append(f"channel {channel} came out of order")
        if epoch.told_at is None:
            heard = set(ids)
            found += [
                f"{each.id} did not come"
                for each in self.sent
                if each.asked_at > epoch.ready_at and each.id not in heard
            ]
        return found


class Listener:
    """A client that resumes wherever it can, and identifies anew only when it is told to."""

    def __init__(self, instances: list[Instance], token: str, history: History) -> None:
        self._instances = instances
        self._token = token
        self._counts = history.counts
        self.epochs: list[Epoch] = []
        history.epochs.append(self.epochs)
        self._session_id: str | None = None
        self._socket: ClientConnection | None = None

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            up = [each for each in self._instances if each.is_up]
            if up:
                with contextlib.suppress(*_GONE):
                    url = f"ws://127.0.0.1:{random.choice(up).port}/gateway"
                    async with connect(url, max_size=None, compression=None) as self._socket:
                        await self._serve(self._socket)
            await asyncio.sleep(_RETRY_S)

    def is_on(self, instance: Instance) -> bool:
        """Whether it is connected to this instance now."""
        return self._socket is not None and self._socket.remote_address[1] == instance.port

    async def cut(self) -> None:
        """Drop the connection without a word."""
        if self._socket is not None:
            self._counts["cuts"] += 1
            self._socket.transport.abort()

    async def _serve(self, connection: ClientConnection) -> None:
        await self._introduce(connection)
        async for frame in connection:
            payload = orjson.loads(frame)
            match payload["op"]:
                case 0:
                    self._hear(payload)
                case 7:
                    return
                case 9:
                    self._counts["told to identify anew"] += 1
                    if self.epochs:
                        self.epochs[-1].told_at = time.monotonic()
                    self._session_id = None
                    await self._introduce(connection)

    async def _introduce(self, connection: ClientConnection) -> None:
        data: dict[str, Any] = {"token": self._token}
        if self._session_id is None:
            data |= {"properties": {}, "intents": 1 << 0 | 1 << 9}
        else:
            data |= {"session_id": self._session_id, "seq": self.epochs[-1].seq}
        payload = {"op": 2 if self._session_id is None else 6, "d": data}
        await connection.send(orjson.dumps(payload).decode())

    def _hear(self, payload: dict[str, Any]) -> None:
        name, data = payload["t"], payload["d"]
        if name == "READY":
            self._session_id = data["session_id"]
            self.epochs.append(Epoch(time.monotonic()))
            self._counts["sessions"] += 1
        epoch = self.epochs[-1]
        assert payload["s"] == epoch.seq + 1, "the numbers have a hole"
        epoch.seq += 1
        if name == "RESUMED":
            self._counts["resumes"] += 1
        elif name == "MESSAGE_CREATE":
            self._counts["deliveries"] += 1
            epoch.heard.append((data["channel_id"], int(data["id"])))


@dataclass
class Stage:
    """Two instances on servers of their own, a guild, and those who are in it."""

    folder: Path
    postgres: embedded.Postgres
    valkey: embedded.Valkey
    instances: list[Instance]
    tokens: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    history: History = field(default_factory=History)

    async def call(self, token: str, method: str, path: str, body: Any = None) -> Any:
        """Call the API on whichever instance answers, until one does."""
        deadline = time.monotonic() + _GIVE_UP_S
        async with aiohttp.ClientSession() as http:
            while time.monotonic() < deadline:
                up = [each for each in self.instances if each.is_up]
                if up:
                    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                        async with http.request(
                            method,
                            random.choice(up).url + path,
                            json=body,
                            headers={"Authorization": f"Bearer {token}"} if token else {},
                            timeout=aiohttp.ClientTimeout(5),
                        ) as answer:
                            if answer.status < 300:
                                return await answer.json() if answer.status != 204 else None
                            assert answer.status == 503, (answer.status, await answer.text())
                            self.history.counts["refused with 503"] += 1
                await asyncio.sleep(_RETRY_S)
        raise AssertionError(f"{method} {path} was not answered for {_GIVE_UP_S} s")

    async def furnish(self, people: int, channels: int) -> None:
        """Make accounts, a guild and channels."""
        for _ in range(people):
            name = f"p.{secrets.token_hex(6)}"
            body = {"username": name, "email": f"{name}@example.org", "password": "Password123!"}
            made = await self.call("", "POST", "/auth/register", body)
            self.tokens.append(made["access_token"])
        owner = self.tokens[0]
        guild = await self.call(owner, "POST", "/guilds", {"name": "history"})
        await self.call(owner, "PATCH", f"/guilds/{guild['id']}", {"system_channel_flags": 1})
        path = f"/channels/{guild['system_channel_id']}/invites"
        code = (await self.call(owner, "POST", path, {}))["code"]
        for token in self.tokens[1:]:
            await self.call(token, "POST", f"/invites/{code}", {})
        for number in range(channels):
            body = {"name": f"c{number}"}
            made = await self.call(owner, "POST", f"/guilds/{guild['id']}/channels", body)
            self.channels.append(made["id"])

    async def write(self, token: str, *, every_s: float = 0.025) -> None:
        """Send messages until cancelled; each is sent until it is acknowledged."""
        while True:
            await self.send(token, random.choice(self.channels))
            await asyncio.sleep(random.random() * 2 * every_s)

    async def send(self, token: str, channel: str) -> None:
        """Send one message, once, however often it takes."""
        asked_at = time.monotonic()
        nonce = secrets.token_hex(12)
        body = {"content": nonce, "nonce": nonce, "enforce_nonce": True}
        made = await self.call(token, "POST", f"/channels/{channel}/messages", body)
        self.history.sent.append(Sent(int(made["id"]), channel, asked_at, time.monotonic()))

    async def stored(self) -> dict[str, list[int]]:
        """The messages of every channel, as a reader pages through them."""
        found: dict[str, list[int]] = {}
        for channel in self.channels:
            ids: list[int] = []
            while True:
                cursor = f"&before={ids[-1]}" if ids else ""
                path = f"/channels/{channel}/messages?limit=100{cursor}"
                page = await self.call(self.tokens[0], "GET", path)
                if not page:
                    break
                ids += [int(message["id"]) for message in page]
            found[channel] = ids
        return found

    def faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What can go wrong."""

        async def restart(number: signal.Signals) -> None:
            instance = random.choice(self.instances)
            await instance.end(number)
            await instance.start()

        async def break_valkey() -> None:
            await asyncio.to_thread(self.valkey.kill)
            await asyncio.to_thread(self.valkey.start)

        async def break_postgres() -> None:
            await asyncio.to_thread(self.postgres.kill)
            await asyncio.to_thread(self.postgres.start)

        return {
            "SIGTERM": lambda: restart(signal.SIGTERM),
            "kill -9": lambda: restart(signal.SIGKILL),
            "Valkey": break_valkey,
            "Postgres": break_postgres,
        }


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    """A stage with two instances that run."""
    with embedded.postgres(folder) as postgres, embedded.valkey(folder) as valkey:
        url = postgres.create("chatd")
        migrations.apply(url)
        environment = {"DATABASE_URL": url, "REDIS_URL": valkey.url}
        instances = [Instance(number, folder, environment) for number in (1, 2)]
        try:
            for instance in instances:
                await instance.start()
            yield Stage(folder, postgres, valkey, instances)
        finally:
            for instance in instances:
                await instance.end(signal.SIGTERM)


async def play(
    stage: Stage,
    *,
    seconds: float,
    every_s: float,
    faults: list[str] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Write and listen for so long, with a fault every so often, and each of them at least once;
    returns what was wrong."""
    history = stage.history
    listeners = [Listener(stage.instances, token, history) for token in stage.tokens for _ in "12"]
    known = stage.faults()
    async with asyncio.TaskGroup() as tasks:
        listening = [tasks.create_task(each.run()) for each in listeners]
        while not all(each.epochs for each in listeners):
            await asyncio.sleep(_RETRY_S)
        writing = [tasks.create_task(stage.write(token)) for token in stage.tokens]
        end = time.monotonic() + seconds
        turn = 0
        while time.monotonic() < end or turn < len(faults or known):
            for _ in range(3):
                await asyncio.sleep(every_s / 3)
                await random.choice(listeners).cut()
            name = (faults or list(known))[turn % len(faults or known)]
            turn += 1
            history.counts[name] += 1
            await known[name]()
            left_s = end - time.monotonic()
            tell(f"{left_s:5.0f} s left, {len(history.sent)} messages, {dict(history.counts)}")
        for task in writing:
            task.cancel()
        await _settle(stage, listeners)
        for task in listening:
            task.cancel()
    return history.problems(await stage.stored())


async def roll(
    stage: Stage, *, sockets: int, tell: Callable[[str], None] = lambda _: None
) -> list[str]:
    """Restart the instances one after another while so many listen; returns what was wrong.

    Nobody may be told to identify anew.
    """
    history = stage.history
    tokens = itertools.islice(itertools.cycle(stage.tokens), sockets)
    listeners = [Listener(stage.instances, token, history) for token in tokens]
    async with asyncio.TaskGroup() as tasks:
        listening = [tasks.create_task(each.run()) for each in listeners]
        while not all(each.epochs for each in listeners):
            await asyncio.sleep(_RETRY_S)
        tell(f"{sockets} sessions are ready")
        writing = tasks.create_task(stage.write(stage.tokens[0], every_s=0.2))
        for instance in stage.instances:
            await asyncio.sleep(1)
            resumes, began = history.counts["resumes"], time.monotonic()
            served = sum(each.is_on(instance) for each in listeners)
            await instance.end(signal.SIGTERM)
            stopped_s = time.monotonic() - began
            while history.counts["resumes"] < resumes + served and time.monotonic() < began + 60:
                await asyncio.sleep(_RETRY_S)
            resumed_s = time.monotonic() - began
            tell(
                f"{served} sessions: stopped in {stopped_s:.1f} s, all resumed in {resumed_s:.1f} s"
            )
            await instance.start()
        writing.cancel()
        await _settle(stage, listeners)
        for task in listening:
            task.cancel()
    anew = history.counts["told to identify anew"]
    problems = [f"{anew} were told to identify anew"] if anew else []
    return problems + history.problems(await stage.stored())


async def _settle(stage: Stage, listeners: list[Listener]) -> None:
    """Wait until everybody has the last message of every channel, or has begun anew after it."""
    for channel in stage.channels:
        await stage.send(stage.tokens[0], channel)
    last = {each.id: each.asked_at for each in stage.history.sent[-len(stage.channels) :]}
    deadline = time.monotonic() + 30

    def is_behind(listener: Listener) -> bool:
        epoch = listener.epochs[-1]
        heard = {message for _, message in epoch.heard}
        return any(each not in heard and at > epoch.ready_at for each, at in last.items())

    while any(map(is_behind, listeners)) and time.monotonic() < deadline:
        await asyncio.sleep(_RETRY_S)


async def main(minutes: float, every_s: float, rolling: int) -> int:
    """The long form; returns the exit code."""
    tell = functools.partial(print, flush=True)
    with tempfile.TemporaryDirectory(prefix="chatd-history-") as folder:
        async with staged(Path(folder)) as stage:
            await stage.furnish(people=5, channels=4)
            if rolling:
                problems = await roll(stage, sockets=rolling, tell=tell)
            else:
                problems = await play(stage, seconds=minutes * 60, every_s=every_s, tell=tell)
            print(f"{len(stage.history.sent)} messages acknowledged", dict(stage.history.counts))
    print("\n".join(problems) or "Nothing is missing, nothing came twice, all came in order.")
    return 1 if problems else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/history")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two faults")
    parser.add_argument(
        "--rolling",
        type=int,
        default=0,
        metavar="SOCKETS",
        help="instead, restart both instances in good order, once, while so many listen",
    )
    arguments = parser.parse_args()
    sys.exit(asyncio.run(main(arguments.minutes, arguments.every, arguments.rolling)))
