"""Several instances on one database: every client receives the same events in the same order."""

from __future__ import annotations

import asyncio

import pytest

from chatd.app import StartError
from chatd.core.permissions import Permissions
from tests.conftest import ServeMore
from tests.world import World, like


async def test_events_reach_clients_of_other_instances(world: World, other: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [alice] = await world.online("alice")
    [bob] = await other.online("bob")
    path = f"/channels/{guild.general.id}/messages"
    here = await world.rest("alice").post(path, {"content": "here"})
    there = await other.rest("bob").post(path, {"content": "there"})
    for client in (alice, bob):
        assert (await client.next("MESSAGE_CREATE")).d["id"] == here["id"]
        assert (await client.next("MESSAGE_CREATE")).d["id"] == there["id"]
    await other.rest("bob").patch(f"{path}/{there['id']}", {"content": "edited"})
    assert (await alice.next("MESSAGE_UPDATE")).d == like(content="edited")
    channel = await world.rest("alice").post(f"/guilds/{guild.id}/channels", {"name": "new"})
    assert (await bob.next("CHANNEL_CREATE")).d["id"] == channel["id"]
    await other.rest("bob").post(f"/channels/{channel['id']}/typing")
    assert (await alice.next("TYPING_START")).d["channel_id"] == channel["id"]


async def test_membership_changes_reach_other_instances(world: World, other: World) -> None:
    guild = await world.guild(owner="alice")
    bob = await world.person("bob")
    [alice] = await world.online("alice")
    [there] = await other.online("bob")  # this instance has no feed of the guild yet
    code = await guild.invite()
    await world.rest("bob").post(f"/invites/{code}")
    assert (await there.next("GUILD_CREATE")).d["id"] == guild.id
    sent = await world.rest("alice").post(
        f"/channels/{guild.general.id}/messages", {"content": "welcome"}
    )
    assert (await there.next("MESSAGE_CREATE")).d["id"] == sent["id"]
    await alice.next("GUILD_MEMBER_ADD")
    await other.rest("bob").delete(f"/users/@me/guilds/{guild.id}")
    assert (await there.next("GUILD_DELETE")).d == {"id": guild.id}
    assert (await alice.next("GUILD_MEMBER_REMOVE")).d["user"]["id"] == bob.id
    answer = await world.rest("bob").call(
        "POST", f"/channels/{guild.general.id}/messages", {"content": "still?"}
    )
    assert (answer.status, answer.code) == (403, 50001)


async def test_kicked_member_cannot_write_on_another_instance(world: World, other: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    path = f"/channels/{guild.general.id}/messages"
    for n in range(5):
        await other.rest("bob").post(path, {"content": f"fine {n}"})  # cached there
        await world.rest("alice").delete(f"/guilds/{guild.id}/members/{bob.id}")
        answer = await other.rest("bob").call("POST", path, {"content": "not fine"})
        assert (answer.status, answer.code) == (403, 50001)
        assert (await other.rest("bob").call("GET", path)).code == 50001
        await guild.admit(bob)


async def test_member_without_permission_cannot_read_on_another_instance(
    world: World, other: World
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, alice = await world.person("bob"), world.rest("alice")
    there = other.rest("bob")
    path = f"/channels/{guild.general.id}/messages"
    sent = await alice.post(path, {"content": "secret"})

    async def reads() -> list[str]:
        return [message["id"] for message in await there.get(path)]

    overwrite = f"/channels/{guild.general.id}/permissions/{bob.id}"
    for denied in (Permissions.READ_MESSAGE_HISTORY, Permissions.VIEW_CHANNEL):
        assert sent["id"] in await reads()  # cached there
        await alice.put(overwrite, {"type": 1, "deny": str(int(denied))})
        if denied == Permissions.VIEW_CHANNEL:
            assert (await there.call("GET", path)).code == 50001
        else:
            assert await reads() == []
        await alice.delete(overwrite)
    assert sent["id"] in await reads()
    await alice.delete(f"/guilds/{guild.id}/members/{bob.id}")
    assert (await there.call("GET", path)).code == 50001
    await guild.admit(bob)
    assert sent["id"] in await reads()
    await alice.delete(f"/channels/{guild.general.id}")
    assert (await there.call("GET", path)).code == 10003


async def test_all_clients_see_one_order(world: World, other: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    clients = [*await world.online("alice", "bob"), *await other.online("alice", "bob")]
    path = f"/channels/{guild.general.id}/messages"
    sent = await asyncio.gather(
        *(
            where.rest(name).post(path, {"content": f"{name} {n}"})
            for n in range(25)
            for where in (world, other)
            for name in ("alice", "bob")
        )
    )
    in_order = sorted((message["id"] for message in sent), key=int)
    assert len(set(in_order)) == 100
    for client in clients:
        assert [(await client.next("MESSAGE_CREATE")).d["id"] for _ in in_order] == in_order


async def test_logout_closes_sockets_of_other_instances(world: World, other: World) -> None:
    await world.person("alice")
    [there] = await other.online("alice")
    await other.rest("alice").get("/users/@me")  # cached there
    await world.rest("alice").post("/auth/logout")
    assert await there.closed() == 4004
    assert (await other.rest("alice").call("GET", "/users/@me")).status == 401


async def test_worker_id_is_refused_to_a_second_process(
    world: World, serve_more: ServeMore
) -> None:
    with pytest.raises(StartError, match=r"WORKER_ID 0 is in use by process \d+"):
        async with serve_more(worker_id=0):
            pass
