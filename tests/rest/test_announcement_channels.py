"""Announcement channels: creating, converting and following them."""

from __future__ import annotations

from urllib.parse import quote

from chatd.core.permissions import Permissions
from tests.helpers.announcements import (
    announcing,
    follow,
    send,
)
from tests.helpers.images import data_uri, image_bytes
from tests.world import World, like


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
