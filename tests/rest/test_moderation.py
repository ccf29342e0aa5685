"""Moderation: nicknames, timeouts, kicks, bans, guild transfers, and the audit log."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from chatd.core.permissions import Permissions
from tests.conftest import Server
from tests.helpers.locks import Call, held_stream, one_after_the_other
from tests.helpers.roles import assign_roles, create_role
from tests.world import World, like


async def test_nicknames_are_changed(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob = await world.person("bob")
    [client] = await world.online("carol")
    changed = await bob.rest.patch(f"/guilds/{guild.id}/members/@me", {"nick": " Bobby "})
    assert changed == like(nick="Bobby")
    assert (await client.next("GUILD_MEMBER_UPDATE")).d == like(nick="Bobby")
    sent = await bob.rest.post(f"/channels/{guild.general.id}/messages", {"content": "x"})
    assert sent["author"]["id"] == bob.id
    assert (await client.next("MESSAGE_CREATE")).d["member"]["nick"] == "Bobby"
    path = f"/guilds/{guild.id}/members/{bob.id}"
    assert (await world.rest("carol").call("PATCH", path, {"nick": "B"})).code == 50013
    assert (await world.rest("alice").patch(path, {"nick": None}))["nick"] is None
    found = await world.rest("alice").get(
        f"/guilds/{guild.id}/members/search?query={bob.name[:4].upper()}&limit=5"
    )
    assert [member["user"]["id"] for member in found] == [bob.id]
    assert await world.rest("alice").get(f"/guilds/{guild.id}/members/search?query=%25") == []


async def test_timeout_silences_until_it_ends(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    messages = f"/channels/{guild.general.id}/messages"
    await bob.rest.post(messages, {"content": "one"})
    path = f"/guilds/{guild.id}/members/{bob.id}"
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    member = await guild.owner.rest.patch(path, {"communication_disabled_until": until})
    assert member["communication_disabled_until"] is not None
    assert (await bob.rest.call("POST", messages, {"content": "two"})).code == 50013
    assert len(await bob.rest.get(messages)) == 1
    await guild.owner.rest.patch(path, {"communication_disabled_until": None})
    await bob.rest.post(messages, {"content": "three"})
    soon = (datetime.now(UTC) + timedelta(seconds=0.3)).isoformat()
    await guild.owner.rest.patch(path, {"communication_disabled_until": soon})
    async with asyncio.timeout(60):
        while (await bob.rest.call("POST", messages, {"content": "four"})).status != 200:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("until", ["tomorrow", 5, "2999-01-01T00:00:00Z", ["x"]])
async def test_invalid_timeout_is_a_field_error(world: World, until: object) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    answer = await guild.owner.rest.call(
        "PATCH", f"/guilds/{guild.id}/members/{bob.id}", {"communication_disabled_until": until}
    )
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {"communication_disabled_until"}


async def test_member_is_kicked(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob = await world.person("bob")
    bob_client, carol_client = await world.online("bob", "carol")
    path = f"/guilds/{guild.id}/members/{bob.id}"
    assert (await world.rest("carol").call("DELETE", path)).code == 50013
    await guild.owner.rest.delete(path)
    [gone] = await bob_client.received_before_fence()
    assert (gone.t, gone.d) == ("GUILD_DELETE", {"id": guild.id})
    assert (await carol_client.next("GUILD_MEMBER_REMOVE")).d["user"]["id"] == bob.id
    assert (await bob.rest.call("GET", f"/guilds/{guild.id}")).code == 50001
    assert (await guild.owner.rest.call("DELETE", path)).code == 10007
    await guild.admit(bob)


async def test_higher_members_cannot_be_moderated(world: World) -> None:
    guild = await world.guild(owner="alice", members=["mod", "peer", "bob"])
    power = Permissions.KICK_MEMBERS | Permissions.BAN_MEMBERS | Permissions.MANAGE_NICKNAMES
    role = await create_role(guild, "mod", int(power | Permissions.MODERATE_MEMBERS))
    await assign_roles(world, guild, "mod", role)
    await assign_roles(world, guild, "peer", role)
    mod = world.rest("mod")
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for name in ("alice", "peer"):
        target = await world.person(name)
        member = f"/guilds/{guild.id}/members/{target.id}"
        for method, path, body in (
            ("DELETE", member, None),
            ("PUT", f"/guilds/{guild.id}/bans/{target.id}", {}),
            ("PATCH", member, {"nick": "x"}),
            ("PATCH", member, {"communication_disabled_until": soon}),
        ):
            answer = await mod.call(method, path, body)
            assert (answer.status, answer.code) == (403, 50013), (name, method, path)
    bob = await world.person("bob")
    await mod.patch(f"/guilds/{guild.id}/members/{bob.id}", {"nick": "x"})
    await mod.delete(f"/guilds/{guild.id}/members/{bob.id}")


async def test_banned_user_cannot_join(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    messages = f"/channels/{guild.general.id}/messages"
    written = await bob.rest.post(messages, {"content": "spam"})
    alice_client, bob_client = await world.online("alice", "bob")
    path = f"/guilds/{guild.id}/bans/{bob.id}"
    reason = quote("Spam, und ärger")
    answer = await guild.owner.rest.call(
        "PUT", path, {"delete_message_seconds": 600}, headers={"X-Audit-Log-Reason": reason}
    )
    assert answer.status == 204
    assert (await alice_client.next("GUILD_MEMBER_REMOVE")).d["user"]["id"] == bob.id
    assert (await alice_client.next("GUILD_BAN_ADD")).d["user"]["id"] == bob.id
    bulk = (await alice_client.next("MESSAGE_DELETE_BULK")).d
    assert bulk == like(ids=[written["id"]], channel_id=guild.general.id, guild_id=guild.id)
    [gone] = await bob_client.received_before_fence()
    assert gone.t == "GUILD_DELETE"
    assert await guild.owner.rest.get(messages) == []
    ban = await guild.owner.rest.get(path)
    assert ban == like(reason="Spam, und ärger")
    code = await guild.invite()
    refused = await bob.rest.call("POST", f"/invites/{code}")
    assert (refused.status, refused.code) == (403, 40007)
    await guild.owner.rest.put(path, {})  # a repetition changes nothing
    assert (await guild.owner.rest.get(path))["reason"] == "Spam, und ärger"
    await guild.owner.rest.delete(path)
    assert (await alice_client.next("GUILD_BAN_REMOVE")).d["user"]["id"] == bob.id
    assert (await guild.owner.rest.call("DELETE", path)).code == 10026
    await bob.rest.post(f"/invites/{code}")


async def test_bans_are_paged_in_both_directions(world: World) -> None:
    guild = await world.guild(owner="alice", members=["d"])
    people = await world.people("a", "b", "c", "d")
    ids = sorted((person.id for person in people), key=int)
    body = {"user_ids": [*ids, "5", guild.owner.id]}
    done = await guild.owner.rest.post(f"/guilds/{guild.id}/bulk-ban", body)
    assert sorted(done["banned_users"], key=int) == ids
    assert set(done["failed_users"]) == {"5", guild.owner.id}

    async def page(query: str) -> list[int]:
        found = await guild.owner.rest.get(f"/guilds/{guild.id}/bans?{query}")
        return [ids.index(ban["user"]["id"]) for ban in found]

    assert await page("") == [0, 1, 2, 3]
    assert await page("limit=2") == [0, 1]
    assert await page(f"limit=2&after={ids[1]}") == [2, 3]
    assert await page(f"limit=2&before={ids[3]}") == [1, 2]
    assert await page(f"after={ids[3]}") == []
    assert (await world.rest("a").call("GET", f"/guilds/{guild.id}/bans")).code == 50001


@pytest.mark.parametrize("first", ["ban", "join"])
async def test_concurrent_ban_and_join(world: World, server: Server, first: str) -> None:
    guild = await world.guild(owner="alice")
    bob = await world.person("bob")
    code = await guild.invite()
    calls: list[Call] = [
        lambda: guild.owner.rest.call("PUT", f"/guilds/{guild.id}/bans/{bob.id}", {}),
        lambda: bob.rest.call("POST", f"/invites/{code}"),
    ]
    if first == "join":
        calls.reverse()
    answers = await one_after_the_other(held_stream(server, guild.id), *calls)
    assert [answer.status for answer in answers] == ([204, 403] if first == "ban" else [200, 204])
    assert (await bob.rest.call("GET", f"/guilds/{guild.id}")).code == 50001


async def test_guild_is_transferred(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, carol = await world.people("bob", "carol")
    path = f"/guilds/{guild.id}"
    assert (await bob.rest.call("PATCH", path, {"owner_id": bob.id})).code == 50013
    assert (await guild.owner.rest.call("PATCH", path, {"owner_id": carol.id})).code == 50035
    [client] = await world.online("bob")
    changed = await guild.owner.rest.patch(path, {"owner_id": bob.id})
    assert changed["owner_id"] == bob.id
    assert (await client.next("GUILD_UPDATE")).d["owner_id"] == bob.id
    assert (await guild.owner.rest.call("DELETE", path)).code == 50013
    await guild.owner.rest.delete(f"/users/@me/guilds/{guild.id}")
    await bob.rest.delete(path)


async def test_audit_log_contains_actions_with_reasons(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob = await world.person("bob")
    alice_client, carol_client = await world.online("alice", "carol")
    rest = guild.owner.rest
    await rest.call(
        "PATCH",
        f"/channels/{guild.general.id}",
        {"name": "lobby"},
        headers={"X-Audit-Log-Reason": "tidier"},
    )
    entry = (await alice_client.next("GUILD_AUDIT_LOG_ENTRY_CREATE")).d
    assert entry == like(
        guild_id=guild.id,
        action_type=11,
        target_id=guild.general.id,
        user_id=guild.owner.id,
        reason="tidier",
        changes=[{"key": "name", "old_value": "general", "new_value": "lobby"}],
    )
    await rest.delete(f"/guilds/{guild.id}/members/{bob.id}")
    path = f"/guilds/{guild.id}/audit-logs"
    log = await rest.get(path)
    assert [each["action_type"] for each in log["audit_log_entries"]][:2] == [20, 11]
    assert {user["id"] for user in log["users"]} >= {guild.owner.id, bob.id}
    kicks = (await rest.get(f"{path}?action_type=20"))["audit_log_entries"]
    assert [each["target_id"] for each in kicks] == [bob.id]
    assert (await rest.get(f"{path}?user_id={bob.id}"))["audit_log_entries"] == []
    everything = [each["id"] for each in log["audit_log_entries"]]
    older = (await rest.get(f"{path}?before={everything[0]}&limit=1"))["audit_log_entries"]
    assert [each["id"] for each in older] == [everything[1]]
    newer = (await rest.get(f"{path}?after={everything[1]}"))["audit_log_entries"]
    assert [each["id"] for each in newer] == [everything[0]]
    assert (await world.rest("carol").call("GET", path)).code == 50013
    received = [each.t for each in await carol_client.received_before_fence()]
    assert "GUILD_AUDIT_LOG_ENTRY_CREATE" not in received


async def test_too_long_reason_is_refused(world: World) -> None:
    guild = await world.guild(owner="alice")
    reason = {"X-Audit-Log-Reason": "x" * 513}
    path = f"/guilds/{guild.id}"
    answer = await guild.owner.rest.call("PATCH", path, {"name": "xx"}, headers=reason)
    assert (answer.status, answer.code) == (400, 50035)
    for method, other in (("POST", "/users/@me/export"), ("GET", "/users/@me")):
        answer = await guild.owner.rest.call(method, other, headers=reason)
        assert (answer.status, answer.code) == (400, 50035)
