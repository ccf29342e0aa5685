"""Sessions that lose their socket: what they get back, and when they are refused."""

from __future__ import annotations

import asyncio

import psycopg2
import pytest

from chatd.gateway import connection, session
from chatd.gateway.handler import GATEWAY
from tests.conftest import ServeMore, Server
from tests.world import PASSWORD, Client, Guild, World, world_on


async def say(world: World, guild: Guild, *contents: str) -> list[str]:
    """Messages of the guild's owner; their ids."""
    path = f"/channels/{guild.general.id}/messages"
    sent = [await guild.owner.rest.post(path, {"content": content}) for content in contents]
    return [message["id"] for message in sent]


async def caught_up(client: Client) -> list[str]:
    """The ids of the messages in a replay that ends with RESUMED."""
    ids: list[str] = []
    while True:
        dispatched = await client.next_of("MESSAGE_CREATE", "RESUMED")
        if dispatched.t == "RESUMED":
            assert dispatched.d == {}
            return ids
        ids.append(dispatched.d["id"])


async def test_a_cut_socket_gets_exactly_what_it_missed(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    [heard] = await say(world, guild, "heard")
    assert (await bob.next("MESSAGE_CREATE")).d["id"] == heard
    for _ in range(3):  # again and again
        await bob.cut()
        missed = await say(world, guild, *(str(n) for n in range(4)))
        bob = await world.resumed("bob", bob)
        assert await caught_up(bob) == missed
        [live] = await say(world, guild, "live")
        assert (await bob.next("MESSAGE_CREATE")).d["id"] == live


async def test_resuming_takes_over_from_a_socket_that_still_lives(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [old] = await world.online("bob")
    new = await world.resumed("bob", old)
    assert await caught_up(new) == []
    assert await old.closed() == 4009
    [sent] = await say(world, guild, "x")
    assert (await new.next("MESSAGE_CREATE")).d["id"] == sent


async def refused(client: Client) -> None:
    assert (await client.next_op(9))["d"] is False


async def test_who_may_not_resume(world: World) -> None:
    [bob] = await world.online("bob")
    session_id = bob.ready["session_id"]
    carol, bob_person = await world.person("carol"), await world.person("bob")
    other = await world.nobody.post(
        "/auth/login", {"email": bob_person.email, "password": PASSWORD}
    )
    for token, wanted in (
        (carol.token, session_id),  # somebody else
        (other["access_token"], session_id),  # the same person, by another login
        (bob_person.token, "0" * 32),  # no such session
    ):
        client = await world.socket()
        await client.send(6, {"token": token, "session_id": wanted, "seq": bob.seq})
        await refused(client)
        await client.identify(token)  # and goes on, on the same socket
    thief = await world.socket()
    await thief.send(6, {"token": "x.y.z", "session_id": session_id, "seq": bob.seq})
    assert await thief.closed() == 4004
    future = await world.socket()
    future_seq = {"token": bob_person.token, "session_id": session_id, "seq": bob.seq + 1}
    await future.send(6, future_seq)
    assert await future.closed() == 4007
    assert await bob.heard_before_fence() == []  # all that disturbed nobody


async def test_a_session_expires(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=4, resume_window_s=0.2) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        [bob] = await world.online("bob")
        await bob.cut()
        await expired(server)
        again = await world.resumed("bob", bob)
        await refused(again)


async def expired(server: Server) -> None:
    """Wait until the server has no session any more."""
    assert server.runner.app is not None
    registry = server.runner.app[GATEWAY].registry
    async with asyncio.timeout(10):
        while len(registry):
            await asyncio.sleep(0.02)


async def test_more_than_is_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_REPLAY_EVENTS", 5)
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await bob.cut()
    await say(world, guild, *(str(n) for n in range(6)))
    again = await world.resumed("bob", bob)
    await refused(again)


async def test_a_socket_whose_session_is_given_up_is_told(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await say(world, guild, "x")
    await bob.next("MESSAGE_CREATE")
    await bob.send(1, bob.seq)  # acknowledged, and so forgotten
    await bob.next_op(11)
    second = await world.socket()
    token = (await world.person("bob")).token
    await second.send(6, {"token": token, "session_id": bob.ready["session_id"], "seq": 1})
    await refused(second)
    await refused(bob)


async def test_what_happens_after_leaving_is_not_replayed(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await bob.cut()
    before = await say(world, guild, "before")
    await world.rest("bob").delete(f"/users/@me/guilds/{guild.id}")
    await say(world, guild, "after")
    bob = await world.resumed("bob", bob)
    assert await caught_up(bob) == before


async def test_a_lost_join_is_found_out(world: World, server: Server) -> None:
    """As when an instance is killed between the commit of a join and its publishing."""
    guild = await world.guild(owner="alice")
    bob = await world.person("bob")
    [client] = await world.online("bob")
    database = psycopg2.connect(server.config.database_url)
    with database, database.cursor() as cur:
        cur.execute(
            "INSERT INTO guild_members (guild_id, user_id) VALUES (%s, %s)",
            (int(guild.id), int(bob.id)),
        )
        cur.execute(
            """
            INSERT INTO streams (id, seq) VALUES (%s, 1)
            ON CONFLICT (id) DO UPDATE SET seq = streams.seq + 1
            """,
            (int(bob.id),),
        )
    database.close()
    await refused(client)
    await client.identify(bob.token)
    assert [each["id"] for each in client.ready["guilds"]] == [guild.id]


async def test_a_session_with_very_much_to_read_can_start(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_OUTBOX_BYTES", 20_000)
    guild = await world.guild(owner="alice", members=["bob"])
    for number in range(60):
        await guild.channel(f"channel {number}", topic="漢" * 1024)
    [bob] = await world.online("bob")
    [sent] = await say(world, guild, "x")
    assert (await bob.next("MESSAGE_CREATE")).d["id"] == sent
