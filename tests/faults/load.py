"""Clients that write and listen during a fault, and what they observe."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.helpers.instances import Instance
from tests.history.environment import Cluster
from tests.history.listener import RETRY_S, Listener
from tests.history.record import History, Sent
from tests.history.scenario import settle

_ANSWER_S = 10.0
_NO_TIMEOUT = aiohttp.ClientTimeout(None)
_HEAL_S = 90.0


class Load:
    """All clients of a run. They use a random instance for each request, and retry."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.history = cluster.history = History()
        self.answers: Counter[str] = Counter()
        self.longest_s = 0.0
        """The longest time of a request, including failed ones."""
        self.problems: list[str] = []
        self._listeners = [
            Listener(cluster.instances, token, self.history, first=instance)
            for token in cluster.tokens
            for instance in cluster.instances
        ]
        self._leaving = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the clients. At the end, wait until all have received what they must receive."""
        async with asyncio.TaskGroup() as tasks:
            listening = [tasks.create_task(each.run()) for each in self._listeners]
            while not all(each.is_ready for each in self._listeners):
                await asyncio.sleep(RETRY_S)
            writing = [tasks.create_task(self._write(token)) for token in self.cluster.tokens]
            await asyncio.sleep(0.3)
            try:
                yield
            finally:
                self._leaving = True
            await asyncio.wait(writing)
            await settle(self.cluster, self._listeners)
            for task in listening:
                task.cancel()
        self.problems += self.history.problems(await self.cluster.stored())

    async def wait_until_healed(self, since: float) -> float | None:
        """Wait until all instances are healthy. Return the time since `since`; None on timeout."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HEAL_S):
                for instance in self.cluster.instances:
                    while not await self._is_healthy(instance):
                        await asyncio.sleep(RETRY_S)
                while not all(each.is_ready for each in self._listeners):
                    await asyncio.sleep(RETRY_S)
                return time.monotonic() - since
        self.problems.append(f"it did not recover within {_HEAL_S:.0f} s")
        return None

    async def ask(
        self, instance: Instance, token: str, method: str, path: str, **options: Any
    ) -> tuple[int, Any]:
        """Make a request once, on its own connection. The status is 0 without a response.

        While the instance is being started, the request waits for it.
        """
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {token}"}
        status, body, seen = 0, None, ""
        try:
            async with (
                instance.up_for_at_most(_ANSWER_S),
                aiohttp.ClientSession(headers=headers, timeout=_NO_TIMEOUT) as http,
                http.request(method, instance.url + path, **options) as answer,
            ):
                is_json = answer.content_type == "application/json"
                body = await (answer.json() if is_json else answer.read())
                status = answer.status
                seen = "answered" if status < 300 else f"refused with {status}"
        except TimeoutError:
            seen = f"no answer in {_ANSWER_S:.0f} s"
        except aiohttp.ClientConnectorError:
            seen = "no connection"
        except aiohttp.ClientError:
            seen = "cut off"
        self.answers[seen] += 1
        self.longest_s = max(self.longest_s, time.monotonic() - began)
        if status >= 300 and status not in (429, 503):
            self.problems.append(f"{method} {path}: {status} {body!r}")
        return status, body

    async def _write(self, token: str) -> None:
        """Send messages until the end of the run; retry each until it is acknowledged."""
        while not self._leaving:
            asked_at = time.monotonic()
            channel = random.choice(self.cluster.channels)
            nonce = secrets.token_hex(12)
            body = {"content": nonce, "nonce": nonce, "enforce_nonce": True}
            path = f"/channels/{channel}/messages"
            while True:
                instance = random.choice(self.cluster.instances)
                status, made = await self.ask(instance, token, "POST", path, json=body)
                if 200 <= status < 300:
                    break
                await asyncio.sleep(RETRY_S)
            sent = Sent(int(made["id"]), channel, nonce, asked_at, time.monotonic())
            self.history.sent.append(sent)
            await asyncio.sleep(random.random() * 0.05)

    async def _is_healthy(self, instance: Instance) -> bool:
        """Return whether an instance reports to be ready, and accepts a message."""
        token, path = self.cluster.tokens[0], f"/channels/{self.cluster.channels[0]}/messages"
        asked_at = time.monotonic()
        try:
            async with (
                instance.up_for_at_most(_ANSWER_S),
                aiohttp.ClientSession(timeout=_NO_TIMEOUT) as http,
            ):
                async with http.get(f"{instance.url}/health/ready") as answer:
                    if (await answer.json())["status"] != "ok":
                        return False
                headers = {"Authorization": f"Bearer {token}"}
                content = f"health check {secrets.token_hex(8)}"
                body = {"content": content}
                async with http.post(instance.url + path, json=body, headers=headers) as answer:
                    if answer.status != 200:
                        return False
                    made = int((await answer.json())["id"])
        except (aiohttp.ClientError, TimeoutError):
            return False
        channel = self.cluster.channels[0]
        self.history.sent.append(Sent(made, channel, content, asked_at, time.monotonic()))
        return True
