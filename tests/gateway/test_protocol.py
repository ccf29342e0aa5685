"""The gateway protocol: HELLO, READY, heartbeats, intents, shards and close codes."""

from __future__ import annotations

import asyncio
import math
import zlib
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import orjson
import pytest
import zstandard
from websockets.asyncio.client import connect

from chatd.core.intents import Intents
from chatd.gateway import connection, send_queue
from chatd.web.keys import METRICS
from tests.conftest import ServeMore, Server
from tests.world import WITHOUT_PRESENCES, Client, World, like, world_on


async def test_hello_is_first_and_heartbeats_are_acknowledged(world: World) -> None:
    socket = await world.socket()  # waits for HELLO
    for data in (None, 0):
        await socket.send(1, data)
        assert await socket.next_op(11) == {"op": 11, "d": {}, "s": None, "t": None}
    alice = await world.person("alice")
    await socket.identify(alice.token)
    await socket.send(1, socket.seq)
    await socket.next_op(11)


async def test_identify_is_answered_by_ready_and_guild_create(world: World) -> None:
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
async def test_gateway_path_may_end_with_a_slash(world: World, path: str) -> None:
    alice = await world.person("alice")
    socket = await world.socket(path)
    await socket.identify(alice.token)


@pytest.mark.parametrize("prefix", ["", "/api", "/api/v1", "/api/v10"])
async def test_get_gateway_returns_its_url(world: World, server: Server, prefix: str) -> None:
    answer = await world.anonymous.call("GET", f"{prefix}/gateway")
    assert answer.json == {"url": server.gateway_url}
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("scheme", ["Bot ", "Bearer ", ""])
async def test_identify_accepts_binary_frames_and_token_schemes(world: World, scheme: str) -> None:
    alice = await world.person("alice")
    socket = await world.socket()
    await socket.send_raw(orjson.dumps({"op": 2, "d": {"token": scheme + alice.token}}))
    assert (await socket.next("READY")).d["user"]["id"] == alice.id


async def test_get_gateway_bot_returns_url_and_identify_limits(
    world: World, serve_more: ServeMore
) -> None:
    alice = await world.person("alice")
    assert (await world.anonymous.call("GET", "/gateway/bot")).status == 401
    unlimited = await alice.rest.get("/api/v10/gateway/bot")
    assert unlimited["session_start_limit"]["remaining"] == 1000
    async with (
        serve_more(worker_id=5, rate_limits=True) as server,
        world_on(server.url, server.gateway_url) as there,
    ):
        there.share_people(world)
        answer = await there.rest("alice").get("/gateway/bot")
        assert (answer["url"], answer["shards"]) == (server.gateway_url, 1)
        before = answer["session_start_limit"]
        assert before == like(total=1000, max_concurrency=16)
        await there.online("alice")
        after = (await there.rest("alice").get("/gateway/bot"))["session_start_limit"]
        assert after["remaining"] == before["remaining"] - 1
        assert 0 < after["reset_after"] <= 86_400_000


@pytest.mark.parametrize("transport", ["zlib-stream", "zstd-stream", "payloads"])
async def test_compressed_connections_decode_to_the_same_payloads(
    world: World, transport: str
) -> None:
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


async def test_client_of_a_person_receives_uncompressed_payloads(world: World) -> None:
    """Fermi asks for compressed payloads, and cannot read them."""
    alice = await world.person("alice")
    async with connect(world.gateway_url, compression=None) as socket:
        assert isinstance(await asyncio.wait_for(socket.recv(), 10), str)
        identify = {"token": alice.token, "compress": True, "capabilities": 16381}
        await socket.send(orjson.dumps({"op": 2, "d": identify}).decode())
        ready = await asyncio.wait_for(socket.recv(), 10)
        assert isinstance(ready, str) and orjson.loads(ready)["t"] == "READY"


async def test_session_receives_only_events_of_its_intents(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    messages = await world.socket()
    bob = await world.person("bob")
    await messages.send(2, {"token": bob.token, "intents": int(Intents.GUILD_MESSAGES)})
    await messages.next("READY")
    [guilds] = await world.online("alice", intents=int(Intents.GUILDS))
    await guild.channel("more")
    await world.rest("alice").post(f"/channels/{guild.general.id}/messages", {"content": "x"})
    assert [each.t for each in await messages.received_before_fence()] == ["MESSAGE_CREATE"]
    assert [each.t for each in await guilds.received_before_fence()] == ["CHANNEL_CREATE"]


async def test_each_guild_belongs_to_one_shard(world: World) -> None:
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
        ('{"op": 2, "d": {"token": "x", "large_threshold": "5"}}', 4002),
        ('{"op": 1, "d": "x"}', 4002),
        ('{"op": 6, "d": {"token": "x"}}', 4002),
        ("[" * 3000, 4002),
        ('{"op": 1, "d": ' + " " * 15_360 + "null}", 4002),
        ('{"op": 40, "d": 1}', 4002),
        ('{"op": 40, "d": {"seq": "x"}}', 4002),
        ('{"op": 3, "d": {}}', 4003),
        ('{"op": 8, "d": {"guild_id": [], "query": ""}}', 4003),
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
async def test_invalid_frame_closes_with_its_code(
    world: World, frame: str | bytes, code: int
) -> None:
    socket = await world.socket()
    await socket.send_raw(frame)
    assert await socket.closed() == code


@pytest.mark.parametrize(
    ("query", "code"), [("?v=5", 4012), ("?encoding=etf", 4002), ("?compress=lzma", 4002)]
)
async def test_invalid_query_string_closes_with_its_code(
    world: World, query: str, code: int
) -> None:
    async with connect(world.gateway_url + query, compression=None) as socket:
        await asyncio.wait_for(socket.wait_closed(), 10)
        assert socket.close_code == code


async def test_second_identify_closes_with_already_authenticated(world: World) -> None:
    [client] = await world.online("alice")
    await client.send(2, {"token": (await world.person("alice")).token})
    assert await client.closed() == 4005


async def test_121_payloads_in_a_minute_close_with_rate_limited(world: World) -> None:
    socket = await world.socket()
    for _ in range(121):
        await socket.send(1, None)
    assert await socket.closed() == 4008


async def send_heartbeats(client: Client) -> None:
    """Send heartbeats until the connection closes."""
    try:
        while True:
            await client.send(1, None)
            await asyncio.sleep(0.1)
    except Exception:
        return


async def test_connection_without_heartbeats_or_identify_times_out(
    serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeout_after = connection._TIMEOUT_AFTER
    monkeypatch.setattr(connection, "_TIMEOUT_AFTER", math.inf)  # all may be slow to identify
    async with (
        serve_more(worker_id=3, heartbeat_interval_ms=2000) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        [alive] = await world.online("alice")
        [silent] = await world.online("alice")
        unidentified = await world.socket()
        async with asyncio.TaskGroup() as tasks:
            senders = [
                tasks.create_task(send_heartbeats(client)) for client in (alive, unidentified)
            ]
            await alive.next_op(11)
            await silent.next_op(1)  # the server requests a heartbeat before it disconnects
            monkeypatch.setattr(connection, "_TIMEOUT_AFTER", timeout_after)
            assert await silent.closed() == 4009
            assert await unidentified.closed() == 4009
            assert alive.close_code is None
            for task in senders:
                task.cancel()
        await alive.received_before_fence()


async def test_slow_consumer_is_disconnected_and_does_not_delay_others(
    world: World,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(send_queue, "MAX_SEND_QUEUE_BYTES", 50_000)
    counters = server.runner.app[METRICS].counters
    before = counters.slow_consumer_disconnects
    caplog.set_level("INFO", "chatd.gateway.send_queue")
    guild = await world.guild(owner="alice", members=["bob"])
    [alice] = await world.online("alice")
    path = f"/channels/{guild.general.id}/messages"
    identify = orjson.dumps({"op": 2, "d": {"token": (await world.person("bob")).token}})
    async with connect(world.gateway_url, compression=None, max_queue=1) as slow:
        await slow.recv()
        await slow.send(identify.decode())
        await slow.recv()
        slow.transport.pause_reading()
        for _ in range(5000):  # the kernel buffers more than the limit
            message = await world.rest("alice").post(path, {"content": "漢" * 2000})
            assert (await alice.next("MESSAGE_CREATE")).d["id"] == message["id"]
            if "disconnected slow consumer" in caplog.text:
                break
        assert "disconnected slow consumer" in caplog.text
        assert counters.slow_consumer_disconnects == before + 1


async def test_gateway_url_uses_wss_behind_a_trusted_proxy(
    world: World, serve_more: ServeMore
) -> None:
    proxies = (ip_network("127.0.0.0/8"),)
    async with serve_more(worker_id=9, trusted_proxies=proxies) as server:
        for forwarded, scheme in (("https", "wss"), ("http, HTTPS", "wss"), ("https, http", "ws")):
            headers = {"X-Forwarded-Proto": forwarded}
            async with world.http.get(f"{server.url}/gateway", headers=headers) as answer:
                assert (await answer.json())["url"].startswith(f"{scheme}://"), forwarded
    forged = await world.anonymous.call("GET", "/gateway", headers={"X-Forwarded-Proto": "https"})
    assert forged.json["url"].startswith("ws://")
