"""Where it is played: two instances on servers of their own, and those who write and listen."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from chatd import embedded, migrations
from tests.history.listener import RETRY_S, Listener
from tests.history.record import History, Sent
from tests.instances import Instance

_SECRET = secrets.token_hex(32)
_GIVE_UP_S = 60.0


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
                await asyncio.sleep(RETRY_S)
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
async def staged(
    folder: Path, *, held: bool = False, watchdog_s: float | None = None, **settings: str
) -> AsyncIterator[Stage]:
    """A stage with two instances that run, with these settings besides; `held` and `watchdog_s`
    are those of `Instance`."""
    with embedded.postgres(folder) as postgres, embedded.valkey(folder) as valkey:
        url = postgres.create("chatd")
        migrations.apply(url)
        environment = {
            "DATABASE_URL": url,
            "REDIS_URL": valkey.url,
            "JWT_SECRET": _SECRET,
            **settings,
        }
        instances = [
            Instance(number, folder, environment, held=held, watchdog_s=watchdog_s)
            for number in (1, 2)
        ]
        try:
            async with asyncio.TaskGroup() as starting:
                for instance in instances:
                    starting.create_task(instance.start())
            yield Stage(folder, postgres, valkey, instances)
        finally:
            for instance in instances:
                await instance.end(signal.SIGTERM)
                instance.close()


async def settle(stage: Stage, listeners: list[Listener]) -> None:
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
        await asyncio.sleep(RETRY_S)
