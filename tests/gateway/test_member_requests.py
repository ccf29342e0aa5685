"""Member requests: their limits, and sessions that end or lose access before the last chunk."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.core.intents import ALL_INTENTS
from chatd.core.permissions import Permissions
from chatd.gateway import send_queue
from chatd.gateway.handler import GATEWAY
from chatd.gateway.member_requests import MemberRequestHandler
from chatd.services.guilds import member_chunks
from tests.conftest import Server
from tests.helpers.gateway import (
    expect_invalid_session,
    next_status,
    send_messages,
    start_member_request,
)
from tests.helpers.user_clients import connect
from tests.world import TIMEOUT_S, Client, World, like

Json = dict[str, Any]


async def test_user_ids_above_the_limit_are_ignored(world: World) -> None:
    """Only the first 100 ids are answered, as members or as not found."""
    guild = await world.guild(owner="alice", members=["bob"])
    [client] = await world.online("alice")
    bob = await world.person("bob")
    strangers = [str(n) for n in range(1, 101)]
    await client.send(8, {"guild_id": guild.id, "user_ids": [*strangers, bob.id]})
    chunk = (await client.next("GUILD_MEMBERS_CHUNK")).d
    assert (chunk["members"], chunk["not_found"]) == ([], strangers)


async def test_named_members_have_what_fermi_shows_of_them(world: World) -> None:
    """It reads the bio and the status of a member from the member alone."""
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol = await world.people("bob", "carol")
    await bob.rest.patch("/users/@me", {"bio": "I am Bob."})
    client = await connect(world, "alice")
    library, _ = await world.online("alice", "bob", intents=int(ALL_INTENTS))
    await next_status(library, bob, "online")
    wanted = {"guild_id": guild.id, "user_ids": [bob.id, carol.id], "presences": True}
    await client.send(8, wanted)
    found = {each["id"]: each for each in (await client.next("GUILD_MEMBERS_CHUNK")).d["members"]}
    assert found[bob.id]["user"]["bio"] == "I am Bob."
    assert found[bob.id]["presence"] == like(user={"id": bob.id}, status="online")
    assert found[carol.id]["user"]["bio"] == ""
    assert found[carol.id]["presence"]["status"] == "offline"
    await client.send(8, {**wanted, "presences": False})
    assert not any("presence" in each for each in (await chunk_of(client))["members"])
    for other, request in ((client, {**wanted, "user_ids": None, "query": "b"}), (library, wanted)):
        await other.send(8, request)
        for each in (await chunk_of(other))["members"]:
            assert "presence" not in each
            assert "bio" not in each["user"]


async def chunk_of(client: Client) -> Json:
    """Return the next chunk of members."""
    return dict((await client.next("GUILD_MEMBERS_CHUNK")).d)


async def test_kicked_member_receives_no_further_chunks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    [client] = await world.online("bob")
    await start_member_request(monkeypatch, guild, client)
    bob = await world.person("bob")
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bob.id}")
    await client.next("GUILD_DELETE")
    monkeypatch.setattr(send_queue, "_LOW_WATER_BYTES", 2**20)
    assert await client.received_before_fence() == []


async def test_ended_session_receives_no_further_chunks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    [client] = await world.online("bob")
    await send_messages(world, guild, "x")
    await client.next("MESSAGE_CREATE")
    await client.send(1, client.seq)  # acknowledged, so it cannot be replayed
    await client.next_op(11)
    await start_member_request(monkeypatch, guild, client)
    second = await world.socket()
    session_id = client.ready["session_id"]
    token = (await world.person("bob")).token
    await second.send(6, {"token": token, "session_id": session_id, "seq": 1})
    await expect_invalid_session(second)
    await expect_invalid_session(client)
    monkeypatch.setattr(send_queue, "_LOW_WATER_BYTES", 2**20)
    assert await client.received_before_fence() == []


async def test_recent_members_are_searched_and_paged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol", "dave"])
    people = [each.id for each in await world.people("dave", "carol", "bob", "alice")]
    monkeypatch.setattr(member_chunks, "CHUNK_SIZE", 2)
    [client] = await world.online("alice")

    async def recent(**wanted: Any) -> list[str]:
        await client.send(35, {"guild_id": guild.id, "query": "", "nonce": "n", **wanted})
        chunk = (await client.next("GUILD_MEMBERS_CHUNK")).d
        assert (chunk["chunk_index"], chunk["chunk_count"], chunk["nonce"]) == (0, 1, "n")
        return [each["user"]["id"] for each in chunk["members"]]

    assert await recent(continuation_token=None) == people[:2]
    assert await recent(continuation_token=people[1]) == people[2:]
    assert await recent(continuation_token=people[3]) == []
    assert await recent(query=(await world.person("bob")).name[:5].upper()) == [people[2]]
    assert await recent(query="%") == []


async def test_recent_members_of_a_strange_guild_are_not_sent(world: World) -> None:
    guild = await world.guild(owner="alice")
    [client] = await world.online("mallory")
    await client.send(35, {"guild_id": guild.id, "query": ""})
    assert await client.received_before_fence() == []


@pytest.mark.parametrize(("op", "name"), [(36, "CHANNEL_STATUSES"), (43, "CHANNEL_INFO")])
async def test_guild_has_no_voice_channels(world: World, op: int, name: str) -> None:
    guild = await world.guild(owner="alice")
    [client] = await world.online("alice")
    await client.send(op, {"guild_id": guild.id, "fields": ["status"]})
    assert (await client.next(name)).d == {"guild_id": guild.id, "channels": []}
    await client.send(op, {"guild_id": "1", "fields": []})
    assert await client.received_before_fence() == []


async def test_last_messages_are_those_that_the_user_can_read(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    deny = {"id": guild.id, "type": 0, "deny": str(Permissions.READ_MESSAGE_HISTORY.value)}
    closed = await guild.channel("closed", permission_overwrites=[deny])
    empty = await guild.channel("empty")
    strange = await world.guild(owner="mallory", members=["bob"])
    for channel in (guild.general, closed):
        for content in ("first", "last"):
            path = f"/channels/{channel.id}/messages"
            await guild.owner.rest.post(path, {"content": content})
    await strange.owner.rest.post(f"/channels/{strange.general.id}/messages", {"content": "x"})
    client = await connect(world, "bob")
    ids = [guild.general.id, closed.id, empty.id, strange.general.id, "1", guild.general.id]
    await client.send(34, {"guild_id": guild.id, "channel_ids": ids})
    answer = (await client.next("LAST_MESSAGES")).d
    assert answer["guild_id"] == guild.id
    assert [each["content"] for each in answer["messages"]] == ["last"]


@pytest.mark.parametrize("op", [8, 14, 34, 35])
async def test_sessions_of_an_account_reserve_one_after_the_other(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch, op: int
) -> None:
    """Other accounts wait for one reservation of it, and not for one of each session."""
    guild, second = [await world.guild(owner="alice") for _ in "12"]
    clients = [await connect(world, "alice") for _ in range(5)]
    assert server.runner.app is not None
    throttle = server.runner.app[GATEWAY].member_requests.throttle
    waiting: list[int] = []
    go_on = asyncio.Event()

    async def wait(count: int) -> None:
        waiting.append(count)
        await go_on.wait()

    monkeypatch.setattr(throttle, "throttle", wait)
    data: dict[str, Any] = {
        "query": "",
        "limit": 0,
        "guild_id": [guild.id, second.id] if op == 8 else guild.id,
        "channels": {guild.general.id: [[0, 99]]},
        "channel_ids": [guild.general.id],
    }
    for client in clients:
        await client.send(op, data)
    async with asyncio.timeout(TIMEOUT_S):
        while not waiting:
            await asyncio.sleep(0.01)
    for client in clients:
        await client.received_before_fence()
    assert len(waiting) == 1
    go_on.set()
    expected = {8: "GUILD_MEMBERS_CHUNK", 14: "GUILD_MEMBER_LIST_UPDATE", 34: "LAST_MESSAGES"}
    last = second if op == 8 else guild  # those that reserve nothing may be answered before
    for client in clients:
        while True:
            answer = await client.next(expected.get(op, "GUILD_MEMBERS_CHUNK"))
            if answer.d["guild_id"] == last.id:
                break
    assert len(waiting) == 5


@pytest.mark.expects_error_log
async def test_failed_request_does_not_stop_those_queued_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [client] = await world.online("alice")
    fail = asyncio.Event()
    send_chunks = MemberRequestHandler._send_chunks

    async def failing_once(self: MemberRequestHandler, *arguments: Any) -> None:
        if not fail.is_set():
            await fail.wait()
            raise RuntimeError("planted")
        await send_chunks(self, *arguments)

    monkeypatch.setattr(MemberRequestHandler, "_send_chunks", failing_once)
    for name in ("a", "b"):
        await client.send(8, {"guild_id": guild.id, "query": name, "limit": 1})
    await client.received_before_fence()
    fail.set()
    [found] = (await chunk_of(client))["members"]
    assert found["user"]["id"] == (await world.person("bob")).id
