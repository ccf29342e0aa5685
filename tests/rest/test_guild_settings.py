"""Settings of guilds: stored and shown ones, and rejected ones."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import World, like


@pytest.mark.parametrize(
    ("field", "before", "value"),
    [
        ("default_message_notifications", 0, 1),
        ("preferred_locale", "en-US", "de"),
        ("rules_channel_id", None, "general"),
    ],
)
async def test_setting_is_stored_shown_and_logged(
    world: World, field: str, before: Any, value: Any
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    other = await world.guild(owner="alice")
    value = guild.general.id if value == "general" else value
    rest, path = guild.owner.rest, f"/guilds/{guild.id}"
    assert (await rest.get(path))[field] == before
    [client] = await world.online("bob")
    assert await rest.patch(path, {field: value}) == like(**{field: value})
    assert (await client.next("GUILD_UPDATE")).d == like(id=guild.id, **{field: value})
    assert (await rest.get(path))[field] == value
    assert (await rest.get(f"/guilds/{other.id}"))[field] == before
    [entry] = (await rest.get(f"{path}/audit-logs?limit=1"))["audit_log_entries"]
    assert [each["key"] for each in entry["changes"]] == [field]
    [client] = await world.online("alice")
    await rest.patch(path, {"name": "other"})
    assert (await client.next("GUILD_UPDATE")).d == like(**{field: value}, name="other")


async def test_rules_channel_must_be_a_text_channel_of_the_guild(world: World) -> None:
    guild = await world.guild(owner="alice")
    other = await world.guild(owner="alice")
    category = await guild.channel("c", type=4)
    for wrong in (other.general.id, category.id, "1"):
        refused = await guild.owner.rest.call(
            "PATCH", f"/guilds/{guild.id}", {"rules_channel_id": wrong}
        )
        assert (refused.status, refused.code) == (400, 50035)
        assert refused.json["errors"].keys() == {"rules_channel_id"}


async def test_deleting_the_rules_channel_resets_the_setting(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    rules = await guild.channel("rules")
    rest, path = guild.owner.rest, f"/guilds/{guild.id}"
    both = {"rules_channel_id": rules.id, "system_channel_id": guild.general.id}
    await rest.patch(path, both)
    [client] = await world.online("bob")
    await rest.delete(f"/channels/{rules.id}")
    received = (await client.next("GUILD_UPDATE")).d
    assert received == like(rules_channel_id=None, system_channel_id=guild.general.id)
    assert (await rest.get(path))["rules_channel_id"] is None


async def test_invalid_settings_are_refused(world: World) -> None:
    guild = await world.guild(owner="alice")
    for field, value in (("default_message_notifications", 2), ("preferred_locale", "tlh")):
        refused = await guild.owner.rest.call("PATCH", f"/guilds/{guild.id}", {field: value})
        assert (refused.status, refused.code) == (400, 50035)
        assert field in refused.json["errors"]


async def test_channel_type_cannot_change(world: World) -> None:
    guild = await world.guild(owner="alice")
    rest, path = guild.owner.rest, f"/channels/{guild.general.id}"
    assert (await rest.patch(path, {"type": 0, "name": "new"}))["name"] == "new"
    refused = await rest.call("PATCH", path, {"type": 4, "name": "newer"})
    assert (refused.status, refused.code) == (400, 50035)
    assert (await rest.get(path)) == like(type=0, name="new")


async def test_groups_have_no_setting_but_a_name(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    people = [person.id for person in await world.people("bob", "carol")]
    rest = guild.owner.rest
    group = (await rest.post("/users/@me/channels", {"recipients": people}))["id"]
    for field, value in (("topic", "x"), ("nsfw", True), ("rate_limit_per_user", 5), ("type", 0)):
        body = {"name": "n", field: value}
        answer = await rest.call("PATCH", f"/channels/{group}", body)
        if value == 0:
            continue
        assert (answer.status, answer.code) == (400, 50035), field
        assert field in answer.json["errors"]
    assert (await rest.patch(f"/channels/{group}", {"name": "n", "nsfw": False}))["name"] == "n"


async def test_categories_have_neither_topic_nor_slowmode(world: World) -> None:
    guild = await world.guild(owner="alice")
    rest = guild.owner.rest
    category = await guild.channel("c", type=4, topic=None, rate_limit_per_user=0)
    for field, value in (("topic", "x"), ("rate_limit_per_user", 5)):
        body = {"name": "c", "type": 4, field: value}
        for method, path in (
            ("POST", f"/guilds/{guild.id}/channels"),
            ("PATCH", f"/channels/{category.id}"),
        ):
            refused = await rest.call(method, path, body)
            assert (refused.status, refused.code) == (400, 50035)
            assert refused.json["errors"].keys() == {field}
    assert len(await rest.get(f"/guilds/{guild.id}/channels")) == 2


async def test_every_guild_offers_announcement_channels(world: World) -> None:
    guild = await world.guild(owner="alice")
    rest = guild.owner.rest
    features = ["NEWS"]
    for path in (f"/guilds/{guild.id}", f"/guilds/{guild.id}/preview"):
        assert (await rest.get(path))["features"] == features
    [listed] = await rest.get("/users/@me/guilds")
    assert listed["features"] == features
    invite = await rest.get(f"/invites/{await guild.invite()}")
    assert invite["guild"]["features"] == features
    news = await rest.post(f"/guilds/{guild.id}/channels", {"name": "news", "type": 5})
    assert news["type"] == 5
    assert (await rest.patch(f"/guilds/{guild.id}", {"features": features}))["features"] == features
    refused = await rest.call("PATCH", f"/guilds/{guild.id}", {"features": ["COMMUNITY"]})
    assert (refused.status, refused.json["errors"].keys()) == (400, {"features"})
