"""Those who write and listen while something breaks, and what they see of it."""

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

from tests.history.listener import RETRY_S, Listener
from tests.history.play import settle
from tests.history.record import History, Sent
from tests.history.stage import Stage
from tests.instances import Instance

_ANSWER_S = 10.0
_HEAL_S = 90.0


class Crowd:
    """All who are there. They know of no fault: they ask whichever instance, and ask again."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.history = stage.history = History()
        self.answers: Counter[str] = Counter()
        self.longest_s = 0.0
        """How long somebody waited for an answer, or for a connection that did not come."""
        self.problems: list[str] = []
        self._listeners = [
            Listener(stage.instances, token, self.history) for token in stage.tokens for _ in "12"
        ]
        self._leaving = False

    @asynccontextmanager
    async def there(self) -> AsyncIterator[None]:
        """They are there, ready and writing; at the end all have what they are owed."""
        async with asyncio.TaskGroup() as tasks:
            listening = [tasks.create_task(each.run()) for each in self._listeners]
            while not all(each.is_in for each in self._listeners):
                await asyncio.sleep(RETRY_S)
            writing = [tasks.create_task(self._write(token)) for token in self.stage.tokens]
            await asyncio.sleep(0.3)
            try:
                yield
            finally:
                self._leaving = True
            await asyncio.wait(writing)
            await settle(self.stage, self._listeners)
            for task in listening:
                task.cancel()
        self.problems += self.history.problems(await self.stage.stored())

    async def healed(self, since: float) -> float | None:
        """Wait until all is well; returns how long after `since` that was, None if it never was."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HEAL_S):
                for instance in self.stage.instances:
                    while not await self._is_well(instance):
                        await asyncio.sleep(RETRY_S)
                while not all(each.is_in for each in self._listeners):
                    await asyncio.sleep(RETRY_S)
                return time.monotonic() - since
        self.problems.append(f"it did not heal within {_HEAL_S:.0f} s")
        return None

    async def ask(
        self, instance: Instance, token: str, method: str, path: str, **options: Any
    ) -> tuple[int, Any]:
        """Make a request once, on a connection of its own; 0 when there was no answer."""
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {token}"}
        timeout = aiohttp.ClientTimeout(_ANSWER_S)
        status, body, seen = 0, None, ""
        try:
            async with (
                aiohttp.ClientSession(headers=headers, timeout=timeout) as http,
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
        if status >= 300 and status != 503:
            self.problems.append(f"{method} {path}: {status} {body!r}")
        return status, body

    async def _write(self, token: str) -> None:
        """Send messages until it is time to leave; each until it is acknowledged."""
        while not self._leaving:
            asked_at = time.monotonic()
            channel = random.choice(self.stage.channels)
            nonce = secrets.token_hex(12)
            body = {"content": nonce, "nonce": nonce, "enforce_nonce": True}
            path = f"/channels/{channel}/messages"
            while True:
                instance = random.choice(self.stage.instances)
                status, made = await self.ask(instance, token, "POST", path, json=body)
                if 200 <= status < 300:
                    break
                await asyncio.sleep(RETRY_S)
            sent = Sent(int(made["id"]), channel, nonce, asked_at, time.monotonic())
            self.history.sent.append(sent)
            await asyncio.sleep(random.random() * 0.05)

    async def _is_well(self, instance: Instance) -> bool:
        """Whether it says so, and takes a message."""
        token, path = self.stage.tokens[0], f"/channels/{self.stage.channels[0]}/messages"
        asked_at = time.monotonic()
        timeout = aiohttp.ClientTimeout(_ANSWER_S)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as http:
                async with http.get(f"{instance.url}/health/ready") as answer:
                    if (await answer.json())["status"] != "ok":
                        return False
                headers = {"Authorization": f"Bearer {token}"}
                content = f"is it well? {secrets.token_hex(8)}"
                body = {"content": content}
                async with http.post(instance.url + path, json=body, headers=headers) as answer:
                    if answer.status != 200:
                        return False
                    made = int((await answer.json())["id"])
        except (aiohttp.ClientError, TimeoutError):
            return False
        channel = self.stage.channels[0]
        self.history.sent.append(Sent(made, channel, content, asked_at, time.monotonic()))
        return True
