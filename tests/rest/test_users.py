"""Users: profiles, changing the own one, and listing the own guilds."""

from __future__ import annotations

import asyncio

import pytest

from tests.world import World, like


async def test_own_account_and_other_users(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    own = await alice.rest.get("/users/@me")
    assert own == like(id=alice.id, email=alice.email, mfa_enabled=False, flags=0)
    other = await alice.rest.get(f"/users/{bob.id}")
    assert other == like(id=bob.id, username=bob.name, discriminator="0", bot=False)
    assert "email" not in other


async def test_unknown_user_is_refused(world: World) -> None:
    alice = await world.person("alice")
    answer = await alice.rest.call("GET", "/users/1")
    assert (answer.status, answer.code) == (404, 10013)


async def test_new_name_is_sent_to_the_user_and_its_guilds(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    alice_client, bob_client = await world.online("alice", "bob")
    changed = await bob.rest.patch("/users/@me", {"global_name": "Bob the Second"})
    assert changed == like(id=bob.id, global_name="Bob the Second", email=bob.email)
    assert (await bob_client.next("USER_UPDATE")).d == changed
    update = await alice_client.next("GUILD_MEMBER_UPDATE")
    assert update.d == like(guild_id=guild.id, nick=None)
    assert update.d["user"] == like(id=bob.id, global_name="Bob the Second")
    sent = await bob.rest.post(f"/channels/{guild.general.id}/messages", {"content": "hi"})
    assert sent["author"]["global_name"] == "Bob the Second"


async def test_taken_username_is_refused(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    answer = await bob.rest.call("PATCH", "/users/@me", {"username": alice.name.upper()})
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {"username"}
    assert (await bob.rest.get("/users/@me"))["username"] == bob.name


async def test_empty_change_changes_nothing(world: World) -> None:
    alice = await world.person("alice")
    [client] = await world.online("alice")
    await alice.rest.patch("/users/@me", {})
    assert await client.received_before_fence() == []


async def test_own_guilds_are_paged_by_id(world: World) -> None:
    guilds = [await world.guild(owner="alice") for _ in range(3)]
    await world.guild(owner="bob")
    alice = await world.person("alice")
    ids = [guild.id for guild in guilds]
    listed = await alice.rest.get("/users/@me/guilds")
    assert [each["id"] for each in listed] == ids
    assert listed[0] == like(owner=True, name="alice's guild")
    assert int(listed[0]["permissions"]) & 1 << 3
    after = await alice.rest.get(f"/users/@me/guilds?after={ids[0]}&limit=1")
    assert [each["id"] for each in after] == [ids[1]]
    before = await alice.rest.get(f"/users/@me/guilds?before={ids[1]}")
    assert [each["id"] for each in before] == [ids[0]]


async def test_own_guilds_include_counts_on_request(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    [listed] = await guild.owner.rest.get("/users/@me/guilds?with_counts=true")
    assert listed == like(approximate_member_count=3, approximate_presence_count=0)
    [plain] = await guild.owner.rest.get("/users/@me/guilds")
    assert "approximate_member_count" not in plain


@pytest.mark.parametrize("limit", ["0", "201", "x", "-1", "1.5", "１"])
async def test_invalid_limit_is_named(world: World, limit: str) -> None:
    alice = await world.person("alice")
    answer = await alice.rest.call("GET", f"/users/@me/guilds?limit={limit}")
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {"limit"}


async def test_concurrent_renames_and_joins_do_not_deadlock(world: World) -> None:
    guild = await world.guild(owner="alice")
    other = await world.guild(owner="bob")
    alice = await world.person("alice")
    path = f"/channels/{guild.general.id}/invites"
    code = await other.invite()
    answers = await asyncio.gather(
        *(alice.rest.call("PATCH", "/users/@me", {"global_name": f"A{n}"}) for n in range(15)),
        *(alice.rest.call("POST", path, {"unique": True}) for _ in range(30)),
        alice.rest.call("POST", f"/invites/{code}"),
    )
    refused = [answer.status for answer in answers if answer.status != 200]
    assert len(refused) <= 2  # renames that conflict with a join
