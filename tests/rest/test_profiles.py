"""Profiles of users, with what they have in common with the caller."""

from __future__ import annotations

from tests.world import World, befriend, like


async def test_profile_has_what_clients_read(world: World) -> None:
    """discord.py-self and Fermi read these keys without a default."""
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.people("alice", "bob")
    profile = await alice.rest.get(f"/users/{bob.id}/profile")
    for key in ("connected_accounts", "badges", "guild_badges"):
        assert profile[key] == []
    for key in ("premium_type", "premium_since", "premium_guild_since", "legacy_username"):
        assert profile[key] is None
    assert profile["mutual_guilds"] == [{"id": guild.id, "nick": None}]
    assert not {"mutual_friends", "mutual_friends_count", "guild_member"} & profile.keys()
    profile = await alice.rest.get(f"/users/{bob.id}/profile?with_mutual_guilds=false")
    assert "mutual_guilds" not in profile


async def test_mutual_friends_are_shown_when_requested(world: World) -> None:
    alice, bob, common, own, theirs = await world.people("alice", "bob", "common", "own", "theirs")
    await befriend(alice, bob, common, own)
    await befriend(bob, common, theirs)
    path = f"/users/{bob.id}/profile"
    profile = await alice.rest.get(f"{path}?with_mutual_friends=true")
    assert profile["mutual_friends"] == [like(id=common.id, username=common.name)]
    assert profile["mutual_friends_count"] == 1
    profile = await alice.rest.get(f"{path}?with_mutual_friends_count=true")
    assert profile["mutual_friends_count"] == 1
    assert "mutual_friends" not in profile
    found = await alice.rest.get(f"/users/{bob.id}/relationships")
    assert found == [like(id=common.id, username=common.name)]


async def test_member_is_shown_when_requested(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    other = await world.guild(owner="alice")
    alice, bob = await world.people("alice", "bob")
    await bob.rest.patch(f"/guilds/{guild.id}/members/@me", {"nick": "Bobby"})
    path = f"/users/{bob.id}/profile?guild_id="
    profile = await alice.rest.get(path + guild.id)
    assert profile["guild_member"] == await alice.rest.get(f"/guilds/{guild.id}/members/{bob.id}")
    assert profile["guild_member_profile"] == like(guild_id=guild.id, bio="", pronouns="")
    assert "guild_member" not in await alice.rest.get(path + other.id)
    assert (
        await bob.rest.call("GET", f"/users/{alice.id}/profile?guild_id={other.id}")
    ).code == 50001
    assert (await alice.rest.call("GET", path + "1")).code == 10004


async def test_profile_is_shown_to_acquaintances_only(world: World) -> None:
    alice, bob, carol = await world.people("alice", "bob", "carol")
    for path in (f"/users/{bob.id}/profile", f"/users/{bob.id}/relationships"):
        assert (await alice.rest.call("GET", path)).code == 50001
    await bob.rest.put(f"/users/@me/relationships/{alice.id}", {})  # a request of his
    assert (await alice.rest.get(f"/users/{bob.id}/profile"))["user"]["id"] == bob.id
    assert (await bob.rest.call("GET", f"/users/{alice.id}/profile")).code == 50001
    await carol.rest.put(f"/users/@me/relationships/{bob.id}", {"type": 2})
    assert (await carol.rest.call("GET", f"/users/{bob.id}/profile")).code == 50001


async def test_everyone_may_see_a_bot(world: World) -> None:
    bot = await world.bot("robot", "alice")
    bob = await world.person("bob")
    profile = await bob.rest.get(f"/users/{bot.id}/profile")
    assert profile["application"] == like(id=bot.id, verified=False)
    assert profile["user"] == like(id=bot.id, bot=True)


async def test_requests_as_other_clients_send_them(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    path = "/users/@me/relationships"
    body = {"username": bob.name, "discriminator": None, "note": None}
    await alice.rest.post(path, body)
    accepted = {"type": -1, "from_friend_suggestion": False, "confirm_stranger_request": True}
    await bob.rest.put(f"{path}/{alice.id}", accepted)
    assert await bob.rest.get(path) == [like(id=alice.id, type=1)]
    for method, target, refused in (
        ("POST", path, {"username": bob.name, "note": "hello"}),
        ("PUT", f"{path}/{bob.id}", {"note": "hello"}),
        ("PUT", f"{path}/{bob.id}", {"type": 3}),
    ):
        answer = await alice.rest.call(method, target, refused)
        assert (answer.status, answer.code) == (400, 50035)


async def test_bio_is_changed_as_clients_of_people_change_it(world: World) -> None:
    alice = await world.person("alice")
    [client] = await world.online("alice")
    shown = await alice.rest.patch("/users/@me/profile", {"bio": "I program.", "pronouns": ""})
    assert shown == like(bio="I program.", pronouns="", accent_color=None, banner=None)
    assert (await client.next("USER_UPDATE")).d == like(id=alice.id, bio="I program.")
    assert await alice.rest.get("/users/@me") == like(bio="I program.")
    refused = await alice.rest.call("PATCH", "/users/@me/profile", {"accent_color": 255})
    assert (refused.status, refused.json["errors"].keys()) == (400, {"accent_color"})
    assert await alice.rest.patch("/users/@me/profile", {}) == like(bio="I program.")
    assert await alice.rest.patch("/users/@me/profile", {"bio": None}) == like(bio="")
