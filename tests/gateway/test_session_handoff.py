"""Session handoff: after a graceful shutdown, sessions resume on another instance without a gap."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest
from redis import asyncio as aioredis

from chatd.gateway import send_queue
from chatd.gateway.fanout import event_history
from chatd.gateway.handler import GATEWAY
from chatd.gateway.lifecycle.handoff import HandoffStore
from tests.conftest import ServeMore, Server
from tests.helpers.fleet import Fleet
from tests.helpers.gateway import (
    expect_invalid_session,
    replayed_messages,
    send_messages,
    start_member_request,
    wait_until_sessions_expire,
)
from tests.helpers.locks import held_table
from tests.helpers.roles import assign_roles, create_role
from tests.world import Client, World, world_on


async def test_handed_off_sessions_resume_on_another_instance(world: World, fleet: Fleet) -> None:
    there = await fleet.start(11)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    [lively] = await world.online("carol")  # so that this instance has a feed of the guild
    [bob] = await there.online("bob")
    [received] = await send_messages(world, guild, "received")
    assert (await bob.next("MESSAGE_CREATE")).d["id"] == received
    unread = await send_messages(world, guild, "in flight")
    await bob.cut()
    unread += await send_messages(world, guild, "while disconnected")
    await fleet.stop(11)
    missed = await send_messages(world, guild, "during the handoff", "after it")
    bob = await world.resumed("bob", bob)
    assert await replayed_messages(bob) == unread + missed
    [live] = await send_messages(world, guild, "live")
    for client in (bob, lively):
        while (await client.next("MESSAGE_CREATE")).d["id"] != live:
            pass
    await bob.cut()  # and once more, on this instance
    again = await send_messages(world, guild, "again")
    bob = await world.resumed("bob", bob)
    assert await replayed_messages(bob) == again


async def test_handed_off_sessions_resume_on_the_restarted_instance(
    world: World, fleet: Fleet
) -> None:
    there = await fleet.start(12)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol = await there.online("bob", "carol")
    [received] = await send_messages(world, guild, "received")
    for client in (bob, carol):
        assert (await client.next("MESSAGE_CREATE")).d["id"] == received
    await fleet.stop(12, bob, carol)
    missed = await send_messages(world, guild, "while it was down")
    there = await fleet.start(12)
    for name, client in (("bob", bob), ("carol", carol)):
        back = await there.resumed(name, client)
        assert await replayed_messages(back) == missed
        [live] = await send_messages(world, guild, "live")
        assert (await back.next("MESSAGE_CREATE")).d["id"] == live
        missed.append(live)
    await fleet.stop(12)


async def test_session_resumes_though_the_client_gave_up_while_it_was_restored(
    world: World, fleet: Fleet, server: Server
) -> None:
    there = await fleet.start(12)
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await there.online("bob")
    await fleet.stop(12, bob)
    missed = await send_messages(world, guild, "during the handoff")
    with held_table(server, "logins") as held:
        given_up = await world.resumed("bob", bob)
        await held.waited_for_by(1)
        await given_up.cut()
        back = await world.resumed("bob", bob)
        await world.socket()  # the server has read the second RESUME, too
        held.release()
        assert await replayed_messages(back) == missed


async def test_replay_after_handoff_follows_visibility_at_the_time_of_each_event(
    world: World, fleet: Fleet
) -> None:
    """A channel opens and closes while no instance has the session.

    Only what was sent in between is replayed.
    """
    there = await fleet.start(13)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    staff = await guild.channel("staff")
    deny = {"type": 0, "deny": "1024"}
    await guild.owner.rest.put(f"/channels/{staff.id}/permissions/{guild.id}", deny)
    role = await create_role(guild, "staff")
    allow = {"type": 0, "allow": "1024"}
    await guild.owner.rest.put(f"/channels/{staff.id}/permissions/{role}", allow)
    await world.online("carol")
    [bob] = await there.online("bob")
    await fleet.stop(13, bob)
    path = f"/channels/{staff.id}/messages"
    await guild.owner.rest.post(path, {"content": "not for him"})
    await assign_roles(world, guild, "bob", role)
    for_him = await guild.owner.rest.post(path, {"content": "for him"})
    bob_id = (await world.person("bob")).id
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bob_id}/roles/{role}")
    await guild.owner.rest.post(path, {"content": "no longer for him"})
    bob = await world.resumed("bob", bob)
    received = []
    while (event := await bob.next_of(*WATCHED)).t != "RESUMED":
        received.append((event.t, event.d["id"]))
    assert received == [
        ("CHANNEL_CREATE", staff.id),
        ("MESSAGE_CREATE", for_him["id"]),
        ("CHANNEL_DELETE", staff.id),
    ]
    await guild.owner.rest.post(path, {"content": "nor now"})
    assert "MESSAGE_CREATE" not in [event.t for event in await bob.received_before_fence()]


WATCHED = ("CHANNEL_CREATE", "CHANNEL_DELETE", "MESSAGE_CREATE", "RESUMED")


async def test_replay_after_handoff_has_private_messages_and_guild_removal(
    world: World, fleet: Fleet
) -> None:
    there = await fleet.start(14)
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob_person = await world.people("alice", "bob")
    made = await alice.rest.post("/users/@me/channels", {"recipient_id": bob_person.id})
    [bob] = await there.online("bob")
    await fleet.stop(14, bob)
    sent = await alice.rest.post(f"/channels/{made['id']}/messages", {"content": "psst"})
    await bob_person.rest.delete(f"/users/@me/guilds/{guild.id}")
    await send_messages(world, guild, "he is gone")
    bob = await world.resumed("bob", bob)
    received = []
    while (event := await bob.next_of(*WATCHED, "GUILD_DELETE")).t != "RESUMED":
        received.append((event.t, event.d["id"]))
    assert set(received) == {
        ("CHANNEL_CREATE", made["id"]),
        ("MESSAGE_CREATE", sent["id"]),
        ("GUILD_DELETE", guild.id),
    }
    await send_messages(world, guild, "still gone")
    assert await bob.received_before_fence() == []


async def test_suspended_session_is_restored_once_and_only_for_its_login(
    world: World, fleet: Fleet
) -> None:
    there = await fleet.start(15)
    await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol = await there.online("bob", "carol")
    await fleet.stop(15, bob, carol)
    stolen = await world.socket()
    stolen.ready, stolen.seq = bob.ready, bob.seq
    token = (await world.person("alice")).token
    session = {"session_id": bob.ready["session_id"], "seq": bob.seq}
    await stolen.send(6, {"token": token, **session})
    await expect_invalid_session(stolen)
    both = [await world.resumed("bob", bob) for _ in range(2)]  # only the first is restored
    await replayed_messages(both[0])
    await world.rest("carol").post("/auth/logout")
    late = await world.resumed("carol", carol)
    await expect_invalid_session(late)


async def test_guild_join_during_handoff_invalidates_the_session(
    world: World, fleet: Fleet
) -> None:
    there = await fleet.start(16)
    bob_person = await world.person("bob")
    [bob] = await there.online("bob")
    await fleet.stop(16, bob)
    guild = await world.guild(owner="alice")
    await guild.admit(bob_person)
    bob = await world.resumed("bob", bob)
    await expect_invalid_session(bob)  # a replay cannot have the GUILD_CREATE


async def test_many_sessions_are_handed_off_at_once(world: World, fleet: Fleet) -> None:
    there = await fleet.start(17)
    names = [f"p{n}" for n in range(20)]
    guild = await world.guild(owner="alice", members=names)
    clients = await there.online(*names)
    sent: list[str] = []
    stop = asyncio.Event()

    async def talk() -> None:
        while not stop.is_set():
            sent.extend(await send_messages(world, guild, "…"))

    talking = asyncio.create_task(talk())
    while len(sent) < 20:
        await asyncio.sleep(0.01)
    await fleet.stop(17, *clients)  # and wait until they have read all events
    received = [[each.d["id"] for each in client.received("MESSAGE_CREATE")] for client in clients]
    back = [await world.resumed(name, client) for name, client in zip(names, clients, strict=True)]
    for client, ids in zip(back, received, strict=True):
        ids.extend(await replayed_messages(client))
    stop.set()
    await talking
    for client, ids in zip(back, received, strict=True):
        live = [each for each in await client.received_before_fence() if each.t == "MESSAGE_CREATE"]
        assert [*ids, *(each.d["id"] for each in live)] == sent


async def test_resume_with_a_future_seq_on_another_instance_is_refused(
    world: World, fleet: Fleet, serve_more: ServeMore
) -> None:
    """The resume is refused, and the session expires as if no client resumed it."""
    there = await fleet.start(18)
    [bob] = await there.online("bob")
    await fleet.stop(18, bob)
    async with (
        serve_more(worker_id=19, resume_window_s=1) as server,
        world_on(server.url, server.gateway_url) as here,
    ):
        here.share_people(world)
        bob.seq += 1
        future = await here.resumed("bob", bob)
        assert await future.closed() == 4007
        await wait_until_sessions_expire(server)


async def test_only_one_instance_restores_a_session(world: World, fleet: Fleet) -> None:
    there, other = await fleet.start(20), await fleet.start(22)
    clients = await there.online(*["bob"] * 10)
    await fleet.stop(20, *clients)

    async def is_restored(where: World, client: Client) -> bool:
        back = await where.resumed("bob", client)
        return "RESUMED" in [each.t for each in await back.received_before_fence()]

    for client in clients:
        restored = await asyncio.gather(is_restored(world, client), is_restored(other, client))
        assert sorted(restored) == [False, True]


@pytest.mark.parametrize("followed", [True, False])
async def test_session_is_invalidated_when_the_history_lacks_events(
    world: World, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, followed: bool
) -> None:
    """A replay with a gap would be worse: the client could not notice it."""
    there = await fleet.start(23)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    [bob] = await there.online("bob")
    if followed:
        await world.online("carol")
    await fleet.stop(23, bob)
    monkeypatch.setattr(event_history, "MAX_BYTES", 2000)
    await send_messages(world, guild, *[f"{number}" for number in range(10)])
    back = await world.resumed("bob", bob)
    await expect_invalid_session(back)
    assert back.received("MESSAGE_CREATE") == []


async def test_dispatches_during_handoff_do_not_invalidate_sessions(
    world: World, serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dispatch after the snapshot is lost with the connection. Resumes are not affected."""
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    async with AsyncExitStack() as running:
        server = await running.enter_async_context(serve_more(worker_id=28))
        there = await running.enter_async_context(world_on(server.url, server.gateway_url))
        there.share_people(world)
        bob, carol = await there.online("bob", "carol")
        await start_member_request(monkeypatch, guild, bob)
        assert server.runner.app is not None
        session = server.runner.app[GATEWAY].hub.session(bob.ready["session_id"])
        assert session is not None
        write_hashes = HandoffStore._write_hashes

        async def slowly(store: HandoffStore, fields: Sequence[tuple[str, int, bytes]]) -> None:
            monkeypatch.setattr(send_queue, "_LOW_WATER_BYTES", 2**20)
            while session.seq < 5:
                await asyncio.sleep(0.01)
            await write_hashes(store, fields)

        monkeypatch.setattr(HandoffStore, "_write_hashes", slowly)
        await server.runner.cleanup()  # while they are connected
    missed = await send_messages(world, guild, "missed")
    for name, client in (("carol", carol), ("bob", bob)):
        back = await world.resumed(name, client)
        assert await replayed_messages(back) == missed


async def test_layout_of_a_suspended_session_does_not_change(
    world: World, fleet: Fleet, server: Server
) -> None:
    """During a rolling upgrade, an instance of another version restores it."""
    there = await fleet.start(15)
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await there.online("bob")
    await send_messages(world, guild, "to be replayed")
    await bob.next("MESSAGE_CREATE")
    await fleet.stop(15, bob)
    async with aioredis.Redis.from_url(server.config.redis_url) as redis:
        record = orjson.loads(await redis.get(f"chatd:session:{bob.ready['session_id']}") or b"")
        shared = f"chatd:parked:{record['lot']}"
        last: Any = await redis.hget(f"{shared}:events", str(record["replay"][-1]))
        state = orjson.loads(await redis.hget(f"{shared}:guilds", guild.id) or b"")
    assert record.keys() == {"lot", "login", "state", "replay", "feeds"}
    assert record["feeds"].keys() == {guild.id, (await world.person("bob")).id}
    assert last.startswith(b'22:["MESSAGE_CREATE",512]{')
    assert state.keys() == {
        *("guild_id", "owner_id", "roles", "shown_roles", "channels", "members", "timeouts"),
    }


FORMS: dict[str, Any] = {
    "another encoding": b"\xff{",
    "no mapping": b"[1]",
    "no fields": b"{}",
    "another state": {"state": {"version": 2}},
    "no state": {"state": None},
    "other feeds": {"feeds": [[1, 2]]},
    "other positions": {"feeds": {"guild": 7}},
    "another replay": {"replay": {"from": 1}},
}


async def test_suspended_session_in_an_unknown_format_is_invalidated(
    world: World, fleet: Fleet, server: Server
) -> None:
    """Another version has saved it, as during an upgrade or a rollback."""
    suspended = await _suspended(world, fleet, len(FORMS) + 1)
    redis = aioredis.Redis.from_url(server.config.redis_url)
    for (name, form), bob in zip(FORMS.items(), suspended, strict=False):
        key = f"chatd:session:{bob.ready['session_id']}"
        record = orjson.loads(await redis.get(key) or b"")
        changed = form if isinstance(form, bytes) else orjson.dumps({**record, **form})
        await redis.set(key, changed, ex=60)
        resumed = await world.resumed("bob", bob)
        assert (await resumed.next_op(9))["d"] is False, name
        await resumed.identify((await world.person("bob")).token)
    await redis.aclose()
    intact = await world.resumed("bob", suspended[-1])
    assert len(await replayed_messages(intact)) == 0  # it has received all of them


@pytest.mark.parametrize("shared", ["guilds", "events"])
async def test_shared_record_in_an_unknown_format_invalidates_sessions(
    world: World, fleet: Fleet, server: Server, shared: str
) -> None:
    """The sessions of an instance share what they have in common."""
    [bob] = await _suspended(world, fleet, 1)
    redis = aioredis.Redis.from_url(server.config.redis_url)
    record = orjson.loads(await redis.get(f"chatd:session:{bob.ready['session_id']}") or b"")
    key = f"chatd:parked:{record['lot']}:{shared}"
    for field in await redis.hkeys(key):
        await redis.hset(key, field, b"1:{another form")
    await redis.aclose()
    resumed = await world.resumed("bob", bob)
    assert (await resumed.next_op(9))["d"] is False
    await resumed.identify((await world.person("bob")).token)


async def _suspended(world: World, fleet: Fleet, count: int) -> list[Client]:
    """Return sessions of bob with a message to replay, suspended by an instance that stopped."""
    there = await fleet.start(15)
    guild = await world.guild(owner="alice", members=["bob"])
    sessions = await there.online(*["bob"] * count)
    await send_messages(world, guild, "to be replayed")
    for bob in sessions:
        await bob.next("MESSAGE_CREATE")
    await fleet.stop(15, *sessions)
    return sessions
