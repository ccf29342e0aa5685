"""Every event is much smaller than what the Redis stream of an instance keeps."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis import asyncio as aioredis

from chatd.bus import codec, publish_queue
from chatd.events.event import Event
from chatd.events.guilds import GUILD_JOINED
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers import large_guilds
from tests.world import TIMEOUT_S, World

MOST = 2**16
"""Bytes of an event that one join causes."""


async def published(server: Server) -> list[Event]:
    """Return the events in the Redis stream of this instance, after all are published."""
    assert server.runner.app is not None
    bus = server.runner.app[DEPENDENCIES].bus
    async with asyncio.timeout(TIMEOUT_S):
        while bus.unpublished:
            await asyncio.sleep(0.01)
    client = aioredis.Redis.from_url(server.config.redis_url, protocol=2)
    try:
        found: Any = await client.xrange(f"chatd:events:{server.config.worker_id}")
    finally:
        await client.aclose()
    return [event for _, fields in found for event in codec.unpack(fields[codec.FIELD])]


async def test_four_joins_of_a_maximal_guild_leave_other_events_in_the_stream(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish_queue, "STREAM_MAX_BYTES", 8 * MOST)
    names = ["bob", "carol", "dave", "erin"]
    clients = dict(zip(names, await world.online(*names), strict=True))
    guild = await world.guild(owner="alice")
    large_guilds.fill(server.config.database_url, int(guild.id))
    path = f"/channels/{guild.general.id}/messages"
    sent = await guild.owner.rest.post(path, {"content": "still there"})
    await guild.admit(*await world.people(*names))
    for name in names:
        created = (await clients[name].next("GUILD_CREATE")).d
        assert len(created["channels"]) == 500
        overwrites = [len(each["permission_overwrites"]) for each in created["channels"]]
        assert sum(overwrites) == 499 * 20
        assert len(created["roles"]) == 250
        assert created["roles"][-1]["name"] == "r" * 100
    kept = await published(server)
    assert any(sent["id"].encode() in event.body for event in kept)
    joins = [event for event in kept if event.name == GUILD_JOINED]
    assert len(joins) >= 4
    assert max(len(event.body) for event in kept) < MOST


async def test_joined_guild_equals_that_of_a_new_session(world: World) -> None:
    guild = await world.guild(owner="alice")
    category = await guild.channel("category", type=4)
    await guild.channel("hall", parent_id=category.id, topic="hello", position=0)
    hidden = [{"id": guild.id, "type": 0, "deny": "1024"}]
    staff = await guild.channel("staff", permission_overwrites=hidden)
    rest = guild.owner.rest
    await rest.post(f"/channels/{guild.general.id}/messages", {"content": "hi"})
    role = await rest.post(f"/guilds/{guild.id}/roles", {"name": "mod", "color": 255})
    [alice] = await world.online("alice")  # follows what is still to change
    await rest.patch(f"/guilds/{guild.id}/roles/{role['id']}", {"name": "moderators"})
    await rest.patch(f"/guilds/{guild.id}", {"description": "a guild"})
    await rest.post(f"/channels/{guild.general.id}/messages", {"content": "you"})
    await rest.patch(f"/channels/{staff.id}", {"topic": "not for bob"})
    [bob] = await world.online("bob")
    await guild.admit(await world.person("bob"))
    joined = (await bob.next("GUILD_CREATE")).d
    assert "unavailable" not in joined
    socket = await world.socket()
    token = (await world.person("bob")).token
    await socket.send(2, {"token": token, "properties": {}, "intents": 1})
    fresh = (await socket.next("GUILD_CREATE")).d
    assert fresh.pop("unavailable") is False
    assert joined == fresh
    assert staff.id not in [each["id"] for each in joined["channels"]]
    await alice.leave()
