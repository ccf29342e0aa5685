"""Webhooks of channels: creating, listing, changing, moving and deleting them."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import orjson
import psycopg2
import pytest

from chatd.core.permissions import Permissions
from tests.conftest import Server
from tests.helpers.images import data_uri, image_bytes
from tests.helpers.roles import assign_roles, create_role
from tests.helpers.webhooks import create_webhook
from tests.world import Guild, World, like

MANAGE = int(Permissions.MANAGE_WEBHOOKS)


async def entries(guild: Guild) -> list[dict[str, Any]]:
    """Return the entries of the audit log about webhooks, newest first."""
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs")
    return [each for each in log["audit_log_entries"] if each["action_type"] in (50, 51, 52)]


async def test_created_webhook_has_a_token_and_is_listed(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [alice, bob] = await world.online("alice", "bob")
    made = await create_webhook(guild)
    assert made == like(
        type=1,
        name="Builds",
        avatar=None,
        guild_id=guild.id,
        channel_id=guild.general.id,
        application_id=None,
        user=like(id=guild.owner.id),
    )
    assert len(made["token"]) == 68
    assert made["url"] == f"http://chatd.test/api/webhooks/{made['id']}/{made['token']}"
    update = {"guild_id": guild.id, "channel_id": guild.general.id}
    assert (await alice.next("WEBHOOKS_UPDATE")).d == update
    assert (await bob.next("WEBHOOKS_UPDATE")).d == update
    rest = guild.owner.rest
    assert await rest.get(f"/channels/{guild.general.id}/webhooks") == [made]
    assert await rest.get(f"/guilds/{guild.id}/webhooks") == [made]
    assert await rest.get(f"/webhooks/{made['id']}") == made
    other = await create_webhook(guild)
    assert other["token"] != made["token"]


async def test_webhook_updates_need_their_intent_and_the_channel(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    hidden = {"id": guild.id, "type": 0, "deny": str(Permissions.VIEW_CHANNEL.value)}
    secret = await guild.channel("secret", permission_overwrites=[hidden])
    [bob] = await world.online("bob")
    [alice] = await world.online("alice", intents=1)
    await guild.owner.rest.post(f"/channels/{secret.id}/webhooks", {"name": "Builds"})
    assert await bob.received_before_fence() == []
    assert await alice.received_before_fence() == []


async def test_changed_webhook_keeps_its_token(world: World) -> None:
    guild = await world.guild(owner="alice")
    side = await guild.channel("side")
    made = await create_webhook(guild)
    [client] = await world.online("alice")
    rest = guild.owner.rest
    moved = await rest.patch(f"/webhooks/{made['id']}", {"name": "Releases", "channel_id": side.id})
    assert moved == {**made, "name": "Releases", "channel_id": side.id}
    updates = [(await client.next("WEBHOOKS_UPDATE")).d["channel_id"] for _ in "12"]
    assert sorted(updates) == sorted([guild.general.id, side.id])
    assert await rest.get(f"/channels/{guild.general.id}/webhooks") == []
    assert await rest.get(f"/channels/{side.id}/webhooks") == [moved]
    # What requests nothing changes nothing, and nothing is reported.
    assert await rest.patch(f"/webhooks/{made['id']}", {"channel_id": None}) == moved
    assert await rest.patch(f"/webhooks/{made['id']}", {"name": "Releases"}) == moved
    names = {each.t for each in await client.received_before_fence()}
    assert names == {"GUILD_AUDIT_LOG_ENTRY_CREATE"}  # of the first change
    assert len(await entries(guild)) == 2


async def test_deleted_webhook_is_unknown(world: World) -> None:
    guild = await world.guild(owner="alice")
    made = await create_webhook(guild)
    rest = guild.owner.rest
    await rest.delete(f"/webhooks/{made['id']}")
    for method in ("GET", "DELETE"):
        answer = await rest.call(method, f"/webhooks/{made['id']}")
        assert (answer.status, answer.code) == (404, 10015)
    answer = await rest.call("PATCH", f"/webhooks/{made['id']}", {"name": "x"})
    assert (answer.status, answer.code) == (404, 10015)
    assert await rest.get(f"/guilds/{guild.id}/webhooks") == []


async def test_webhook_is_deleted_with_its_channel(world: World) -> None:
    guild = await world.guild(owner="alice")
    side = await guild.channel("side")
    rest = guild.owner.rest
    made = await rest.post(f"/channels/{side.id}/webhooks", {"name": "Builds"})
    await rest.delete(f"/channels/{side.id}")
    answer = await rest.call("GET", f"/webhooks/{made['id']}")
    assert (answer.status, answer.code) == (404, 10015)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "BASE_TYPE_BAD_LENGTH"),
        ("   ", "BASE_TYPE_BAD_LENGTH"),
        ("x" * 81, "BASE_TYPE_BAD_LENGTH"),
        ("Clyde", "USERNAME_INVALID_CONTAINS"),
        ("my Discord bot", "USERNAME_INVALID_CONTAINS"),
        ("ｄｉｓｃｏｒｄ", "USERNAME_INVALID_CONTAINS"),
        ("a\u200bb", "STRING_TYPE_REGEX"),
        (None, "BASE_TYPE_REQUIRED"),
        (5, "BASE_TYPE_BAD_TYPE"),
    ],
)
async def test_bad_name_is_refused(world: World, name: object, code: str) -> None:
    guild = await world.guild(owner="alice")
    made = await create_webhook(guild, "x" * 80)
    for method, path in (
        ("POST", f"/channels/{guild.general.id}/webhooks"),
        ("PATCH", f"/webhooks/{made['id']}"),
    ):
        answer = await guild.owner.rest.call(method, path, {"name": name})
        assert (answer.status, answer.code) == (400, 50035)
        assert answer.json["errors"]["name"]["_errors"][0]["code"] == code


async def test_avatar_is_stored_and_deleted_with_its_webhook(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice")
    side = await guild.channel("side")
    rest = guild.owner.rest
    data = image_bytes()
    made = await create_webhook(guild, avatar=data_uri(data))
    path = f"/avatars/{made['id']}/{made['avatar']}.png"
    assert (await world.anonymous.call("GET", path)).raw == data
    changed = await rest.patch(
        f"/webhooks/{made['id']}", {"avatar": data_uri(data), "channel_id": side.id}
    )
    assert changed["avatar"] not in (None, made["avatar"])
    await rest.delete(f"/channels/{side.id}")
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute(
            "SELECT key FROM doomed_files WHERE not_before <= now() AND key LIKE %s",
            (f"avatars/{made['id']}/%",),
        )
        keys = {key for (key,) in cur.fetchall()}
    connection.close()
    assert keys == {f"avatars/{made['id']}/{each['avatar']}" for each in (made, changed)}


async def test_avatar_is_removed(world: World) -> None:
    guild = await world.guild(owner="alice")
    made = await create_webhook(guild, avatar=data_uri(image_bytes()))
    changed = await guild.owner.rest.patch(f"/webhooks/{made['id']}", {"avatar": None})
    assert changed["avatar"] is None


async def test_bad_avatar_is_refused(world: World) -> None:
    guild = await world.guild(owner="alice")
    rest = guild.owner.rest
    made = await create_webhook(guild)
    large = data_uri(bytes(2 * 2**20 + 1))
    for method, path in (
        ("POST", f"/channels/{guild.general.id}/webhooks"),
        ("PATCH", f"/webhooks/{made['id']}"),
    ):
        for avatar, status in (
            ("nonsense", 400),
            ("https://example.org/a.png", 400),
            (data_uri(b"<svg/>"), 400),
            (large, 400),
            (large * 2, 413),
        ):
            data = io.BytesIO(orjson.dumps({"name": "x", "avatar": avatar}))
            headers = {"Content-Type": "application/json"}
            answer = await rest.call(method, path, data=data, headers=headers)
            assert answer.status == status
            assert status == 413 or "avatar" in answer.json["errors"]
    assert await rest.get(f"/channels/{guild.general.id}/webhooks") == [made]


async def test_channel_has_at_most_15_webhooks(world: World) -> None:
    guild = await world.guild(owner="alice")
    side = await guild.channel("side")
    rest = guild.owner.rest
    path = f"/channels/{guild.general.id}/webhooks"
    for _ in range(13):
        await create_webhook(guild)
    elsewhere = await rest.post(f"/channels/{side.id}/webhooks", {"name": "Builds"})
    answers = await asyncio.gather(
        *(rest.call("POST", path, {"name": "Builds"}) for _ in range(3)),
        rest.call("PATCH", f"/webhooks/{elsewhere['id']}", {"channel_id": guild.general.id}),
    )
    assert sorted(answer.status for answer in answers) == [200, 200, 400, 400]
    assert {answer.code for answer in answers if answer.status == 400} == {30007}
    assert len(await rest.get(path)) == 15


async def test_guild_has_at_most_1000_webhooks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatd.services.webhooks.webhooks.MAX_GUILD_WEBHOOKS", 2)
    guild = await world.guild(owner="alice")
    side = await guild.channel("side")
    for _ in "12":
        await create_webhook(guild)
    answer = await guild.owner.rest.call(
        "POST", f"/channels/{side.id}/webhooks", {"name": "Builds"}
    )
    assert (answer.status, answer.code) == (400, 30058)


async def test_webhook_moves_within_its_guild_only(world: World) -> None:
    guild = await world.guild(owner="alice")
    other = await world.guild(owner="alice")
    category = await guild.channel("category", type=4)
    rest = guild.owner.rest
    made = await create_webhook(guild)
    for channel_id, status, code in (
        (other.general.id, 404, 10003),
        ("1", 404, 10003),
        (category.id, 400, 50024),
    ):
        answer = await rest.call("PATCH", f"/webhooks/{made['id']}", {"channel_id": channel_id})
        assert (answer.status, answer.code) == (status, code)
    answer = await rest.call("POST", f"/channels/{category.id}/webhooks", {"name": "x"})
    assert (answer.status, answer.code) == (400, 50024)


async def test_moving_needs_the_permission_in_both_channels(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = world.rest("bob")
    own = {"type": 1, "allow": str(MANAGE), "deny": "0"}
    bob_id = (await world.person("bob")).id
    side = await guild.channel("side")
    made = await create_webhook(guild)
    rest = guild.owner.rest
    for allowed in (guild.general.id, side.id):
        await rest.put(f"/channels/{allowed}/permissions/{bob_id}", own)
        answer = await bob.call("PATCH", f"/webhooks/{made['id']}", {"channel_id": side.id})
        assert (answer.status, answer.code) == (403, 50013)
        await rest.delete(f"/channels/{allowed}/permissions/{bob_id}")
    for allowed in (guild.general.id, side.id):
        await rest.put(f"/channels/{allowed}/permissions/{bob_id}", own)
    assert await bob.patch(f"/webhooks/{made['id']}", {"channel_id": side.id})


async def test_guild_list_omits_channels_that_the_caller_cannot_manage(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    role = await create_role(guild, "hooks", MANAGE)
    await assign_roles(world, guild, "bob", role)
    hidden = {"id": guild.id, "type": 0, "deny": str(Permissions.VIEW_CHANNEL.value)}
    denied = {"id": role, "type": 0, "deny": str(MANAGE)}
    secret = await guild.channel("secret", permission_overwrites=[hidden])
    denying = await guild.channel("denying", permission_overwrites=[denied])
    made = await create_webhook(guild)
    for channel in (secret, denying):
        await guild.owner.rest.post(f"/channels/{channel.id}/webhooks", {"name": "Builds"})
    found = await bob.rest.get(f"/guilds/{guild.id}/webhooks")
    assert [each["id"] for each in found] == [made["id"]]
    answer = await bob.rest.call("GET", f"/channels/{denying.id}/webhooks")
    assert (answer.status, answer.code) == (403, 50013)


async def test_only_its_bot_sees_the_token_of_a_bot(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    role = await create_role(guild, "hooks", MANAGE)
    await assign_roles(world, guild, "bot", role)
    made = await bot.rest.post(f"/channels/{guild.general.id}/webhooks", {"name": "Builds"})
    assert made["application_id"] == bot.id
    seen = await guild.owner.rest.get(f"/webhooks/{made['id']}")
    assert seen == {key: each for key, each in made.items() if key not in ("token", "url")}
    # Its application manages it without the permission, but cannot move it.
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bot.id}/roles/{role}")
    assert await bot.rest.get(f"/webhooks/{made['id']}") == made
    assert (await bot.rest.patch(f"/webhooks/{made['id']}", {"name": "x"}))["name"] == "x"
    side = await guild.channel("side")
    answer = await bot.rest.call("PATCH", f"/webhooks/{made['id']}", {"channel_id": side.id})
    assert (answer.status, answer.code) == (403, 50013)
    await bot.rest.delete(f"/webhooks/{made['id']}")


async def test_private_channels_have_no_webhooks(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
    dm = await alice.rest.post("/users/@me/channels", {"recipient_id": bob.id})
    for method, body in (("GET", None), ("POST", {"name": "x"})):
        answer = await alice.rest.call(method, f"/channels/{dm['id']}/webhooks", body)
        assert (answer.status, answer.code) == (403, 50003)


async def test_audit_log_has_the_changes_without_the_token(world: World) -> None:
    guild = await world.guild(owner="alice")
    side = await guild.channel("side")
    rest = guild.owner.rest
    [client] = await world.online("alice")
    made = await create_webhook(guild)
    kept = await create_webhook(guild, "kept")
    path = f"/webhooks/{made['id']}"
    await rest.patch(path, {"name": "Releases", "channel_id": side.id})
    headers = {"X-Audit-Log-Reason": "no%20more%20builds"}
    await rest.call("DELETE", path, headers=headers)
    deleted, updated, _, created = await entries(guild)
    assert deleted == like(action_type=52, target_id=made["id"], reason="no more builds")
    assert {"key": "name", "old_value": "Releases"} in deleted["changes"]
    assert updated == like(
        action_type=51,
        changes=[
            {"key": "channel_id", "old_value": guild.general.id, "new_value": side.id},
            {"key": "name", "old_value": "Builds", "new_value": "Releases"},
        ],
    )
    assert created == like(action_type=50, user_id=guild.owner.id, target_id=made["id"])
    assert {"key": "type", "new_value": 1} in created["changes"]
    log = await rest.call("GET", f"/guilds/{guild.id}/audit-logs")
    assert [each["id"] for each in log.json["webhooks"]] == [kept["id"]]
    sent = [each.d for each in await client.received_before_fence()]
    for token in (made["token"], kept["token"]):
        assert token not in log.raw.decode()
        assert token not in str(sent)


async def test_entries_about_hidden_channels_are_hidden(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    await assign_roles(
        world, guild, "bob", await create_role(guild, "a", int(Permissions.VIEW_AUDIT_LOG))
    )
    hidden = {"id": guild.id, "type": 0, "deny": str(Permissions.VIEW_CHANNEL.value)}
    secret = await guild.channel("secret", permission_overwrites=[hidden])
    rest = guild.owner.rest
    made = await rest.post(f"/channels/{secret.id}/webhooks", {"name": "Builds"})
    await rest.patch(f"/webhooks/{made['id']}", {"name": "Releases"})
    await rest.delete(f"/webhooks/{made['id']}")
    assert len(await entries(guild)) == 3
    log = await world.rest("bob").get(f"/guilds/{guild.id}/audit-logs")
    assert not [each for each in log["audit_log_entries"] if each["action_type"] >= 50]
