"""Late guilds: guilds that are too large for READY are sent after it, in parts."""

from __future__ import annotations

import asyncio

import pytest

from chatd.core.ids import GuildId
from chatd.gateway.handler import GATEWAY
from chatd.gateway.lifecycle.late_guilds import LateGuilds
from chatd.services import guild_snapshot, ready_snapshot
from tests.conftest import Server
from tests.world import Guild, World


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every guild a part of its own."""
    monkeypatch.setattr(guild_snapshot, "MAX_PART_SIZE", 1)
    monkeypatch.setattr(ready_snapshot, "_FEW_GUILDS", 0)


@pytest.fixture
def send_gate(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Make late guilds wait until this event is set."""
    gate, send = asyncio.Event(), LateGuilds.send

    async def waiting(self: LateGuilds) -> None:
        await gate.wait()
        await send(self)

    monkeypatch.setattr(LateGuilds, "send", waiting)
    return gate


async def create_guilds(world: World, count: int) -> list[Guild]:
    return [await world.guild(owner="alice", members=["bob"]) for _ in range(count)]


def test_parts_are_bounded_and_have_every_guild_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guild_snapshot, "MAX_PART_SIZE", 10)
    sizes = {GuildId(number): size for number, size in enumerate([4, 4, 4, 30, 1, 9, 1, 10])}
    assert guild_snapshot.parts(sizes) == [[0, 1], [2], [3], [4, 5], [6], [7]]
    assert guild_snapshot.parts({}) == [[]]


async def test_late_guilds_are_sent_and_followed(world: World, in_parts: None) -> None:
    guilds = await create_guilds(world, 4)
    [bob] = await world.online("bob")
    assert {each["id"] for each in bob.ready["guilds"]} == {guild.id for guild in guilds}
    for guild in guilds:
        path = f"/channels/{guild.general.id}/messages"
        sent = await guild.owner.rest.post(path, {"content": "hi"})
        assert (await bob.next("MESSAGE_CREATE")).d["id"] == sent["id"]
    await bob.cut()
    resumed = await world.resumed("bob", bob)
    await resumed.next("RESUMED")


async def test_late_guild_reflects_events_before_its_arrival(
    world: World, in_parts: None, send_gate: asyncio.Event
) -> None:
    first, written, left, rejoined = await create_guilds(world, 4)
    bob = await world.person("bob")
    client = await world.socket()
    await client.send(2, {"token": bob.token, "properties": {}, "intents": 1 << 0 | 1 << 9})
    announced = [each["id"] for each in (await client.next("READY")).d["guilds"]]
    assert sorted(announced) == sorted(each.id for each in (first, written, left, rejoined))
    assert (await client.next("GUILD_CREATE")).d["id"] == first.id
    for guild in (left, rejoined):
        await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bob.id}")
    await rejoined.admit(bob)
    assert (await client.next("GUILD_CREATE")).d["id"] == rejoined.id
    path = f"/channels/{written.general.id}/messages"
    early = await written.owner.rest.post(path, {"content": "before"})
    send_gate.set()
    created = (await client.next("GUILD_CREATE")).d
    assert (created["id"], created["unavailable"]) == (written.id, False)
    assert created["channels"][0]["last_message_id"] == early["id"]
    assert (await client.next("GUILD_DELETE")).d == {"id": left.id}
    sent = await written.owner.rest.post(path, {"content": "after"})
    assert (await client.next("MESSAGE_CREATE")).d["id"] == sent["id"]
    assert client.received("GUILD_CREATE") == []


async def test_session_without_all_guilds_is_not_resumed(
    world: World, server: Server, in_parts: None, send_gate: asyncio.Event
) -> None:
    await create_guilds(world, 2)
    bob = await world.person("bob")
    client = await world.socket()
    await client.send(2, {"token": bob.token, "properties": {}, "intents": 1})
    client.ready = (await client.next("READY")).d
    await client.next("GUILD_CREATE")
    resumed = await world.resumed("bob", client)
    assert (await resumed.next_op(9))["d"] is False
    await client.cut()
    assert server.runner.app is not None
    hub = server.runner.app[GATEWAY].hub
    async with asyncio.timeout(60):
        while hub.session(client.ready["session_id"]) is not None:
            await asyncio.sleep(0.01)
