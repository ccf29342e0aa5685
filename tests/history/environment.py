"""The environment of the checker: instances, their servers, a guild with members, and faults."""

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

from chatd.embedded.postgres import Postgres
from chatd.embedded.valkey import Valkey
from tests.helpers.instances import Instance
from tests.helpers.servers import migrated_postgres_over, valkey_over
from tests.history.listener import RETRY_S
from tests.history.record import History, Sent, SentToOne, Stored

_SECRET = secrets.token_hex(32)
_GIVE_UP_S = 60.0
_PAUSE_S = 3.0


@dataclass
class Cluster:
    """The servers, and the guild that clients write in."""

    folder: Path
    postgres: Postgres
    valkey: Valkey
    instances: list[Instance]
    tokens: list[str] = field(default_factory=list)
    guild_id: str = ""
    bot_id: str = ""
    bot_token: str = ""
    channels: list[str] = field(default_factory=list)
    panel_id: str = ""
    """A message of the bot with a button, in the first channel."""
    history: History = field(default_factory=History)

    async def call(self, token: str, method: str, path: str, body: Any = None) -> Any:
        """Call the API on a random instance, until one answers. Waits for rate limits."""
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
                            headers={"Authorization": self._authorization(token)} if token else {},
                            timeout=aiohttp.ClientTimeout(5),
                        ) as answer:
                            if answer.status < 300:
                                return await answer.json() if answer.status != 204 else None
                            if answer.status == 429:
                                await asyncio.sleep(float(answer.headers["Retry-After"]))
                                continue
                            assert answer.status == 503, (answer.status, await answer.text())
                            self.history.counts["refused with 503"] += 1
                await asyncio.sleep(RETRY_S)
        raise AssertionError(f"{method} {path} was not answered for {_GIVE_UP_S} s")

    def _authorization(self, token: str) -> str:
        return f"{'Bot' if token == self.bot_token else 'Bearer'} {token}"

    async def set_up(self, people: int, channels: int) -> None:
        """Create accounts, a guild and channels."""
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
        made = await self.call(owner, "POST", "/applications", {"name": "history"})
        self.bot_id = made["id"]
        reset = await self.call(owner, "POST", f"/applications/{self.bot_id}/bot/reset")
        self.bot_token = reset["token"]
        await self.call(owner, "PUT", f"/guilds/{self.guild_id}/members/{self.bot_id}")
        await self.start_history(channels)

    async def start_history(self, channels: int) -> None:
        """Start another history, in new channels."""
        self.history = History()
        path, body = f"/guilds/{self.guild_id}/channels", {"name": "history"}
        self.channels = [
            (await self.call(self.tokens[0], "POST", path, body))["id"] for _ in range(channels)
        ]
        button = {"type": 2, "style": 1, "label": "Press", "custom_id": "press"}
        panel = {"content": "press", "components": [{"type": 1, "components": [button]}]}
        path = f"/channels/{self.channels[0]}/messages"
        self.panel_id = (await self.call(self.bot_token, "POST", path, panel))["id"]

    async def rebuild(self, *build: str) -> None:
        """Restart all instances with another build."""
        for instance in self.instances:
            await instance.end(signal.SIGTERM)
        for instance in self.instances:
            instance.words = ("-m", *build, "serve")
            await instance.start()

    async def write(self, token: str, *, every_s: float = 0.025) -> None:
        """Send messages until cancelled. Each is repeated until it is acknowledged."""
        while True:
            await self.send(token, random.choice(self.channels))
            await asyncio.sleep(random.random() * 2 * every_s)

    async def send(self, token: str, channel: str) -> None:
        """Send one message with a nonce, and repeat it until it is acknowledged."""
        asked_at = time.monotonic()
        nonce = secrets.token_hex(12)
        body = {"content": nonce, "nonce": nonce, "enforce_nonce": True}
        made = await self.call(token, "POST", f"/channels/{channel}/messages", body)
        sent = Sent(int(made["id"]), channel, nonce, asked_at, time.monotonic())
        self.history.sent.append(sent)

    async def press(self, token: str, *, every_s: float = 0.25) -> None:
        """Press the button of the bot until cancelled."""
        body = {
            "type": 3,
            "application_id": self.bot_id,
            "guild_id": self.guild_id,
            "channel_id": self.channels[0],
            "message_id": self.panel_id,
            "data": {"component_type": 2, "custom_id": "press"},
        }
        while True:
            await self.call(token, "POST", "/interactions", body)
            await asyncio.sleep(random.random() * 2 * every_s)

    async def answer(self, interactions: asyncio.Queue[dict[str, Any]]) -> None:
        """Answer interactions with ephemeral messages until cancelled.

        An answer that gets no acknowledgement is not repeated: its message may have come or not.
        """
        async with aiohttp.ClientSession() as http:
            while True:
                interaction = await interactions.get()
                up = [each for each in self.instances if each.is_up]
                if up:
                    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                        await self._answer(http, random.choice(up).url, interaction)

    async def _answer(self, http: aiohttp.ClientSession, url: str, interaction: Any) -> None:
        path = f"/interactions/{interaction['id']}/{interaction['token']}/callback"
        user_id, channel = interaction["member"]["user"]["id"], interaction["channel_id"]
        content = f"{user_id} {secrets.token_hex(12)}"
        asked_at = time.monotonic()
        async with http.post(
            f"{url}{path}?with_response=true",
            json={"type": 4, "data": {"content": content, "flags": 64}},
            timeout=aiohttp.ClientTimeout(5),
        ) as answer:
            if answer.status != 200:  # too late, or the answer was lost before
                self.history.counts["interactions refused"] += 1
                return
            made = (await answer.json())["resource"]["message"]
        self.history.counts["ephemeral messages"] += 1
        sent = SentToOne(int(made["id"]), channel, content, asked_at, time.monotonic(), user_id)
        self.history.ephemeral.append(sent)

    async def stored(self) -> Stored:
        """Return the stored messages of every channel."""
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
        """Return the faults by name; each call injects one."""

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
            self.valkey.resume()

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
async def running_cluster(
    folder: Path,
    *,
    instances: int = 2,
    held: bool = False,
    watchdog_s: float | None = None,
    **settings: str,
) -> AsyncIterator[Cluster]:
    """Run this many instances, with additional settings; `held` and `watchdog_s` are those of
    `Instance`.

    They reach Postgres and Valkey over TCP, as on most servers.
    """
    with (
        migrated_postgres_over("tcp", folder) as (postgres, url),
        valkey_over("tcp", folder) as valkey,
    ):
        environment = {
            "DATABASE_URL": url,
            "REDIS_URL": valkey.url,
            "JWT_SECRET": _SECRET,
            **settings,
        }
        cluster = Cluster(
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
                for instance in cluster.instances:
                    starting.create_task(instance.start())
            yield cluster
        finally:
            for instance in cluster.instances:
                await instance.end(signal.SIGTERM)
                instance.close()
