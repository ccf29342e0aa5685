"""Responses to interactions: once, in time, and with the token of the interaction only."""

from __future__ import annotations

import asyncio

import pytest

from chatd.core import interactions as rules
from chatd.core.permissions import Permissions
from chatd.db.pool import Database
from tests.helpers.interactions import ROW, interaction_stage, set_components
from tests.world import World, like


async def test_response_is_a_reply_to_the_message_with_the_component(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database, "bob")
    bob = await world.person("bob")
    [bobs] = await world.online("bob")

    received = await stage.click(bob)
    made = await received.respond(4, content="Hello <@&1>", embeds=[{"title": "x"}])

    message = made["resource"]["message"]
    assert made["interaction"] == like(
        id=received.id,
        type=3,
        response_message_id=message["id"],
        response_message_loading=False,
        response_message_ephemeral=False,
    )
    assert made["resource"]["type"] == 4
    assert message == like(
        type=19,
        author=like(id=stage.bot.id, bot=True),
        webhook_id=stage.bot.id,
        application_id=stage.bot.id,
        message_reference=like(message_id=stage.message["id"]),
        interaction_metadata={
            "id": received.id,
            "type": 3,
            "user": like(id=bob.id),
            "authorizing_integration_owners": {"0": stage.guild.id},
            "interacted_message_id": stage.message["id"],
        },
    )
    event = (await bobs.next("MESSAGE_CREATE")).d
    assert event == like(id=message["id"], nonce="1", guild_id=stage.guild.id)
    assert event["interaction_metadata"] == message["interaction_metadata"]
    assert (await bobs.next("INTERACTION_SUCCESS")).d["id"] == received.id
    path = f"/channels/{stage.guild.general.id}/messages"
    [shown, _] = await bob.rest.get(path)
    assert shown == like(id=message["id"], content="Hello <@&1>", embeds=[like(title="x")])


async def test_update_changes_the_message_with_the_component(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database, "bob")
    [bobs] = await world.online("bob")
    received = await stage.click(await world.person("bob"))

    made = await received.respond(7, content="Pressed")

    assert made["resource"] == {
        "type": 7,
        "message": like(id=stage.message["id"], content="Pressed", components=[ROW]),
    }
    assert (await bobs.next("MESSAGE_UPDATE")).d == like(content="Pressed")
    assert (await world.anonymous.get(received.original))["id"] == stage.message["id"]
    await world.anonymous.patch(received.original, {"content": "Later"})
    assert (await bobs.next("MESSAGE_UPDATE")).d == like(content="Later")


async def test_deferred_response_is_loading_until_it_is_edited(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database, "bob")
    [bobs] = await world.online("bob")
    received = await stage.click(await world.person("bob"))

    made = await received.respond(5)

    assert made["interaction"]["response_message_loading"] is True
    assert "resource" not in made
    loading = (await bobs.next("MESSAGE_CREATE")).d
    assert loading == like(flags=128, content="", nonce="1")
    assert await world.anonymous.get(received.original) == like(id=loading["id"], flags=128)
    await world.anonymous.patch(received.original, {"content": "Done"})
    done = (await bobs.next("MESSAGE_UPDATE")).d
    assert done == like(id=loading["id"], flags=0, content="Done", edited_timestamp=None)
    await world.anonymous.patch(received.original, {"content": "Better"})
    assert (await bobs.next("MESSAGE_UPDATE")).d["edited_timestamp"] is not None


async def test_first_message_after_a_deferral_completes_the_response(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database)
    received = await stage.click(stage.guild.owner)
    await received.respond(5)
    loading = await world.anonymous.get(received.original)

    webhook = await world.anonymous.get(received.webhook)
    first = await received.follow_up(content="one", flags=64)
    second = await received.follow_up(content="two")

    assert webhook == like(type=3, id=stage.bot.id, application_id=stage.bot.id, channel_id=None)
    assert first == like(id=loading["id"], content="one", flags=0)
    assert second == like(content="two", type=19)
    assert second["message_reference"]["message_id"] == loading["id"]
    assert second["interaction_metadata"]["original_response_message_id"] == loading["id"]


@pytest.mark.parametrize("by_moderator", [True, False])
async def test_message_after_a_deferral_that_was_deleted_is_a_new_one(
    world: World, database: Database, by_moderator: bool
) -> None:
    """Bots defer, delete the response that is loading, and then send messages."""
    stage = await interaction_stage(world, database)
    alice = stage.guild.owner
    received = await stage.click(alice)
    await received.respond(5)
    loading = await world.anonymous.get(received.original)
    path = f"/channels/{stage.guild.general.id}/messages"
    if by_moderator:
        await alice.rest.delete(f"{path}/{loading['id']}")
    else:
        await world.anonymous.delete(received.original)
    for content in ("one", "two"):
        assert await received.follow_up(content=content) == like(content=content, flags=0)
    page = await alice.rest.get(path)
    assert [each["content"] for each in page] == ["two", "one", "Press"]


async def test_messages_of_a_token_can_be_read_edited_and_deleted(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database, "bob")
    [bobs] = await world.online("bob")
    received = await stage.click(await world.person("bob"))
    await received.respond(6)
    made = await received.follow_up(content="one")
    path = f"{received.webhook}/messages/{made['id']}"

    assert await world.anonymous.get(path) == like(id=made["id"], content="one")
    assert await world.anonymous.patch(path, {"content": "two"}) == like(content="two")
    await world.anonymous.delete(path)

    assert (await world.anonymous.call("GET", path)).code == 10008
    assert (await bobs.next("MESSAGE_CREATE")).d["content"] == "one"
    assert (await bobs.next("MESSAGE_UPDATE")).d["content"] == "two"
    assert (await bobs.next("MESSAGE_DELETE")).d["id"] == made["id"]


async def test_token_reaches_no_other_messages(world: World, database: Database) -> None:
    stage = await interaction_stage(world, database)
    alice = stage.guild.owner
    channel = f"/channels/{stage.guild.general.id}/messages"
    theirs = await alice.rest.post(channel, {"content": "theirs"})
    own = await stage.bot.rest.post(channel, {"content": "own, but of no interaction"})
    earlier = await stage.click(alice)
    await earlier.respond(4, content="earlier")
    followed = await earlier.follow_up(content="of another token")
    later = await stage.click(alice)
    await later.respond(6)

    for message in (theirs, own, followed):
        path = f"{later.webhook}/messages/{message['id']}"
        for method, body in (("GET", None), ("PATCH", {"content": "x"}), ("DELETE", None)):
            answer = await world.anonymous.call(method, path, body)
            assert (answer.status, answer.code) == (404, 10008), method
    assert (await alice.rest.get(f"{channel}/{followed['id']}"))["content"] == "of another token"


async def test_second_response_is_refused(world: World, database: Database) -> None:
    stage = await interaction_stage(world, database)
    received = await stage.click(stage.guild.owner)

    answers = await asyncio.gather(
        *(received.try_to_respond({"type": 4, "data": {"content": str(n)}}) for n in range(4))
    )

    assert sorted(answer.status for answer in answers) == [204, 400, 400, 400]
    assert {answer.code for answer in answers if answer.status == 400} == {40060}
    messages = await stage.guild.owner.rest.get(f"/channels/{stage.guild.general.id}/messages")
    assert len(messages) == 2


async def test_late_response_is_refused(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await interaction_stage(world, database)
    alice = stage.guild.owner
    [client] = await world.online("alice")
    monkeypatch.setattr(rules, "ACKNOWLEDGE_S", 0.05)

    received = await stage.click(alice, session_id=client.ready["session_id"])

    failed = (await client.next("INTERACTION_FAILURE")).d
    assert failed == {"id": received.id, "nonce": "1", "reason_code": 2}
    answer = await received.try_to_respond({"type": 6})
    assert (answer.status, answer.code) == (404, 10062)
    answer = await world.anonymous.call("POST", received.webhook, {"content": "x"})
    assert (answer.status, answer.code) == (404, 10015)


async def test_token_ends_after_its_lifetime(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await interaction_stage(world, database)
    received = await stage.click(stage.guild.owner)
    await received.respond(4, content="x")
    monkeypatch.setattr(rules, "TOKEN_LIFETIME_S", 0.0)

    for method, path, body in (
        ("POST", received.webhook, {"content": "x"}),
        ("GET", received.original, None),
        ("PATCH", received.original, {"content": "x"}),
        ("DELETE", received.original, None),
    ):
        answer = await world.anonymous.call(method, path, body)
        assert (answer.status, answer.code) == (401, 50027), method


async def test_application_may_respond_where_it_cannot_see_the_channel(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database)
    guild, alice = stage.guild, stage.guild.owner
    received = await stage.click(alice)
    hidden = {"type": 1, "deny": str(Permissions.VIEW_CHANNEL.value)}
    await alice.rest.put(f"/channels/{guild.general.id}/permissions/{stage.bot.id}", hidden)

    await received.respond(4, content="x")

    [shown, _] = await alice.rest.get(f"/channels/{guild.general.id}/messages")
    assert shown == like(content="x", author=like(id=stage.bot.id))
    assert (await stage.click(alice)).payload["app_permissions"] == "0"
    channel = await guild.channel("gone")
    message = await stage.bot.rest.post(f"/channels/{channel.id}/messages", {"content": "x"})
    await set_components(database, message["id"], [ROW])
    lost = await stage.click(alice, channel_id=channel.id, message_id=message["id"])
    await alice.rest.delete(f"/channels/{channel.id}")
    answer = await lost.try_to_respond({"type": 4, "data": {"content": "x"}})
    assert (answer.status, answer.code) == (404, 10003)


@pytest.mark.parametrize("how", ["bans", "members", "integrations"])
async def test_removed_application_can_do_nothing_with_its_tokens(
    world: World, database: Database, how: str
) -> None:
    stage = await interaction_stage(world, database, "bob")
    bob = await world.person("bob")
    answered, pending = [await stage.click(bob) for _ in "12"]
    await answered.respond(4, content="x")
    path, method = f"/guilds/{stage.guild.id}/{how}/{stage.bot.id}", "DELETE"
    if how == "bans":
        method = "PUT"
    await stage.guild.owner.rest.call(method, path, {} if how == "bans" else None)
    body = {"content": "still here"}
    for answer in (
        await pending.try_to_respond({"type": 4, "data": body}),
        await world.anonymous.call("POST", answered.webhook, body),
        await world.anonymous.call("PATCH", answered.original, body),
        await world.anonymous.call("GET", answered.original),
        await world.anonymous.call("DELETE", answered.original),
    ):
        assert (answer.status, answer.code) == (403, 50001)
    page = await bob.rest.get(f"/channels/{stage.guild.general.id}/messages")
    assert [each["content"] for each in page] == ["x", "Press"]


async def test_responses_mention_as_many_as_everyone(world: World, database: Database) -> None:
    stage = await interaction_stage(world, database)
    guild, alice = stage.guild, stage.guild.owner
    received = await stage.click(alice)
    allowed = await received.respond(4, content="@everyone")
    bits = str(int(Permissions.VIEW_CHANNEL | Permissions.SEND_MESSAGES))
    await alice.rest.patch(f"/guilds/{guild.id}/roles/{guild.id}", {"permissions": bits})
    denied = await received.follow_up(content="@everyone")
    assert allowed["resource"]["message"]["mention_everyone"] is True
    assert denied["mention_everyone"] is False


async def test_invalid_response_leaves_the_interaction_pending(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database)
    received = await stage.click(stage.guild.owner)
    for body, code in (
        ({}, 50035),
        ([], 50035),
        ({"type": "4"}, 50035),
        ({"type": 1}, 50035),
        ({"type": 2}, 50035),
        ({"type": 8, "data": {"choices": []}}, 50035),
        ({"type": 10}, 50035),
        ({"type": 12}, 50035),
        ({"type": 4}, 50035),
        ({"type": 4, "data": {}}, 50006),
        ({"type": 4, "data": {"content": "x" * 2001}}, 50035),
        ({"type": 4, "data": {"content": "x", "flags": 8}}, 50035),
        ({"type": 4, "data": {"content": "x", "poll": {"a": 1}}}, 50035),
        ({"type": 4, "data": {"content": "x", "attachments": [{"id": 0}]}}, 50035),
        ({"type": 5, "data": {"flags": 4}}, 50035),
        ({"type": 7, "data": {"content": "", "components": []}}, 50006),
        ({"type": 9, "data": {"custom_id": "m", "title": "t", "components": []}}, 50035),
    ):
        answer = await received.try_to_respond(body)
        assert (answer.status, answer.code) == (400, code), (body, answer.raw)
    await received.respond(4, content="x")
