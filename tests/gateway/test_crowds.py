"""Large guilds: what GUILD_CREATE lists, how fast requested members are sent, and typing events."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.gateway import member_requests
from chatd.gateway.handler import GATEWAY
from chatd.services.guilds import member_chunks
from tests.conftest import Server
from tests.helpers.members import crowd
from tests.world import Client, World, like


async def test_large_guild_lists_only_the_own_member(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    crowd(server, guild, 60)
    alice = guild.owner

    async def shown(**wanted: int) -> dict[str, Any]:
        client = await world.socket()
        await client.send(2, {"token": alice.token, "properties": {}, "intents": 1, **wanted})
        return dict((await client.next("GUILD_CREATE")).d)

    for wanted in ({}, {"large_threshold": 50}, {"large_threshold": 61}):
        large = await shown(**wanted)
        assert large == like(member_count=62, large=True)
        assert [member["user"]["id"] for member in large["members"]] == [alice.id]
    whole = await shown(large_threshold=62)
    assert whole == like(member_count=62, large=False)
    assert len(whole["members"]) == 62


async def listed(client: Client) -> int:
    """Return how many members the chunks of the next answer have."""
    count = 0
    while True:
        chunk = (await client.next("GUILD_MEMBERS_CHUNK")).d
        count += len(chunk["members"])
        if chunk["chunk_index"] == chunk["chunk_count"] - 1:
            return count


def slow_down(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    """Throttle requests for hours after the next full chunk, until the end of the test."""
    assert server.runner.app is not None
    monkeypatch.setattr(server.runner.app[GATEWAY].member_requests.throttle, "_free_at", 0.0)
    monkeypatch.setattr(member_requests, "_MEMBERS_PER_S", 0.001)


async def test_heartbeats_are_answered_while_members_are_listed(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long list does not delay heartbeats, nor requests of other clients."""
    monkeypatch.setattr(member_chunks, "CHUNK_SIZE", 10)
    slow_down(monkeypatch, server)
    guild = await world.guild(owner="alice", members=["bob"])
    crowd(server, guild, 30)
    [client] = await world.online("alice")
    whole = {"guild_id": guild.id, "query": "", "limit": 0}
    await client.send(8, whole)
    await client.send(8, {"guild_id": guild.id, "user_ids": [guild.owner.id]})
    first = (await client.next("GUILD_MEMBERS_CHUNK")).d
    assert (len(first["members"]), first["chunk_index"], first["chunk_count"]) == (10, 0, 4)
    assert await client.received_before_fence() == []  # the next chunk is throttled for hours
    [another] = await world.online("bob")  # a small request of another client
    await another.send(8, {"guild_id": guild.id, "user_ids": [guild.owner.id]})
    assert await listed(another) == 1


async def test_member_requests_are_answered_in_order(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_chunks, "CHUNK_SIZE", 10)
    guild = await world.guild(owner="alice", members=["bob"])
    crowd(server, guild, 30)
    [client] = await world.online("alice")
    for _ in range(5):
        await client.send(8, {"guild_id": guild.id, "query": "", "limit": 0})
        await client.send(8, {"guild_id": guild.id, "user_ids": [guild.owner.id]})
    assert [await listed(client) for _ in range(10)] == [32, 1] * 5


async def test_member_requests_beyond_the_queue_disconnect_the_client(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_chunks, "CHUNK_SIZE", 1)
    slow_down(monkeypatch, server)
    monkeypatch.setattr(member_requests, "MAX_QUEUED", 20)
    guild = await world.guild(owner="alice", members=["bob"])
    [client] = await world.online("alice")
    for _ in range(30):
        await client.send(8, {"guild_id": guild.id, "query": "", "limit": 0})
    assert await client.closed() == 4008


async def test_typing_is_sent_to_members_who_see_the_channel(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    staff = await guild.channel("staff")
    deny = {"type": 0, "deny": str(1 << 10)}
    await guild.owner.rest.put(f"/channels/{staff.id}/permissions/{guild.id}", deny)
    alice, bob = await world.online("alice", "bob")
    for channel in (staff, guild.general):
        await guild.owner.rest.post(f"/channels/{channel.id}/typing")
    for client, wanted in ((alice, [staff.id, guild.general.id]), (bob, [guild.general.id])):
        received = [
            each for each in await client.received_before_fence() if each.t == "TYPING_START"
        ]
        assert [each.d["channel_id"] for each in received] == wanted
        assert all(each.d["member"]["user"]["id"] == guild.owner.id for each in received)
    refused = await world.rest("carol").call("POST", f"/channels/{staff.id}/typing")
    assert (refused.status, refused.code) == (403, 50001)
