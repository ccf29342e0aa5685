"""Guilds: creating, showing, changing and deleting them."""

from __future__ import annotations

import asyncio

import pytest

from tests.world import World, like


async def test_new_guild_has_everyone_and_general(world: World) -> None:
    alice = await world.person("alice")
    answer = await alice.rest.call("POST", "/guilds", {"name": "Chess", "description": "e4"})
    assert answer.status == 201
    guild = answer.json
    assert guild == like(name="Chess", description="e4", owner_id=alice.id)
    [everyone] = guild["roles"]
    assert everyone == like(id=guild["id"], name="@everyone", position=0)
    [general] = await alice.rest.get(f"/guilds/{guild['id']}/channels")
    assert general == like(name="general", type=0, guild_id=guild["id"])
    assert guild["system_channel_id"] == general["id"]


async def test_new_guild_is_sent_to_its_owner_only(world: World) -> None:
    alice = await world.person("alice")
    first, second, other = await world.online("alice", "alice", "bob")
    guild = await alice.rest.post("/guilds", {"name": "Chess"})
    for client in (first, second):
        created = (await client.next("GUILD_CREATE")).d
        assert created == like(id=guild["id"], member_count=1, large=False, threads=[])
        assert "unavailable" not in created
        assert [member["user"]["id"] for member in created["members"]] == [alice.id]
        assert [channel["name"] for channel in created["channels"]] == ["general"]
    assert await other.received_before_fence() == []


async def test_members_read_a_guild_and_its_counts(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    shown = await world.rest("bob").get(f"/guilds/{guild.id}?with_counts=true")
    assert shown == like(id=guild.id, approximate_member_count=2)


async def test_update_is_sent_to_the_members(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice = await world.person("alice")
    [client] = await world.online("bob")
    changed = await alice.rest.patch(f"/guilds/{guild.id}", {"name": "Go", "description": "x"})
    assert changed == like(name="Go", description="x")
    assert (await client.next("GUILD_UPDATE")).d == changed
    assert (await alice.rest.get(f"/guilds/{guild.id}")) == changed


async def test_system_channel_must_be_a_text_channel_of_the_guild(world: World) -> None:
    guild = await world.guild(owner="alice")
    other = await world.guild(owner="alice")
    alice = await world.person("alice")
    category = await guild.channel("cat", type=4)
    for wrong in (category.id, other.general.id, "1"):
        answer = await alice.rest.call("PATCH", f"/guilds/{guild.id}", {"system_channel_id": wrong})
        assert (answer.status, answer.code) == (400, 50035)
    changed = await alice.rest.patch(f"/guilds/{guild.id}", {"system_channel_id": None})
    assert changed["system_channel_id"] is None


async def test_deleted_guild_is_gone_for_all_members(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.people("alice", "bob")
    await bob.rest.post(f"/channels/{guild.general.id}/messages", {"content": "bye"})
    [client] = await world.online("bob")
    answer = await alice.rest.call("DELETE", f"/guilds/{guild.id}")
    assert (answer.status, answer.raw) == (204, b"")
    assert (await client.next("GUILD_DELETE")).d == {"id": guild.id}
    gone = await bob.rest.call("GET", f"/guilds/{guild.id}")
    assert (gone.status, gone.code) == (404, 10004)
    sent = await bob.rest.call(
        "POST", f"/channels/{guild.general.id}/messages", {"content": "anyone?"}
    )
    assert (sent.status, sent.code) == (404, 10003)
    again = await alice.rest.call("DELETE", f"/guilds/{guild.id}")
    assert (again.status, again.code) == (404, 10004)


async def test_guild_operations_require_permissions(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, carol = await world.people("bob", "carol")
    path = f"/guilds/{guild.id}"
    for method, body in (("PATCH", {"name": "Mine"}), ("DELETE", None)):
        as_member = await bob.rest.call(method, path, body)
        assert (as_member.status, as_member.code) == (403, 50013)
        as_outsider = await carol.rest.call(method, path, body)
        assert (as_outsider.status, as_outsider.code) == (403, 50001)
    assert (await carol.rest.call("GET", path)).code == 50001
    assert (await carol.rest.call("GET", f"{path}/channels")).code == 50001
    assert (await carol.rest.call("GET", f"{path}/members")).code == 50001


async def test_members_are_paged_in_the_order_of_ids(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    people = await world.people("alice", "bob", "carol")
    ids = sorted((person.id for person in people), key=int)
    rest = world.rest("bob")
    first = await rest.get(f"/guilds/{guild.id}/members?limit=2")
    assert [member["user"]["id"] for member in first] == ids[:2]
    rest_of_them = await rest.get(f"/guilds/{guild.id}/members?limit=2&after={ids[1]}")
    assert [member["user"]["id"] for member in rest_of_them] == ids[2:]
    assert await rest.get(f"/guilds/{guild.id}/members?after={ids[2]}") == []
    assert len(await rest.get(f"/guilds/{guild.id}/members")) == 1


async def test_single_member_is_returned(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob, carol = await world.people("alice", "bob", "carol")
    member = await alice.rest.get(f"/guilds/{guild.id}/members/{bob.id}")
    assert member == like(nick=None, roles=[], deaf=False, pending=False)
    assert member["user"]["id"] == bob.id
    own = await bob.rest.get(f"/guilds/{guild.id}/members/@me")
    assert own == member
    missing = await alice.rest.call("GET", f"/guilds/{guild.id}/members/{carol.id}")
    assert (missing.status, missing.code) == (404, 10007)


async def test_member_leaves_a_guild(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    alice_client, bob_client = await world.online("alice", "bob")
    await bob.rest.delete(f"/users/@me/guilds/{guild.id}")
    removed = (await alice_client.next("GUILD_MEMBER_REMOVE")).d
    assert removed == like(guild_id=guild.id)
    assert removed["user"]["id"] == bob.id
    assert (await bob_client.next("GUILD_DELETE")).d == {"id": guild.id}
    await world.rest("alice").post(f"/channels/{guild.general.id}/messages", {"content": "x"})
    assert await bob_client.received_before_fence() == []
    assert (await bob.rest.call("GET", f"/guilds/{guild.id}")).code == 50001


async def test_owner_cannot_leave(world: World) -> None:
    guild = await world.guild(owner="alice")
    answer = await world.rest("alice").call("DELETE", f"/users/@me/guilds/{guild.id}")
    assert answer.status == 400


@pytest.mark.parametrize("name", [None, "", "x", "x" * 101, " x ", 5, "a\0b"])
async def test_invalid_name_is_a_field_error(world: World, name: object) -> None:
    alice = await world.person("alice")
    answer = await alice.rest.call("POST", "/guilds", {"name": name})
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {"name"}


async def test_concurrent_change_and_deletion_of_a_guild(world: World) -> None:
    guild = await world.guild(owner="alice")
    alice = await world.person("alice")
    path = f"/guilds/{guild.id}"
    answers = await asyncio.gather(
        *(alice.rest.call("PATCH", path, {"name": f"name {n}"}) for n in range(5)),
        alice.rest.call("DELETE", path),
        alice.rest.call("POST", f"{path}/channels", {"name": "late"}),
    )
    assert {answer.status for answer in answers} <= {200, 201, 204, 404}
    assert (await alice.rest.call("GET", path)).status == 404
