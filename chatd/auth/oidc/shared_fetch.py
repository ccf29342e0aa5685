"""A value that is fetched from a provider, and shared by all requests that need it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedFetch(Generic[T]):
    """Fetches a value once for all that wait for it, and keeps it for `lifetime_s` seconds.

    An error of class `failure` is kept for `retry_s` seconds, so a provider that does not answer
    occupies one request at a time. Until then an old value is used, up to `max_age_s` seconds old.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[T]],
        failure: type[Exception],
        *,
        lifetime_s: float,
        retry_s: float,
        max_age_s: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._fetch = fetch
        self._failure = failure
        self._lifetime_s = lifetime_s
        self._retry_s = retry_s
        self._max_age_s = max_age_s
        self._clock = clock
        self._lock = asyncio.Lock()
        self._value: T | None = None
        self._fetched_at = self._tried_at = float("-inf")
        self._problem = ""

    async def get(self) -> T:
        """Return the value. Raises an error of class `failure`."""
        return await self._get(max_age_s=self._lifetime_s, retry_s=self._retry_s)

    async def refreshed(self, *, at_most_every_s: float) -> T:
        """Return a value that was fetched within these seconds, or whose fetch was tried then.

        Raises an error of class `failure`.
        """
        return await self._get(max_age_s=at_most_every_s, retry_s=at_most_every_s)

    async def _get(self, *, max_age_s: float, retry_s: float) -> T:
        if self._value is not None and self._clock() - self._fetched_at < max_age_s:
            return self._value
        async with self._lock:
            age_s = self._clock() - self._fetched_at
            if self._value is not None and age_s < max_age_s:
                return self._value
            if self._clock() - self._tried_at >= retry_s:
                await self._try()
            if self._value is not None and self._clock() - self._fetched_at < self._max_age_s:
                return self._value
            raise self._failure(self._problem)

    async def _try(self) -> None:
        try:
            self._value = await self._fetch()
        except self._failure as error:
            self._problem = str(error)
            self._tried_at = self._clock()
        else:
            self._fetched_at = self._tried_at = self._clock()
