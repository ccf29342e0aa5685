"""Announcement channels: creating, converting and following them, and publishing their messages."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
import pytest

from chatd.core.ids import ChannelId, MessageId
from chatd.core.permissions import Permissions
from chatd.queries.crossposts import Crosspost
from chatd.services.webhooks import crossposts as service
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.images import data_uri, image_bytes
from tests.helpers.roles import assign_roles, create_role
from tests.world import Client, Guild, Person, World, like, world_on


async def announcing(world: World, *members: str) -> Guild:
    """Return a guild whose general channel is an announcement channel."""
    guild = await world.guild(owner="alice", members=members)
    await guild.owner.rest.patch(f"/channels/{guild.general.id}", {"type": 5})
    return guild


async def follow(guild: Guild, follower: Guild, who: Person | None = None) -> dict[str, Any]:
    """Let the general channel of a guild follow that of another."""
    rest = (who or follower.owner).rest
    path = f"/channels/{guild.general.id}/followers"
    found: dict[str, Any] = await rest.post(path, {"webhook_channel_id": follower.general.id})
    return found


async def send(guild: Guild, **body: Any) -> dict[str, Any]:
    sent: dict[str, Any] = await guild.owner.rest.post(
        f"/channels/{guild.general.id}/messages", body
    )
    return sent


async def publish(guild: Guild, message_id: str) -> dict[str, Any]:
    path = f"/channels/{guild.general.id}/messages/{message_id}/crosspost"
    found: dict[str, Any] = await guild.owner.rest.post(path)
    return found


async def test_announcement_channel_is_created_and_converted(world: World) -> None:
    guild = await world.guild(owner="alice")
    [client] = await world.online("alice")
    rest = guild.owner.rest
    made = await rest.post(f"/guilds/{guild.id}/channels", {"name": "news", "type": 5})
    assert made == like(type=5, topic=None, last_message_id=None, nsfw=False)
    assert (await client.next("CHANNEL_CREATE")).d == like(id=made["id"], type=5)
    for kind in (0, 5):
        changed = await rest.patch(f"/channels/{made['id']}", {"type": kind, "topic": "x"})
        assert changed["type"] == kind
        assert (await client.next("CHANNEL_UPDATE")).d == like(id=made["id"], type=kind)
        assert (await rest.get(f"/channels/{made['id']}"))["type"] == kind
    log = await rest.get(f"/guilds/{guild.id}/audit-logs?action_type=11&limit=1")
    [entry] = log["audit_log_entries"]
    assert {"key": "type", "old_value": 0, "new_value": 5} in entry["changes"]


async def test_other_conversions_are_refused(world: World) -> None:
    guild = await announcing(world)
    category = await guild.channel("category", type=4)
    rest = guild.owner.rest
    for channel_id, kind in ((category.id, 5), (category.id, 0), (guild.general.id, 4)):
        answer = await rest.call("PATCH", f"/channels/{channel_id}", {"type": kind})
        assert (answer.status, answer.code) == (400, 50035)
        assert "type" in answer.json["errors"]


async def test_announcement_channel_does_what_a_text_channel_does(world: World) -> None:
    guild = await announcing(world, "bob")
    rest, bob = guild.owner.rest, world.rest("bob")
    general = f"/channels/{guild.general.id}"
    [client] = await world.online("bob")
    sent = await send(guild, content="needle", embeds=[{"title": "x"}])
    assert (await client.next("MESSAGE_CREATE")).d["id"] == sent["id"]
    await bob.put(f"{general}/messages/{sent['id']}/reactions/{quote('👍')}/@me")
    await rest.put(f"{general}/messages/pins/{sent['id']}")
    await bob.post(f"{general}/typing")
    await bob.post(f"{general}/messages/{sent['id']}/ack", {})
    found = await bob.get(f"/guilds/{guild.id}/messages/search?content=needle")
    assert found["total_results"] == 1
    settings = {"system_channel_id": guild.general.id, "rules_channel_id": guild.general.id}
    assert await rest.patch(f"/guilds/{guild.id}", settings) == like(**settings)
    assert (await rest.post(f"{general}/invites", {"unique": True}))["channel"]["type"] == 5
    await rest.patch(general, {"rate_limit_per_user": 60, "nsfw": True})
    await rest.put(f"{general}/permissions/{guild.id}", {"type": 0, "deny": "2048"})
    assert (await bob.call("POST", f"{general}/messages", {"content": "x"})).status == 403
    await rest.delete(f"{general}/messages/{sent['id']}")
    await rest.delete(general)


async def test_following_creates_a_webhook_and_a_message(world: World) -> None:
    guild, follower = await announcing(world, "bob"), await world.guild(owner="bob")
    await guild.owner.rest.patch(f"/guilds/{guild.id}", {"icon": data_uri(image_bytes())})
    [client] = await world.online("bob")
    made = await follow(guild, follower)
    assert made["channel_id"] == guild.general.id
    general = follower.general.id
    assert (await client.next("WEBHOOKS_UPDATE")).d["channel_id"] == general
    said = (await client.next("MESSAGE_CREATE")).d
    assert said == like(
        type=12,
        channel_id=general,
        content="alice's guild #general",
        author=like(id=follower.owner.id),
        message_reference={"type": 0, "channel_id": guild.general.id, "guild_id": guild.id},
    )
    assert "webhook_id" not in said
    rest = follower.owner.rest
    [message] = await rest.get(f"/channels/{general}/messages")
    assert message == like(type=12, message_reference=said["message_reference"])
    webhook = await rest.get(f"/webhooks/{made['webhook_id']}")
    assert webhook == like(
        type=2,
        name="alice's guild #general",
        channel_id=general,
        source_guild=like(id=guild.id, name="alice's guild"),
        source_channel={"id": guild.general.id, "name": "general"},
    )
    assert "token" not in webhook
    picture = await world.anonymous.call(
        "GET", f"/avatars/{webhook['id']}/{webhook['avatar']}.png", allow_redirects=False
    )
    icon = webhook["source_guild"]["icon"]
    assert picture.headers["Location"] == f"http://chatd.test/icons/{guild.id}/{icon}.png"
    log = await rest.get(f"/guilds/{follower.id}/audit-logs?action_type=50")
    assert log["audit_log_entries"][0]["target_id"] == webhook["id"]
    # A second time changes nothing.
    assert await follow(guild, follower) == made
    assert len(await rest.get(f"/channels/{general}/webhooks")) == 1
    # The source is private for those who left its guild.
    await rest.delete(f"/users/@me/guilds/{guild.id}")
    assert "source_guild" not in await rest.get(f"/webhooks/{made['webhook_id']}")


async def test_following_needs_permissions_on_both_sides(world: World) -> None:
    guild, follower = await announcing(world, "bob"), await world.guild(owner="bob")
    await follower.admit(await world.person("carol"))
    carol, bob = world.rest("carol"), follower.owner.rest
    path, body = (
        f"/channels/{guild.general.id}/followers",
        {"webhook_channel_id": follower.general.id},
    )
    hidden = {"type": 0, "deny": str(Permissions.VIEW_CHANNEL.value)}
    answer = await carol.call("POST", path, body)  # no member of the guild
    assert (answer.status, answer.code) == (403, 50001)
    await guild.admit(await world.person("carol"))
    answer = await carol.call("POST", path, body)  # may not manage webhooks
    assert (answer.status, answer.code) == (403, 50013)
    answer = await guild.owner.rest.call("POST", path, body)  # not in the other guild
    assert (answer.status, answer.code) == (403, 50001)
    await guild.owner.rest.put(f"/channels/{guild.general.id}/permissions/{guild.id}", hidden)
    answer = await bob.call("POST", path, body)  # does not see the channel
    assert (answer.status, answer.code) == (403, 50001)
    category = await follower.channel("category", type=4)
    alices = await guild.channel("news", type=5)
    text = await guild.channel("text")
    bob_there = await follower.channel("theirs", type=5)
    for source, target, status, code in (
        (text.id, follower.general.id, 400, 50024),
        (alices.id, category.id, 400, 50024),
        (bob_there.id, bob_there.id, 400, 50024),
        (alices.id, "1", 404, 10003),
    ):
        there = f"/channels/{source}/followers"
        answer = await bob.call("POST", there, {"webhook_channel_id": target})
        assert (answer.status, answer.code) == (status, code)


async def test_full_channel_cannot_follow(world: World) -> None:
    guild, follower = await announcing(world, "bob"), await world.guild(owner="bob")
    rest = follower.owner.rest
    for _ in range(15):
        await rest.post(f"/channels/{follower.general.id}/webhooks", {"name": "Builds"})
    answer = await rest.call(
        "POST",
        f"/channels/{guild.general.id}/followers",
        {"webhook_channel_id": follower.general.id},
    )
    assert (answer.status, answer.code) == (400, 30007)


async def following(world: World) -> tuple[Guild, Guild, Client]:
    """Return a guild, one that follows it, and a client there that has seen that."""
    guild, follower = await announcing(world, "bob"), await world.guild(owner="bob")
    await follow(guild, follower)
    [client] = await world.online("bob")
    return guild, follower, client


async def next_in(client: Client, name: str, channel_id: str) -> Any:
    """Return the next dispatch of this name in a channel."""
    while True:
        found = (await client.next(name)).d
        if found["channel_id"] == channel_id:
            return found


async def wait_in_all(client: Client, name: str, guilds: list[Guild]) -> None:
    """Wait for a dispatch of this name in the general channel of each guild."""
    missing = {guild.general.id for guild in guilds}
    while missing:
        missing.discard((await client.next(name)).d["channel_id"])


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
