"""An instance that leaves in good order: its sessions go on elsewhere, and miss nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest

from chatd.gateway import connection, recent
from chatd.gateway.handler import GATEWAY
from chatd.gateway.parking import Parking
from tests.conftest import ServeMore
from tests.gateway.test_members_on_request import asking
from tests.gateway.test_resume_and_loss import caught_up, expired, refused, say
from tests.rest.test_roles import give, made
from tests.world import Client, World, world_on


class Fleet:
    """Instances that come and go, with the people of one world."""

    def __init__(self, world: World, serve_more: ServeMore) -> None:
        self._world = world
        self._serve_more = serve_more
        self._servers: dict[int, AsyncExitStack] = {}
        self._clients = AsyncExitStack()

    async def start(self, worker_id: int, **settings: Any) -> World:
        stack = self._servers[worker_id] = AsyncExitStack()
        server = await stack.enter_async_context(self._serve_more(worker_id=worker_id, **settings))
        there = await self._clients.enter_async_context(world_on(server.url, server.gateway_url))
        there.meet(self._world)
        return there

    async def stop(self, worker_id: int, *clients: Client) -> None:
        """Stop it; its clients are told to reconnect, and close."""
        stopping = asyncio.create_task(self._servers.pop(worker_id).aclose())
        for client in clients:
            await client.next_op(7)
            assert await client.closed() == 1001
        await stopping

    async def aclose(self) -> None:
        """Stop all that still runs."""
        for server in self._servers.values():
            await server.aclose()
        await self._clients.aclose()


@pytest.fixture
async def fleet(world: World, serve_more: ServeMore) -> AsyncIterator[Fleet]:
    """Instances beside the shared one."""
    instances = Fleet(world, serve_more)
    yield instances
    await instances.aclose()


async def test_sessions_go_on_on_another_instance(world: World, fleet: Fleet) -> None:
    there = await fleet.start(11)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    [lively] = await world.online("carol")  # so that the guild is followed here already
    [bob] = await there.online("bob")
    [heard] = await say(world, guild, "heard")
    assert (await bob.next("MESSAGE_CREATE")).d["id"] == heard
    unread = await say(world, guild, "on its way")
    await bob.cut()
    unread += await say(world, guild, "while cut off")
    await fleet.stop(11)
    missed = await say(world, guild, "while away", "still away")
    bob = await world.resumed("bob", bob)
    assert await caught_up(bob) == unread + missed
    [live] = await say(world, guild, "live")
    for client in (bob, lively):
        while (await client.next("MESSAGE_CREATE")).d["id"] != live:
            pass
    await bob.cut()  # and once more, from here
    again = await say(world, guild, "again")
    bob = await world.resumed("bob", bob)
    assert await caught_up(bob) == again


async def test_the_same_instance_started_anew(world: World, fleet: Fleet) -> None:
    there = await fleet.start(12)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol = await there.online("bob", "carol")
    [heard] = await say(world, guild, "heard")
    for client in (bob, carol):
        assert (await client.next("MESSAGE_CREATE")).d["id"] == heard
    await fleet.stop(12, bob, carol)
    missed = await say(world, guild, "while it was away")
    there = await fleet.start(12)
    for name, client in (("bob", bob), ("carol", carol)):
        back = await there.resumed(name, client)
        assert await caught_up(back) == missed
        [live] = await say(world, guild, "live")
        assert (await back.next("MESSAGE_CREATE")).d["id"] == live
        missed.append(live)
    await fleet.stop(12)


async def test_what_was_visible_when_it_happened_decides(world: World, fleet: Fleet) -> None:
    """A channel opens and closes while nobody is there: only what was said in between is heard."""
    there = await fleet.start(13)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    staff = await guild.channel("staff")
    deny = {"type": 0, "deny": "1024"}
    await guild.owner.rest.put(f"/channels/{staff.id}/permissions/{guild.id}", deny)
    role = await made(guild, "staff")
    allow = {"type": 0, "allow": "1024"}
    await guild.owner.rest.put(f"/channels/{staff.id}/permissions/{role}", allow)
    await world.online("carol")
    [bob] = await there.online("bob")
    await fleet.stop(13, bob)
    path = f"/channels/{staff.id}/messages"
    await guild.owner.rest.post(path, {"content": "not for him"})
    await give(world, guild, "bob", role)
    for_him = await guild.owner.rest.post(path, {"content": "for him"})
    bob_id = (await world.person("bob")).id
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bob_id}/roles/{role}")
    await guild.owner.rest.post(path, {"content": "not for him any more"})
    bob = await world.resumed("bob", bob)
    heard = []
    while (event := await bob.next_of(*WATCHED)).t != "RESUMED":
        heard.append((event.t, event.d["id"]))
    assert heard == [
        ("CHANNEL_CREATE", staff.id),
        ("MESSAGE_CREATE", for_him["id"]),
        ("CHANNEL_DELETE", staff.id),
    ]
    await guild.owner.rest.post(path, {"content": "nor now"})
    assert "MESSAGE_CREATE" not in [event.t for event in await bob.heard_before_fence()]


WATCHED = ("CHANNEL_CREATE", "CHANNEL_DELETE", "MESSAGE_CREATE", "RESUMED")


async def test_private_messages_and_leaving_while_away(world: World, fleet: Fleet) -> None:
    there = await fleet.start(14)
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob_person = await world.people("alice", "bob")
    made = await alice.rest.post("/users/@me/channels", {"recipient_id": bob_person.id})
    [bob] = await there.online("bob")
    await fleet.stop(14, bob)
    sent = await alice.rest.post(f"/channels/{made['id']}/messages", {"content": "psst"})
    await bob_person.rest.delete(f"/users/@me/guilds/{guild.id}")
    await say(world, guild, "he is gone")
    bob = await world.resumed("bob", bob)
    heard = []
    while (event := await bob.next_of(*WATCHED, "GUILD_DELETE")).t != "RESUMED":
        heard.append((event.t, event.d["id"]))
    assert set(heard) == {
        ("CHANNEL_CREATE", made["id"]),
        ("MESSAGE_CREATE", sent["id"]),
        ("GUILD_DELETE", guild.id),
    }
    await say(world, guild, "still gone")
    assert await bob.heard_before_fence() == []


async def test_who_cannot_have_a_parked_session(world: World, fleet: Fleet) -> None:
    there = await fleet.start(15)
    await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol = await there.online("bob", "carol")
    await fleet.stop(15, bob, carol)
    stolen = await world.socket()
    stolen.ready, stolen.seq = bob.ready, bob.seq
    token = (await world.person("alice")).token
    session = {"session_id": bob.ready["session_id"], "seq": bob.seq}
    await stolen.send(6, {"token": token, **session})
    await refused(stolen)
    both = [await world.resumed("bob", bob) for _ in range(2)]  # one of them is too late
    await caught_up(both[0])
    await world.rest("carol").post("/auth/logout")
    late = await world.resumed("carol", carol)
    await refused(late)


async def test_a_guild_that_is_joined_meanwhile(world: World, fleet: Fleet) -> None:
    there = await fleet.start(16)
    bob_person = await world.person("bob")
    [bob] = await there.online("bob")
    await fleet.stop(16, bob)
    guild = await world.guild(owner="alice")
    await guild.admit(bob_person)
    bob = await world.resumed("bob", bob)
    await refused(bob)  # what the guild is like it can only be told anew


async def test_many_sessions_move_at_once(world: World, fleet: Fleet) -> None:
    there = await fleet.start(17)
    names = [f"p{n}" for n in range(20)]
    guild = await world.guild(owner="alice", members=names)
    clients = await there.online(*names)
    sent: list[str] = []
    stop = asyncio.Event()

    async def talk() -> None:
        while not stop.is_set():
            sent.extend(await say(world, guild, "…"))

    talking = asyncio.create_task(talk())
    while len(sent) < 20:
        await asyncio.sleep(0.01)
    await fleet.stop(17)
    heard = [[each.d["id"] for each in client.received("MESSAGE_CREATE")] for client in clients]
    back = [await world.resumed(name, client) for name, client in zip(names, clients, strict=True)]
    for client, ids in zip(back, heard, strict=True):
        ids.extend(await caught_up(client))
    stop.set()
    await talking
    for client, ids in zip(back, heard, strict=True):
        live = [each for each in await client.heard_before_fence() if each.t == "MESSAGE_CREATE"]
        assert [*ids, *(each.d["id"] for each in live)] == sent


async def test_who_resumes_from_the_future_elsewhere_does_not_stay(
    world: World, fleet: Fleet, serve_more: ServeMore
) -> None:
    """It is refused, and its session is given up as any that nobody resumes."""
    there = await fleet.start(18)
    [bob] = await there.online("bob")
    await fleet.stop(18, bob)
    async with (
        serve_more(worker_id=19, resume_window_s=1) as server,
        world_on(server.url, server.gateway_url) as here,
    ):
        here.meet(world)
        bob.seq += 1
        future = await here.resumed("bob", bob)
        assert await future.closed() == 4007
        await expired(server)


async def test_only_one_instance_takes_a_session_up(world: World, fleet: Fleet) -> None:
    there, other = await fleet.start(20), await fleet.start(22)
    parked = await there.online(*["bob"] * 10)
    await fleet.stop(20, *parked)

    async def is_taken(where: World, client: Client) -> bool:
        back = await where.resumed("bob", client)
        return "RESUMED" in [each.t for each in await back.heard_before_fence()]

    for client in parked:
        taken = await asyncio.gather(is_taken(world, client), is_taken(other, client))
        assert sorted(taken) == [False, True]


@pytest.mark.parametrize("followed", [True, False])
async def test_more_was_missed_than_is_known_here(
    world: World, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, followed: bool
) -> None:
    """It is told so, at the latest when it is found out; nothing is left out in silence."""
    there = await fleet.start(23)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    [bob] = await there.online("bob")
    if followed:
        await world.online("carol")
    await fleet.stop(23, bob)
    monkeypatch.setattr(recent, "MAX_BYTES", 2000)
    await say(world, guild, *[f"{number}" for number in range(10)])
    back = await world.resumed("bob", bob)
    await refused(back)
    assert back.received("MESSAGE_CREATE") == []


async def test_who_is_given_something_while_the_server_leaves(
    world: World, serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes then is lost with the socket; it costs neither it nor others the session."""
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    async with AsyncExitStack() as running:
        server = await running.enter_async_context(serve_more(worker_id=28))
        there = await running.enter_async_context(world_on(server.url, server.gateway_url))
        there.meet(world)
        bob, carol = await there.online("bob", "carol")
        await asking(monkeypatch, guild, bob)
        assert server.runner.app is not None
        session = server.runner.app[GATEWAY].registry.session(bob.ready["session_id"])
        assert session is not None
        write_hashes = Parking._write_hashes

        async def slowly(parking: Parking, fields: Sequence[tuple[str, int, bytes]]) -> None:
            monkeypatch.setattr(connection, "_AHEAD_BYTES", 2**20)
            while session.seq < 5:
                await asyncio.sleep(0.01)
            await write_hashes(parking, fields)

        monkeypatch.setattr(Parking, "_write_hashes", slowly)
        await server.runner.cleanup()  # while they are connected
    missed = await say(world, guild, "missed")
    for name, client in (("carol", carol), ("bob", bob)):
        back = await world.resumed(name, client)
        assert await caught_up(back) == missed
