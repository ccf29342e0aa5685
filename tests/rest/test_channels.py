"""Channels: creating, showing, changing and deleting them."""

from __future__ import annotations

import pytest

from tests.world import World, like


async def test_new_channel_is_sent_to_the_members(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [client] = await world.online("bob")
    answer = await world.rest("alice").call(
        "POST", f"/guilds/{guild.id}/channels", {"name": "chess", "topic": "e4", "nsfw": True}
    )
    assert answer.status == 201
    channel = answer.json
    assert channel == like(name="chess", type=0, topic="e4", nsfw=True, position=1)
    assert channel["permission_overwrites"] == []
    assert (await client.next("CHANNEL_CREATE")).d == channel
    assert await world.rest("bob").get(f"/channels/{channel['id']}") == channel


async def test_channels_are_listed_by_position(world: World) -> None:
    guild = await world.guild(owner="alice")
    for name, position in (("third", 7), ("second", 3), ("last", None)):
        await guild.channel(name, position=position)
    listed = await world.rest("alice").get(f"/guilds/{guild.id}/channels")
    names = [channel["name"] for channel in listed]
    assert names == ["general", "second", "third", "last"]


async def test_channel_after_the_maximum_position(world: World) -> None:
    guild = await world.guild(owner="alice")
    last = 2**31 - 1
    first = await guild.channel("first", position=last)
    second = await guild.channel("second")
    listed = await guild.owner.rest.get(f"/guilds/{guild.id}/channels")
    assert [(each["id"], each["position"]) for each in listed[-2:]] == [
        (first.id, last),
        (second.id, last),
    ]


async def test_deleting_a_category_keeps_its_channels(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    rest = world.rest("alice")
    category = await guild.channel("games", type=4)
    inside = await guild.channel("chess", parent_id=category.id)
    [client] = await world.online("bob")
    deleted = await rest.delete(f"/channels/{category.id}")
    assert deleted == like(id=category.id, type=4)
    assert (await client.next("CHANNEL_UPDATE")).d == like(id=inside.id, parent_id=None)
    assert (await client.next("CHANNEL_DELETE")).d["id"] == category.id
    assert (await rest.get(f"/channels/{inside.id}"))["parent_id"] is None


async def test_invalid_parents_are_refused(world: World) -> None:
    guild = await world.guild(owner="alice")
    other = await world.guild(owner="alice")
    category = await guild.channel("games", type=4)
    foreign = await other.channel("games", type=4)
    path = f"/guilds/{guild.id}/channels"
    for body in (
        {"name": "x", "parent_id": guild.general.id},
        {"name": "x", "parent_id": foreign.id},
        {"name": "x", "parent_id": "12"},
        {"name": "x", "parent_id": category.id, "type": 4},
    ):
        answer = await world.rest("alice").call("POST", path, body)
        assert (answer.status, answer.code) == (400, 50035)
        assert answer.json["errors"].keys() == {"parent_id"}


async def test_update_is_sent_to_the_members(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    category = await guild.channel("games", type=4)
    [client] = await world.online("bob")
    change = {"name": "lobby", "topic": "hi", "parent_id": category.id, "rate_limit_per_user": 5}
    changed = await world.rest("alice").patch(f"/channels/{guild.general.id}", change)
    assert changed == like(**change)
    assert (await client.next("CHANNEL_UPDATE")).d == changed
    cleared = await world.rest("alice").patch(f"/channels/{guild.general.id}", {"topic": None})
    assert cleared == like(topic=None, name="lobby")


async def test_deleted_channel_is_gone_with_its_messages(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    channel = await guild.channel("old")
    rest = world.rest("alice")
    message = await rest.post(f"/channels/{channel.id}/messages", {"content": "hi"})
    [client] = await world.online("bob")
    assert (await rest.delete(f"/channels/{channel.id}"))["id"] == channel.id
    assert (await client.next("CHANNEL_DELETE")).d["id"] == channel.id
    for method, path in (
        ("GET", f"/channels/{channel.id}"),
        ("GET", f"/channels/{channel.id}/messages"),
        ("GET", f"/channels/{channel.id}/messages/{message['id']}"),
        ("DELETE", f"/channels/{channel.id}"),
    ):
        answer = await rest.call(method, path)
        assert (answer.status, answer.code) == (404, 10003)


async def test_channel_operations_require_permissions(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, carol = await world.people("bob", "carol")
    channel = f"/channels/{guild.general.id}"
    for method, path, body in (
        ("POST", f"/guilds/{guild.id}/channels", {"name": "mine"}),
        ("PATCH", channel, {"name": "mine"}),
        ("DELETE", channel, None),
    ):
        as_member = await bob.rest.call(method, path, body)
        assert (as_member.status, as_member.code) == (403, 50013)
        as_outsider = await carol.rest.call(method, path, body)
        assert (as_outsider.status, as_outsider.code) == (403, 50001)
    assert (await carol.rest.call("GET", channel)).code == 50001
    assert (await bob.rest.get(channel))["name"] == "general"


async def test_category_accepts_no_messages(world: World) -> None:
    guild = await world.guild(owner="alice")
    category = await guild.channel("games", type=4)
    answer = await world.rest("alice").call(
        "POST", f"/channels/{category.id}/messages", {"content": "hi"}
    )
    assert (answer.status, answer.code) == (400, 50008)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("topic", "x" * 1025),
        ("type", 1),
        ("type", "0"),
        ("position", -1),
        ("position", 2**31),
        ("nsfw", "yes"),
        ("parent_id", "x"),
        ("rate_limit_per_user", 21601),
    ],
)
async def test_invalid_field_is_named(world: World, field: str, value: object) -> None:
    guild = await world.guild(owner="alice")
    body = {"name": "fine", field: value}
    answer = await world.rest("alice").call("POST", f"/guilds/{guild.id}/channels", body)
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {field}


async def test_deleting_a_channel_deletes_its_invites_and_settings(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    code = await guild.invite()
    [client] = await world.online("alice")
    await world.rest("alice").delete(f"/channels/{guild.general.id}")
    received = await client.received_before_fence()
    [update] = [each.d for each in received if each.t == "GUILD_UPDATE"]
    assert update["system_channel_id"] is None
    assert code in {each.d["code"] for each in received if each.t == "INVITE_DELETE"}
