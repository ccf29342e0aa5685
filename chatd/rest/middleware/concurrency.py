"""Limits on how much of the event loop the requests of one account take.

Rate limits count requests, but a response takes between 0.2 ms and 15 ms of the event loop. Fifty
concurrent requests for the channels of a large guild delayed all other clients by seconds. So an
account has few requests in progress. After expensive ones its requests run one at a time, with
pauses. The same holds for the requests of one network address with tokens in their paths, in larger
numbers: one program answers the interactions of all users of its application. Without a limit, the
owner of a guild with 1,000 webhooks could send 500 messages a second.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Generic, TypeVar, cast

from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.context.context import Context
from chatd.core.ids import UserId
from chatd.core.rate_limit_errors import TooManyConcurrentRequests
from chatd.web.client_address import client_network
from chatd.web.http_server import LARGE_RESPONSE_BYTES, on_response_written, size_of

T = TypeVar("T")

MAX_CONCURRENCY = 4
"""Requests of one account in progress at the same time."""

MAX_QUEUED = 100
"""Requests of one account that wait for one of these; further requests are refused."""

_MAX_WITH_TOKENS = 16
"""Requests of one address with tokens in their paths in progress at the same time."""

_MAX_QUEUED_WITH_TOKENS = 500
"""Requests of one address with tokens in their paths that wait; further requests are refused."""

_PAUSE_FACTOR_WITH_TOKENS = 1.0
"""The pause after such a request, in multiples of its event loop time: one address takes at most
half of the loop."""

# A request costs its account a pause of five times its event loop time, so one account can take
# at most a sixth of the loop. The first 0.25 s of accumulated pauses are waived: bursts are common.
_PAUSE_FACTOR = 5.0
_WAIVED_S = 0.25


class Timed(Generic[T]):
    """Awaits a coroutine and measures the time that it occupies the event loop.

    At the end, however it ends, `on_end` is called with this time in seconds.
    """

    __slots__ = ("_on_end", "_work", "spent_s")

    def __init__(
        self, work: Coroutine[Any, Any, T], on_end: Callable[[float], None] | None = None
    ) -> None:
        self.spent_s = 0.0
        self._work = work
        self._on_end = on_end

    def __await__(self) -> Generator[Any, Any, T]:
        clock, work = time.perf_counter, self._work
        spent_s, began = 0.0, clock()
        try:
            waits_for = work.send(None)
            while True:
                spent_s += clock() - began
                try:
                    yield waits_for
                except BaseException as error:  # also a cancellation: the coroutine must handle it
                    began = clock()
                    waits_for = work.throw(error)
                else:
                    began = clock()
                    waits_for = work.send(None)
        except StopIteration as ended:
            value: T = ended.value
            return value
        finally:
            self.spent_s = spent_s + clock() - began
            if self._on_end is not None:
                self._on_end(self.spent_s)


class _Account:
    """The requests of one account: all that are admitted, and when its pauses end."""

    __slots__ = (
        "_clock",
        "_free_slots",
        "_pause_factor",
        "_waiters",
        "paused_until",
        "requests",
        "serial",
    )

    def __init__(self, concurrency: int, clock: Callable[[], float], pause_factor: float) -> None:
        self.requests = 0
        self.serial = asyncio.Lock()
        self.paused_until = 0.0
        self._clock = clock
        self._pause_factor = pause_factor
        self._free_slots = concurrency
        self._waiters: deque[asyncio.Future[None]] = deque()

    def pause(self, spent_s: float) -> None:
        """Add the pause for a request that occupied the event loop for `spent_s` seconds."""
        since = max(self.paused_until, self._clock())
        self.paused_until = since + self._pause_factor * spent_s

    def take_slot(self) -> bool:
        """Take a free slot. Return False if there is none."""
        if self._free_slots == 0:
            return False
        self._free_slots -= 1
        return True

    async def wait_for_slot(self) -> None:
        """Wait until a slot is given by `give_slot`, in the order of the calls."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():  # the slot was given at the moment of the cancellation
                self.give_slot()
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            raise

    def give_slot(self) -> None:
        """Give a slot to the first request that waits for one; otherwise it becomes free."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free_slots += 1


class ConcurrencyLimiter:
    """Limits the concurrent requests of each account, and pauses it after expensive ones.

    For requests without an account, the network address is in its place. Accounts without requests
    and pauses are removed about once a minute.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        concurrency: int = MAX_CONCURRENCY,
        queued: int = MAX_QUEUED,
        pause_factor: float = _PAUSE_FACTOR,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._concurrency = concurrency
        self._max_requests = concurrency + queued
        self._pause_factor = pause_factor
        self._accounts: dict[UserId | str, _Account] = {}
        self._swept_at = 0.0

    def __len__(self) -> int:
        return len(self._accounts)

    def acquire_now(self, caller: UserId | str) -> _Account | None:
        """Take a free slot of an account that has requests or pauses; None if it has none free."""
        account = self._accounts.get(caller)
        if account is None or account.requests >= self._max_requests or not account.take_slot():
            return None
        account.requests += 1
        return account

    async def acquire(self, caller: UserId | str) -> _Account:
        """Wait for one of the slots of this account. Raises TooManyConcurrentRequests."""
        account = self._admit(caller)
        if not account.take_slot():
            try:
                await account.wait_for_slot()
            except BaseException:
                account.requests -= 1
                raise
        return account

    @asynccontextmanager
    async def counted(self, caller: UserId | str) -> AsyncIterator[_Account]:
        """Count a request of this account that needs no slot, because it may take minutes.

        It waits for the end of the pauses. Raises TooManyConcurrentRequests.
        """
        account = self._admit(caller)
        try:
            async with account.serial:
                await self._sleep(account.paused_until - _WAIVED_S - self._clock())
            yield account
        finally:
            account.requests -= 1

    def release(self, account: _Account) -> None:
        """Release the slot."""
        account.requests -= 1
        account.give_slot()

    def run(self, account: _Account, work: Callable[[], Coroutine[Any, Any, T]]) -> Awaitable[T]:
        """Run the work, after the pause that earlier requests of the account have caused."""
        if self.must_wait(account):
            return self._run_after_pause(account, work)
        return self.timed(account, work)

    def must_wait(self, account: _Account) -> bool:
        """Return whether the next request of an account has to wait for the end of its pauses."""
        return account.paused_until - self._clock() > _WAIVED_S

    async def _run_after_pause(
        self, account: _Account, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> T:
        async with account.serial:
            await self._sleep(account.paused_until - _WAIVED_S - self._clock())
            return await self.timed(account, work)

    def _admit(self, caller: UserId | str) -> _Account:
        """Count a request of this account. Raises TooManyConcurrentRequests."""
        account = self._accounts.get(caller)
        if account is None:
            self._sweep()
            account = self._accounts[caller] = _Account(
                self._concurrency, self._clock, self._pause_factor
            )
        if account.requests >= self._max_requests:
            raise TooManyConcurrentRequests
        account.requests += 1
        return account

    def timed(self, account: _Account, work: Callable[[], Coroutine[Any, Any, T]]) -> Awaitable[T]:
        """Run the work, and pause the account for the time of the event loop that it takes."""
        return Timed(work(), account.pause)

    def _sweep(self) -> None:
        """Remove idle accounts, at most once a minute."""
        now = self._clock()
        if now < self._swept_at + 60.0:
            return
        self._swept_at = now
        for caller, account in list(self._accounts.items()):
            if not account.requests and account.paused_until < now:
                del self._accounts[caller]


class ConcurrencyLimits:
    """The limiters of all requests: one for accounts, one for addresses that use tokens in paths.

    `token_names` are the parameters of paths that contain tokens. The gateway has limits of its
    own.
    """

    def __init__(self, token_names: Sequence[str]) -> None:
        self._token_names = token_names
        self._accounts = ConcurrencyLimiter()
        self._addresses = ConcurrencyLimiter(
            concurrency=_MAX_WITH_TOKENS,
            queued=_MAX_QUEUED_WITH_TOKENS,
            pause_factor=_PAUSE_FACTOR_WITH_TOKENS,
        )

    async def run(
        self, request: web.Request, context: Context | None, handler: Handler, *, is_form: bool
    ) -> web.StreamResponse:
        """Call the handler when the limits of the caller allow it.

        A form takes no slot: it may contain files, and so take minutes.
        Raises TooManyConcurrentRequests, ConnectionResetError.
        """
        caller: UserId | str
        if context is not None:
            limiter, caller = self._accounts, context.caller.user.id
        elif any(name in request.match_info for name in self._token_names):
            limiter, caller = self._addresses, client_network(request)
        else:
            return await handler(request)
        if is_form:
            async with limiter.counted(caller) as account:
                return await limiter.timed(account, partial(_call, handler, request))
        account = limiter.acquire_now(caller) or await limiter.acquire(caller)
        is_held = False  # a large response holds its slot until it is delivered
        try:
            if limiter.must_wait(account):
                response = await limiter.run(account, partial(_call, handler, request))
            else:
                response = await Timed(_call(handler, request), account.pause)
            if size_of(response) > LARGE_RESPONSE_BYTES:
                is_held = on_response_written(request, partial(limiter.release, account))
            return response
        finally:
            if not is_held:
                limiter.release(account)


def _call(handler: Handler, request: web.Request) -> Coroutine[Any, Any, web.StreamResponse]:
    if request.transport is None:
        raise ConnectionResetError  # the client disconnected while its request was queued
    return cast(Coroutine[Any, Any, web.StreamResponse], handler(request))
