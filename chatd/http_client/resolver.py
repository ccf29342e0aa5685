"""Resolving the names of other people's servers to addresses that chatd may connect to."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic

from aiohttp.abc import AbstractResolver, ResolveResult

from chatd.http_client.addresses import is_public

_THREADS = 32
"""Names that are resolved at once. A slow name server occupies one thread for each name."""

_KEPT_S = 30.0
"""Seconds for which addresses of a name are kept."""

_SLOW_S = 3.0
"""Seconds after which an answer of a name server is useless: requests have no more time."""

_SLOW_KEPT_S = 300.0
"""Seconds for which the result of a slow lookup is kept, also of one that failed. Otherwise the
owner of 32 names, whose name server never answers, could occupy all threads all the time."""

_MAX_NAMES = 1000
"""Names whose addresses are kept."""


class CheckedResolver(AbstractResolver):
    """Returns only public addresses. The connection is made to one of them, with no second lookup.

    So a name that has different addresses each time (DNS rebinding) cannot pass the check with one
    of them, and then be connected to with another. Requests for the same name share a lookup, so
    one name occupies one thread.
    """

    def __init__(self, *, allow_private: bool = False) -> None:
        self._allow_private = allow_private
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="dns")
        self._lookups: dict[tuple[str, int, int], tuple[float, asyncio.Future[list[str]]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host. Raises OSError, also if one of them is not public."""
        addresses = await self._lookup(host, port, family)
        if not self._allow_private and not all(map(is_public, addresses)):
            raise OSError(None, "the name has an address that is not public")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _lookup(self, host: str, port: int, family: int) -> list[str]:
        key = (host, port, family)
        kept = self._lookups.get(key)
        if kept is None or (kept[1].done() and kept[0] < monotonic()):
            self._forget()
            loop = asyncio.get_running_loop()
            future = loop.run_in_executor(self._threads, _addresses, host, port, family)
            future.add_done_callback(_retrieve)
            future.add_done_callback(partial(self._keep, key, monotonic()))
            kept = self._lookups[key] = monotonic() + _KEPT_S, future
        return await asyncio.shield(kept[1])

    def _keep(
        self, key: tuple[str, int, int], began: float, future: asyncio.Future[list[str]]
    ) -> None:
        """Keep the result of a slow lookup for longer."""
        now = monotonic()
        kept = self._lookups.get(key)
        if kept is not None and kept[1] is future and now - began > _SLOW_S:
            self._lookups[key] = now + _SLOW_KEPT_S, future

    def _forget(self) -> None:
        """Keep the number of names limited: forget the oldest lookups."""
        for key in list(self._lookups)[: max(0, len(self._lookups) - _MAX_NAMES + 1)]:
            del self._lookups[key]


def _addresses(host: str, port: int, family: int) -> list[str]:
    found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _retrieve(future: asyncio.Future[list[str]]) -> None:
    """Mark the error as seen: all requests for the name may have been cancelled."""
    if not future.cancelled():
        future.exception()
