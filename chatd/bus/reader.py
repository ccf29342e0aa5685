"""Reading the streams of the other instances.

There can be 31 of them, and to wait for news of each of them makes an answer several times as dear
as to wait for one. So only those are waited for that have been heard of lately, which instances
that are there see to every few seconds; whether anybody else has appeared is looked up a few times
in a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from redis import asyncio as aioredis
from redis.exceptions import RedisError

from chatd.bus import entries
from chatd.bus.subscription import Arrived, History, Interrupted, Subscription
from chatd.events.event import Event

log = logging.getLogger(__name__)

LATELY_S = 10.0  # an instance that is there says so at least every three seconds

PACE_S = 0.005
"""Between two entries, or two answers, where there is much: each costs as much as many events."""

_BATCH = 500
_READ_BYTES = 8 * 2**20  # of events in one answer, before fewer are asked for
_LOOK_S = 0.25
_RETRY_S = 0.5


class Reader:
    """Reads each stream from where it was read to."""

    def __init__(
        self,
        connect: Callable[[], aioredis.Redis],
        own_key: str,
        others: Sequence[str],
        *,
        history_s: float,
    ) -> None:
        self._connect = connect
        self._own_key = own_key
        self._others = others
        self._history_s = history_s
        self._must_look_back = history_s > 0
        self._positions: dict[str, str] = {}
        self._heard_at: dict[str, float] = {}
        self._look_at = 0.0
        self._read_at = 0.0
        self.connected = False
        """Whether the others are heard."""
        self.lag_s = 0.0
        """How long the last event of another instance was under way, by the clocks of this host
        and of Redis."""

    @property
    def hears_somebody(self) -> bool:
        """Whether another instance seems to be there."""
        return bool(self._lively())

    async def run(self, subscription: Subscription) -> None:
        """Read for ever."""
        client = self._connect()
        count = _BATCH
        dealt_with: asyncio.Future[None] | None = None
        try:
            while True:
                try:
                    if not self.connected:
                        await self._find_places(client, subscription)
                        self._link_is_back(subscription)
                    found = await self._news(client, count)
                except (RedisError, OSError, TimeoutError) as error:
                    self._link_is_cut(error)
                    await asyncio.sleep(_RETRY_S)
                    continue
                if not found:
                    self.lag_s = 0.0
                    continue
                if dealt_with is not None:
                    await dealt_with  # whoever is slow reads less, and keeps no more in memory
                dealt_with = asyncio.get_running_loop().create_future()
                arrived = self._taken(found)
                subscription.put(Arrived(arrived, dealt_with))
                count = _count_next(count, arrived)
        finally:
            self.connected = False
            with contextlib.suppress(RedisError, OSError):
                await client.aclose()

    async def _news(self, client: aioredis.Redis, count: int) -> Any:
        """Wait for what is new, but not for long."""
        now = time.monotonic()
        if (too_soon_s := self._read_at + PACE_S - now) > 0:
            await asyncio.sleep(too_soon_s)
        if now >= self._look_at:
            await self._look_around(client)
            self._look_at = now + _LOOK_S
        lively: dict[Any, Any] = self._lively()
        if not lively:
            await asyncio.sleep(_LOOK_S)
            return None
        return await client.xread(lively, count=count, block=int(_LOOK_S * 1000))

    def _lively(self) -> dict[str, str]:
        """Where those streams were read to that have been heard of lately."""
        horizon = time.monotonic() - LATELY_S
        return {key: self._positions[key] for key, at in self._heard_at.items() if at > horizon}

    async def _look_around(self, client: aioredis.Redis) -> None:
        """Find out which of the other streams have news."""
        lively = self._lively()
        quiet: dict[Any, Any] = {
            key: at for key, at in self._positions.items() if key not in lively
        }
        found: Any = await client.xread(quiet, count=1) if quiet else ()
        self._heard_at |= {key.decode(): time.monotonic() for key, _ in found or ()}

    def _taken(self, found: Any) -> list[Event]:
        """The events of an answer, in their order; they are not asked for again."""
        self._read_at = time.monotonic()
        arrived: list[Event] = []
        for name, new in found:
            key, last = name.decode(), new[-1][0].decode()
            self._positions[key] = last
            self._heard_at[key] = time.monotonic()
            self.lag_s = max(0.0, time.time() - _order(last)[0] / 1000)
            arrived += _events(new)
        return arrived

    async def _find_places(self, client: aioredis.Redis, subscription: Subscription) -> None:
        """Find where to read on, and at the first time what has been before."""
        self._positions = await self._places(client)
        self._look_at = 0.0
        if self._must_look_back:
            await self._look_back(client, subscription)
            self._must_look_back = False

    async def _places(self, client: aioredis.Redis) -> dict[str, str]:
        """Where to read each stream on: where it was read to, if it still reaches that far."""
        pipeline = client.pipeline(transaction=False)
        for key in self._others:
            pipeline.xrevrange(key, count=1)
        newest = await pipeline.execute()
        places = {}
        for key, found in zip(self._others, newest, strict=True):
            last = found[0][0].decode() if found else "0-0"
            before = self._positions.get(key, last)
            # An emptied Redis begins its ids anew; then all that it holds is unread.
            places[key] = before if _order(before) <= _order(last) else "0-0"
        return places

    async def _look_back(self, client: aioredis.Redis, subscription: Subscription) -> None:
        """Hand over what was published in the last minutes, by this instance's last life too."""
        seconds, microseconds = await client.time()
        since = max(int(seconds * 1000 + microseconds / 1000 - self._history_s * 1000), 0)
        for key in (self._own_key, *self._others):
            at = f"{since}"
            end = self._positions.get(key, "+")
            while True:
                found: Any = await client.xrange(key, min=at, max=end, count=_BATCH)
                if not found:
                    break
                subscription.put(History([each for each in _events(found) if each.seq]))
                await subscription.caught_up()
                at = f"({found[-1][0].decode()}"

    def _link_is_back(self, subscription: Subscription) -> None:
        self.connected = True
        subscription.put(Interrupted())
        log.info("connected to Redis")

    def _link_is_cut(self, error: BaseException) -> None:
        if self.connected:
            log.error("Redis is away: %s", short(error))
        self.connected = False


def short(error: BaseException) -> str:
    """An error in one line."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def _count_next(count: int, arrived: Sequence[Event]) -> int:
    """How many entries of each stream to ask for, after an answer with these events."""
    size = sum(len(event.body) for event in arrived)
    return max(1, count // 2) if size > _READ_BYTES else min(_BATCH, count * 2)


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence)


def _events(found: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[Event]:
    """The events of entries, in their order."""
    events = []
    for entry_id, fields in found:
        try:
            events += entries.unpack(fields[entries.FIELD])
        except (KeyError, ValueError):
            log.warning("skipped an entry that holds no events: %s", entry_id.decode())
    return events
