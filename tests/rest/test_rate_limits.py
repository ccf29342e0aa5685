"""Rate limits as clients see them: the headers are correct, and 429 is like Discord's."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from chatd.embedded.valkey import Valkey, running_valkey
from chatd.ratelimit import identify_limits, limiter
from chatd.ratelimit.window import Limit, Window
from chatd.rest.table import table
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.rest.conftest import PassTime
from tests.world import TIMEOUT_S, Answer, Rest, World, like, world_on

HEADERS = ["Limit", "Remaining", "Reset", "Reset-After", "Bucket"]
NO_MESSAGE = "1234567890"
LONGER = 60
"""How many times as long all windows of these tests are."""
REDIS_TIMEOUT_S = limiter.REDIS_TIMEOUT_S  # as imported, before `long_redis_timeouts` changes it


@pytest.fixture(scope="module")
async def limited(serve_more: ServeMore) -> AsyncIterator[Server]:
    """A server with rate limits; the shared server has none."""
    async with serve_more(worker_id=11, rate_limits=True) as server:
        yield server


@pytest.fixture(scope="module")
async def second(serve_more: ServeMore) -> AsyncIterator[Server]:
    """Another instance with rate limits, on the same Redis."""
    async with serve_more(worker_id=12, rate_limits=True) as server:
        yield server


@pytest.fixture(autouse=True)
def long_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make windows so long that none ends while a busy machine serves the requests of a test."""

    def longer(limit: Limit, *args: Any, **more: Any) -> Window:
        return Window(replace(limit, per_s=limit.per_s * LONGER), *args, **more)

    monkeypatch.setattr(limiter, "Window", longer)


def at(server: Server, rest: Rest) -> Rest:
    """Return a client of the same account on another server."""
    return Rest(rest.http, server.url, rest.token)


async def send(rest: Rest, channel_id: str) -> Answer:
    return await rest.call("POST", f"/channels/{channel_id}/messages", {"content": "hi"})


async def send_at_once(times: int, *targets: tuple[Rest, str]) -> Counter[int]:
    """Send messages concurrently; returns the number of responses by status."""
    answers = await asyncio.gather(*(send(*targets[i % len(targets)]) for i in range(times)))
    return Counter(answer.status for answer in answers)


def limits_of(answer: Answer) -> dict[str, str]:
    """Return the rate limit headers of a response."""
    return {name[12:]: text for name, text in answer.headers.items() if name[:12] == "X-RateLimit-"}


async def test_headers_count_down_to_429(world: World, limited: Server) -> None:
    guild = await world.guild(owner="alice")
    rest = at(limited, guild.owner.rest)
    answers = [await send(rest, guild.general.id) for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert [limits_of(answer)["Remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    for answer in answers:
        assert list(limits_of(answer))[:5] == HEADERS
        assert limits_of(answer)["Limit"] == "5"
        assert 0 < float(limits_of(answer)["Reset-After"]) <= 5.001 * LONGER
        assert abs(float(limits_of(answer)["Reset"]) - time.time()) < 6 * LONGER
    ends = [float(limits_of(answer)["Reset"]) for answer in answers]
    assert max(ends) - min(ends) < 0.05  # all headers announce the same window
    refused = answers[-1]
    assert refused.json == {
        "message": "You are being rate limited.",
        "retry_after": pytest.approx(float(limits_of(refused)["Reset-After"]), abs=0.01),
        "global": False,
    }
    assert refused.headers["Content-Type"] == "application/json"
    assert refused.headers["Via"]
    assert refused.headers["X-RateLimit-Scope"] == "user"
    assert "X-RateLimit-Global" not in refused.headers
    assert 0 <= int(refused.headers["Retry-After"]) - refused.json["retry_after"] < 1


async def test_full_limit_is_available_after_reset_after(
    world: World, limited: Server, pass_time: PassTime
) -> None:
    guild = await world.guild(owner="alice")
    rest = at(limited, guild.owner.rest)
    path = f"/channels/{guild.general.id}/messages/{NO_MESSAGE}"
    for _ in range(3):
        answers = [await rest.call("DELETE", path) for _ in range(6)]
        assert [answer.status for answer in answers] == [404] * 5 + [429]
        pass_time(float(limits_of(answers[0])["Reset-After"]))
        # The first header announces the longest wait, and is still correct.
    at_once = await asyncio.gather(*(rest.call("DELETE", path) for _ in range(6)))
    assert Counter(answer.status for answer in at_once) == {404: 5, 429: 1}


async def test_late_redis_does_not_change_reset_after(
    world: World, limited: Server, valkey: Valkey, pass_time: PassTime
) -> None:
    guild = await world.guild(owner="alice")
    rest = at(limited, guild.owner.rest)
    path = f"/channels/{guild.general.id}/messages/{NO_MESSAGE}"
    answers = await asyncio.gather(*(rest.call("DELETE", path) for _ in range(6)))
    assert Counter(answer.status for answer in answers) == {404: 5, 429: 1}
    with Redis.from_url(valkey.url) as redis:
        [key] = redis.scan_iter(f"chatd:limits:*:{guild.general.id}:{guild.owner.id}")
        redis.pexpire(key, 60_000 * LONGER)
    pass_time(max(float(limits_of(answer)["Reset-After"]) for answer in answers))
    answers = await asyncio.gather(*(rest.call("DELETE", path) for _ in range(6)))
    assert Counter(answer.status for answer in answers) == {404: 5, 429: 1}


async def test_channels_routes_and_accounts_have_separate_windows(
    world: World, limited: Server
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    other = await guild.channel("other")
    alice, bob = (at(limited, world.rest(name)) for name in ("alice", "bob"))
    first = await send(alice, guild.general.id)
    assert await send_at_once(5, (alice, guild.general.id)) == {200: 4, 429: 1}
    elsewhere = await send(alice, other.id)
    assert limits_of(elsewhere) == like(Remaining="4", Bucket=limits_of(first)["Bucket"])
    assert limits_of(await send(bob, guild.general.id))["Remaining"] == "4"
    typing = await alice.call("POST", f"/channels/{guild.general.id}/typing")
    assert typing.status == 204
    assert limits_of(typing)["Bucket"] != limits_of(first)["Bucket"]


async def test_spellings_of_an_id_share_a_window(world: World, limited: Server) -> None:
    guild = await world.guild(owner="alice")
    rest, channel = at(limited, guild.owner.rest), guild.general.id
    assert limits_of(await send(rest, channel))["Remaining"] == "4"
    answer = await rest.call("POST", f"/api/v10/channels/{channel}/messages", {"content": "hi"})
    assert limits_of(answer)["Remaining"] == "3"
    assert limits_of(await send(rest, channel.zfill(19)))["Remaining"] == "2"


async def test_hundred_concurrent_requests_are_limited(world: World, limited: Server) -> None:
    guild = await world.guild(owner="alice")
    rest = at(limited, guild.owner.rest)
    assert await send_at_once(40, (rest, guild.general.id)) == {200: 5, 429: 35}
    bob = at(limited, (await world.person("bob")).rest)
    answers = await asyncio.gather(*(bob.call("GET", "/users/@me") for _ in range(100)))
    assert Counter(answer.status for answer in answers) == {200: 50, 429: 50}


async def test_global_limit_is_marked_as_global(world: World, limited: Server) -> None:
    guild = await world.guild(owner="alice")
    rest = at(limited, guild.owner.rest)
    path = f"/channels/{guild.general.id}/messages"
    calls = [rest.call("GET", path) for _ in range(30)]
    calls += [rest.call("GET", f"/guilds/{guild.id}/roles") for _ in range(30)]
    refused = [answer for answer in await asyncio.gather(*calls) if answer.status == 429]
    assert len(refused) == 10
    for answer in refused:
        assert answer.json == like(**{"global": True, "message": "You are being rate limited."})
        assert limits_of(answer) == {"Scope": "global", "Global": "true"}
        assert answer.headers["Via"]


async def test_head_counts_as_get_and_unknown_routes_do_not_count(
    world: World, limited: Server
) -> None:
    rest = at(limited, (await world.person("alice")).rest)
    assert limits_of(await rest.call("GET", "/users/@me"))["Remaining"] == "49"
    assert limits_of(await rest.call("HEAD", "/users/@me"))["Remaining"] == "48"
    unknown = await rest.call("GET", "/nowhere")
    assert (unknown.status, limits_of(unknown)) == (404, {})
    assert limits_of(await rest.call("GET", "/health")) == {}


async def test_errors_count_and_have_headers(world: World, limited: Server) -> None:
    rest = at(limited, (await world.person("alice")).rest)
    answers = [await send(rest, NO_MESSAGE) for _ in range(2)]
    assert [answer.status for answer in answers] == [404, 404]
    assert [limits_of(answer)["Remaining"] for answer in answers] == ["4", "3"]
    garbled = [await send(rest, text) for text in ("x", "y")]
    assert [limits_of(answer)["Remaining"] for answer in garbled] == ["4", "3"]


async def test_instances_share_windows(
    world: World, limited: Server, second: Server, pass_time: PassTime
) -> None:
    guild = await world.guild(owner="alice")
    channels = [guild.general, *[await guild.channel(f"c{number}") for number in range(3)]]
    one, two = at(limited, guild.owner.rest), at(second, guild.owner.rest)
    for channel in channels:
        counted = await send_at_once(10, (one, channel.id), (two, channel.id))
        assert counted[200] in (5, 6)  # the bound that ratelimit/__init__.py states
    pass_time(5.1 * LONGER)
    assert await send_at_once(5, (one, channels[0].id)) == {200: 5}
    assert (await send_at_once(9, (two, channels[0].id)))[429] >= 8


async def test_redis_keys_expire(world: World, limited: Server, valkey: Valkey) -> None:
    guild = await world.guild(owner="alice")
    await send_at_once(3, (at(limited, guild.owner.rest), guild.general.id))
    with Redis.from_url(valkey.url) as redis:
        keys = [key for key in redis.scan_iter("*") if guild.owner.id.encode() in key]
        assert keys
        for key in keys:
            assert key.startswith(b"chatd:limits:")
            assert 0 < redis.pttl(key) <= 5_000 * LONGER


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL], ids=["stalled", "killed"])
async def test_instances_count_alone_without_redis(
    world: World,
    serve_more: ServeMore,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    how: signal.Signals,
) -> None:
    # A request that waited for the socket, not only for REDIS_TIMEOUT_S, would wait too long.
    monkeypatch.setattr(limiter, "_SOCKET_TIMEOUT_S", 2 * TIMEOUT_S)
    monkeypatch.setattr(limiter, "REDIS_TIMEOUT_S", REDIS_TIMEOUT_S)
    guild = await world.guild(owner="alice")
    with running_valkey(tmp_path_factory.mktemp("limits")) as valkey:
        settings = {"rate_limits": True, "redis_url": valkey.url}
        async with (
            serve_more(worker_id=13, **settings) as first,
            serve_more(worker_id=14, **settings) as other,
        ):
            one, two = at(first, guild.owner.rest), at(other, guild.owner.rest)
            assert (await send_at_once(4, (one, guild.general.id))) == {200: 4}
            assert valkey.pid is not None
            os.kill(valkey.pid, how)
            alone = await guild.channel("alone")
            async with asyncio.timeout(TIMEOUT_S):
                assert await send_at_once(8, (one, alone.id)) == {200: 5, 429: 3}
            assert not asks_redis(first)
            assert await send_at_once(8, (two, alone.id)) == {200: 5, 429: 3}
            assert (await send(one, guild.general.id)).status == 200  # local counts are kept
            assert (await send(one, guild.general.id)).status == 429
            if how == signal.SIGSTOP:
                os.kill(valkey.pid, signal.SIGCONT)
            else:
                await asyncio.to_thread(valkey.kill)
                await asyncio.to_thread(valkey.start)
            async with asyncio.timeout(TIMEOUT_S):
                while not (asks_redis(first) and asks_redis(other)):
                    await asyncio.sleep(0.02)
            monkeypatch.setattr(limiter, "REDIS_TIMEOUT_S", TIMEOUT_S)
            again = await guild.channel("again")
            counted = await send_at_once(12, (one, again.id), (two, again.id))
            assert counted[200] in (5, 6)


def asks_redis(server: Server) -> bool:
    """Return whether an exact hit waits for Redis, instead of deciding by local counts."""
    limits = server.runner.app[DEPENDENCIES].rate_limits
    return limits.hit(Limit(10**6, 60.0, exact=True), "asked") is None


async def test_rate_limits_can_be_disabled(world: World) -> None:
    guild = await world.guild(owner="alice")
    assert await send_at_once(8, (guild.owner.rest, guild.general.id)) == {200: 8}
    assert limits_of(await send(guild.owner.rest, guild.general.id)) == {}


async def test_identify_is_limited(world: World, limited: Server, pass_time: PassTime) -> None:
    alice = await world.person("alice")
    async with world_on(limited.url, limited.gateway_url) as here:
        for _ in range(16):
            await (await here.socket()).identify(alice.token)
        late = await here.socket()
        await late.send(2, {"token": alice.token, "properties": {}, "intents": 0})
        assert (await late.next_op(9))["d"] is False
        pass_time(5.1 * LONGER)
        await late.identify(alice.token)


async def test_session_start_limit_closes_the_connection(world: World, limited: Server) -> None:
    alice = await world.person("alice")
    limits = limited.runner.app[DEPENDENCIES].rate_limits
    for _ in range(identify_limits.PER_DAY.requests):
        await limits.hit_shared(identify_limits.PER_DAY, f"identify:day:{alice.id}")
    async with world_on(limited.url, limited.gateway_url) as here:
        client = await here.socket()
        await client.send(2, {"token": alice.token, "properties": {}, "intents": 0})
        assert await client.closed() == 4008


def test_routes_have_limits_and_hashed_bucket_ids() -> None:
    unlimited = [route.path for route in table() if route.limit is None]
    downloads = ["/attachments", "/avatars", "/icons", "/app-icons", "/embed"]
    assert unlimited[:2] == ["/health", "/health/ready"]
    assert all(path.startswith(tuple(downloads)) for path in unlimited[2:])
    assert all(re.fullmatch(r"[a-z ]*", route.limit.bucket) for route in table() if route.limit)


async def test_callbacks_announce_no_limit(world: World, limited: Server) -> None:
    """hikari takes a callback for a route without a bucket, and warns of one that it finds."""
    callback = await at(limited, world.anonymous).call("POST", "/interactions/1/x/callback", {})
    assert callback.status == 404
    assert limits_of(callback) == {}


async def test_tokens_in_paths_have_windows_of_their_own(world: World, limited: Server) -> None:
    anonymous = at(limited, world.anonymous)
    paths = [f"/webhooks/1/{token}/messages/@original" for token in ("a", "b")]
    statuses = [(await anonymous.call("GET", path)).status for path in [paths[0]] * 6]
    assert statuses[:5] == [404] * 5
    assert statuses[5] == 429
    assert (await anonymous.call("GET", paths[1])).status == 404
