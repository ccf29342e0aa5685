"""The share of the event loop that one account takes, and the time that a response may wait
unread.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.core.ids import UserId
from chatd.core.rate_limit_errors import TooManyConcurrentRequests
from chatd.rest.middleware import concurrency
from chatd.rest.middleware.concurrency import MAX_CONCURRENCY, MAX_QUEUED, ConcurrencyLimiter, Timed
from chatd.web import http_server
from tests.conftest import ServeMore
from tests.helpers.attachments import message_form, send_form
from tests.helpers.locks import held_stream, held_table
from tests.world import TIMEOUT_S, Answer, world_on

ALICE, BOB = UserId(1), UserId(2)


async def test_timed_coroutine_behaves_like_the_original() -> None:
    async def works() -> str:
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await asyncio.sleep(TIMEOUT_S)
        return "done"

    async def fails() -> None:
        await asyncio.sleep(0)
        raise KeyError

    timed = Timed(works())
    assert await timed == "done"
    assert timed.spent_s > 0
    with pytest.raises(KeyError):
        await Timed(fails())

    async def forever() -> None:
        await Timed(asyncio.Event().wait())

    task = asyncio.create_task(forever())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_requests_in_progress_of_an_account_are_bounded() -> None:
    limiter, gate, begun = ConcurrencyLimiter(), asyncio.Event(), 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        await gate.wait()

    async def request(user_id: UserId) -> None:
        account = await limiter.acquire(user_id)
        try:
            await limiter.run(account, work)
        finally:
            limiter.release(account)

    tasks = [asyncio.create_task(request(ALICE)) for _ in range(MAX_CONCURRENCY + MAX_QUEUED)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert begun == MAX_CONCURRENCY
    with pytest.raises(TooManyConcurrentRequests):
        await limiter.acquire(ALICE)
    other = asyncio.create_task(request(BOB))  # another account does not wait
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert begun == MAX_CONCURRENCY + 1
    for task in tasks[: MAX_CONCURRENCY + 10]:  # some in progress, some queued
        task.cancel()
    await asyncio.wait(tasks[: MAX_CONCURRENCY + 10])
    gate.set()
    await asyncio.gather(other, *tasks[MAX_CONCURRENCY + 10 :])
    assert begun == MAX_CONCURRENCY + 1 + MAX_QUEUED - 10


@given(
    st.lists(st.tuples(st.sampled_from(["ask", "end", "cancel", "end, cancel"]), st.integers(0, 9)))
)
def test_slots_are_given_in_the_order_of_the_requests(steps: list[tuple[str, int]]) -> None:
    """As by a semaphore, whatever ends or is cancelled in between."""

    async def follow() -> None:
        limiter = ConcurrencyLimiter(concurrency=2)
        running, waiting = list[asyncio.Task[None]](), list[asyncio.Task[None]]()
        ends = dict[asyncio.Task[None], asyncio.Event]()
        begun = list[asyncio.Task[None]]()

        async def request(end: asyncio.Event) -> None:
            account = limiter.acquire_now(ALICE) or await limiter.acquire(ALICE)
            try:
                task = asyncio.current_task()
                assert task is not None
                begun.append(task)
                await end.wait()
            finally:
                limiter.release(account)

        expected = list[asyncio.Task[None]]()

        def start_next() -> None:
            while waiting and len(running) < 2:
                running.append(waiting.pop(0))
                expected.append(running[-1])

        for kind, number in steps:
            if kind == "ask":
                end = asyncio.Event()
                task = asyncio.create_task(request(end))
                ends[task] = end
                waiting.append(task)
                start_next()
            if kind.startswith("end") and running:
                task = running.pop(number % len(running))
                ends[task].set()
                await asyncio.sleep(0)  # the task runs; it gives its slot at this moment
                start_next()
            if kind.endswith("cancel") and running + waiting:
                task = (running + waiting)[number % len(running + waiting)]
                task.cancel()
                for group in (running, waiting):
                    if task in group:
                        group.remove(task)
                if task in expected and task not in begun:
                    expected.remove(task)  # cancelled before it could begin
                await asyncio.wait({task})
                start_next()
            if kind != "end":
                await settled()
        await settled()
        assert begun == expected
        for task in running + waiting:
            task.cancel()
        await asyncio.gather(*running, *waiting, return_exceptions=True)
        account = await limiter.acquire(ALICE)  # all slots are free again
        assert limiter.acquire_now(ALICE) is account
        assert limiter.acquire_now(ALICE) is None
        assert account.requests == 2

    asyncio.run(follow())


async def settled() -> None:
    """Let all tasks run until they wait."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_expensive_requests_run_one_at_a_time_with_pauses() -> None:
    """The pauses are a multiple of the loop time of the requests, and leave the loop to others."""
    now, slept = 100.0, list[float]()

    async def sleep(delay_s: float) -> None:
        nonlocal now
        slept.append(delay_s)
        now += max(delay_s, 0)

    limiter = ConcurrencyLimiter(clock=lambda: now, sleep=sleep)
    account = await limiter.acquire(ALICE)

    async def work() -> None:
        pass

    await limiter.run(account, work)
    account.paused_until = now + 1.0
    await limiter.run(account, work)
    assert slept == pytest.approx([0.75])
    limiter.release(account)
    now += 1000
    limiter.release(await limiter.acquire(BOB))
    assert len(limiter) == 1  # alice is removed


async def test_forms_wait_for_the_pauses_but_need_no_slot() -> None:
    """Uploads may take minutes. The JSON in a form costs as much as that of another body."""
    now, slept = 100.0, list[float]()

    async def sleep(delay_s: float) -> None:
        nonlocal now
        slept.append(delay_s)
        now += max(delay_s, 0)

    limiter = ConcurrencyLimiter(lambda: now, sleep, concurrency=1, queued=1)

    async def work() -> None:
        pass

    async with limiter.counted(ALICE) as account, limiter.counted(ALICE):
        with pytest.raises(TooManyConcurrentRequests):
            async with limiter.counted(ALICE):
                pass
        await limiter.timed(account, work)
        assert account.paused_until > now
        account.paused_until = now + 1.0
    slept.clear()
    async with limiter.counted(ALICE):
        assert slept == pytest.approx([0.75])


async def test_forms_in_progress_leave_no_slot_beyond_the_limit() -> None:
    limiter = ConcurrencyLimiter(concurrency=1, queued=1)
    async with limiter.counted(ALICE), limiter.counted(ALICE):
        assert limiter.acquire_now(ALICE) is None
        with pytest.raises(TooManyConcurrentRequests):
            await limiter.acquire(ALICE)
    account = limiter.acquire_now(ALICE)
    assert account is not None
    limiter.release(account)


async def test_many_large_responses_of_one_account_are_all_sent(serve_more: ServeMore) -> None:
    """Over sockets: all requests are answered, and few responses are in memory at a time."""
    async with (
        serve_more(worker_id=21, rate_limits=True) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        alice = await world.person("alice")
        await asyncio.gather(*(alice.rest.get("/users/@me") for _ in range(30)))


async def test_requests_with_tokens_in_progress_are_bounded_for_each_address(
    serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "_MAX_WITH_TOKENS", 2)
    monkeypatch.setattr(concurrency, "_MAX_QUEUED_WITH_TOKENS", 0)
    proxies = (ip_network("127.0.0.0/8"),)
    async with (
        serve_more(worker_id=21, rate_limits=True, trusted_proxies=proxies) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        guild = await world.guild(owner="alice")
        path = f"/channels/{guild.general.id}/webhooks"
        made = [await guild.owner.rest.post(path, {"name": "w"}) for _ in range(4)]

        async def delete(webhook: Any, address: str = "192.0.2.1") -> Answer:
            path = f"/webhooks/{webhook['id']}/{webhook['token']}"
            headers = {"X-Forwarded-For": address}
            return await world.anonymous.call("DELETE", path, headers=headers)

        with held_stream(server, guild.id) as held:
            begun = [asyncio.create_task(delete(each)) for each in made[:2]]
            await held.waited_for_by(2)
            refused = await delete(made[2])
            assert (refused.status, refused.json["global"]) == (429, True)
            begun.append(asyncio.create_task(delete(made[3], "192.0.2.2")))
            await held.waited_for_by(3)
            held.release()
            assert [each.status for each in await asyncio.gather(*begun)] == [204] * 3


async def test_forms_are_counted_too(
    serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "_MAX_WITH_TOKENS", 1)
    monkeypatch.setattr(concurrency, "_MAX_QUEUED_WITH_TOKENS", 0)
    async with (
        serve_more(worker_id=21, rate_limits=True) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        guild = await world.guild(owner="alice")
        path = f"/channels/{guild.general.id}/webhooks"
        webhook = await guild.owner.rest.post(path, {"name": "w"})
        token = f"/webhooks/{webhook['id']}/{webhook['token']}"

        async def send() -> Answer:
            form = message_form({"content": "x"}, ("a.txt", b"data"))
            return await send_form(world.anonymous, token, form)

        with held_table(server, "uploads") as held:
            first = asyncio.create_task(send())
            await held.waited_for_by(1)
            refused = await send()
            assert (refused.status, refused.json["global"]) == (429, True)
            held.release()
            assert (await first).status == 204


async def test_unread_responses_are_aborted(
    serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "_RESPONSE_TIMEOUT_S", 0.1)
    monkeypatch.setattr(http_server, "_MIN_BYTES_PER_S", 2**30)
    one = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    async with serve_more(worker_id=21) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        _, writer = await asyncio.open_connection(host, int(port), limit=2**10)
        http = server.runner.server
        assert http is not None
        async with asyncio.timeout(TIMEOUT_S):
            while not http.connections:
                await asyncio.sleep(0.01)
            writer.write(one * 200)  # more than the socket buffers hold
            while http.connections:
                await asyncio.sleep(0.01)
        writer.close()
