"""Sessions that lose their connection: what a resume replays, and when it is refused."""

from __future__ import annotations

import psycopg2
import pytest

from chatd.gateway import send_queue
from chatd.gateway.session import session
from tests.conftest import ServeMore, Server
from tests.helpers.gateway import (
    expect_invalid_session,
    replayed_messages,
    send_messages,
    wait_until_sessions_expire,
)
from tests.world import PASSWORD, World, world_on


async def test_resume_replays_exactly_the_missed_events(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    [received] = await send_messages(world, guild, "received")
    assert (await bob.next("MESSAGE_CREATE")).d["id"] == received
    for _ in range(3):  # repeatedly
        await bob.cut()
        missed = await send_messages(world, guild, *(str(n) for n in range(4)))
        bob = await world.resumed("bob", bob)
        assert await replayed_messages(bob) == missed
        [live] = await send_messages(world, guild, "live")
        assert (await bob.next("MESSAGE_CREATE")).d["id"] == live


async def test_resume_closes_the_previous_connection_of_the_session(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [old] = await world.online("bob")
    new = await world.resumed("bob", old)
    assert await replayed_messages(new) == []
    assert await old.closed() == 4009
    [sent] = await send_messages(world, guild, "x")
    assert (await new.next("MESSAGE_CREATE")).d["id"] == sent


async def test_resume_is_refused_without_matching_token_session_and_seq(world: World) -> None:
    [bob] = await world.online("bob")
    session_id = bob.ready["session_id"]
    carol, bob_person = await world.person("carol"), await world.person("bob")
    other = await world.anonymous.post(
        "/auth/login", {"email": bob_person.email, "password": PASSWORD}
    )
    for token, wanted in (
        (carol.token, session_id),  # another account
        (other["access_token"], session_id),  # another login of the same account
        (bob_person.token, "0" * 32),  # an unknown session
    ):
        client = await world.socket()
        await client.send(6, {"token": token, "session_id": wanted, "seq": bob.seq})
        await expect_invalid_session(client)
        await client.identify(token)  # the same connection can identify
    thief = await world.socket()
    await thief.send(6, {"token": "x.y.z", "session_id": session_id, "seq": bob.seq})
    assert await thief.closed() == 4004
    future = await world.socket()
    future_seq = {"token": bob_person.token, "session_id": session_id, "seq": bob.seq + 1}
    await future.send(6, future_seq)
    assert await future.closed() == 4007
    assert await bob.received_before_fence() == []  # the connected session is not affected


async def test_a_session_expires(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=4, resume_window_s=0.2) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        [bob] = await world.online("bob")
        await bob.cut()
        await wait_until_sessions_expire(server)
        again = await world.resumed("bob", bob)
        await expect_invalid_session(again)


async def test_resume_beyond_the_replay_buffer_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "MAX_REPLAY_EVENTS", 5)
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await bob.cut()
    await send_messages(world, guild, *(str(n) for n in range(6)))
    again = await world.resumed("bob", bob)
    await expect_invalid_session(again)


async def test_connection_of_an_invalidated_session_is_notified(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await send_messages(world, guild, "x")
    await bob.next("MESSAGE_CREATE")
    await bob.send(1, bob.seq)  # acknowledged events leave the replay buffer
    await bob.next_op(11)
    second = await world.socket()
    token = (await world.person("bob")).token
    await second.send(6, {"token": token, "session_id": bob.ready["session_id"], "seq": 1})
    await expect_invalid_session(second)
    await expect_invalid_session(bob)


async def test_resume_replays_nothing_after_leaving_a_guild(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await bob.cut()
    before = await send_messages(world, guild, "before")
    await world.rest("bob").delete(f"/users/@me/guilds/{guild.id}")
    await send_messages(world, guild, "after")
    bob = await world.resumed("bob", bob)
    assert await replayed_messages(bob) == before


async def test_lost_join_invalidates_the_session(world: World, server: Server) -> None:
    """An instance can be killed between the commit of a join and its publishing."""
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
    await expect_invalid_session(client)
    await client.identify(bob.token)
    assert [each["id"] for each in client.ready["guilds"]] == [guild.id]


async def test_session_with_a_large_ready_can_start(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send_queue, "MAX_SEND_QUEUE_BYTES", 20_000)
    guild = await world.guild(owner="alice", members=["bob"])
    for number in range(60):
        await guild.channel(f"channel {number}", topic="漢" * 1024)
    [bob] = await world.online("bob")
    [sent] = await send_messages(world, guild, "x")
    assert (await bob.next("MESSAGE_CREATE")).d["id"] == sent
