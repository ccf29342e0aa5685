"""A user joins a guild, and the event does not reach an instance, or reaches it late.

No session of that instance follows the guild, so no feed shows the gap. The user's sessions there
must receive the guild all the same, or identify again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientSession
from redis import asyncio as aioredis

from chatd.bus import bus
from chatd.bus.bus import stream_key
from chatd.embedded.valkey import Valkey
from chatd.gateway.fanout import gap_monitor, membership_monitor
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore
from tests.helpers.health import health_becomes
from tests.helpers.proxy import Proxy
from tests.world import TIMEOUT_S, Client, Guild, World, world_on

_WORKER = 31
"""The WORKER_ID of the instance on which users join."""

_STALL_S = 1.0
"""How long Redis is silent, in seconds. A start takes a fifth of it."""


@dataclass(frozen=True)
class Site:
    """Two instances. The first reaches Redis through a proxy."""

    here: World
    there: World
    wire: Proxy
    bus: bus.Bus
    """That of the second instance."""

    async def joins(self, name: str, guild: Guild) -> None:
        """Have a person join a guild on the second instance, and wait until Redis has the event."""
        await self.there.rest(name).post(f"/invites/{await guild.invite()}")
        async with asyncio.timeout(TIMEOUT_S):
            while self.bus.unpublished:
                await asyncio.sleep(0.01)


def _wire(folder: Path, valkey: Valkey) -> Proxy:
    return Proxy(folder / "wire", Path(valkey.url.removeprefix("unix://")))


@pytest.fixture
async def site(
    valkey: Valkey, serve_more: ServeMore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    monkeypatch.setattr(membership_monitor, "_CONFIRM_S", 0.2)
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(_wire(tmp_path, valkey).forwarding())
        url = f"unix://{tmp_path / 'wire'}"
        one = await stack.enter_async_context(serve_more(worker_id=30, redis_url=url))
        two = await stack.enter_async_context(serve_more(worker_id=_WORKER))
        here = await stack.enter_async_context(world_on(one.url, one.gateway_url))
        there = await stack.enter_async_context(world_on(two.url, two.gateway_url))
        there.share_people(here)
        yield Site(here, there, wire, two.runner.app[DEPENDENCIES].bus)


async def _received_or_invalidated(client: Client, guild: Guild) -> str:
    event = await client.next_or_invalid_session("GUILD_CREATE", within_s=60)
    if event is None:
        return "invalidated"
    assert event.d["id"] == guild.id
    return "received"


async def test_join_that_is_lost_in_redis(site: Site, valkey: Valkey) -> None:
    guild = await site.there.guild(owner="alice")
    await site.there.guild(owner="carol", members=["dave"])
    [bob, dave] = await site.here.online("bob", "dave")
    site.wire.cut()
    await health_becomes(site.here.url, status="degraded")
    await site.joins("bob", guild)
    client = aioredis.Redis.from_url(valkey.url, protocol=2)
    await client.delete(stream_key(_WORKER))
    await client.aclose()
    site.wire.restore()
    assert await _received_or_invalidated(bob, guild) == "invalidated"
    await health_becomes(site.here.url, status="ok")
    assert await dave.received_before_fence() == []  # he lacks nothing


async def test_join_that_arrives_after_another_member_has_come(site: Site) -> None:
    guild = await site.there.guild(owner="alice")
    [bob] = await site.here.online("bob")
    site.wire.stall()
    await site.joins("bob", guild)
    [alice] = await site.here.online("alice")  # starts the feed, after the event of bob
    site.wire.restore()
    assert await _received_or_invalidated(bob, guild) in ("received", "invalidated")
    assert await alice.received_before_fence() == []


async def test_join_that_arrives_after_the_user_has_left(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost, so the session goes on."""
    monkeypatch.setattr(gap_monitor, "_GAP_TIMEOUT_S", TIMEOUT_S)  # of Redis, which is silent
    guild = await site.there.guild(owner="alice")
    await site.here.person("carol")
    [bob] = await site.here.online("bob")
    site.wire.stall()
    await site.joins("bob", guild)
    await site.there.rest("bob").delete(f"/users/@me/guilds/{guild.id}")
    [alice] = await site.here.online("alice")  # starts the feed, after both events of bob
    site.wire.restore()
    await site.joins("carol", guild)
    await alice.next("GUILD_MEMBER_ADD")  # the events before have arrived
    await site.joins("bob", guild)
    assert await _received_or_invalidated(bob, guild) == "received"


async def test_server_that_starts_waits_for_redis(
    valkey: Valkey, serve_more: ServeMore, tmp_path: Path
) -> None:
    wire = _wire(tmp_path, valkey)
    async with wire.forwarding():
        wire.stall()
        asyncio.get_running_loop().call_later(_STALL_S, wire.restore)
        async with (
            serve_more(worker_id=30, redis_url=f"unix://{tmp_path / 'wire'}") as server,
            ClientSession() as http,
            http.get(f"{server.url}/health/ready") as answer,
        ):
            assert (await answer.json())["status"] == "ok"


async def test_server_starts_while_redis_does_not_answer(
    valkey: Valkey, serve_more: ServeMore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "_FIRST_ATTEMPT_S", 0.1)
    wire = _wire(tmp_path, valkey)
    async with wire.forwarding():
        wire.stall()
        async with serve_more(worker_id=30, redis_url=f"unix://{tmp_path / 'wire'}") as server:
            await health_becomes(server.url, status="degraded")
            wire.restore()
            await health_becomes(server.url, status="ok")
