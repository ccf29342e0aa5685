"""Friends, friend requests, blocks, and the senders of direct messages."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest

from chatd.services.accounts import relationships
from chatd.services.messages import private_channels
from tests.conftest import Server
from tests.gateway.mirror import Mirror, agree, mirrored
from tests.helpers.locks import held_stream
from tests.world import PASSWORD, Answer, Person, World, befriend, like

PATH = "/users/@me/relationships"
FRIEND, BLOCKED, INCOMING, OUTGOING = 1, 2, 3, 4


async def request(person: Person, other: Person) -> Answer:
    """Send a friend request, or accept one."""
    return await person.rest.call("PUT", f"{PATH}/{other.id}", {})


async def block(person: Person, other: Person) -> None:
    await person.rest.put(f"{PATH}/{other.id}", {"type": 2})


async def kinds(person: Person) -> dict[str, int]:
    """Return the relationships of a person."""
    return {each["id"]: each["type"] for each in await person.rest.get(PATH)}


async def open_dm(person: Person, other: Person) -> Answer:
    return await person.rest.call("POST", "/users/@me/channels", {"recipient_id": other.id})


async def open_group(person: Person, *others: Person) -> Answer:
    body = {"recipients": [other.id for other in others]}
    return await person.rest.call("POST", "/users/@me/channels", body)


async def write(person: Person, channel_id: str) -> Answer:
    return await person.rest.call("POST", f"/channels/{channel_id}/messages", {"content": "hi"})


def names(received: list[Any]) -> list[str]:
    return [event.t for event in received]


def is_refused(answer: Answer, code: int = 50007, status: int = 403) -> bool:
    return (answer.status, answer.code) == (status, code)


async def test_request_is_accepted_and_friendship_ended(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    ours, theirs = await world.online("alice", "bob")
    assert ours.ready["relationships"] == []
    body = {"username": bob.name.upper(), "discriminator": None}
    await alice.rest.post(PATH, body)
    added = (await ours.next("RELATIONSHIP_ADD")).d
    assert added == like(id=bob.id, type=OUTGOING, nickname=None, user=like(username=bob.name))
    added = (await theirs.next("RELATIONSHIP_ADD")).d
    assert added == like(id=alice.id, type=INCOMING, should_notify=True)
    await alice.rest.post(PATH, {**body, "discriminator": "0"})  # a repetition changes nothing
    assert await ours.received_before_fence() == await theirs.received_before_fence() == []
    assert (await request(bob, alice)).status == 204
    for client, other in ((ours, bob), (theirs, alice)):
        assert (await client.next("RELATIONSHIP_ADD")).d == like(id=other.id, type=FRIEND)
    assert is_refused(await request(bob, alice), 80007, 400)
    [fresh] = await world.online("alice")
    assert fresh.ready["relationships"] == await alice.rest.get(PATH)
    assert await kinds(bob) == {alice.id: FRIEND}
    await bob.rest.delete(f"{PATH}/{alice.id}")
    for client, other in ((ours, bob), (theirs, alice)):
        removed = (await client.next("RELATIONSHIP_REMOVE")).d
        assert removed == like(id=other.id, type=FRIEND)
    assert await kinds(alice) == await kinds(bob) == {}
    await bob.rest.delete(f"{PATH}/{alice.id}")  # nothing is left to end
    assert await theirs.received_before_fence() == []


@pytest.mark.parametrize("who", ["alice", "bob"])
async def test_request_is_cancelled_or_declined(world: World, who: str) -> None:
    alice, bob = await world.people("alice", "bob")
    await request(alice, bob)
    ours, theirs = await world.online("alice", "bob")
    other = bob if who == "alice" else alice
    await world.rest(who).delete(f"{PATH}/{other.id}")
    assert (await ours.next("RELATIONSHIP_REMOVE")).d == like(id=bob.id, type=OUTGOING)
    assert (await theirs.next("RELATIONSHIP_REMOVE")).d == like(id=alice.id, type=INCOMING)
    assert await kinds(alice) == await kinds(bob) == {}


async def test_invalid_requests_are_refused(world: World) -> None:
    alice = await world.person("alice")
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice")
    for user_id, status, code in (
        (alice.id, 400, 80003),
        (bot.id, 400, 80002),
        (guild.id, 404, 10013),
        ("1", 404, 10013),
        ("x", 400, 50035),
    ):
        answer = await alice.rest.call("PUT", f"{PATH}/{user_id}", {})
        assert (answer.status, answer.code) == (status, code), answer.raw
    for body, code in (
        ({"username": "nobody at all"}, 80004),
        ({"username": alice.name}, 80003),
        ({"username": alice.name, "discriminator": 1234}, 80004),
        ({"username": "\ufdfa" * 64}, 80004),
        ({"username": "x" * 65}, 50035),
        ({"username": ""}, 50035),
        ({"username": alice.name, "discriminator": "12345"}, 50035),
        ({"username": alice.name, "discriminator": 1.5}, 50035),
        ({}, 50035),
    ):
        answer = await alice.rest.call("POST", PATH, body)
        assert (answer.status, answer.code) == (400, code), body
    answer = await alice.rest.call("PUT", f"{PATH}/{bot.id}", {"type": 3})
    assert is_refused(answer, 50035, 400)
    assert is_refused(await alice.rest.call("PUT", f"{PATH}/{alice.id}", {"type": 2}), 80003, 400)


async def test_nickname_is_visible_to_its_owner_only(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
    ours, theirs = await world.online("alice", "bob")
    await alice.rest.patch(f"{PATH}/{bob.id}", {"nickname": " Bobby "})
    assert (await ours.next("RELATIONSHIP_UPDATE")).d == like(id=bob.id, nickname="Bobby")
    assert (await alice.rest.get(PATH))[0] == like(nickname="Bobby", type=FRIEND)
    assert (await bob.rest.get(PATH))[0] == like(nickname=None)
    await alice.rest.patch(f"{PATH}/{bob.id}", {"nickname": "Bobby"})
    await alice.rest.patch(f"{PATH}/{bob.id}", {})
    assert await ours.received_before_fence() == await theirs.received_before_fence() == []
    await alice.rest.patch(f"{PATH}/{bob.id}", {"nickname": None})
    assert (await ours.next("RELATIONSHIP_UPDATE")).d["nickname"] is None
    answer = await alice.rest.call("PATCH", f"{PATH}/{bob.id}", {"nickname": "x" * 33})
    assert is_refused(answer, 50035, 400)
    await block(alice, bob)
    answer = await alice.rest.call("PATCH", f"{PATH}/{bob.id}", {"nickname": "x"})
    assert answer.status == 404


async def test_block_ends_a_friendship_and_is_hidden(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
    ours, theirs = await world.online("alice", "bob")
    await block(alice, bob)
    await block(alice, bob)
    received = await ours.received_before_fence()
    assert names(received) == ["RELATIONSHIP_ADD"]
    assert received[0].d == like(id=bob.id, type=BLOCKED)
    received = await theirs.received_before_fence()
    assert names(received) == ["RELATIONSHIP_REMOVE"]
    assert received[0].d == like(id=alice.id, type=FRIEND)
    assert (await kinds(alice), await kinds(bob)) == ({bob.id: BLOCKED}, {})
    # The error is that of a person who accepts no requests from strangers.
    blocked = await request(bob, alice)
    dave = await world.person("dave")
    await dave.rest.patch("/users/@me/settings", {"friend_source_flags": NO_REQUESTS})
    closed = await request(bob, dave)
    assert (blocked.status, blocked.raw) == (closed.status, closed.raw)
    assert is_refused(blocked, 80000, 400)
    assert is_refused(await request(alice, bob), 80001, 400)  # the block is her own
    await alice.rest.delete(f"{PATH}/{bob.id}")
    assert (await ours.next("RELATIONSHIP_REMOVE")).d == like(id=bob.id, type=BLOCKED)
    assert await theirs.received_before_fence() == []
    assert (await request(alice, await world.person("carol"))).status == 204


NO_REQUESTS = {"all": False, "mutual_friends": False, "mutual_guilds": False}


@pytest.mark.parametrize("how", ["PUT", "DELETE"])
async def test_mutual_blocks_are_independent(world: World, how: str) -> None:
    alice, bob = await world.people("alice", "bob")
    await block(alice, bob)
    await block(bob, alice)
    if how == "DELETE":
        await alice.rest.delete(f"{PATH}/{bob.id}")
    assert await kinds(bob) == {alice.id: BLOCKED}
    assert await kinds(alice) == ({} if how == "DELETE" else {bob.id: BLOCKED})


async def test_changes_affect_only_the_pair(world: World) -> None:
    alice, bob, carol, dave = await world.friends("alice", "bob", "carol", "dave")
    await befriend(bob, carol)
    await alice.rest.patch(f"{PATH}/{carol.id}", {"nickname": "C"})
    await alice.rest.patch(f"{PATH}/{bob.id}", {"nickname": "B"})
    await block(dave, alice)
    await alice.rest.delete(f"{PATH}/{bob.id}")
    assert [(each["id"], each["nickname"]) for each in await alice.rest.get(PATH)] == [
        (carol.id, "C")
    ]
    assert await kinds(bob) == {carol.id: FRIEND}
    assert await kinds(carol) == {alice.id: FRIEND, bob.id: FRIEND}
    assert await kinds(dave) == {alice.id: BLOCKED}


BARRED = {
    "POST /channels/{channel}/messages": {"content": "x"},
    "PATCH /channels/{channel}/messages/{own}": {"content": "x"},
    "POST /channels/{channel}/typing": None,
    "PUT /channels/{channel}/messages/{message}/reactions/{other}/@me": None,
    "PUT /channels/{channel}/messages/{message}/reactions/{thumb}/@me": None,
    "PUT /channels/{channel}/messages/pins/{message}": None,
    "PUT /channels/{channel}/pins/{message}": None,
    "DELETE /channels/{channel}/messages/pins/{pinned}": None,
}
"""All actions with events in a direct message channel."""


@pytest.mark.parametrize("who", ["the blocked", "the blocker"])
@pytest.mark.parametrize("act", BARRED)
async def test_block_prevents_actions_in_direct_messages(world: World, act: str, who: str) -> None:
    await world.guild("alice", ["bob"])
    alice, bob = await world.friends("alice", "bob")
    acting, other = (bob, alice) if who == "the blocked" else (alice, bob)
    channel = (await open_dm(alice, bob)).json["id"]
    path = f"/channels/{channel}/messages"
    message = (await write(other, channel)).json["id"]
    own = (await write(acting, channel)).json["id"]
    pinned = (await write(other, channel)).json["id"]
    await other.rest.put(f"{path}/pins/{pinned}")
    await other.rest.put(f"{path}/{message}/reactions/{quote('👍')}/@me")
    await block(alice, bob)
    [hearing] = await world.online("alice" if other is alice else "bob")
    method, _, template = act.partition(" ")
    url = template.format(
        channel=channel,
        message=message,
        own=own,
        pinned=pinned,
        thumb=quote("👍"),
        other=quote("🙂"),
    )
    assert is_refused(await acting.rest.call(method, url, BARRED[act])), act
    assert await hearing.received_before_fence() == []
    # Messages are kept, can be read, and can be deleted by their authors.
    assert len(await acting.rest.get(path)) == 4
    assert (await open_dm(acting, other)).json["id"] == channel
    await acting.rest.delete(f"{path}/{own}")
    await alice.rest.delete(f"{PATH}/{bob.id}")
    assert (await write(acting, channel)).status == 200


async def test_blocked_person_cannot_add_the_blocker_to_groups(world: World) -> None:
    await world.guild("alice", ["bob", "carol"])
    alice, bob, carol = await world.people("alice", "bob", "carol")
    shared = (await open_group(bob, alice, carol)).json["id"]
    await block(alice, bob)
    assert is_refused(await open_group(bob, alice, carol))
    assert is_refused(await open_group(alice, bob, carol))
    group = (await open_group(bob, carol, await friend_of(world, bob))).json["id"]
    path = f"/channels/{group}/recipients/{alice.id}"
    assert is_refused(await bob.rest.call("PUT", path))
    assert (await carol.rest.call("PUT", path)).status == 204  # another member may
    for channel in (shared, group):  # a shared group is unchanged
        assert (await write(bob, channel)).status == 200
        assert (await write(alice, channel)).status == 200


async def friend_of(world: World, person: Person) -> Person:
    other = await world.person(f"pal{person.id[-5:]}")
    await befriend(person, other)
    return other


async def test_blocked_person_stays_visible_in_a_guild(world: World) -> None:
    guild = await world.guild("alice", ["bob"])
    alice, bob = await world.people("alice", "bob")
    await block(alice, bob)
    sent = (await write(bob, guild.general.id)).json
    assert (await alice.rest.get(f"/channels/{guild.general.id}/messages"))[0] == sent
    thumb = f"/channels/{guild.general.id}/messages/{sent['id']}/reactions/{quote('👍')}/@me"
    await alice.rest.put(thumb)


@pytest.mark.parametrize("order", ["message first", "block first"])
async def test_message_is_before_or_after_a_block(world: World, server: Server, order: str) -> None:
    alice, bob = await world.friends("alice", "bob")
    channel = (await open_dm(alice, bob)).json["id"]
    calls: list[Callable[[], Awaitable[Answer]]] = [
        lambda: write(bob, channel),
        lambda: alice.rest.call("PUT", f"{PATH}/{bob.id}", {"type": 2}),
    ]
    if order == "block first":
        calls.reverse()
    with held_stream(server, alice.id) as held:
        tasks: list[asyncio.Future[Answer]] = []
        for place, call in enumerate(calls, 1):
            tasks.append(asyncio.ensure_future(call()))
            await held.waited_for_by(place)
        held.release()
        first, second = await asyncio.gather(*tasks)
    if order == "message first":
        assert (first.status, second.status) == (200, 204)
    else:
        assert first.status == 204
        assert is_refused(second)


# --- strangers ------------------------------------------------------------------------------------


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


# --- settings -------------------------------------------------------------------------------------

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


# --- limits ---------------------------------------------------------------------------------------


async def test_groups_of_a_person_are_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_channels, "MAX_GROUPS", 3)
    alice, bob, *others = await world.friends("alice", "bob", *(f"p{n}" for n in range(5)))
    await befriend(bob, *others)
    await befriend(others[0], *others[1:3])
    # All add alice to a group at the same time.
    makers = [bob, *others]
    asked = [open_group(maker, alice, bob if maker is not bob else others[0]) for maker in makers]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status for answer in answers) == [200] * 3 + [400] * 3
    assert {answer.code for answer in answers if answer.status == 400} == {30011}
    assert len(await alice.rest.get("/users/@me/channels")) == 3
    assert is_refused(await open_group(alice, *others[1:3]), 30011, 400)
    group = (await open_group(others[0], *others[1:3])).json["id"]
    path = f"/channels/{group}/recipients/{alice.id}"
    assert is_refused(await others[0].rest.call("PUT", path), 30011, 400)


async def test_pending_requests_are_bounded_on_both_sides(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relationships, "MAX_REQUESTS", 2)
    alice, *others = await world.people("alice", *(f"p{n}" for n in range(5)))
    answers = await asyncio.gather(*(request(other, alice) for other in others))
    assert sorted(answer.status for answer in answers) == [204, 204, 400, 400, 400]
    assert {answer.code for answer in answers if answer.status == 400} == {80000}
    assert sorted((await kinds(alice)).values()) == [INCOMING, INCOMING]
    dave, *others = await world.people("dave", *(f"q{n}" for n in range(4)))
    answers = await asyncio.gather(*(request(dave, other) for other in others))
    assert sorted(answer.status for answer in answers) == [204, 204, 400, 400]
    assert {answer.code for answer in answers if answer.status == 400} == {30002}


async def test_friends_and_blocks_are_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relationships, "MAX_FRIENDS", 2)
    monkeypatch.setattr(relationships, "MAX_BLOCKS", 2)
    alice, *others = await world.people("alice", *(f"p{n}" for n in range(4)))
    for other in others:
        await request(other, alice)
    answers = await asyncio.gather(*(request(alice, other) for other in others))
    assert sorted(answer.status for answer in answers) == [204, 204, 400, 400]
    assert {answer.code for answer in answers if answer.status == 400} == {30002}
    assert sorted((await kinds(alice)).values()) == [FRIEND, FRIEND, INCOMING, INCOMING]
    # The other side is at the limit.
    full, late = alice, await world.person("late")
    await late.rest.call("PUT", f"{PATH}/{full.id}", {})
    assert is_refused(await request(full, late), 30002, 400)
    answers = await asyncio.gather(
        *(alice.rest.call("PUT", f"{PATH}/{other.id}", {"type": 2}) for other in others)
    )
    assert sorted(answer.status for answer in answers) == [204, 204, 400, 400]


# --- accounts -------------------------------------------------------------------------------------


async def test_deletion_ends_friendships(world: World) -> None:
    alice, bob, carol, dave = await world.friends("alice", "bob", "carol", "dave")
    await befriend(bob, carol)
    await block(dave, bob)
    await request(bob, await world.person("erin"))
    ours, hers, his = await world.online("alice", "carol", "dave")
    await bob.rest.call("POST", "/users/@me/delete", {"password": PASSWORD})
    for client in (ours, hers):
        assert (await client.next("RELATIONSHIP_REMOVE")).d == like(id=bob.id, type=FRIEND)
    assert await his.received_before_fence() == []
    assert await kinds(alice) == {carol.id: FRIEND, dave.id: FRIEND}
    assert await kinds(carol) == {alice.id: FRIEND}
    assert await kinds(await world.person("erin")) == {}
    assert await kinds(dave) == {alice.id: FRIEND, bob.id: BLOCKED}
    assert is_refused(await request(alice, bob), 10013, 404)
    await dave.rest.delete(f"{PATH}/{bob.id}")
    assert await kinds(dave) == {alice.id: FRIEND}


async def test_friends_see_a_profile(world: World) -> None:
    alice, bob, carol = await world.people("alice", "bob", "carol")
    await befriend(alice, bob)
    await request(carol, alice)
    path = f"/users/{alice.id}/profile"
    assert (await bob.rest.get(path))["mutual_guilds"] == []
    assert is_refused(await carol.rest.call("GET", path), 50001)


async def test_bots_have_no_relationships(world: World) -> None:
    guild = await world.guild("alice")
    await world.bot("bot", "alice", guild)
    [client] = await world.online("bot", intents=1)
    assert "relationships" not in client.ready


# --- any order ------------------------------------------------------------------------------------

CONSISTENT = {
    (FRIEND, FRIEND),
    (INCOMING, OUTGOING),
    (OUTGOING, INCOMING),
    (BLOCKED, None),
    (None, BLOCKED),
    (BLOCKED, BLOCKED),
    (None, None),
}


async def act(rng: random.Random, person: Person, other: Person) -> None:
    path = f"{PATH}/{other.id}"
    method, body = rng.choice(
        [
            ("PUT", {}),
            ("PUT", {"type": 1}),
            ("PUT", {"type": 2}),
            ("DELETE", None),
            ("DELETE", None),
            ("PATCH", {"nickname": str(rng.randrange(3))}),
        ]
    )
    await person.rest.call(method, path, body)


@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("seed", range(3))
async def test_any_order_of_operations_is_consistent_for_both(
    world: World, seed: int, at_once: int
) -> None:
    rng = random.Random(seed)
    people = await world.people("alice", "bob")
    mirrors = [await mirrored(world, name) for name in ("alice", "bob")]
    for _ in range(20):
        acts = [act(rng, *rng.sample(people, 2)) for _ in range(at_once)]
        await asyncio.gather(*acts)
        alice, bob = people
        pair = ((await kinds(alice)).get(bob.id), (await kinds(bob)).get(alice.id))
        assert pair in CONSISTENT
    fresh: dict[str, Mirror] = {}
    for name in ("alice", "bob"):
        fresh[name] = await mirrored(world, name)
    await agree(list(zip(("alice", "bob"), mirrors, strict=True)), fresh)
