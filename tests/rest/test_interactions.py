"""Interactions: people use components, and exactly their application learns of it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatd.core.permissions import Permissions
from chatd.db.pool import Database
from tests.helpers.interactions import BUTTON, ROW, interaction_stage, set_components
from tests.world import World, like


async def test_component_reaches_its_application_with_its_context(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database, "bob", "carol")
    bob = await world.person("bob")
    await world.bot("other", "alice", stage.guild)
    [bobs, carols, others] = await world.online("bob", "carol", "other")

    received = (await stage.click(bob, session_id=bobs.ready["session_id"])).payload

    assert received == like(
        application_id=stage.bot.id,
        type=3,
        version=1,
        guild_id=stage.guild.id,
        guild=like(id=stage.guild.id, locale="en-US", features=["NEWS"]),
        guild_locale="en-US",
        locale="en-US",
        channel_id=stage.guild.general.id,
        channel=like(id=stage.guild.general.id, type=0, name="general"),
        member=like(user=like(id=bob.id)),
        entitlements=[],
        authorizing_integration_owners={"0": stage.guild.id},
        context=0,
        data={"id": 2, "custom_id": "go", "component_type": 2},
        message=like(id=stage.message["id"], content="Press", components=[ROW]),
    )
    assert "user" not in received
    for granted in (
        received["app_permissions"],
        received["member"]["permissions"],
        received["channel"]["permissions"],
    ):
        assert int(granted) & Permissions.SEND_MESSAGES
    assert received["attachment_size_limit"] > 0
    assert (await bobs.next("INTERACTION_CREATE")).d == {"id": received["id"], "nonce": "1"}
    assert await carols.received_before_fence() == []
    assert await others.received_before_fence() == []


async def test_only_the_session_of_the_invoker_receives_the_outcome(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database)
    alice = stage.guild.owner
    [first, second] = await world.online("alice", "alice")

    received = await stage.click(alice, session_id=first.ready["session_id"])
    await received.respond(6)

    assert (await first.next("INTERACTION_CREATE")).d == {"id": received.id, "nonce": "1"}
    assert (await first.next("INTERACTION_SUCCESS")).d == {"id": received.id, "nonce": "1"}
    assert await second.received_before_fence() == []
    again = await stage.click(alice)  # without a session: all sessions of the person
    for client in (first, second):
        assert (await client.next("INTERACTION_CREATE")).d["id"] == again.id


async def test_strangers_have_no_use_of_an_interaction(world: World, database: Database) -> None:
    stage = await interaction_stage(world, database)
    other = await world.bot("other", "alice", stage.guild)
    received = await stage.click(stage.guild.owner)
    for path, status, code in (
        (f"/interactions/{received.id}/{'x' * 64}/callback", 404, 10062),
        (f"/interactions/{int(received.id) + 1}/{received.token}/callback", 404, 10062),
        (f"/webhooks/{stage.bot.id}/{received.token}", 404, 10015),  # not acknowledged yet
    ):
        answer = await other.rest.call("POST", path, {"type": 4, "content": "x"})
        assert (answer.status, answer.code) == (status, code), path
    await received.respond(6)
    for path, status, code in (
        (f"/webhooks/{stage.bot.id}/{'x' * 64}", 401, 50027),
        (f"/webhooks/{other.id}/{received.token}", 401, 50027),
        (f"/webhooks/{stage.guild.owner.id}/{received.token}", 404, 10015),
    ):
        answer = await other.rest.call("POST", path, {"content": "x"})
        assert (answer.status, answer.code) == (status, code), path


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"data": {"component_type": 2, "custom_id": "other"}}, 400, 50035),
        ({"data": {"component_type": 3, "custom_id": "go"}}, 400, 50035),
        ({"data": {"component_type": 2}}, 400, 50035),
        ({"data": {"component_type": 2, "custom_id": {"a": 1}}}, 400, 50035),
        ({"data": None}, 400, 50035),
        ({"message_id": None}, 404, 10008),
        ({"message_id": "1"}, 404, 10008),
        ({"message_flags": 64}, 404, 10008),
        ({"application_id": "1"}, 404, 10002),
        ({"channel_id": "1"}, 404, 10003),
        ({"guild_id": "1"}, 404, 10003),
        ({"type": 1}, 400, 50035),
        ({"type": 6}, 400, 50035),
    ],
)
async def test_component_that_was_not_sent_is_refused(
    world: World, database: Database, changes: dict[str, Any], status: int, code: int
) -> None:
    stage = await interaction_stage(world, database)
    answer = await stage.guild.owner.rest.call("POST", "/interactions", stage.body(**changes))
    assert (answer.status, answer.code) == (status, code), answer.raw
    assert await stage.client.received_before_fence() == []


async def test_component_of_another_application_or_disabled_is_refused(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database)
    alice = stage.guild.owner
    other = await world.bot("other", "alice", stage.guild)
    answer = await alice.rest.call("POST", "/interactions", stage.body(application_id=other.id))
    assert (answer.status, answer.code) == (400, 50035)
    off = {**ROW, "components": [{**BUTTON, "disabled": True}]}
    await set_components(database, stage.message["id"], [off])
    answer = await alice.rest.call("POST", "/interactions", stage.body())
    [error] = answer.json["errors"]["data"]["_errors"]
    assert error["code"] == "COMPONENT_VALIDATION_FAILED"
    assert "`custom_id` and `component_type`" in error["message"]
    await stage.guild.owner.rest.delete(f"/guilds/{stage.guild.id}/members/{stage.bot.id}")
    answer = await alice.rest.call("POST", "/interactions", stage.body())
    assert (answer.status, answer.code) == (404, 10002)


async def test_members_that_cannot_see_the_channel_or_are_timed_out_are_refused(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database, "bob", "carol")
    bob, carol, mallory = await world.people("bob", "carol", "mallory")
    owner, guild = stage.guild.owner, stage.guild
    hidden = {"type": 1, "deny": str(Permissions.VIEW_CHANNEL.value)}
    await owner.rest.put(f"/channels/{guild.general.id}/permissions/{bob.id}", hidden)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await owner.rest.patch(
        f"/guilds/{guild.id}/members/{carol.id}", {"communication_disabled_until": until}
    )
    for person, code in ((bob, 50001), (carol, 50013), (mallory, 50001)):
        answer = await person.rest.call("POST", "/interactions", stage.body())
        assert (answer.status, answer.code) == (403, code), person.name
    assert (await stage.bot.rest.call("POST", "/interactions", stage.body())).code == 20001


async def test_direct_messages_with_a_bot_have_interactions(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database, "bob")
    bob = await world.person("bob")
    [bobs] = await world.online("bob")
    channel = await stage.bot.rest.post("/users/@me/channels", {"recipient_id": bob.id})
    path = f"/channels/{channel['id']}/messages"
    message = await stage.bot.rest.post(path, {"content": "in private"})
    await set_components(database, message["id"], [ROW])
    place = {"channel_id": channel["id"], "message_id": message["id"], "guild_id": None}

    received = await stage.click(bob, **place)
    await received.respond(4, content="x")
    await received.follow_up(content="for you", flags=64)

    assert received.payload == like(
        user=like(id=bob.id), context=1, authorizing_integration_owners={"0": "0"}
    )
    assert not {"guild", "guild_id", "member", "guild_locale"} & received.payload.keys()
    assert (await bobs.next("MESSAGE_CREATE")).d["content"] == "in private"
    response = (await bobs.next("MESSAGE_CREATE")).d
    assert (response["content"], "guild_id" in response) == ("x", False)
    assert (await bobs.next("MESSAGE_CREATE")).d == like(content="for you", flags=64)


async def test_blocked_bot_sends_nothing_with_its_tokens(world: World, database: Database) -> None:
    stage = await interaction_stage(world, database, "bob")
    bob = await world.person("bob")
    channel = await stage.bot.rest.post("/users/@me/channels", {"recipient_id": bob.id})
    path = f"/channels/{channel['id']}/messages"
    message = await stage.bot.rest.post(path, {"content": "in private"})
    await set_components(database, message["id"], [ROW])
    place = {"channel_id": channel["id"], "message_id": message["id"], "guild_id": None}
    answered, pending = [await stage.click(bob, **place) for _ in "12"]
    await answered.respond(4, content="x")
    await bob.rest.put(f"/users/@me/relationships/{stage.bot.id}", {"type": 2})
    for answer in (
        await pending.try_to_respond({"type": 4, "data": {"content": "still here"}}),
        await world.anonymous.call("POST", answered.webhook, {"content": "still here"}),
        await world.anonymous.call("PATCH", answered.original, {"content": "still here"}),
    ):
        assert (answer.status, answer.code) == (403, 50007)
    assert [each["content"] for each in await bob.rest.get(path)] == ["x", "in private"]


async def test_shards_receive_the_interactions_of_their_guilds(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database, "bob")
    bob = await world.person("bob")
    await stage.client.leave()
    shards = [await world.socket() for _ in range(2)]
    for number, shard in enumerate(shards):
        await shard.identify(stage.bot.token, shard=[number, 2])
    own = (int(stage.guild.id) >> 22) % 2
    await bob.rest.post("/interactions", stage.body())
    assert (await shards[own].next("INTERACTION_CREATE")).d["guild_id"] == stage.guild.id
    assert await shards[1 - own].received_before_fence() == []
    channel = await stage.bot.rest.post("/users/@me/channels", {"recipient_id": bob.id})
    path = f"/channels/{channel['id']}/messages"
    message = await stage.bot.rest.post(path, {"content": "in private"})
    await set_components(database, message["id"], [ROW])
    place = {"channel_id": channel["id"], "message_id": message["id"], "guild_id": None}
    await bob.rest.post("/interactions", stage.body(**place))
    assert (await shards[0].next("INTERACTION_CREATE")).d["channel_id"] == channel["id"]
    assert "INTERACTION_CREATE" not in [each.t for each in await shards[1].received_before_fence()]


async def test_tokens_reach_no_log(
    world: World, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    stage = await interaction_stage(world, database)
    with caplog.at_level(logging.DEBUG):
        received = await stage.click(stage.guild.owner)
        await received.respond(5)
        await received.follow_up(content="first")
        assert (await received.try_to_respond({"type": 6})).code == 40060
        refused = await world.anonymous.call("PATCH", received.original, {"content": 5})
        assert refused.status == 400
        await world.anonymous.delete(received.original)
    assert received.token not in caplog.text
