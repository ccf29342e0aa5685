"""Instances on servers of their own, a guild, those who are in it, and what can go wrong."""

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
from tests.history.listener import RETRY_S
from tests.history.record import History, Sent, Stored
from tests.instances import Instance

_SECRET = secrets.token_hex(32)
_GIVE_UP_S = 60.0
_PAUSE_S = 3.0


@dataclass
class Stage:
    """Where it all happens."""

    folder: Path
    postgres: embedded.Postgres
    valkey: embedded.Valkey
    instances: list[Instance]
    tokens: list[str] = field(default_factory=list)
    guild_id: str = ""
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
        self.guild_id = guild["id"]
        await self.call(owner, "PATCH", f"/guilds/{self.guild_id}", {"system_channel_flags": 1})
        path = f"/channels/{guild['system_channel_id']}/invites"
        code = (await self.call(owner, "POST", path, {}))["code"]
        for token in self.tokens[1:]:
            await self.call(token, "POST", f"/invites/{code}", {})
        await self.begin_anew(channels)

    async def begin_anew(self, channels: int) -> None:
        """Begin another history, in other channels."""
        self.history = History()
        path, body = f"/guilds/{self.guild_id}/channels", {"name": "history"}
        self.channels = [
            (await self.call(self.tokens[0], "POST", path, body))["id"] for _ in range(channels)
        ]

    async def rebuild(self, *build: str) -> None:
        """Start all instances anew, from another build."""
        for instance in self.instances:
            await instance.end(signal.SIGTERM)
        for instance in self.instances:
            instance.words = ("-m", *build, "serve")
            await instance.start()

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
        sent = Sent(int(made["id"]), channel, nonce, asked_at, time.monotonic())
        self.history.sent.append(sent)

    async def stored(self) -> Stored:
        """The messages of every channel, as a reader pages through them."""
        found: Stored = {}
        for channel in self.channels:
            rows: list[tuple[int, str]] = []
            while True:
                cursor = f"&before={rows[-1][0]}" if rows else ""
                path = f"/channels/{channel}/messages?limit=100{cursor}"
                page = await self.call(self.tokens[0], "GET", path)
                if not page:
                    break
                rows += [(int(message["id"]), message["content"]) for message in page]
            found[channel] = rows
        return found

    def faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What can go wrong."""

        async def restart(number: signal.Signals) -> None:
            instance = random.choice(self.instances)
            await instance.end(number)
            await instance.start()

        async def restart_valkey() -> None:
            await asyncio.to_thread(self.valkey.stop)
            await asyncio.to_thread(self.valkey.start)

        async def empty_valkey() -> None:
            await asyncio.to_thread(self.valkey.kill)
            await asyncio.to_thread(self.valkey.start)

        async def pause_valkey() -> None:
            self.valkey.pause()
            await asyncio.sleep(random.random() * _PAUSE_S)
            self.valkey.go_on()

        async def break_postgres() -> None:
            await asyncio.to_thread(self.postgres.kill)
            await asyncio.to_thread(self.postgres.start)

        return {
            "SIGTERM": lambda: restart(signal.SIGTERM),
            "kill -9": lambda: restart(signal.SIGKILL),
            "Valkey emptied": empty_valkey,
            "Postgres killed": break_postgres,
            "Valkey paused": pause_valkey,
            "Valkey restarted": restart_valkey,
        }


@asynccontextmanager
async def staged(
    folder: Path,
    *,
    instances: int = 2,
    held: bool = False,
    watchdog_s: float | None = None,
    **settings: str,
) -> AsyncIterator[Stage]:
    """A stage with so many instances that run, with these settings besides; `held` and
    `watchdog_s` are those of `Instance`."""
    with embedded.postgres(folder) as postgres, embedded.valkey(folder) as valkey:
        url = postgres.create("chatd")
        migrations.apply(url)
        environment = {
            "DATABASE_URL": url,
            "REDIS_URL": valkey.url,
            "JWT_SECRET": _SECRET,
            **settings,
        }
        stage = Stage(
            folder,
            postgres,
            valkey,
            [
                Instance(number + 1, folder, environment, held=held, watchdog_s=watchdog_s)
                for number in range(instances)
            ],
        )
        try:
            async with asyncio.TaskGroup() as starting:
                for instance in stage.instances:
                    starting.create_task(instance.start())
            yield stage
        finally:
            for instance in stage.instances:
                await instance.end(signal.SIGTERM)
                instance.close()
