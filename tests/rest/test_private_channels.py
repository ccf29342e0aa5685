"""Private channels: direct messages and groups."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from chatd.rest.table import table
from tests.conftest import Server
from tests.helpers.locks import held_stream
from tests.helpers.shared_stages import SharedStages
from tests.world import PASSWORD, Client, Person, World, befriend, like


async def dm(one: Person, other: Person) -> str:
    """Open the DM of two users as the first one."""
    made = await one.rest.post("/users/@me/channels", {"recipient_id": other.id})
    return str(made["id"])


async def group(owner: Person, *others: Person) -> str:
    """Create a group."""
    body = {"recipients": [person.id for person in others]}
    return str((await owner.rest.post("/users/@me/channels", body))["id"])


def names(received: list[Any]) -> list[str]:
    return [event.t for event in received]


async def test_first_direct_message_opens_the_channel(world: World) -> None:
    alice, bob, _ = await world.friends("alice", "bob", "carol")
    ours, theirs, strangers = await world.online("alice", "bob", "carol")
    channel = await dm(alice, bob)
    made = (await ours.next("CHANNEL_CREATE")).d
    assert made == like(id=channel, type=1, last_message_id=None)
    assert [user["id"] for user in made["recipients"]] == [bob.id]
    assert not made.keys() & {"guild_id", "name"}
    assert await theirs.received_before_fence() == []  # it has no message yet
    assert await bob.rest.get("/users/@me/channels") == []
    sent = await alice.rest.post(f"/channels/{channel}/messages", {"content": f"hi <@{bob.id}>"})
    assert [user["id"] for user in sent["mentions"]] == [bob.id]
    assert not sent.keys() & {"guild_id", "member"}
    opened, received = await theirs.received_before_fence()
    assert (opened.t, opened.d["recipients"]) == ("CHANNEL_CREATE", [like(id=alice.id)])
    assert (received.t, received.d) == ("MESSAGE_CREATE", sent)
    assert (await ours.next("MESSAGE_CREATE")).d == sent
    assert await strangers.received_before_fence() == []
    assert await bob.rest.get(f"/channels/{channel}/messages") == [sent]
    [listed] = await bob.rest.get("/users/@me/channels")
    assert listed == like(id=channel, type=1, last_message_id=sent["id"])
    [again] = await world.online("bob")
    assert again.ready["private_channels"] == [listed]


async def test_two_users_share_one_dm(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
    asked = [dm(*pair) for pair in ((alice, bob), (bob, alice)) for _ in range(8)]
    assert len(set(await asyncio.gather(*asked))) == 1
    one = {"recipients": [bob.id]}
    assert (await alice.rest.post("/users/@me/channels", one))["id"] == await dm(alice, bob)


async def test_message_features_in_a_private_channel(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
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
    received = await theirs.received_before_fence()
    assert names(received) == [
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
    assert all("guild_id" not in event.d and "member" not in event.d for event in received)


async def test_unsupported_actions_in_a_private_channel(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
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


async def test_closed_channel_reopens_with_a_new_message(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
    channel = await dm(alice, bob)
    [ours] = await world.online("alice")
    await alice.rest.delete(f"/channels/{channel}")
    assert (await ours.next("CHANNEL_DELETE")).d["id"] == channel
    assert await alice.rest.get("/users/@me/channels") == []
    await alice.rest.delete(f"/channels/{channel}")  # closed already: no effect
    assert await ours.received_before_fence() == []
    await bob.rest.post(f"/channels/{channel}/messages", {"content": "wait"})
    assert names(await ours.received_before_fence()) == ["CHANNEL_CREATE", "MESSAGE_CREATE"]
    await alice.rest.delete(f"/channels/{channel}")
    assert await dm(alice, bob) == channel
    assert (await ours.next("CHANNEL_CREATE")).d["id"] == channel


async def test_group_and_its_recipients(world: World) -> None:
    alice, bob, carol, dave = await world.friends("alice", "bob", "carol", "dave")
    await befriend(bob, dave)
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
    await bob.rest.put(f"{base}/recipients/{dave.id}")  # a recipient already: no effect
    assert (await hers.next("CHANNEL_RECIPIENT_ADD")).d["user"]["id"] == dave.id
    assert (await hers.next("MESSAGE_CREATE")).d == like(type=1, mentions=[like(id=dave.id)])
    assert names(await his.received_before_fence()) == ["CHANNEL_CREATE", "MESSAGE_CREATE"]
    refused = await bob.rest.call("DELETE", f"{base}/recipients/{dave.id}")
    assert (refused.status, refused.code) == (403, 50013)
    await alice.rest.delete(f"{base}/recipients/{dave.id}")
    assert names(await his.received_before_fence()) == ["CHANNEL_DELETE"]
    assert (await dave.rest.call("GET", f"{base}/messages")).code == 50001
    await bob.rest.post(f"{base}/messages", {"content": "he is gone"})
    assert await his.received_before_fence() == []
    await theirs.received_before_fence()
    await alice.rest.delete(base)  # the owner leaves
    received = await theirs.received_before_fence()
    assert names(received) == ["CHANNEL_RECIPIENT_REMOVE", "CHANNEL_UPDATE", "MESSAGE_CREATE"]
    assert received[1].d["owner_id"] == min(bob.id, carol.id, key=int)
    published = (await bob.rest.get(f"{base}/messages"))[0]
    assert published == like(type=2, mentions=[like(id=alice.id)])
    answer = await bob.rest.call("DELETE", f"{base}/messages/{published['id']}")
    assert (answer.status, answer.code) == (403, 50021)
    await bob.rest.delete(base)
    await carol.rest.delete(base)
    assert (await carol.rest.call("GET", base)).code == 10003


async def test_invalid_recipients_are_rejected(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
    others = [await world.person(f"p{n}") for n in range(10)]
    await befriend(alice, *others)
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


async def test_concurrent_additions_do_not_exceed_the_group_limit(world: World) -> None:
    alice = await world.person("alice")
    others = [await world.person(f"p{n}") for n in range(12)]
    await befriend(alice, *others)
    channel = await group(alice, *others[:8])
    answers = await asyncio.gather(
        *(
            alice.rest.call("PUT", f"/channels/{channel}/recipients/{person.id}")
            for person in others[8:]
        )
    )
    assert sorted(answer.status for answer in answers) == [204, 400, 400, 400]


async def group_with_message(world: World) -> dict[str, str]:
    """Create a group of which Carol is no recipient; return what a path can name in it."""
    alice, bob, _, dave = await world.friends("alice", "bob", "carol", "dave")
    channel = await group(alice, bob, dave)
    sent = await alice.rest.post(f"/channels/{channel}/messages", {"content": "x"})
    return {
        "channel_id": channel,
        "message_id": sent["id"],
        "user_id": bob.id,
        "target_id": bob.id,
        "emoji": quote("👍"),
    }


@pytest.mark.parametrize(
    "name",
    [
        f"{route.method} {route.path}"
        for route in table()
        if "{channel_id}" in route.path and "attachments" not in route.path
    ],
)
async def test_non_recipients_have_no_access(stages: SharedStages, name: str) -> None:
    async with stages.on(group_with_message) as (world, ids):
        path = name.split()[1].format_map(ids)
        message_id = ids["message_id"]
        bodies: dict[str, object] = {
            "PUT": {"type": 1} if "permissions" in path else None,
            "POST": {
                "name": "x",
                "content": "x",
                "webhook_channel_id": ids["channel_id"],
                "messages": [message_id, str(int(message_id) + 1)],
            },
            "PATCH": {"name": "x", "content": "x"},
        }
        if path.endswith("/ack"):
            bodies = {}
        method = name.partition(" ")[0]
        answer = await world.rest("carol").call(method, path, bodies.get(method))
        assert (answer.status, answer.code) == (403, 50001), answer.raw


async def test_private_events_need_dm_intents_and_shard_zero(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
    channel = await dm(alice, bob)
    clients: list[Client] = []
    for extra in ({"intents": 1 << 9}, {"intents": 1 << 12}, {"shard": [1, 2]}, {"shard": [0, 2]}):
        clients += await world.online("bob", **extra)
    await alice.rest.post(f"/channels/{channel}/messages", {"content": "x"})
    received = [names(await client.received_before_fence()) for client in clients]
    assert received == [[], ["CHANNEL_CREATE", "MESSAGE_CREATE"]] * 2


async def test_retry_with_enforced_nonce_in_a_private_channel(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
    path = f"/channels/{await dm(alice, bob)}/messages"
    body = {"content": "once", "nonce": "n", "enforce_nonce": True}
    sent = await asyncio.gather(*(alice.rest.post(path, body) for _ in range(5)))
    assert len({message["id"] for message in sent}) == 1


async def test_concurrent_direct_messages_have_one_order(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
    path = f"/channels/{await dm(alice, bob)}/messages"
    ours, theirs = await world.online("alice", "bob")
    sent = await asyncio.gather(
        *(person.rest.post(path, {"content": "x"}) for person in (alice, bob) for _ in range(15))
    )
    ids = sorted((message["id"] for message in sent), key=int)
    for client in (ours, theirs):
        received = [event.d["id"] for event in await client.received_before_fence()]
        assert [each for each in received if each in ids] == ids


async def test_guild_id_as_recipient_takes_no_lock(world: World, server: Server) -> None:
    alice, bob, carol = await world.friends("alice", "bob", "carol")
    guild = await world.guild(owner="dave")
    channel = await group(alice, bob, carol)
    with held_stream(server, guild.id):
        answer = await alice.rest.call("PUT", f"/channels/{channel}/recipients/{guild.id}")
    assert (answer.status, answer.code) == (404, 10013)


async def test_deleted_account_owns_no_group(world: World) -> None:
    alice, bob, carol = await world.friends("alice", "bob", "carol")
    lowest, other = sorted((bob, carol), key=lambda person: int(person.id))
    channel = await group(alice, bob, carol)
    await lowest.rest.call("DELETE", "/users/@me", {"password": PASSWORD})
    await alice.rest.delete(f"/channels/{channel}")
    assert (await other.rest.get(f"/channels/{channel}"))["owner_id"] == other.id
    await other.rest.delete(f"/channels/{channel}")  # the last account leaves
    assert (await alice.rest.call("GET", f"/channels/{channel}")).status == 404


async def test_dm_with_an_account_that_is_being_deleted_is_rejected(
    world: World, server: Server
) -> None:
    alice, bob = await world.friends("alice", "bob")
    with held_stream(server, bob.id) as held:
        going = asyncio.create_task(bob.rest.call("DELETE", "/users/@me", {"password": PASSWORD}))
        await held.waited_for_by(1)
        opening = asyncio.create_task(
            alice.rest.call("POST", "/users/@me/channels", {"recipient_id": bob.id})
        )
        await held.waited_for_by(2)
        held.release()
        await going
        answer = await opening
    assert (answer.status, answer.code) == (400, 50033)


async def test_pin_reopens_a_closed_channel(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
    channel = await dm(alice, bob)
    sent = await alice.rest.post(f"/channels/{channel}/messages", {"content": "hi"})
    [theirs] = await world.online("bob")
    await bob.rest.delete(f"/channels/{channel}")
    await theirs.next("CHANNEL_DELETE")
    await alice.rest.put(f"/channels/{channel}/messages/pins/{sent['id']}")
    received = names(await theirs.received_before_fence())
    assert received.index("CHANNEL_CREATE") < received.index("MESSAGE_CREATE")


async def test_bots_cannot_join_groups(world: World) -> None:
    """A bot reads all messages of a private channel, so no user may add one to a group."""
    guild = await world.guild("alice", ["bob", "carol"])
    alice, bob, carol = await world.people("alice", "bob", "carol")
    bot = await world.bot("bot", "alice", guild)
    for body in ({"recipients": [bob.id, bot.id]}, {"recipients": [bot.id, bob.id, carol.id]}):
        answer = await alice.rest.call("POST", "/users/@me/channels", body)
        assert (answer.status, answer.code) == (400, 50033)
    channel = await group(alice, bob, carol)
    answer = await alice.rest.call("PUT", f"/channels/{channel}/recipients/{bot.id}")
    assert (answer.status, answer.code) == (400, 50033)
    assert await dm(alice, bot)
