"""The rate limiter: counts hits on this instance, and shares the counts through Redis."""

from __future__ import annotations

import asyncio
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
from redis.exceptions import NoScriptError

from chatd.bus.redis_client import REDIS_FAULTS, cancel_and_wait, close, connect
from chatd.core.retry import retried
from chatd.core.text import first_line
from chatd.ratelimit.window import Decision, Limit, SharedCount, UsageReport, Window

log = logging.getLogger(__name__)

REDIS_TIMEOUT_S = 0.25
"""How long a request waits for Redis. After that, counts are local until Redis answers again."""

_PREFIX = "chatd:limits:"

_FLUSH_INTERVAL_S = 0.1
"""How long reports are collected when no request waits for one."""

_MAX_BATCH = 500
"""Windows in one call of the script."""

_SOCKET_TIMEOUT_S = 2.0
"""Seconds for Redis to answer. After it this instance counts by itself, and requests go on."""

_RETRY_S = 0.5
"""Seconds between two attempts to reach Redis. Local counts apply for as long as it is lost."""

_KEEP_ENDED_S = 2.0
"""How long a window is kept after its end. The next window of its key reports its id as `after`,
since the key in Redis may expire a little later."""

_MAX_WINDOWS = 200_000
"""Bounds memory: each account and each client address can have several windows."""

_EVICTION_SAMPLE = 8
"""How many of the oldest windows are compared to evict one."""

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
    """The windows of all limits, by key. A key names the limit and the client, nothing else."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._windows: dict[str, Window] = {}
        # Windows with hits that are not yet reported to Redis.
        self._dirty: dict[str, Window] = {}
        # Keys by the second of the monotonic clock from which their window can be deleted.
        self._ending: defaultdict[int, list[str]] = defaultdict(list)
        self._ids = map(f"{secrets.token_hex(4)}.{{}}".format, count())
        # Set when a batch is to be sent now.
        self._wake = asyncio.Event()
        self._flush_timer: asyncio.TimerHandle | None = None
        self._in_flight: list[Window] = []
        self._counts_locally = True  # until `running`

    def grant(self, limit: Limit, key: str) -> bool:
        """Count a hit if this instance can grant it, and return whether it has.

        As `hit`, for a limit whose state no response shows. Otherwise `hit_shared` decides.
        """
        window = self._window(limit, key)
        granted = window.hit(is_shared=not self._counts_locally)
        if granted and not window.is_dirty and window.should_report:
            self._queue_report(key, window)
        return granted is True

    def hit(self, limit: Limit, key: str) -> Decision | None:
        """Count a hit and return the decision; None when only `hit_shared` can decide."""
        window = self._window(limit, key)
        granted = window.hit(is_shared=not self._counts_locally)
        if granted is None:
            return None
        if granted and not window.is_dirty and window.should_report:
            self._queue_report(key, window)
        return Decision(granted, limit, max(limit.requests - window.used, 0), window.ends)

    async def hit_shared(self, limit: Limit, key: str) -> Decision:
        """Count a hit, and ask Redis for the decision where the local count is not enough.

        Never fails. Waits for Redis for at most `REDIS_TIMEOUT_S`, then decides by the local count.
        When cancelled, the hit may still be counted.
        """
        decision = self.hit(limit, key)
        if decision is not None:
            return decision
        window = self._windows[key]
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()
        window.request_decision(
            lambda granted: None if answer.done() else answer.set_result(granted)
        )
        self._queue_report(key, window)
        self._wake.set()
        timer = loop.call_later(REDIS_TIMEOUT_S, self._on_timeout)
        try:
            granted = await answer
        finally:
            timer.cancel()
        # The window may have ended while the task waited: then the next one has made the decision.
        return self._windows.get(key, window).decision(granted=granted)

    def refund(self, limit: Limit, key: str) -> None:
        """Take back a granted hit, if its window has not ended."""
        window = self._window(limit, key)
        window.refund()
        self._queue_report(key, window)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Share the counts with the other instances while the context is open."""
        self._counts_locally = False
        async with asyncio.TaskGroup() as tasks:
            own = [
                tasks.create_task(retried("rate limits", self._share)),
                tasks.create_task(retried("rate limit windows", self._delete_ended_windows)),
            ]
            try:
                yield
            finally:
                self._use_local_counts()
                await cancel_and_wait(*own)

    def _window(self, limit: Limit, key: str) -> Window:
        now = time.monotonic()
        window = self._windows.get(key)
        if window is not None and now < window.ends:
            return window
        window = self._windows[key] = Window(limit, next(self._ids), now, after=window)
        if key in self._dirty:
            self._queue_report(key, window)  # it has inherited the pending requests for a decision
        self._ending[int(window.ends + _KEEP_ENDED_S) + 1].append(key)
        if len(self._windows) > _MAX_WINDOWS:
            self._evict_one(key)
        return window

    def _evict_one(self, keep: str) -> None:
        """Delete the window with the most remaining hits among the oldest ones.

        Deleting a full window would grant all its hits again. A client that opens many windows
        could otherwise reset its own.
        """
        candidates = [key for key in islice(self._windows, _EVICTION_SAMPLE) if key != keep]
        del self._windows[min(candidates, key=lambda key: self._windows[key].share_used)]
        for key in candidates:
            window = self._windows.get(key)
            if window is not None and window.is_full:
                self._windows[key] = self._windows.pop(key)  # becomes the newest

    def _queue_report(self, key: str, window: Window) -> None:
        window.is_dirty = True
        self._dirty[key] = window
        if self._flush_timer is None and not self._wake.is_set():
            self._flush_timer = asyncio.get_running_loop().call_later(
                _FLUSH_INTERVAL_S, self._wake.set
            )

    def _on_timeout(self) -> None:
        self._on_redis_error(TimeoutError(f"no answer from Redis within {REDIS_TIMEOUT_S} s"))

    def _on_redis_error(self, error: BaseException) -> None:
        if not self._counts_locally:
            log.warning("rate limits are local to this instance: %s", first_line(error))
        self._use_local_counts()

    def _use_local_counts(self) -> None:
        self._counts_locally = True
        for window in (*self._in_flight, *self._dirty.values()):
            window.resolve_locally()

    async def _share(self) -> None:
        """Report local counts and apply the shared ones, one batch of windows at a time."""
        client = connect(self._redis_url, timeout_s=_SOCKET_TIMEOUT_S)
        try:
            while True:
                await self._wake.wait()
                batch = self._next_batch()
                try:
                    await self._exchange(client, batch)
                except REDIS_FAULTS as error:
                    self._on_redis_error(error)
                    self._in_flight = []
                    await asyncio.sleep(_RETRY_S)
                    self._wake.set()
        finally:
            await close(client)

    def _next_batch(self) -> dict[str, Window]:
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        batch = dict(islice(self._dirty.items(), _MAX_BATCH))
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
        answers = await _run_script(client, [_PREFIX + key for key in batch], reports)
        now = time.monotonic()
        for window, (id_, used, left_ms, refused) in zip(self._in_flight, answers, strict=True):
            window.apply_shared(SharedCount(id_.decode(), used, left_ms, refused), now)
        self._in_flight = []
        if self._counts_locally:
            log.info("rate limits are shared with other instances again")
            self._counts_locally = False

    async def _delete_ended_windows(self) -> None:
        """Delete windows `_KEEP_ENDED_S` after their end."""
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            for second in [second for second in self._ending if second <= now]:
                for key in self._ending.pop(second):
                    window = self._windows.get(key)
                    if window is not None and window.ends + _KEEP_ENDED_S <= now:
                        del self._windows[key]
                        self._dirty.pop(key, None)


async def _run_script(client: aioredis.Redis, keys: list[str], reports: list[UsageReport]) -> Any:
    # As one JSON argument: an argument for each number costs ten times as much.
    packed = orjson.dumps([tuple(report) for report in reports])
    run: Any = client.evalsha  # its type stub is that of the blocking client
    try:
        return await run(_SHA, len(keys), *keys, packed)
    except NoScriptError:
        run = client.eval
        return await run(_SCRIPT, len(keys), *keys, packed)
