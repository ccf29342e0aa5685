"""Read states: unread messages and mentions of each channel."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import Person, World, like


async def state(person: Person, channel: str) -> Any:
    states = await person.rest.get("/users/@me/read-states")
    return next(each for each in states if each["id"] == channel)


async def test_read_state_counts_unread_messages_and_mentions(world: World) -> None:
    guild = await world.guild(owner="alice")
    await guild.owner.rest.post(f"/channels/{guild.general.id}/messages", {"content": "before"})
    bob = await world.person("bob")
    await guild.admit(bob)
    channel, path = guild.general.id, f"/channels/{guild.general.id}/messages"
    none = {"id": channel, "last_message_id": "0", "unread_count": 0, "mention_count": 0}
    assert await state(bob, channel) == none  # earlier messages count as read
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
        received = (await client.next("MESSAGE_ACK")).d
        assert received == like(channel_id=channel, message_id=sent[2]["id"])
    read = {"id": channel, "last_message_id": sent[2]["id"]}
    assert await state(bob, channel) == {**read, "unread_count": 2, "mention_count": 1}
    await bob.rest.post(f"{path}/{sent[0]['id']}/ack")  # not backward without `manual`
    assert (await state(bob, channel))["last_message_id"] == sent[2]["id"]
    await bob.rest.post(f"{path}/{sent[0]['id']}/ack", {"manual": True})
    assert (await state(bob, channel))["unread_count"] == 4
    await bob.rest.post(f"{path}/{2**63 - 1}/ack")  # not beyond the newest message
    await bob.rest.post(path, {"content": "mine"})
    assert await state(bob, channel) == like(last_message_id=sent[-1]["id"], unread_count=0)


@pytest.mark.parametrize("bulk", [False, True])
async def test_deleted_newest_message_can_be_read(world: World, bulk: bool) -> None:
    """A client that received the message would otherwise show the channel as unread."""
    guild = await world.guild(owner="alice", members=["bob"])
    channel, path = guild.general.id, f"/channels/{guild.general.id}/messages"
    bob = await world.person("bob")
    [client] = await world.online("bob")
    sent = [await guild.owner.rest.post(path, {"content": text}) for text in ("kept", "deleted")]
    await guild.owner.rest.delete(f"{path}/{sent[1]['id']}")
    if bulk:
        await bob.rest.post(BULK, positions((channel, sent[1]["id"])))
    else:
        await bob.rest.post(f"{path}/{sent[1]['id']}/ack")
    seen = (await client.next("MESSAGE_ACK")).d
    assert seen == like(channel_id=channel, message_id=sent[1]["id"])
    assert await state(bob, channel) == like(last_message_id=sent[1]["id"], unread_count=0)
    await guild.owner.rest.post(path, {"content": "later"})
    assert (await state(bob, channel))["unread_count"] == 1


async def test_read_states_of_visible_channels_only(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    hidden = await guild.channel("hidden")
    await guild.owner.rest.put(
        f"/channels/{hidden.id}/permissions/{guild.id}", {"type": 0, "deny": "1024"}
    )
    alice, bob = await world.friends("alice", "bob")
    opened = await alice.rest.post("/users/@me/channels", {"recipient_id": bob.id})
    channel = opened["id"]
    sent = await alice.rest.post(f"/channels/{channel}/messages", {"content": f"<@{bob.id}>"})
    listed = {each["id"]: each for each in await bob.rest.get("/users/@me/read-states")}
    assert listed.keys() == {guild.general.id, channel}
    assert listed[channel] == like(unread_count=1, mention_count=1)
    refused = await bob.rest.call("POST", f"/channels/{hidden.id}/messages/{sent['id']}/ack")
    assert (refused.status, refused.code) == (403, 50001)
    category = await guild.channel("category", type=4)
    refused = await bob.rest.call("POST", f"/channels/{category.id}/messages/{sent['id']}/ack")
    assert (refused.status, refused.code) == (400, 50008)


async def test_messages_from_before_joining_count_as_read(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    first = await guild.owner.rest.post(path, {"content": "before"})
    await guild.owner.rest.post(path, {"content": "before, too"})
    bob = await world.person("bob")
    await guild.admit(bob)
    await bob.rest.post(f"{path}/{first['id']}/ack")
    [state] = await bob.rest.get("/users/@me/read-states")
    assert state == like(last_message_id=first["id"], unread_count=0)


BULK = "/read-states/ack-bulk"


def positions(*read: tuple[str, str | None]) -> dict[str, Any]:
    return {
        "read_states": [
            {"channel_id": channel, "message_id": message, "read_state_type": 0}
            for channel, message in read
        ]
    }


async def test_several_channels_are_read_at_once(world: World) -> None:
    guilds = [await world.guild(owner="alice", members=["bob"]) for _ in range(2)]
    alice, bob = await world.friends("alice", "bob")
    dm = (await alice.rest.post("/users/@me/channels", {"recipient_id": bob.id}))["id"]
    channels = [guilds[0].general.id, guilds[1].general.id, dm]
    sent = {}
    for channel in channels:
        for text in ("1", "2"):
            answer = await alice.rest.post(f"/channels/{channel}/messages", {"content": text})
            sent[channel, text] = answer["id"]
    phone, laptop = await world.online("bob", "bob")
    answer = await bob.rest.call(
        "POST", BULK, positions(*((channel, sent[channel, "1"]) for channel in channels))
    )
    assert (answer.status, answer.raw) == (204, b"")
    for client in (phone, laptop):
        seen = [(await client.next("MESSAGE_ACK")).d for _ in channels]
        assert {each["channel_id"]: each["message_id"] for each in seen} == {
            channel: sent[channel, "1"] for channel in channels
        }
    for channel in channels:
        assert (await state(bob, channel))["unread_count"] == 1
    await bob.rest.post(BULK, positions((channels[0], str(2**63 - 1)), (channels[1], None)))
    assert await state(bob, channels[0]) == like(
        last_message_id=sent[channels[0], "2"], unread_count=0
    )
    assert (await state(bob, channels[1]))["unread_count"] == 1
    await phone.received_before_fence()
    await bob.rest.post(BULK, positions((channels[0], sent[channels[0], "1"])))  # not backward
    assert await phone.received_before_fence() == []


async def test_bulk_ignores_channels_that_the_caller_cannot_see(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    elsewhere = await world.guild(owner="alice")
    alice, carol = await world.friends("alice", "carol")
    bob = await world.person("bob")
    dm = (await alice.rest.post("/users/@me/channels", {"recipient_id": carol.id}))["id"]
    hidden = await guild.channel("hidden")
    category = await guild.channel("category", type=4)
    await alice.rest.put(
        f"/channels/{hidden.id}/permissions/{guild.id}", {"type": 0, "deny": "1024"}
    )
    [client] = await world.online("bob")
    for channel in (hidden.id, elsewhere.general.id, dm, guild.general.id):
        await alice.rest.post(f"/channels/{channel}/messages", {"content": "x"})
    await client.received_before_fence()
    unseen = (hidden.id, elsewhere.general.id, dm, category.id, "1")
    latest = str(2**63 - 1)
    await bob.rest.post(BULK, positions(*((each, latest) for each in unseen)))
    assert await client.received_before_fence() == []
    await bob.rest.post(BULK, positions(*((each, latest) for each in (*unseen, guild.general.id))))
    assert (await client.next("MESSAGE_ACK")).d == like(channel_id=guild.general.id)
    assert await client.received_before_fence() == []


async def test_bulk_is_bounded(world: World) -> None:
    alice = await world.person("alice")
    await alice.rest.post(BULK, {"read_states": []})
    for body in (
        positions(*((str(number), "1") for number in range(501))),
        {"read_states": [{"message_id": "1"}]},
        {"read_states": [{"channel_id": "1", "message_id": "1", "read_state_type": 1}]},
        {},
    ):
        answer = await alice.rest.call("POST", BULK, body)
        assert (answer.status, answer.code) == (400, 50035)
