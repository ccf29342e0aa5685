"""The rules of guilds, compiled, in the memory of this instance.

A guild has a revision of its rules, which each authorization of a message reads anyway. So a
message in a guild without rules costs one comparison, and one in a guild with rules needs no query,
unless they have changed since.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from chatd.automod.rule_set import Checked, CompiledRule, RuleSet, Triggered, check, cost_ns
from chatd.automod.spam import EQUAL_WINDOW_S, RAID_WINDOW_S, RecentCounts
from chatd.core.automod import Rule
from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import GuildId, UserId

T = TypeVar("T")

_THREADS: Final = 2
"""Threads that compile rules and check long texts. The libraries release the GIL, so more
would take the cores from the event loop."""

_MAX_BYTES: Final = 96 * 2**20
"""Memory of all compiled rules. A guild with the most and longest rules takes 50 MiB; most take
kB."""

_INLINE_NS: Final = 2_000_000
"""Checks that take longer than 2 ms run in a thread."""

_THREAD_MS: Final = 2_500
_THREAD_WINDOW_S: Final = 10.0
"""How many milliseconds of a thread the rules of all guilds of one owner may take in this time.
Only patterns made to be slow need so much; beyond it, their long messages are refused for the rest
of the time."""

_TIMEOUT_S: Final = 5.0
"""How long a message waits for the checks of others in guilds of its owner."""


class RuleSets:
    """The compiled rules of the guilds whose members wrote last."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._sets: OrderedDict[GuildId, RuleSet] = OrderedDict()
        self._size_bytes = 0
        self._locks: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="automod")
        self._thread_ms: RecentCounts[UserId] = RecentCounts(_THREAD_WINDOW_S, clock)
        self.sent_texts: RecentCounts[tuple[GuildId, UserId, int]] = RecentCounts(
            EQUAL_WINDOW_S, clock
        )
        """How often members of guilds with a rule for spam have sent the same text, by its hash."""
        self.raid_mentions: RecentCounts[GuildId] = RecentCounts(RAID_WINDOW_S, clock)
        """How many users and roles new members have mentioned, in guilds with raid protection."""

    def get(self, guild_id: GuildId, revision: int) -> RuleSet | None:
        """Return the rules of a guild, if this revision or a later one is in memory."""
        found = self._sets.get(guild_id)
        if found is None or found.revision < revision:
            return None
        self._sets.move_to_end(guild_id)
        return found

    async def load(
        self,
        guild_id: GuildId,
        owner_id: UserId,
        revision: int,
        read: Callable[[], Awaitable[tuple[int, Sequence[Rule]]]],
    ) -> RuleSet:
        """Return the rules of a guild: those in memory, or what `read` returns, compiled.

        Only one of concurrent callers reads. Raises ServiceUnavailable.
        """
        async with self._turn(owner_id):
            if (found := self.get(guild_id, revision)) is not None:
                return found
            current, rules = await read()
            compiled = await self._timed(owner_id, RuleSet, current, rules)
            self._keep(guild_id, compiled)
            return compiled

    async def check(
        self, owner_id: UserId, rules: Iterable[CompiledRule], checked: Checked
    ) -> list[Triggered]:
        """Return the rules that a message triggers. Raises ServiceUnavailable.

        Checks that may take long run in a thread, one at a time for all guilds of an owner. So the
        rules of one person cannot occupy all threads, however many guilds they are spread over.
        """
        rules = list(rules)
        if cost_ns(rules, checked.text) <= _INLINE_NS:
            return check(rules, checked)
        async with self._turn(owner_id):
            return await self._timed(owner_id, check, rules, checked)

    async def in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Return the result of a function that may take long."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *arguments)

    async def _timed(self, owner_id: UserId, function: Callable[..., T], *arguments: object) -> T:
        """Do the same as `in_thread` for guilds of an owner, within their share of the threads.

        Raises ServiceUnavailable if they have used it up.
        """
        if self._thread_ms.count(owner_id) > _THREAD_MS:
            raise ServiceUnavailable
        result: T
        result, took_ms = await self.in_thread(_with_time, function, *arguments)
        self._thread_ms.add(owner_id, took_ms)
        return result

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def _turn(self, owner_id: UserId) -> AsyncIterator[None]:
        """Wait until no other caller compiles or checks for guilds of this owner. Raises
        ServiceUnavailable."""
        lock = self._locks.setdefault(owner_id, asyncio.Lock())
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await lock.acquire()
        except TimeoutError:
            raise ServiceUnavailable from None
        try:
            yield
        finally:
            lock.release()

    def _keep(self, guild_id: GuildId, compiled: RuleSet) -> None:
        if (before := self._sets.pop(guild_id, None)) is not None:
            self._size_bytes -= before.size_bytes
        self._sets[guild_id] = compiled
        self._size_bytes += compiled.size_bytes
        while self._size_bytes > _MAX_BYTES and len(self._sets) > 1:
            _, oldest = self._sets.popitem(last=False)
            self._size_bytes -= oldest.size_bytes


def _with_time(function: Callable[..., T], *arguments: object) -> tuple[T, int]:
    """Return the result of a function, and the milliseconds of CPU time that it took."""
    began = time.thread_time()
    result = function(*arguments)
    return result, round((time.thread_time() - began) * 1000)
