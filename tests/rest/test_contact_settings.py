"""The senders of direct messages and of friend requests: strangers, and what settings restrict."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.relationships import (
    NO_REQUESTS,
    PATH,
    block,
    friend_of,
    is_refused,
    open_dm,
    open_group,
    request,
    write,
)
from tests.world import World, befriend, like


async def test_strangers_cannot_send_direct_messages(world: World) -> None:
    guild = await world.guild("dave", ["bob", "carol"])
    alice, bob, carol = await world.people("alice", "bob", "carol")
    [hearing] = await world.online("bob")
    assert is_refused(await open_dm(alice, bob))
    assert is_refused(await open_group(alice, bob, carol))
    group = (await open_group(carol, bob, await friend_of(world, carol))).json["id"]
    await hearing.next("CHANNEL_CREATE")
    await befriend(carol, alice)
    await carol.rest.put(f"/channels/{group}/recipients/{alice.id}")
    stranger = await world.person("erin")
    path = f"/channels/{group}/recipients/{stranger.id}"
    assert is_refused(await alice.rest.call("PUT", path))
    assert (await alice.rest.get(f"/channels/{group}"))["recipients"] != []
    await hearing.next("CHANNEL_RECIPIENT_ADD")
    await hearing.received_before_fence()
    assert await alice.rest.get("/users/@me/channels") == [like(id=group)]
    # A shared guild is sufficient as long as it exists.
    await guild.admit(alice)
    channel = (await open_dm(alice, bob)).json["id"]
    assert (await write(alice, channel)).status == 200
    assert (await open_group(alice, bob, carol)).status == 200
    await alice.rest.delete(f"/users/@me/guilds/{guild.id}")
    assert is_refused(await write(alice, channel))
    assert is_refused(await write(bob, channel))
    assert len(await alice.rest.get(f"/channels/{channel}/messages")) == 1
    await befriend(alice, bob)
    assert (await write(alice, channel)).status == 200


async def test_bots_can_message_members_of_their_guilds(world: World) -> None:
    guild = await world.guild("alice", ["bob"])
    bot = await world.bot("bot", "alice", guild)
    bob, carol = await world.people("bob", "carol")
    channel = (await open_dm(bot, bob)).json["id"]
    assert (await write(bot, channel)).status == 200
    assert is_refused(await open_dm(bot, carol))
    await block(bob, bot)
    assert is_refused(await write(bot, channel))
    await bob.rest.patch("/users/@me/settings", {"restricted_guilds": [guild.id]})
    await bob.rest.delete(f"{PATH}/{bot.id}")
    assert is_refused(await write(bot, channel))


DEFAULTS = {
    "direct_messages": "guilds",
    "default_guilds_restricted": False,
    "restricted_guilds": [],
    "friend_source_flags": {"all": True, "mutual_friends": True, "mutual_guilds": True},
}


@pytest.mark.parametrize("setting", ["guilds", "friends", "nobody"])
@pytest.mark.parametrize("sender", ["friend", "member", "stranger"])
async def test_setting_restricts_direct_messages(world: World, setting: str, sender: str) -> None:
    allowed = {"guilds": ("friend", "member"), "friends": ("friend",), "nobody": ()}
    await world.guild("alice", ["member", "carol"])
    alice = await world.person("alice")
    who = await world.person(sender)
    if sender == "friend":
        await befriend(alice, who)
    if sender == "stranger":
        await befriend(alice, who)
        channel = (await open_dm(who, alice)).json["id"]
        await alice.rest.delete(f"{PATH}/{who.id}")
    else:
        channel = (await open_dm(who, alice)).json["id"]
    changed = await alice.rest.patch("/users/@me/settings", {"direct_messages": setting})
    assert changed == like(**{**DEFAULTS, "direct_messages": setting})
    may = sender in allowed[setting]
    answer = await write(who, channel)
    assert answer.status == 200 if may else is_refused(answer), answer.raw
    assert (await open_dm(who, alice)).status == 200  # it exists, and can be read
    other = await friend_of(world, who)
    group = await open_group(who, alice, other)
    assert group.status == 200 if may else is_refused(group)


async def test_setting_applies_to_the_first_message(world: World) -> None:
    guild = await world.guild("alice", ["bob"])
    alice, bob = await world.people("alice", "bob")
    for body in (
        {"direct_messages": "friends"},
        {"direct_messages": "nobody"},
        {"direct_messages": "guilds", "restricted_guilds": [guild.id]},
    ):
        await alice.rest.patch("/users/@me/settings", body)
        assert is_refused(await open_dm(bob, alice)), body
    await world.guild("alice", ["bob"])  # a second one, which is not restricted
    assert (await open_dm(bob, alice)).status == 200


async def test_restricted_guild_members_cannot_message(world: World) -> None:
    guild, other = [await world.guild("bob", ["carol"]) for _ in range(2)]
    alice, bob = await world.people("alice", "bob")
    await guild.admit(alice)
    [client] = await world.online("alice")
    changed = await alice.rest.patch("/users/@me/settings", {"default_guilds_restricted": True})
    assert changed == like(**{**DEFAULTS, "default_guilds_restricted": True})
    assert (await client.next("USER_SETTINGS_UPDATE")).d == {"default_guilds_restricted": True}
    await other.admit(alice)
    settings = await alice.rest.get("/users/@me/settings")
    assert settings["restricted_guilds"] == [other.id]
    assert (await open_dm(bob, alice)).status == 200  # the first guild is not restricted
    for restricted in ([guild.id, other.id], [guild.id], []):
        changed = await alice.rest.patch("/users/@me/settings", {"restricted_guilds": restricted})
        assert sorted(changed["restricted_guilds"]) == sorted(restricted)
    assert (await world.rest("carol").get("/users/@me/settings")) == like(**DEFAULTS)
    await alice.rest.patch("/users/@me/settings", {"restricted_guilds": [guild.id]})
    await alice.rest.delete(f"/users/@me/guilds/{guild.id}")
    assert (await alice.rest.get("/users/@me/settings"))["restricted_guilds"] == []
    await client.received_before_fence()
    await alice.rest.patch("/users/@me/settings", {"default_guilds_restricted": True})
    assert await client.received_before_fence() == []  # the settings are unchanged


@pytest.mark.parametrize(
    "body",
    [
        {"direct_messages": "everyone"},
        {"direct_messages": None},
        {"restricted_guilds": ["1"]},
        {"restricted_guilds": "1"},
        {"restricted_guilds": ["1"] * 201},
        {"friend_source_flags": {"all": "yes"}},
        {"friend_source_flags": {"somebody": True}},
        {"default_guilds_restricted": 1},
        {"theme": "pink"},
        {"direct_messages": "nobody", "status": "asleep"},
        {"explicit_content_filter": 1},
        {"activity_restricted_guild_ids": ["1"]},
        {"custom_status": {"text": "x" * 129}},
        {"guild_folders": [{"id": None}]},
        {"no_such_setting": True},
        [],
    ],
)
async def test_invalid_settings_change_nothing(world: World, body: Any) -> None:
    alice = await world.person("alice")
    answer = await alice.rest.call("PATCH", "/users/@me/settings", body)
    assert is_refused(answer, 50035, 400)
    assert await alice.rest.get("/users/@me/settings") == like(**DEFAULTS)


@pytest.mark.parametrize("allowed", ["all", "mutual_friends", "mutual_guilds", None])
async def test_setting_restricts_friend_requests(world: World, allowed: str | None) -> None:
    await world.guild("alice", ["mate"])
    alice, stranger, acquaintance, common = await world.people(
        "alice", "stranger", "acquaintance", "common"
    )
    mate = await world.person("mate")
    await befriend(common, alice, acquaintance)
    flags = {**NO_REQUESTS, **({allowed: True} if allowed else {})}
    await alice.rest.patch("/users/@me/settings", {"friend_source_flags": flags})
    for person, needed in (
        (stranger, ()),
        (acquaintance, ("mutual_friends",)),
        (mate, ("mutual_guilds",)),
    ):
        answer = await request(person, alice)
        if allowed == "all" or allowed in needed:
            assert answer.status == 204, person.name
        else:
            assert is_refused(answer, 80000, 400)
