"""Counting hits on this instance, and sharing the counts through Redis."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count, islice
from typing import Any

import orjson
from redis import asyncio as aioredis
from redis.exceptions import NoScriptError, RedisError

from chatd.ephemeral.windows import Counted, Limit, Report, Verdict, Window

log = logging.getLogger(__name__)

PATIENCE_S = 0.25
"""How long a request waits for Redis at the most; after that it is away until it answers again."""

_PREFIX = "chatd:limits:"
_PACE_S = 0.1  # reports for which nobody waits are collected for so long
_BATCH = 500
_SOCKET_TIMEOUT_S = 2.0
_RETRY_S = 0.5
_LINGER_S = 2.0  # a window's id is remembered after its end, in case that Redis is a little late
_MOST_WINDOWS = 200_000

_SCRIPT = """
local answers, reports = {}, cjson.decode(ARGV[1])
for i, key in ipairs(KEYS) do
    local counted, asked, limit, left, id, after = unpack(reports[i])
    local current = redis.call('HGET', key, 'id')
    local used, refused = 0, 0
    if current and current ~= after then
        id, left = current, math.max(redis.call('PTTL', key), 0)
        used = tonumber(redis.call('HGET', key, 'used') or 0)
    end
    local before = used
    used = math.max(used + counted, 0)
    refused = math.max(math.min(asked, used + asked - limit), 0)
    used = used + asked - refused
    if id ~= current then
        if used > 0 then
            redis.call('HSET', key, 'id', id, 'used', used)
            redis.call('PEXPIRE', key, math.max(left, 1))
        end
    elseif used ~= before then
        redis.call('HSET', key, 'used', used)
    end
    answers[i] = {id, used, left, refused}
end
return answers
"""
_SHA = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()


class RateLimits:
    """The windows of all limits. A key says whose window it is; it holds no more than that."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._windows: dict[str, Window] = {}
        self._dirty: dict[str, Window] = {}
        self._ending: defaultdict[int, list[str]] = defaultdict(list)
        self._ids = map(f"{secrets.token_hex(4)}.{{}}".format, count())
        self._wake = asyncio.Event()
        self._pacing: asyncio.TimerHandle | None = None
        self._in_flight: list[Window] = []
        self._is_away = True  # until `running`

    def hit(self, limit: Limit, key: str) -> Verdict | None:
        """Count a hit, if that needs nobody's answer; None when it does: then `wait_for_hit`."""
        window = self._window(limit, key)
        if window.is_full:
            return window.verdict(granted=False)
        if not self._is_away and window.must_ask:
            return None
        window.count()
        if not window.is_dirty and window.is_worth_a_report:
            self._report_soon(key, window)
        return window.verdict(granted=True)

    async def wait_for_hit(self, limit: Limit, key: str) -> Verdict:
        """Count a hit, after asking Redis if need be. Never fails; waits `PATIENCE_S` at most.

        When it is cancelled, the hit may count all the same.
        """
        verdict = self.hit(limit, key)
        if verdict is not None:
            return verdict
        window = self._windows[key]
        loop = asyncio.get_running_loop()
        told: asyncio.Future[bool] = loop.create_future()
        window.ask(lambda granted: None if told.done() else told.set_result(granted))
        self._report_soon(key, window)
        self._wake.set()
        patience = loop.call_later(PATIENCE_S, self._lose_patience)
        try:
            granted = await told
        finally:
            patience.cancel()
        # While it waited, its window may have ended and another have taken it over.
        return self._windows.get(key, window).verdict(granted=granted)

    def give_back(self, limit: Limit, key: str) -> None:
        """Undo a hit that was granted, if its window is still open."""
        window = self._window(limit, key)
        window.give_back()
        self._report_soon(key, window)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Share with the other instances for as long as the context is open."""
        self._is_away = False
        async with asyncio.TaskGroup() as tasks:
            own = [tasks.create_task(self._share()), tasks.create_task(self._sweep())]
            try:
                yield
            finally:
                self._go_alone()
                while running := [task for task in own if not task.done()]:
                    # Until it helps: redis-py swallows a cancellation while it connects.
                    for task in running:
                        task.cancel()
                    await asyncio.wait(running, timeout=0.1)

    def _window(self, limit: Limit, key: str) -> Window:
        now = time.monotonic()
        window = self._windows.get(key)
        if window is not None and now < window.ends:
            return window
        window = self._windows[key] = Window(limit, next(self._ids), now, after=window)
        if key in self._dirty:
            self._report_soon(key, window)  # it has taken over those who ask
        self._ending[int(window.ends + _LINGER_S) + 1].append(key)
        if len(self._windows) > _MOST_WINDOWS:
            oldest = next(iter(self._windows))
            del self._windows[oldest]
        return window

    def _report_soon(self, key: str, window: Window) -> None:
        window.is_dirty = True
        self._dirty[key] = window
        if self._pacing is None and not self._wake.is_set():
            self._pacing = asyncio.get_running_loop().call_later(_PACE_S, self._wake.set)

    def _lose_patience(self) -> None:
        self._lost(TimeoutError(f"Redis has not answered for {PATIENCE_S} seconds"))

    def _lost(self, error: BaseException) -> None:
        if not self._is_away:
            text = str(error) or type(error).__name__
            log.warning("rate limits are counted by this instance alone: %s", text.splitlines()[0])
        self._go_alone()

    def _go_alone(self) -> None:
        self._is_away = True
        for window in (*self._in_flight, *self._dirty.values()):
            window.unanswered()

    async def _share(self) -> None:
        """Report what has been counted, and take over what the others have. One batch at a time."""
        client = aioredis.Redis.from_url(
            self._redis_url,
            protocol=2,
            socket_timeout=_SOCKET_TIMEOUT_S,
            socket_connect_timeout=_SOCKET_TIMEOUT_S,
            retry_on_timeout=False,
        )
        try:
            while True:
                await self._wake.wait()
                batch = self._next_batch()
                try:
                    await self._exchange(client, batch)
                except (RedisError, OSError, TimeoutError) as error:
                    self._lost(error)
                    self._in_flight = []
                    await asyncio.sleep(_RETRY_S)
                    self._wake.set()
        finally:
            with contextlib.suppress(RedisError, OSError):
                await client.aclose()

    def _next_batch(self) -> dict[str, Window]:
        if self._pacing is not None:
            self._pacing.cancel()
            self._pacing = None
        batch = dict(islice(self._dirty.items(), _BATCH))
        for key, window in batch.items():
            del self._dirty[key]
            window.is_dirty = False
        if not self._dirty:
            self._wake.clear()
        return batch

    async def _exchange(self, client: aioredis.Redis, batch: dict[str, Window]) -> None:
        now = time.monotonic()
        reports = [window.report(now) for window in batch.values()]
        self._in_flight = list(batch.values())
        answers = await _call(client, [_PREFIX + key for key in batch], reports)
        now = time.monotonic()
        for window, (id_, used, left_ms, refused) in zip(self._in_flight, answers, strict=True):
            window.answered(Counted(id_.decode(), used, left_ms, refused), now)
        self._in_flight = []
        if self._is_away:
            log.info("rate limits are shared with the other instances again")
            self._is_away = False

    async def _sweep(self) -> None:
        """Forget windows some time after their end."""
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            for second in [second for second in self._ending if second <= now]:
                for key in self._ending.pop(second):
                    window = self._windows.get(key)
                    if window is not None and window.ends + _LINGER_S <= now:
                        del self._windows[key]
                        self._dirty.pop(key, None)


async def _call(client: aioredis.Redis, keys: list[str], reports: list[Report]) -> Any:
    packed = orjson.dumps([tuple(report) for report in reports])  # one by one costs ten times it
    run: Any = client.evalsha  # its stub is that of the blocking client
    try:
        return await run(_SHA, len(keys), *keys, packed)
    except NoScriptError:
        run = client.eval
        return await run(_SCRIPT, len(keys), *keys, packed)
