"""The protocol of the gateway: greetings, heartbeats, intents, shards and close codes."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import orjson
import pytest
import zstandard
from websockets.asyncio.client import connect

from chatd.core.intents import Intents
from chatd.gateway import connection
from chatd.keys import METRICS
from tests.conftest import ServeMore, Server
from tests.world import WITHOUT_PRESENCES, Client, World, like, world_on


async def test_hello_comes_first_and_heartbeats_are_answered(world: World) -> None:
    socket = await world.socket()  # has waited for HELLO
    for data in (None, 0):
        await socket.send(1, data)
        assert await socket.next_op(11) == {"op": 11, "d": None, "s": None, "t": None}
    alice = await world.person("alice")
    await socket.identify(alice.token)
    await socket.send(1, socket.seq)
    await socket.next_op(11)


async def test_ready_and_the_guilds(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice = await world.person("alice")
    socket = await world.socket("?v=10&encoding=json")
    await socket.send(2, {"token": alice.token, "intents": int(Intents.GUILDS)})
    ready = await socket.next("READY")
    assert ready.s == 1
    assert ready.d == like(
        v=10,
        guilds=[{"id": guild.id, "unavailable": True}],
        private_channels=[],
        shard=[0, 1],
        resume_gateway_url=world.gateway_url,
        application={"id": alice.id, "flags": 0},
    )
    assert ready.d["user"] == like(id=alice.id, email=alice.email, mfa_enabled=False)
    created = await socket.next("GUILD_CREATE")
    assert created.s == 2
    assert created.d == like(
        id=guild.id,
        unavailable=False,
        member_count=2,
        large=False,
        threads=[],
        presences=[],
        voice_states=[],
    )
    assert {member["user"]["username"] for member in created.d["members"]} == {
        alice.name,
        (await world.person("bob")).name,
    }
    [channel] = created.d["channels"]
    assert channel == like(id=guild.general.id, name="general")
    assert "guild_id" not in channel


@pytest.mark.parametrize("path", ["", "/", "?v=9", "/?v=10&encoding=json"])
async def test_the_socket_opens_with_and_without_a_slash(world: World, path: str) -> None:
    alice = await world.person("alice")
    socket = await world.socket(path)
    await socket.identify(alice.token)


@pytest.mark.parametrize("prefix", ["", "/api", "/api/v1", "/api/v10"])
async def test_the_address_of_the_gateway(world: World, server: Server, prefix: str) -> None:
    answer = await world.nobody.call("GET", f"{prefix}/gateway")
    assert answer.json == {"url": server.gateway_url}
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("scheme", ["Bot ", "Bearer ", ""])
async def test_binary_frames_and_schemes(world: World, scheme: str) -> None:
    alice = await world.person("alice")
    socket = await world.socket()
    await socket.send_raw(orjson.dumps({"op": 2, "d": {"token": scheme + alice.token}}))
    assert (await socket.next("READY")).d["user"]["id"] == alice.id


async def test_the_address_and_how_often_one_may_identify(
    world: World, serve_more: ServeMore
) -> None:
    alice = await world.person("alice")
    assert (await world.nobody.call("GET", "/gateway/bot")).status == 401
    unlimited = await alice.rest.get("/api/v10/gateway/bot")
    assert unlimited["session_start_limit"]["remaining"] == 1000
    async with (
        serve_more(worker_id=5, rate_limits=True) as server,
        world_on(server.url, server.gateway_url) as there,
    ):
        there.meet(world)
        told = await there.rest("alice").get("/gateway/bot")
        assert (told["url"], told["shards"]) == (server.gateway_url, 1)
        before = told["session_start_limit"]
        assert before == like(total=1000, max_concurrency=16)
        await there.online("alice")
        after = (await there.rest("alice").get("/gateway/bot"))["session_start_limit"]
        assert after["remaining"] == before["remaining"] - 1
        assert 0 < after["reset_after"] <= 86_400_000


@pytest.mark.parametrize("transport", ["zlib-stream", "zstd-stream", "payloads"])
async def test_compressed_transports(world: World, transport: str) -> None:
    guild = await world.guild(owner="alice")
    alice = await world.person("alice")
    query = "" if transport == "payloads" else f"?compress={transport}"
    decode: Callable[[bytes], bytes] = zlib.decompress
    if transport == "zlib-stream":
        decode = zlib.decompressobj().decompress
    elif transport == "zstd-stream":
        decode = zstandard.ZstdDecompressor().decompressobj().decompress
    async with connect(world.gateway_url + query, compression=None) as socket:

        async def received() -> dict[str, Any]:
            frame = await asyncio.wait_for(socket.recv(), 10)
            data = decode(frame) if isinstance(frame, bytes) else frame
            payload: dict[str, Any] = orjson.loads(data)
            assert isinstance(frame, bytes) or payload["op"] == 10
            return payload

        assert (await received())["op"] == 10
        compress = transport if transport != "payloads" else True
        identify = {"token": alice.token, "compress": compress, "intents": WITHOUT_PRESENCES}
        await socket.send(orjson.dumps({"op": 2, "d": identify}).decode())
        assert (await received())["t"] == "READY"
        assert (await received())["t"] == "GUILD_CREATE"
        for number in range(3):
            content = "漢字 " * 300 + str(number)
            path = f"/channels/{guild.general.id}/messages"
            await alice.rest.post(path, {"content": content})
            assert (await received())["d"] == like(content=content)
        await socket.send('{"op": 1, "d": null}')
        assert (await received())["op"] == 11


async def test_only_what_was_asked_for_arrives(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    messages = await world.socket()
    bob = await world.person("bob")
    await messages.send(2, {"token": bob.token, "intents": int(Intents.GUILD_MESSAGES)})
    await messages.next("READY")
    [guilds] = await world.online("alice", intents=int(Intents.GUILDS))
    await guild.channel("more")
    await world.rest("alice").post(f"/channels/{guild.general.id}/messages", {"content": "x"})
    assert [each.t for each in await messages.heard_before_fence()] == ["MESSAGE_CREATE"]
    assert [each.t for each in await guilds.heard_before_fence()] == ["CHANNEL_CREATE"]


async def test_shards_share_the_guilds(world: World) -> None:
    guilds = [await world.guild(owner="alice") for _ in range(4)]
    shards = []
    for shard in range(2):
        [client] = await world.online("alice", shard=[shard, 2])
        shards.append({guild["id"] for guild in client.ready["guilds"]})
        assert client.ready["shard"] == [shard, 2]
    assert not shards[0] & shards[1]
    assert shards[0] | shards[1] == {guild.id for guild in guilds}
    for guild_id in shards[1]:
        assert (int(guild_id) >> 22) % 2 == 1


IDENTIFY = {"token": "x"}


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("nonsense", 4002),
        (b"\xff\xfe", 4002),
        ("[]", 4002),
        ("{}", 4002),
        ('{"op": "2"}', 4002),
        ('{"op": 2}', 4002),
        ('{"op": 2, "d": []}', 4002),
        ('{"op": 2, "d": {"token": 5}}', 4002),
        ('{"op": 2, "d": {"token": "x", "large_threshold": 5}}', 4002),
        ('{"op": 1, "d": "x"}', 4002),
        ('{"op": 6, "d": {"token": "x"}}', 4002),
        ("[" * 3000, 4002),
        ('{"op": 1, "d": ' + " " * 4096 + "null}", 4002),
        ('{"op": 99}', 4001),
        ('{"op": 0}', 4001),
        ('{"op": 2, "d": {"token": "x"}}', 4004),
        ('{"op": 6, "d": {"token": "x", "session_id": "y", "seq": 1}}', 4004),
        ('{"op": 2, "d": {"token": "x", "shard": [1]}}', 4010),
        ('{"op": 2, "d": {"token": "x", "shard": [2, 2]}}', 4010),
        ('{"op": 2, "d": {"token": "x", "intents": -1}}', 4013),
        ('{"op": 2, "d": {"token": "x", "intents": "all"}}', 4013),
        ('{"op": 2, "d": {"token": "x", "intents": 1099511627776}}', 4013),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_bad_frames_get_their_code(world: World, frame: str | bytes, code: int) -> None:
    socket = await world.socket()
    await socket.send_raw(frame)
    assert await socket.closed() == code


@pytest.mark.parametrize(
    ("query", "code"), [("?v=5", 4012), ("?encoding=etf", 4002), ("?compress=lzma", 4002)]
)
async def test_bad_queries_get_their_code(world: World, query: str, code: int) -> None:
    async with connect(world.gateway_url + query, compression=None) as socket:
        await asyncio.wait_for(socket.wait_closed(), 10)
        assert socket.close_code == code


async def test_identifying_twice(world: World) -> None:
    [client] = await world.online("alice")
    await client.send(2, {"token": (await world.person("alice")).token})
    assert await client.closed() == 4005


async def test_a_heartbeat_from_the_future(world: World) -> None:
    [client] = await world.online("alice")
    await client.send(1, client.seq + 1)
    assert await client.closed() == 4007


async def test_more_than_120_payloads_in_a_minute(world: World) -> None:
    socket = await world.socket()
    for _ in range(121):
        await socket.send(1, None)
    assert await socket.closed() == 4008


async def beat(client: Client) -> None:
    """Send heartbeats for as long as the server lets us."""
    try:
        while True:
            await client.send(1, None)
            await asyncio.sleep(0.1)
    except Exception:
        return


async def test_who_is_silent_or_never_identifies_is_let_go(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=3, heartbeat_interval_ms=400) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        [alive] = await world.online("alice")
        [silent] = await world.online("alice")
        unidentified = await world.socket()
        async with asyncio.TaskGroup() as tasks:
            beating = [tasks.create_task(beat(client)) for client in (alive, unidentified)]
            await silent.next_op(1)  # the server asks before it gives up
            assert await silent.closed() == 4009
            assert await unidentified.closed() == 4009
            assert alive.close_code is None
            for task in beating:
                task.cancel()
        await alive.heard_before_fence()


async def test_who_does_not_read_is_cut_off_and_costs_the_others_nothing(
    world: World,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(connection, "MAX_OUTBOX_BYTES", 50_000)
    tally = server.runner.app[METRICS].tally
    before = tally.slow_readers
    caplog.set_level("INFO", "chatd.gateway.connection")
    guild = await world.guild(owner="alice", members=["bob"])
    [alice] = await world.online("alice")
    path = f"/channels/{guild.general.id}/messages"
    identify = orjson.dumps({"op": 2, "d": {"token": (await world.person("bob")).token}})
    async with connect(world.gateway_url, compression=None, max_queue=1) as deaf:
        await deaf.recv()
        await deaf.send(identify.decode())
        await deaf.recv()
        deaf.transport.pause_reading()
        for _ in range(5000):  # what the system itself buffers is more than we allow
            message = await world.rest("alice").post(path, {"content": "漢" * 2000})
            assert (await alice.next("MESSAGE_CREATE")).d["id"] == message["id"]
            if "cut off" in caplog.text:
                break
        assert "cut off" in caplog.text
        assert tally.slow_readers == before + 1


async def test_the_address_is_secure_where_a_trusted_proxy_says_so(
    world: World, serve_more: ServeMore
) -> None:
    proxies = (ip_network("127.0.0.0/8"),)
    async with serve_more(worker_id=9, trusted_proxies=proxies) as server:
        for told, scheme in (("https", "wss"), ("http, HTTPS", "wss"), ("https, http", "ws")):
            headers = {"X-Forwarded-Proto": told}
            async with world.http.get(f"{server.url}/gateway", headers=headers) as answer:
                assert (await answer.json())["url"].startswith(f"{scheme}://"), told
    forged = await world.nobody.call("GET", "/gateway", headers={"X-Forwarded-Proto": "https"})
    assert forged.json["url"].startswith("ws://")
