"""Notification settings: stored, sent to the other sessions, and honored in counts of unread."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatd.services.accounts import notifications
from tests.helpers.user_clients import connect
from tests.world import Guild, Person, World, befriend, like

PATH = "/users/@me/guilds"
DEFAULTS: dict[str, Any] = {
    "version": 0,
    "muted": False,
    "mute_config": None,
    "message_notifications": 3,
    "suppress_everyone": False,
    "suppress_roles": False,
    "mobile_push": True,
    "mute_scheduled_events": False,
    "hide_muted_channels": False,
    "notify_highlights": 0,
    "flags": 0,
    "channel_overrides": [],
}


async def counts(person: Person, channel: str) -> tuple[int, int]:
    """Return the numbers of unread messages and mentions in a channel."""
    states = await person.rest.get("/users/@me/read-states")
    state = next(each for each in states if each["id"] == channel)
    return state["unread_count"], state["mention_count"]


async def change(person: Person, guild: Guild | None, body: dict[str, Any]) -> Any:
    return await person.rest.patch(f"{PATH}/{guild.id if guild else '@me'}/settings", body)


async def test_fields_keep_their_values_until_they_are_changed(world: World) -> None:
    guild = await world.guild("alice", ["bob"])
    alice, bob = await world.people("alice", "bob")
    assert await change(alice, guild, {}) == {**DEFAULTS, "guild_id": guild.id}
    body = {"suppress_roles": True, "message_notifications": 1, "mobile_push": False}
    changed = await change(alice, guild, body)
    assert changed == {**DEFAULTS, **body, "guild_id": guild.id, "version": 1}
    again = await change(alice, guild, {"hide_muted_channels": True, "suppress_roles": None})
    assert again == {**changed, "hide_muted_channels": True, "version": 2}
    assert await change(alice, guild, body) == again  # nothing changes
    assert (await change(bob, guild, {}))["version"] == 0
    assert await change(alice, None, {}) == {**DEFAULTS, "guild_id": None}


async def test_only_sessions_of_the_user_get_the_change(world: World) -> None:
    guild = await world.guild("alice", ["bob"])
    alice = await world.person("alice")
    phone, laptop, other = await world.online("alice", "alice", "bob")
    for where, body in (
        (guild, {"suppress_everyone": True}),
        (None, {"mobile_push": False}),
        (guild, {"channel_overrides": {guild.general.id: {"collapsed": True}}}),
    ):
        changed = await change(alice, where, body)
        for client in (phone, laptop):
            assert (await client.next("USER_GUILD_SETTINGS_UPDATE")).d == changed
    await change(alice, guild, {"suppress_everyone": True})
    assert await phone.received_before_fence() == []
    assert await other.received_before_fence() == []


async def test_overrides_are_merged_and_defaults_are_dropped(world: World) -> None:
    guild = await world.guild("alice")
    alice = await world.person("alice")
    second = await guild.channel("second")
    category = await guild.channel("category", type=4)
    body = {
        "channel_overrides": {
            guild.general.id: {"message_notifications": 2, "channel_id": guild.general.id},
            category.id: {"collapsed": True},
        }
    }
    changed = await change(alice, guild, body)
    found = {each["channel_id"]: each for each in changed["channel_overrides"]}
    assert found[guild.general.id] == {
        "channel_id": guild.general.id,
        "message_notifications": 2,
        "muted": False,
        "mute_config": None,
        "collapsed": False,
        "flags": 0,
    }
    assert found[category.id]["collapsed"] is True
    body = {
        "channel_overrides": {
            second.id: {"flags": 2048},
            category.id: {"collapsed": False},
        }
    }
    changed = await change(alice, guild, body)
    found = {each["channel_id"]: each for each in changed["channel_overrides"]}
    assert set(found) == {guild.general.id, second.id}
    await alice.rest.delete(f"/channels/{second.id}")
    changed = await change(alice, guild, {"muted": True})
    assert [each["channel_id"] for each in changed["channel_overrides"]] == [guild.general.id]


@pytest.mark.parametrize(
    ("given", "lasts_s"),
    [
        ({"selected_time_window": 3600, "end_time": "2031-01-01T00:00:00+00:00"}, None),
        ({"selected_time_window": 3600.4}, 3600),
        ({"selected_time_window": -1, "end_time": None}, None),
        ({"selected_time_window": 1800, "end_time": 1_924_992_000_000}, None),
        ({}, None),
        (None, None),
    ],
)
async def test_forms_of_a_mute(
    world: World, given: dict[str, Any] | None, lasts_s: int | None
) -> None:
    guild = await world.guild("alice")
    alice = await world.person("alice")
    changed = await change(alice, guild, {"muted": True, "mute_config": given})
    assert changed["muted"] is True
    shown = changed["mute_config"]
    if given is None:
        assert shown is None
        return
    assert shown["selected_time_window"] == round(given.get("selected_time_window", -1))
    end = shown["end_time"] and datetime.fromisoformat(shown["end_time"])
    if lasts_s is not None:
        left = end - datetime.now(UTC)
        assert timedelta(seconds=lasts_s - 60) < left <= timedelta(seconds=lasts_s)
    elif given.get("end_time"):
        assert end == datetime(2031, 1, 1, tzinfo=UTC)
    else:
        assert end is None
    unmuted = {"muted": False, "mute_config": {"selected_time_window": -1, "end_time": 0}}
    assert (await change(alice, guild, unmuted))["mute_config"] is None


async def test_suppressed_mentions_do_not_count(world: World) -> None:
    guild = await world.guild("alice", ["bob"])
    alice, bob = await world.people("alice", "bob")
    role = (await alice.rest.post(f"/guilds/{guild.id}/roles", {"name": "r"}))["id"]
    await alice.rest.put(f"/guilds/{guild.id}/members/{bob.id}/roles/{role}")
    channel = guild.general.id
    for text in ("x", "@everyone", f"<@&{role}>", f"<@{bob.id}>"):
        await alice.rest.post(f"/channels/{channel}/messages", {"content": text})
    assert await counts(bob, channel) == (4, 3)
    await change(bob, guild, {"suppress_everyone": True})
    assert await counts(bob, channel) == (4, 2)
    await change(bob, guild, {"suppress_roles": True})
    assert await counts(bob, channel) == (4, 1)
    await change(bob, guild, {"message_notifications": 1})
    assert await counts(bob, channel) == (1, 1)
    await change(bob, guild, {"channel_overrides": {channel: {"message_notifications": 0}}})
    assert await counts(bob, channel) == (4, 1)
    await change(bob, guild, {"channel_overrides": {channel: {"muted": True}}})
    assert await counts(bob, channel) == (0, 1)  # a mention of the user counts nevertheless


async def test_mute_of_a_category_mutes_its_channels(world: World) -> None:
    guild = await world.guild("alice", ["bob"])
    alice, bob = await world.people("alice", "bob")
    category = await guild.channel("category", type=4)
    inside = await guild.channel("inside", parent_id=category.id)
    for channel in (inside.id, guild.general.id):
        await alice.rest.post(f"/channels/{channel}/messages", {"content": "x"})
    await change(bob, guild, {"channel_overrides": {category.id: {"muted": True}}})
    assert await counts(bob, inside.id) == (0, 0)
    assert await counts(bob, guild.general.id) == (1, 0)


async def test_level_of_the_guild_is_the_default(world: World) -> None:
    guild = await world.guild("alice", ["bob"])
    alice, bob = await world.people("alice", "bob")
    await alice.rest.patch(f"/guilds/{guild.id}", {"default_message_notifications": 1})
    for text in ("x", f"<@{bob.id}>"):
        await alice.rest.post(f"/channels/{guild.general.id}/messages", {"content": text})
    assert await counts(bob, guild.general.id) == (1, 1)
    await change(bob, guild, {"message_notifications": 0})
    assert await counts(bob, guild.general.id) == (2, 1)


async def test_private_messages_count_as_mentions_unless_muted(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    await befriend(alice, bob)
    channel = (await alice.rest.post("/users/@me/channels", {"recipient_id": bob.id}))["id"]
    for text in ("x", f"<@{bob.id}>"):
        await alice.rest.post(f"/channels/{channel}/messages", {"content": text})
    assert await counts(bob, channel) == (2, 2)
    changed = await change(bob, None, {"channel_overrides": {channel: {"muted": True}}})
    assert changed["channel_overrides"] == [like(channel_id=channel, muted=True)]
    assert await counts(bob, channel) == (0, 1)


async def test_messages_of_blocked_users_do_not_count(world: World) -> None:
    guild = await world.guild("alice", ["bob", "carol"])
    bob, carol = await world.people("bob", "carol")
    path = f"/channels/{guild.general.id}/messages"
    for person in (guild.owner, carol):
        await person.rest.post(path, {"content": f"<@{bob.id}>"})
    assert await counts(bob, guild.general.id) == (2, 2)
    await bob.rest.put(f"/users/@me/relationships/{carol.id}", {"type": 2})
    assert await counts(bob, guild.general.id) == (1, 1)


async def test_several_guilds_change_together_or_not_at_all(world: World) -> None:
    first, second = [await world.guild("alice") for _ in range(2)]
    other = await world.guild("bob")
    alice = await world.person("alice")
    [client] = await world.online("alice")
    body = {"guilds": {first.id: {"muted": True}, second.id: {"suppress_roles": True}}}
    changed = await alice.rest.patch(f"{PATH}/settings", body)
    assert changed == [
        like(guild_id=first.id, muted=True),
        like(guild_id=second.id, suppress_roles=True),
    ]
    for each in changed:
        assert (await client.next("USER_GUILD_SETTINGS_UPDATE")).d == each
    body = {"guilds": {first.id: {"muted": False}, other.id: {"muted": True}}}
    answer = await alice.rest.call("PATCH", f"{PATH}/settings", body)
    assert (answer.status, answer.code) == (403, 50001)
    assert (await change(alice, first, {}))["muted"] is True
    assert await client.received_before_fence() == []


async def test_unknown_and_hidden_channels_are_refused_alike(world: World) -> None:
    guild = await world.guild("alice", ["bob"])
    elsewhere = await world.guild("bob")
    alice, bob = await world.people("alice", "bob")
    hidden = await guild.channel("hidden")
    await alice.rest.put(
        f"/channels/{hidden.id}/permissions/{guild.id}", {"type": 0, "deny": "1024"}
    )
    await befriend(alice, bob)
    private = (await alice.rest.post("/users/@me/channels", {"recipient_id": bob.id}))["id"]
    answers = [
        await bob.rest.call(
            "PATCH",
            f"{PATH}/{guild.id}/settings",
            {"channel_overrides": {channel: {"muted": True}}},
        )
        for channel in (hidden.id, "1", elsewhere.general.id, private)
    ]
    answers += [
        await bob.rest.call(
            "PATCH", f"{PATH}/@me/settings", {"channel_overrides": {channel: {"muted": True}}}
        )
        for channel in (guild.general.id, "1")
    ]
    for answer in answers:
        assert (answer.status, answer.code) == (404, 10003)
    assert len({answer.raw for answer in answers}) == 1


async def test_strangers_and_unknown_guilds_are_refused(world: World) -> None:
    guild = await world.guild("alice")
    bob = await world.person("bob")
    for guild_id, code in ((guild.id, 50001), ("1", 10004)):
        answer = await bob.rest.call("PATCH", f"{PATH}/{guild_id}/settings", {"muted": True})
        assert answer.code == code
    await guild.admit(bob)
    await change(bob, guild, {"muted": True})
    await bob.rest.delete(f"{PATH}/{guild.id}")
    assert (await bob.rest.call("PATCH", f"{PATH}/{guild.id}/settings", {})).code == 50001
    await guild.admit(bob)
    assert (await change(bob, guild, {}))["muted"] is False  # leaving has deleted them


async def test_number_of_overrides_is_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "MAX_OVERRIDES", 2)
    guild, other = [await world.guild("alice") for _ in range(2)]
    alice = await world.person("alice")
    second = await guild.channel("second")
    muted = {"muted": True}
    overrides = {guild.general.id: muted, second.id: muted}
    await change(alice, guild, {"channel_overrides": overrides})
    body = {"channel_overrides": {other.general.id: muted}}
    answer = await alice.rest.call("PATCH", f"{PATH}/{other.id}/settings", body)
    assert (answer.status, answer.code) == (400, 50035)
    assert (await change(alice, other, {}))["channel_overrides"] == []
    await change(alice, guild, {"channel_overrides": {second.id: {"muted": False}}})
    await change(alice, other, body)


@pytest.mark.parametrize(
    "body",
    [
        {"message_notifications": 4},
        {"muted": 1},
        {"notify_highlights": 3},
        {"mute_config": {"selected_time_window": "1"}},
        {"mute_config": {"selected_time_window": -2}},
        {"mute_config": {"end_time": "soon"}},
        {"mute_config": {"end_time": -5}},
        {"channel_overrides": {"x": {}}},
        {"channel_overrides": []},
        {"channel_overrides": {"1": []}},
        {"flags": -1},
    ],
)
async def test_invalid_settings_are_refused(world: World, body: dict[str, Any]) -> None:
    alice = await world.person("alice")
    guild = await world.guild("alice")
    answer = await alice.rest.call("PATCH", f"{PATH}/{guild.id}/settings", body)
    assert (answer.status, answer.code) == (400, 50035)


async def test_encoded_address_of_private_settings(world: World) -> None:
    """endcord sends it like this."""
    alice = await world.person("alice")
    changed = await alice.rest.patch("/users/@me/guilds/%40me/settings", {"muted": True})
    assert changed == like(guild_id=None, muted=True)


async def test_ready_contains_the_settings_and_counts_by_them(world: World) -> None:
    guild = await world.guild("alice", ["bob", "carol"])
    alice, bob, carol = await world.people("alice", "bob", "carol")
    await befriend(alice, bob)
    private = (await alice.rest.post("/users/@me/channels", {"recipient_id": bob.id}))["id"]
    role = (await alice.rest.post(f"/guilds/{guild.id}/roles", {"name": "r"}))["id"]
    await alice.rest.put(f"/guilds/{guild.id}/members/{bob.id}/roles/{role}")
    everyone, roles, own, blocked = [(await guild.channel(name)).id for name in "abcd"]
    for channel, text in (
        (everyone, "@everyone"),
        (roles, f"<@&{role}>"),
        (own, f"<@{bob.id}>"),
        (private, "x"),
    ):
        await alice.rest.post(f"/channels/{channel}/messages", {"content": text})
    await carol.rest.post(f"/channels/{blocked}/messages", {"content": f"<@{bob.id}>"})

    async def mentions() -> dict[str, int]:
        client = await connect(world, "bob")
        entries = client.ready["read_state"]["entries"]
        return {each["id"]: each["mention_count"] for each in entries if each["mention_count"]}

    everything = {everyone: 1, roles: 1, own: 1, blocked: 1, private: 1}
    assert await mentions() == everything
    await bob.rest.put(f"/users/@me/relationships/{carol.id}", {"type": 2})
    chosen = [
        await change(bob, None, {"channel_overrides": {private: {"muted": True}}}),
        await change(bob, guild, {"suppress_everyone": True, "suppress_roles": True}),
    ]
    assert await mentions() == {own: 1}
    client = await connect(world, "bob")
    assert client.ready["user_guild_settings"]["entries"] == chosen
    theirs = await connect(world, "alice")
    assert theirs.ready["user_guild_settings"]["entries"] == []
