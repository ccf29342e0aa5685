"""Crossposts: published messages of announcement channels, and their copies in other channels."""

from __future__ import annotations

import asyncio

import aiohttp
import orjson
import pytest

from chatd.core.ids import ChannelId, MessageId
from chatd.core.permissions import Permissions
from chatd.queries.crossposts import Crosspost
from chatd.services.webhooks import crossposts as service
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.announcements import (
    announcing,
    follow,
    following,
    next_in,
    publish,
    send,
    wait_in_all,
)
from tests.helpers.roles import assign_roles, create_role
from tests.world import World, like, world_on


async def test_published_message_is_copied_with_its_edits_and_deletion(world: World) -> None:
    guild, follower, client = await following(world)
    general = follower.general.id
    bob = follower.owner
    sent = await send(
        guild,
        content=f"news for @everyone and <@{bob.id}>",
        embeds=[{"title": "Title"}],
    )
    published = await publish(guild, sent["id"])
    assert published["flags"] == 1
    assert await next_in(client, "MESSAGE_UPDATE", guild.general.id) == like(flags=1)
    copy = await next_in(client, "MESSAGE_CREATE", general)
    [webhook] = await bob.rest.get(f"/channels/{general}/webhooks")
    assert copy == like(
        type=0,
        flags=2,
        content=sent["content"],
        embeds=[{"type": "rich", "title": "Title"}],
        guild_id=follower.id,
        webhook_id=webhook["id"],
        author=like(id=webhook["id"], username="alice's guild #general", discriminator="0000"),
        mentions=[],
        mention_everyone=False,
        message_reference={
            "type": 0,
            "channel_id": guild.general.id,
            "guild_id": guild.id,
            "message_id": sent["id"],
        },
    )
    path = f"/channels/{guild.general.id}/messages/{sent['id']}"
    await guild.owner.rest.patch(path, {"content": "better news"})
    edited = await next_in(client, "MESSAGE_UPDATE", general)
    assert edited == like(id=copy["id"], content="better news", flags=2)
    assert edited["edited_timestamp"] is not None
    await guild.owner.rest.delete(path)
    gone = await next_in(client, "MESSAGE_UPDATE", general)
    assert gone == like(id=copy["id"], content="[Original Message Deleted]", embeds=[], flags=10)


async def test_copy_shows_the_files_of_its_message(world: World) -> None:
    guild, follower, client = await following(world)
    form = aiohttp.FormData()
    embed = {"title": "Title", "image": {"url": "attachment://a.txt"}}
    form.add_field("payload_json", orjson.dumps({"content": "x", "embeds": [embed]}).decode())
    form.add_field("files[0]", b"data", filename="a.txt")
    path = f"/channels/{guild.general.id}/messages"
    answer = await guild.owner.rest.call("POST", path, data=form)
    await publish(guild, answer.json["id"])
    copy = await next_in(client, "MESSAGE_CREATE", follower.general.id)
    [file] = copy["attachments"]
    assert file["filename"] == "a.txt"
    url = file["url"].removeprefix("http://chatd.test")
    assert (await world.anonymous.call("GET", url)).raw == b"data"
    [shown, _] = await follower.owner.rest.get(f"/channels/{follower.general.id}/messages")
    assert shown["attachments"] == [file]
    assert shown["embeds"][0]["image"]["url"] == file["url"]
    # Deleting the copy leaves the file of the message.
    await follower.owner.rest.delete(f"/channels/{follower.general.id}/messages/{copy['id']}")
    assert (await world.anonymous.call("GET", url)).raw == b"data"


async def test_only_followers_at_that_time_get_a_message(world: World) -> None:
    guild, first, client = await following(world)
    second, third = [await world.guild(owner="bob") for _ in "12"]
    await follow(guild, second)
    [webhook] = await second.owner.rest.get(f"/channels/{second.general.id}/webhooks")
    await second.owner.rest.delete(f"/webhooks/{webhook['id']}")
    sent = await send(guild, content="news")
    await publish(guild, sent["id"])
    await next_in(client, "MESSAGE_CREATE", first.general.id)
    await follow(guild, third)
    path = f"/channels/{guild.general.id}/messages/{sent['id']}"
    await guild.owner.rest.patch(path, {"content": "better news"})
    await next_in(client, "MESSAGE_UPDATE", first.general.id)
    for other, types in ((second, [12]), (third, [12])):
        page = await other.owner.rest.get(f"/channels/{other.general.id}/messages")
        assert [each["type"] for each in page] == types


async def test_copy_that_was_deleted_does_not_return(world: World) -> None:
    guild, follower, client = await following(world)
    other = await world.guild(owner="bob")
    await follow(guild, other)
    sent = await send(guild, content="news")
    await publish(guild, sent["id"])
    general = follower.general.id
    copy = await next_in(client, "MESSAGE_CREATE", general)
    await next_in(client, "MESSAGE_CREATE", other.general.id)
    await follower.owner.rest.delete(f"/channels/{general}/messages/{copy['id']}")
    path = f"/channels/{guild.general.id}/messages/{sent['id']}"
    await guild.owner.rest.patch(path, {"content": "better news"})
    await next_in(client, "MESSAGE_UPDATE", other.general.id)  # follows the other webhook
    page = await follower.owner.rest.get(f"/channels/{general}/messages")
    assert [each["type"] for each in page] == [12]


async def test_publishing_is_refused(world: World) -> None:
    guild = await announcing(world, "bob")
    text = await guild.channel("text")
    rest, bob = guild.owner.rest, world.rest("bob")
    sent = await send(guild, content="x")
    elsewhere = await rest.post(f"/channels/{text.id}/messages", {"content": "x"})
    bobs = await bob.post(f"/channels/{guild.general.id}/messages", {"content": "x"})
    for message_id, channel_id, who, status, code in (
        (sent["id"], guild.general.id, bob, 403, 50013),
        (elsewhere["id"], text.id, rest, 400, 50024),
        ("1", guild.general.id, rest, 404, 10008),
        (elsewhere["id"], guild.general.id, rest, 404, 10008),
    ):
        path = f"/channels/{channel_id}/messages/{message_id}/crosspost"
        answer = await who.call("POST", path)
        assert (answer.status, answer.code) == (status, code)
    path = f"/channels/{guild.general.id}/messages/{bobs['id']}/crosspost"
    assert (await bob.post(path))["flags"] == 1  # its own message
    answer = await rest.call("POST", path)
    assert (answer.status, answer.code) == (400, 40033)
    deny = {"type": 0, "deny": str(Permissions.SEND_MESSAGES.value)}
    late = await bob.post(f"/channels/{guild.general.id}/messages", {"content": "x"})
    await rest.put(f"/channels/{guild.general.id}/permissions/{guild.id}", deny)
    path = f"/channels/{guild.general.id}/messages/{late['id']}/crosspost"
    answer = await bob.call("POST", path)
    assert (answer.status, answer.code) == (403, 50013)


async def test_system_messages_and_copies_are_not_published(world: World) -> None:
    guild, follower, client = await following(world)
    rest, general = follower.owner.rest, follower.general.id
    await rest.patch(f"/channels/{general}", {"type": 5})
    await publish(guild, (await send(guild, content="x"))["id"])
    copy = await next_in(client, "MESSAGE_CREATE", general)
    page = await rest.get(f"/channels/{general}/messages")
    assert page[0]["id"] == copy["id"]
    for each in page:
        answer = await rest.call("POST", f"/channels/{general}/messages/{each['id']}/crosspost")
        assert (answer.status, answer.code) == (400, 50068)


async def test_concurrent_publications_send_one_copy(world: World) -> None:
    guild, follower, client = await following(world)
    sent = await send(guild, content="x")
    path = f"/channels/{guild.general.id}/messages/{sent['id']}/crosspost"
    answers = await asyncio.gather(*(guild.owner.rest.call("POST", path) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
    await next_in(client, "MESSAGE_CREATE", follower.general.id)
    page = await follower.owner.rest.get(f"/channels/{follower.general.id}/messages")
    assert len(page) == 2


async def test_interrupted_delivery_goes_on_without_repeating_copies(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second instance takes over while the first one still works on the same message."""
    monkeypatch.setattr(service, "BATCH_WEBHOOKS", 2)
    guild, *_ = await following(world)
    followers = [await world.guild(owner="bob") for _ in range(4)]
    for each in followers:
        await follow(guild, each)
    sent = await send(guild, content="x")
    [client] = await world.online("bob")
    await publish(guild, sent["id"])
    dependencies = server.runner.app[DEPENDENCIES]
    stale = Crosspost(ChannelId(int(guild.general.id)), MessageId(int(sent["id"])), 2**62, 1, 0)
    await asyncio.gather(*(service.deliver(dependencies, stale) for _ in range(3)))
    await wait_in_all(client, "MESSAGE_CREATE", followers)
    path = f"/channels/{guild.general.id}/messages/{sent['id']}"
    await guild.owner.rest.patch(path, {"content": "y"})
    await wait_in_all(client, "MESSAGE_UPDATE", followers)
    for each in followers:
        page = await each.owner.rest.get(f"/channels/{each.general.id}/messages")
        assert [message["content"] for message in page if message["type"] == 0] == ["y"]


async def test_members_with_the_permission_publish_messages_of_others(world: World) -> None:
    guild = await announcing(world, "bob")
    role = await create_role(guild, "moderator", int(Permissions.MANAGE_MESSAGES))
    await assign_roles(world, guild, "bob", role)
    sent = await send(guild, content="x")
    path = f"/channels/{guild.general.id}/messages/{sent['id']}/crosspost"
    assert (await world.rest("bob").post(path))["flags"] == 1


async def test_buttons_of_a_copy_are_disabled(world: World) -> None:
    guild, follower, client = await following(world)
    bot = await world.bot("bot", "alice", guild)
    buttons = [
        {"type": 2, "style": 1, "label": "Yes", "custom_id": "yes"},
        {"type": 2, "style": 5, "label": "Go", "url": "https://example.org"},
    ]
    body = {"content": "x", "components": [{"type": 1, "components": buttons}]}
    sent = await bot.rest.post(f"/channels/{guild.general.id}/messages", body)
    await publish(guild, sent["id"])
    copy = await next_in(client, "MESSAGE_CREATE", follower.general.id)
    yes, link = copy["components"][0]["components"]
    assert yes == like(label="Yes", disabled=True)
    assert link.get("disabled") in (None, False)


async def test_ten_messages_are_published_in_an_hour(world: World, serve_more: ServeMore) -> None:
    guild = await announcing(world)
    async with (
        serve_more(worker_id=13, rate_limits=True) as server,
        world_on(server.url, server.gateway_url) as limited,
    ):
        limited.share_people(world)
        path = f"/channels/{guild.general.id}/messages/1/crosspost"
        rest = limited.rest("alice")
        answers = await asyncio.gather(*(rest.call("POST", path) for _ in range(11)))
        assert sorted(answer.status for answer in answers) == [404] * 10 + [429]
