"""Accounts: the bio and the profile."""

from __future__ import annotations

import pytest

from tests.world import World, like


async def test_bio_is_in_the_own_user_and_the_profile(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.people("alice", "bob")
    assert (await bob.rest.get("/users/@me"))["bio"] == ""
    alice_client, bob_client = await world.online("alice", "bob")
    changed = await bob.rest.patch("/users/@me", {"bio": "I sail.\nOften."})
    assert changed["bio"] == "I sail.\nOften."
    assert (await bob_client.next("USER_UPDATE")).d == changed
    assert await alice_client.received_before_fence() == []
    profile = await alice.rest.get(f"/users/{bob.id}/profile")
    assert profile["user"] == like(id=bob.id, username=bob.name, bio="I sail.\nOften.")
    assert "email" not in profile["user"]
    assert profile["user_profile"] == like(bio="I sail.\nOften.", pronouns="", banner=None)
    assert profile["mutual_guilds"] == [{"id": guild.id, "nick": None}]
    assert "bio" not in await alice.rest.get(f"/users/{bob.id}")
    assert (await bob.rest.patch("/users/@me", {"bio": None}))["bio"] == ""


async def test_profile_requires_a_shared_guild(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob, carol = await world.people("alice", "bob", "carol")
    assert (await carol.rest.get(f"/users/{carol.id}/profile"))["mutual_guilds"] == []
    answer = await carol.rest.call("GET", f"/users/{bob.id}/profile")
    assert (answer.status, answer.code) == (403, 50001)
    await bob.rest.delete(f"/users/@me/guilds/{guild.id}")
    assert (await alice.rest.call("GET", f"/users/{bob.id}/profile")).code == 50001
    assert (await alice.rest.call("GET", "/users/1/profile")).code == 10013


@pytest.mark.parametrize("bio", ["x" * 191, "nul\0", 7, ["x"]], ids=["long", "nul", "int", "list"])
async def test_invalid_bio_is_a_field_error(world: World, bio: object) -> None:
    alice = await world.person("alice")
    answer = await alice.rest.call("PATCH", "/users/@me", {"bio": bio})
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {"bio"}
    longest = "ö" * 190
    assert (await alice.rest.patch("/users/@me", {"bio": longest}))["bio"] == longest
