"""Members on request, when much is asked for and much happens before it has been given."""

from __future__ import annotations

import pytest

from chatd.gateway import connection
from chatd.services import member_chunks
from tests.gateway.test_resume_and_loss import refused, say
from tests.world import Client, Guild, World


async def test_more_ids_than_are_looked_up(world: World) -> None:
    """Of those beyond the first hundred nothing is said: neither that they are there nor not."""
    guild = await world.guild(owner="alice", members=["bob"])
    [client] = await world.online("alice")
    bob = await world.person("bob")
    strangers = [str(n) for n in range(1, 101)]
    await client.send(8, {"guild_id": guild.id, "user_ids": [*strangers, bob.id]})
    chunk = (await client.next("GUILD_MEMBERS_CHUNK")).d
    assert (chunk["members"], chunk["not_found"]) == ([], strangers)


async def asking(monkeypatch: pytest.MonkeyPatch, guild: Guild, client: Client) -> None:
    """Let a client ask for all members, of whom it gets one and must read it before the next."""
    monkeypatch.setattr(member_chunks, "CHUNK", 1)
    monkeypatch.setattr(connection, "_AHEAD_BYTES", -1)
    await client.send(8, {"guild_id": guild.id, "query": "", "limit": 0})
    await client.next("GUILD_MEMBERS_CHUNK")


async def test_who_is_thrown_out_is_given_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    [client] = await world.online("bob")
    await asking(monkeypatch, guild, client)
    bob = await world.person("bob")
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bob.id}")
    await client.next("GUILD_DELETE")
    monkeypatch.setattr(connection, "_AHEAD_BYTES", 2**20)
    assert await client.heard_before_fence() == []


async def test_a_session_that_is_over_is_given_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    [client] = await world.online("bob")
    await say(world, guild, "x")
    await client.next("MESSAGE_CREATE")
    await client.send(1, client.seq)  # acknowledged, and so forgotten
    await client.next_op(11)
    await asking(monkeypatch, guild, client)
    second = await world.socket()
    session_id = client.ready["session_id"]
    token = (await world.person("bob")).token
    await second.send(6, {"token": token, "session_id": session_id, "seq": 1})
    await refused(second)
    await refused(client)
    monkeypatch.setattr(connection, "_AHEAD_BYTES", 2**20)
    assert await client.heard_before_fence() == []
