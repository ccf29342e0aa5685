"""Rate limits as clients meet them: what the headers say is true, and 429 is Discord's."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from redis import Redis

from chatd import embedded
from chatd.ephemeral import identifies
from chatd.ephemeral.windows import Limit
from chatd.keys import RESOURCES
from chatd.rest import routes
from tests.conftest import ServeMore, Server
from tests.world import Answer, Rest, World, like, world_on

HEADERS = ["Limit", "Remaining", "Reset", "Reset-After", "Bucket"]
NO_MESSAGE = "1234567890"


@pytest.fixture(scope="module")
async def limited(serve_more: ServeMore) -> AsyncIterator[Server]:
    """A server with limits, beside the shared one, which has none."""
    async with serve_more(worker_id=11, rate_limits=True) as server:
        yield server


@pytest.fixture(scope="module")
async def second(serve_more: ServeMore) -> AsyncIterator[Server]:
    """Another one, on the same Redis."""
    async with serve_more(worker_id=12, rate_limits=True) as server:
        yield server


def at(server: Server, rest: Rest) -> Rest:
    """The same account, on another server."""
    return Rest(rest.http, server.url, rest.token)


async def send(rest: Rest, channel_id: str) -> Answer:
    return await rest.call("POST", f"/channels/{channel_id}/messages", {"content": "hi"})


async def send_at_once(times: int, *targets: tuple[Rest, str]) -> Counter[int]:
    """How often which status answered, when messages were sent all at the same time."""
    answers = await asyncio.gather(*(send(*targets[i % len(targets)]) for i in range(times)))
    return Counter(answer.status for answer in answers)


def told(answer: Answer) -> dict[str, str]:
    """The rate limit headers of an answer."""
    return {name[12:]: text for name, text in answer.headers.items() if name[:12] == "X-RateLimit-"}


async def test_headers_count_down_to_a_429(world: World, limited: Server) -> None:
    guild = await world.guild(owner="alice")
    rest = at(limited, guild.owner.rest)
    answers = [await send(rest, guild.general.id) for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert [told(answer)["Remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    for answer in answers:
        assert list(told(answer))[:5] == HEADERS
        assert told(answer)["Limit"] == "5"
        assert 0 < float(told(answer)["Reset-After"]) <= 5.001
        assert abs(float(told(answer)["Reset"]) - time.time()) < 6
    ends = [float(told(answer)["Reset"]) for answer in answers]
    assert max(ends) - min(ends) < 0.05  # one window, however often it is told of
    refused = answers[-1]
    assert refused.json == {
        "message": "You are being rate limited.",
        "retry_after": pytest.approx(float(told(refused)["Reset-After"]), abs=0.01),
        "global": False,
    }
    assert refused.headers["Content-Type"] == "application/json"
    assert refused.headers["Via"]
    assert refused.headers["X-RateLimit-Scope"] == "user"
    assert "X-RateLimit-Global" not in refused.headers
    assert 0 <= int(refused.headers["Retry-After"]) - refused.json["retry_after"] < 1


async def test_after_the_announced_time_the_whole_limit_is_there(
    world: World, limited: Server
) -> None:
    guild = await world.guild(owner="alice")
    rest = at(limited, guild.owner.rest)
    path = f"/channels/{guild.general.id}/messages/{NO_MESSAGE}"
    for _ in range(3):
        answers = [await rest.call("DELETE", path) for _ in range(6)]
        assert [answer.status for answer in answers] == [404] * 5 + [429]
        await asyncio.sleep(float(told(answers[0])["Reset-After"]))
        # What is told at any time of the window is true: the first has waited the longest.
    at_once = await asyncio.gather(*(rest.call("DELETE", path) for _ in range(6)))
    assert Counter(answer.status for answer in at_once) == {404: 5, 429: 1}


async def test_a_redis_that_is_late_breaks_no_promise(
    world: World, limited: Server, valkey: embedded.Valkey
) -> None:
    guild = await world.guild(owner="alice")
    rest = at(limited, guild.owner.rest)
    path = f"/channels/{guild.general.id}/messages/{NO_MESSAGE}"
    answers = await asyncio.gather(*(rest.call("DELETE", path) for _ in range(6)))
    assert Counter(answer.status for answer in answers) == {404: 5, 429: 1}
    with Redis.from_url(valkey.url) as redis:
        [key] = redis.scan_iter(f"chatd:limits:*:{guild.general.id}:{guild.owner.id}")
        redis.pexpire(key, 60_000)
    await asyncio.sleep(max(float(told(answer)["Reset-After"]) for answer in answers))
    answers = await asyncio.gather(*(rest.call("DELETE", path) for _ in range(6)))
    assert Counter(answer.status for answer in answers) == {404: 5, 429: 1}


async def test_channels_routes_and_accounts_have_windows_of_their_own(
    world: World, limited: Server
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    other = await guild.channel("other")
    alice, bob = (at(limited, world.rest(name)) for name in ("alice", "bob"))
    first = await send(alice, guild.general.id)
    assert await send_at_once(5, (alice, guild.general.id)) == {200: 4, 429: 1}
    elsewhere = await send(alice, other.id)
    assert told(elsewhere) == like(Remaining="4", Bucket=told(first)["Bucket"])
    assert told(await send(bob, guild.general.id))["Remaining"] == "4"
    typing = await alice.call("POST", f"/channels/{guild.general.id}/typing")
    assert typing.status == 204
    assert told(typing)["Bucket"] != told(first)["Bucket"]


async def test_an_id_in_another_spelling_is_the_same_channel(world: World, limited: Server) -> None:
    guild = await world.guild(owner="alice")
    rest, channel = at(limited, guild.owner.rest), guild.general.id
    assert told(await send(rest, channel))["Remaining"] == "4"
    answer = await rest.call("POST", f"/api/v10/channels/{channel}/messages", {"content": "hi"})
    assert told(answer)["Remaining"] == "3"
    assert told(await send(rest, channel.zfill(19)))["Remaining"] == "2"


async def test_a_hundred_at_once_let_the_limit_through(world: World, limited: Server) -> None:
    guild = await world.guild(owner="alice")
    rest = at(limited, guild.owner.rest)
    assert await send_at_once(40, (rest, guild.general.id)) == {200: 5, 429: 35}
    bob = at(limited, (await world.person("bob")).rest)
    answers = await asyncio.gather(*(bob.call("GET", "/users/@me") for _ in range(100)))
    assert Counter(answer.status for answer in answers) == {200: 50, 429: 50}


async def test_the_global_limit_says_so(world: World, limited: Server) -> None:
    guild = await world.guild(owner="alice")
    rest = at(limited, guild.owner.rest)
    path = f"/channels/{guild.general.id}/messages"
    calls = [rest.call("GET", path) for _ in range(30)]
    calls += [rest.call("GET", f"/guilds/{guild.id}/roles") for _ in range(30)]
    refused = [answer for answer in await asyncio.gather(*calls) if answer.status == 429]
    assert len(refused) == 10
    for answer in refused:
        assert answer.json == like(**{"global": True, "message": "You are being rate limited."})
        assert told(answer) == {"Scope": "global", "Global": "true"}
        assert answer.headers["Via"]


async def test_head_counts_with_get_and_unknown_routes_do_not(
    world: World, limited: Server
) -> None:
    rest = at(limited, (await world.person("alice")).rest)
    assert told(await rest.call("GET", "/users/@me"))["Remaining"] == "49"
    assert told(await rest.call("HEAD", "/users/@me"))["Remaining"] == "48"
    unknown = await rest.call("GET", "/nowhere")
    assert (unknown.status, told(unknown)) == (404, {})
    assert told(await rest.call("GET", "/health")) == {}


async def test_refusals_count_and_tell(world: World, limited: Server) -> None:
    rest = at(limited, (await world.person("alice")).rest)
    answers = [await send(rest, NO_MESSAGE) for _ in range(2)]
    assert [answer.status for answer in answers] == [404, 404]
    assert [told(answer)["Remaining"] for answer in answers] == ["4", "3"]
    garbled = [await send(rest, text) for text in ("x", "y")]
    assert [told(answer)["Remaining"] for answer in garbled] == ["4", "3"]


@pytest.mark.usefixtures("patient")
async def test_two_instances_share(world: World, limited: Server, second: Server) -> None:
    guild = await world.guild(owner="alice")
    channels = [guild.general, *[await guild.channel(f"c{number}") for number in range(3)]]
    one, two = at(limited, guild.owner.rest), at(second, guild.owner.rest)
    for channel in channels:
        counted = await send_at_once(10, (one, channel.id), (two, channel.id))
        assert counted[200] in (5, 6)  # the bound that ephemeral/__init__.py states
    await asyncio.sleep(5.1)
    assert await send_at_once(5, (one, channels[0].id)) == {200: 5}
    assert (await send_at_once(9, (two, channels[0].id)))[429] >= 8


async def test_what_is_kept_in_redis_ends_by_itself(
    world: World, limited: Server, valkey: embedded.Valkey
) -> None:
    guild = await world.guild(owner="alice")
    await send_at_once(3, (at(limited, guild.owner.rest), guild.general.id))
    with Redis.from_url(valkey.url) as redis:
        keys = [key for key in redis.scan_iter("*") if guild.owner.id.encode() in key]
        assert keys
        for key in keys:
            assert key.startswith(b"chatd:limits:")
            assert 0 < redis.pttl(key) <= 5_000


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL], ids=["stalled", "killed"])
async def test_without_redis_each_counts_alone_and_comes_back(
    world: World,
    serve_more: ServeMore,
    tmp_path_factory: pytest.TempPathFactory,
    how: signal.Signals,
) -> None:
    guild = await world.guild(owner="alice")
    with embedded.valkey(tmp_path_factory.mktemp("limits")) as valkey:
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
            began = time.monotonic()
            assert await send_at_once(8, (one, alone.id)) == {200: 5, 429: 3}
            assert time.monotonic() - began < 1.5  # PATIENCE_S, and a busy machine
            assert not asks_redis(first)
            assert await send_at_once(8, (two, alone.id)) == {200: 5, 429: 3}
            assert (await send(one, guild.general.id)).status == 200  # what was known is kept
            assert (await send(one, guild.general.id)).status == 429
            if how == signal.SIGSTOP:
                os.kill(valkey.pid, signal.SIGCONT)
            else:
                await asyncio.to_thread(valkey.kill)
                await asyncio.to_thread(valkey.start)
            async with asyncio.timeout(15):
                while not (asks_redis(first) and asks_redis(other)):
                    await asyncio.sleep(0.02)
            again = await guild.channel("again")
            counted = await send_at_once(12, (one, again.id), (two, again.id))
            assert counted[200] in (5, 6)


def asks_redis(server: Server) -> bool:
    """Whether a hit that may not slip waits for Redis now, and does not go by local knowledge."""
    limits = server.runner.app[RESOURCES].rate_limits
    return limits.hit(Limit(10**6, 60.0, exact=True), "asked") is None


async def test_off_means_off(world: World) -> None:
    guild = await world.guild(owner="alice")
    assert await send_at_once(8, (guild.owner.rest, guild.general.id)) == {200: 8}
    assert told(await send(guild.owner.rest, guild.general.id)) == {}


async def test_identifying_is_counted(world: World, limited: Server) -> None:
    alice = await world.person("alice")
    async with world_on(limited.url, limited.gateway_url) as here:
        for _ in range(16):
            await (await here.socket()).identify(alice.token)
        late = await here.socket()
        await late.send(2, {"token": alice.token, "properties": {}, "intents": 0})
        assert (await late.next_op(9))["d"] is False
        await asyncio.sleep(5.1)
        await late.identify(alice.token)


async def test_who_identifies_all_day_is_cut_off(world: World, limited: Server) -> None:
    alice = await world.person("alice")
    limits = limited.runner.app[RESOURCES].rate_limits
    for _ in range(identifies.PER_DAY.requests):
        await limits.wait_for_hit(identifies.PER_DAY, f"identify:day:{alice.id}")
    async with world_on(limited.url, limited.gateway_url) as here:
        client = await here.socket()
        await client.send(2, {"token": alice.token, "properties": {}, "intents": 0})
        assert await client.closed() == 4008


def test_every_route_has_a_limit_and_buckets_hide_their_ids() -> None:
    unlimited = [route.path for route in routes.table() if route.limit is None]
    downloads = ["/attachments", "/avatars", "/icons", "/embed"]
    assert unlimited[:2] == ["/health", "/health/ready"]
    assert all(path.startswith(tuple(downloads)) for path in unlimited[2:])
    assert all(
        re.fullmatch(r"[a-z ]*", route.limit.bucket) for route in routes.table() if route.limit
    )
