"""Private channels: between two, in groups, and what has been read."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from chatd.rest import routes
from tests.conftest import Server
from tests.locks import held_stream
from tests.world import PASSWORD, Client, Person, World, like


async def dm(one: Person, other: Person) -> str:
    """The channel of two people, as the first asks for it."""
    made = await one.rest.post("/users/@me/channels", {"recipient_id": other.id})
    return str(made["id"])


async def group(owner: Person, *others: Person) -> str:
    """A new group."""
    body = {"recipients": [person.id for person in others]}
    return str((await owner.rest.post("/users/@me/channels", body))["id"])


def names(heard: list[Any]) -> list[str]:
    return [event.t for event in heard]


async def test_a_message_from_one_to_the_other(world: World) -> None:
    alice, bob, _ = await world.people("alice", "bob", "carol")
    ours, theirs, strangers = await world.online("alice", "bob", "carol")
    channel = await dm(alice, bob)
    made = (await ours.next("CHANNEL_CREATE")).d
    assert made == like(id=channel, type=1, last_message_id=None)
    assert [user["id"] for user in made["recipients"]] == [bob.id]
    assert not made.keys() & {"guild_id", "name"}
    assert await theirs.heard_before_fence() == []  # nothing has been said yet
    assert await bob.rest.get("/users/@me/channels") == []
    sent = await alice.rest.post(f"/channels/{channel}/messages", {"content": f"hi <@{bob.id}>"})
    assert [user["id"] for user in sent["mentions"]] == [bob.id]
    assert not sent.keys() & {"guild_id", "member"}
    opened, heard = await theirs.heard_before_fence()
    assert (opened.t, opened.d["recipients"]) == ("CHANNEL_CREATE", [like(id=alice.id)])
    assert (heard.t, heard.d) == ("MESSAGE_CREATE", sent)
    assert (await ours.next("MESSAGE_CREATE")).d == sent
    assert await strangers.heard_before_fence() == []
    assert await bob.rest.get(f"/channels/{channel}/messages") == [sent]
    [listed] = await bob.rest.get("/users/@me/channels")
    assert listed == like(id=channel, type=1, last_message_id=sent["id"])
    [again] = await world.online("bob")
    assert again.ready["private_channels"] == [listed]


async def test_two_people_have_one_channel(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    asked = [dm(*pair) for pair in ((alice, bob), (bob, alice)) for _ in range(8)]
    assert len(set(await asyncio.gather(*asked))) == 1
    one = {"recipients": [bob.id]}
    assert (await alice.rest.post("/users/@me/channels", one))["id"] == await dm(alice, bob)


async def test_everything_a_message_can_do(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    channel = await dm(alice, bob)
    base = f"/channels/{channel}"
    [theirs] = await world.online("bob")
    sent = await alice.rest.post(f"{base}/messages", {"content": "a"})
    message = f"{base}/messages/{sent['id']}"
    await bob.rest.post(f"{base}/typing")
    await alice.rest.patch(message, {"content": "b"})
    thumb = f"{message}/reactions/{quote('👍')}"
    await bob.rest.put(f"{thumb}/@me")
    assert [user["id"] for user in await alice.rest.get(thumb)] == [bob.id]
    await bob.rest.delete(f"{thumb}/@me")
    await bob.rest.put(f"{base}/messages/pins/{sent['id']}")
    assert len((await alice.rest.get(f"{base}/messages/pins"))["items"]) == 1
    reply = {"content": "c", "message_reference": {"message_id": sent["id"]}}
    answer = await bob.rest.post(f"{base}/messages", reply)
    assert answer == like(type=19, referenced_message=like(id=sent["id"], content="b"))
    assert "guild_id" not in answer["message_reference"]
    await alice.rest.delete(message)
    heard = await theirs.heard_before_fence()
    assert names(heard) == [
        "CHANNEL_CREATE",
        "MESSAGE_CREATE",
        "TYPING_START",
        "MESSAGE_UPDATE",
        "MESSAGE_REACTION_ADD",
        "MESSAGE_REACTION_REMOVE",
        "CHANNEL_PINS_UPDATE",
        "MESSAGE_UPDATE",
        "MESSAGE_CREATE",
        "MESSAGE_CREATE",
        "MESSAGE_DELETE",
    ]
    assert all("guild_id" not in event.d and "member" not in event.d for event in heard)


async def test_what_is_not_done_in_private(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    channel = await dm(alice, bob)
    base = f"/channels/{channel}"
    sent = await alice.rest.post(f"{base}/messages", {"content": "@everyone"})
    assert sent["mention_everyone"] is False
    message = f"{base}/messages/{sent['id']}"
    for method, path, body in (
        ("DELETE", message, None),
        ("POST", f"{base}/messages/bulk-delete", {"messages": [sent["id"], str(2**62)]}),
        ("DELETE", f"{message}/reactions", None),
        ("POST", f"{base}/invites", {}),
        ("PUT", f"{base}/permissions/{bob.id}", {"type": 1}),
    ):
        answer = await bob.rest.call(method, path, body)
        assert (answer.status, answer.code) == (403, 50003), path
    answer = await bob.rest.call("PATCH", base, {"name": "ours"})
    assert (answer.status, answer.code) == (400, 50024)


async def test_closing_hides_until_there_is_something_new(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    channel = await dm(alice, bob)
    [ours] = await world.online("alice")
    await alice.rest.delete(f"/channels/{channel}")
    assert (await ours.next("CHANNEL_DELETE")).d["id"] == channel
    assert await alice.rest.get("/users/@me/channels") == []
    await alice.rest.delete(f"/channels/{channel}")  # closed already
    assert await ours.heard_before_fence() == []
    await bob.rest.post(f"/channels/{channel}/messages", {"content": "wait"})
    assert names(await ours.heard_before_fence()) == ["CHANNEL_CREATE", "MESSAGE_CREATE"]
    await alice.rest.delete(f"/channels/{channel}")
    assert await dm(alice, bob) == channel
    assert (await ours.next("CHANNEL_CREATE")).d["id"] == channel


async def test_a_group_and_who_is_in_it(world: World) -> None:
    alice, bob, carol, dave = await world.people("alice", "bob", "carol", "dave")
    ours, theirs, hers, his = await world.online("alice", "bob", "carol", "dave")
    channel = await group(alice, bob, carol)
    base = f"/channels/{channel}"
    for client in (ours, theirs, hers):
        made = (await client.next("CHANNEL_CREATE")).d
        assert made == like(id=channel, type=3, owner_id=alice.id, name=None)
        assert len(made["recipients"]) == 2
    await bob.rest.patch(base, {"name": "the three"})
    assert (await hers.next("CHANNEL_UPDATE")).d["name"] == "the three"
    assert (await hers.next("MESSAGE_CREATE")).d == like(type=4, content="the three")
    await bob.rest.put(f"{base}/recipients/{dave.id}")
    await bob.rest.put(f"{base}/recipients/{dave.id}")  # he is in it already
    assert (await hers.next("CHANNEL_RECIPIENT_ADD")).d["user"]["id"] == dave.id
    assert (await hers.next("MESSAGE_CREATE")).d == like(type=1, mentions=[like(id=dave.id)])
    assert names(await his.heard_before_fence()) == ["CHANNEL_CREATE", "MESSAGE_CREATE"]
    refused = await bob.rest.call("DELETE", f"{base}/recipients/{dave.id}")
    assert (refused.status, refused.code) == (403, 50013)
    await alice.rest.delete(f"{base}/recipients/{dave.id}")
    assert names(await his.heard_before_fence()) == ["CHANNEL_DELETE"]
    assert (await dave.rest.call("GET", f"{base}/messages")).code == 50001
    await bob.rest.post(f"{base}/messages", {"content": "he is gone"})
    assert await his.heard_before_fence() == []
    await theirs.heard_before_fence()
    await alice.rest.delete(base)  # she leaves, and leads it no more
    heard = await theirs.heard_before_fence()
    assert names(heard) == ["CHANNEL_RECIPIENT_REMOVE", "CHANNEL_UPDATE", "MESSAGE_CREATE"]
    assert heard[1].d["owner_id"] == min(bob.id, carol.id, key=int)
    told = (await bob.rest.get(f"{base}/messages"))[0]
    assert told == like(type=2, mentions=[like(id=alice.id)])
    answer = await bob.rest.call("DELETE", f"{base}/messages/{told['id']}")
    assert (answer.status, answer.code) == (403, 50021)
    await bob.rest.delete(base)
    await carol.rest.delete(base)
    assert (await carol.rest.call("GET", base)).code == 10003


async def test_wrong_recipients(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    others = [await world.person(f"p{n}") for n in range(10)]
    for body, code in (
        ({"recipient_id": alice.id}, 50033),
        ({"recipient_id": "1"}, 50033),
        ({"recipients": [alice.id]}, 50033),
        ({"recipients": ["1", bob.id]}, 50033),
        ({"recipients": [person.id for person in others]}, 30004),
        ({"recipients": []}, 50035),
        ({}, 50035),
    ):
        answer = await alice.rest.call("POST", "/users/@me/channels", body)
        assert (answer.status, answer.code) == (400, code), body
    channel = await group(alice, *others[:9])
    full = await alice.rest.call("PUT", f"/channels/{channel}/recipients/{bob.id}")
    assert (full.status, full.code) == (400, 30004)
    two = await dm(alice, bob)
    answer = await alice.rest.call("PUT", f"/channels/{two}/recipients/{others[0].id}")
    assert (answer.status, answer.code) == (400, 50024)


async def test_the_last_place_in_a_group_goes_once(world: World) -> None:
    alice = await world.person("alice")
    others = [await world.person(f"p{n}") for n in range(12)]
    channel = await group(alice, *others[:8])
    answers = await asyncio.gather(
        *(
            alice.rest.call("PUT", f"/channels/{channel}/recipients/{person.id}")
            for person in others[8:]
        )
    )
    assert sorted(answer.status for answer in answers) == [204, 400, 400, 400]


@pytest.mark.parametrize(
    "name",
    [
        f"{route.method} {route.path}"
        for route in routes.table()
        if "{channel_id}" in route.path and "attachments" not in route.path
    ],
)
async def test_strangers_are_refused_in_private(world: World, name: str) -> None:
    alice, bob, carol = await world.people("alice", "bob", "carol")
    channel = await group(alice, bob, await world.person("dave"))
    sent = await alice.rest.post(f"/channels/{channel}/messages", {"content": "x"})
    path = name.split()[1].format(
        channel_id=channel,
        message_id=sent["id"],
        user_id=bob.id,
        target_id=bob.id,
        emoji=quote("👍"),
    )
    bodies: dict[str, object] = {
        "PUT": {"type": 1} if "permissions" in path else None,
        "POST": {"content": "x", "messages": [sent["id"], str(int(sent["id"]) + 1)]},
        "PATCH": {"name": "x", "content": "x"},
    }
    if path.endswith("/ack"):
        bodies = {}
    method = name.partition(" ")[0]
    answer = await carol.rest.call(method, path, bodies.get(method))
    assert (answer.status, answer.code) == (403, 50001), answer.raw


async def test_private_events_have_their_own_intents_and_the_first_shard(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    channel = await dm(alice, bob)
    clients: list[Client] = []
    for extra in ({"intents": 1 << 9}, {"intents": 1 << 12}, {"shard": [1, 2]}, {"shard": [0, 2]}):
        clients += await world.online("bob", **extra)
    await alice.rest.post(f"/channels/{channel}/messages", {"content": "x"})
    heard = [names(await client.heard_before_fence()) for client in clients]
    assert heard == [[], ["CHANNEL_CREATE", "MESSAGE_CREATE"]] * 2


async def test_a_retry_in_private(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    path = f"/channels/{await dm(alice, bob)}/messages"
    body = {"content": "once", "nonce": "n", "enforce_nonce": True}
    sent = await asyncio.gather(*(alice.rest.post(path, body) for _ in range(5)))
    assert len({message["id"] for message in sent}) == 1


async def test_both_write_at_once_and_both_see_one_order(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    path = f"/channels/{await dm(alice, bob)}/messages"
    ours, theirs = await world.online("alice", "bob")
    sent = await asyncio.gather(
        *(person.rest.post(path, {"content": "x"}) for person in (alice, bob) for _ in range(15))
    )
    ids = sorted((message["id"] for message in sent), key=int)
    for client in (ours, theirs):
        heard = [event.d["id"] for event in await client.heard_before_fence()]
        assert [each for each in heard if each in ids] == ids


# --- read states ------------------------------------------------------------------------------


async def state(person: Person, channel: str) -> Any:
    states = await person.rest.get("/users/@me/read-states")
    return next(each for each in states if each["id"] == channel)


async def test_what_is_unread_and_mentions_somebody(world: World) -> None:
    guild = await world.guild(owner="alice")
    await guild.owner.rest.post(f"/channels/{guild.general.id}/messages", {"content": "before"})
    bob = await world.person("bob")
    await guild.admit(bob)
    channel, path = guild.general.id, f"/channels/{guild.general.id}/messages"
    none = {"id": channel, "last_message_id": "0", "unread_count": 0, "mention_count": 0}
    assert await state(bob, channel) == none  # what was there before counts as read
    rest = guild.owner.rest
    role = (await rest.post(f"/guilds/{guild.id}/roles", {"name": "r"}))["id"]
    await rest.put(f"/guilds/{guild.id}/members/{bob.id}/roles/{role}")
    texts = ("x", f"<@{bob.id}>", f"<@&{role}>", "@here", f"<@{guild.owner.id}>")
    sent = [await rest.post(path, {"content": text}) for text in texts]
    assert await state(bob, channel) == {**none, "unread_count": 5, "mention_count": 3}
    first, second = await world.online("bob", "bob")
    answer = await bob.rest.post(f"{path}/{sent[2]['id']}/ack", {"token": None})
    assert answer == {"token": None}
    for client in (first, second):
        heard = (await client.next("MESSAGE_ACK")).d
        assert heard == like(channel_id=channel, message_id=sent[2]["id"])
    read = {"id": channel, "last_message_id": sent[2]["id"]}
    assert await state(bob, channel) == {**read, "unread_count": 2, "mention_count": 1}
    await bob.rest.post(f"{path}/{sent[0]['id']}/ack")  # never back by accident
    assert (await state(bob, channel))["last_message_id"] == sent[2]["id"]
    await bob.rest.post(f"{path}/{sent[0]['id']}/ack", {"manual": True})
    assert (await state(bob, channel))["unread_count"] == 4
    await bob.rest.post(f"{path}/{2**63 - 1}/ack")  # no further than there is
    await bob.rest.post(path, {"content": "mine"})
    assert await state(bob, channel) == like(last_message_id=sent[-1]["id"], unread_count=0)


async def test_read_states_of_what_one_may_see(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    hidden = await guild.channel("hidden")
    await guild.owner.rest.put(
        f"/channels/{hidden.id}/permissions/{guild.id}", {"type": 0, "deny": "1024"}
    )
    alice, bob = await world.people("alice", "bob")
    channel = await dm(alice, bob)
    sent = await alice.rest.post(f"/channels/{channel}/messages", {"content": f"<@{bob.id}>"})
    listed = {each["id"]: each for each in await bob.rest.get("/users/@me/read-states")}
    assert listed.keys() == {guild.general.id, channel}
    assert listed[channel] == like(unread_count=1, mention_count=1)
    refused = await bob.rest.call("POST", f"/channels/{hidden.id}/messages/{sent['id']}/ack")
    assert (refused.status, refused.code) == (403, 50001)
    category = await guild.channel("category", type=4)
    refused = await bob.rest.call("POST", f"/channels/{category.id}/messages/{sent['id']}/ack")
    assert (refused.status, refused.code) == (400, 50008)


async def test_adding_a_guild_to_a_group_disturbs_nobody(world: World, server: Server) -> None:
    alice, bob, carol = await world.people("alice", "bob", "carol")
    guild = await world.guild(owner="dave")
    channel = await group(alice, bob, carol)
    with held_stream(server, guild.id):
        answer = await alice.rest.call("PUT", f"/channels/{channel}/recipients/{guild.id}")
    assert (answer.status, answer.code) == (404, 10013)


async def test_a_deleted_account_leads_no_group(world: World) -> None:
    alice, bob, carol = await world.people("alice", "bob", "carol")
    lowest, other = sorted((bob, carol), key=lambda person: int(person.id))
    channel = await group(alice, bob, carol)
    await lowest.rest.call("DELETE", "/users/@me", {"password": PASSWORD})
    await alice.rest.delete(f"/channels/{channel}")
    assert (await other.rest.get(f"/channels/{channel}"))["owner_id"] == other.id
    await other.rest.delete(f"/channels/{channel}")  # nobody is left who could come back
    assert (await alice.rest.call("GET", f"/channels/{channel}")).status == 404


async def test_nobody_is_talked_to_who_goes_at_that_moment(world: World, server: Server) -> None:
    alice, bob = await world.people("alice", "bob")
    with held_stream(server, bob.id) as held:
        going = asyncio.create_task(bob.rest.call("DELETE", "/users/@me", {"password": PASSWORD}))
        await held.waited_for_by(1)
        opening = asyncio.create_task(
            alice.rest.call("POST", "/users/@me/channels", {"recipient_id": bob.id})
        )
        await held.waited_for_by(2)
        held.let_go()
        await going
        answer = await opening
    assert (answer.status, answer.code) == (400, 50033)


async def test_a_pin_opens_a_closed_channel(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    channel = await dm(alice, bob)
    sent = await alice.rest.post(f"/channels/{channel}/messages", {"content": "hi"})
    [theirs] = await world.online("bob")
    await bob.rest.delete(f"/channels/{channel}")
    await theirs.next("CHANNEL_DELETE")
    await alice.rest.put(f"/channels/{channel}/messages/pins/{sent['id']}")
    heard = names(await theirs.heard_before_fence())
    assert heard.index("CHANNEL_CREATE") < heard.index("MESSAGE_CREATE")


async def test_what_was_there_before_one_joined_is_read(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    first = await guild.owner.rest.post(path, {"content": "before"})
    await guild.owner.rest.post(path, {"content": "before, too"})
    bob = await world.person("bob")
    await guild.admit(bob)
    await bob.rest.post(f"{path}/{first['id']}/ack")
    [state] = await bob.rest.get("/users/@me/read-states")
    assert state == like(last_message_id=first["id"], unread_count=0)
