"""Managed roles: the role of a bot, with the permissions that a person granted to it."""

from __future__ import annotations

import asyncio

import pytest

from chatd.core.permissions import Permissions as P
from chatd.services.guilds import roles
from tests.helpers.authorizations import add, authorize, managed_role
from tests.helpers.roles import assign_roles, create_role
from tests.world import World, like


async def test_bot_joins_with_a_managed_role(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", owner="carol")
    [watching, client] = await world.online("bob", "bot")
    wanted = P.BAN_MEMBERS | P.MANAGE_MESSAGES
    answer = await authorize(
        guild.owner, bot.id, guild_id=guild.id, permissions=str(wanted), integration_type=0
    )
    assert answer.json == {"location": f"{world.url}/oauth2/authorized"}
    role = (await watching.next("GUILD_ROLE_CREATE")).d["role"]
    assert role == like(
        name=bot.name,
        permissions=str(int(wanted)),
        managed=True,
        tags={"bot_id": bot.id},
        position=1,
        hoist=False,
        mentionable=False,
    )
    joined = (await watching.next("GUILD_MEMBER_ADD")).d
    assert joined == like(guild_id=guild.id, roles=[role["id"]], user=like(id=bot.id, bot=True))
    assert (await watching.next("INTEGRATION_CREATE")).d["id"] == bot.id
    created = (await client.next("GUILD_CREATE")).d
    assert role in created["roles"]
    assert [each["roles"] for each in created["members"] if each["user"]["id"] == bot.id] == [
        [role["id"]]
    ]
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?limit=3")
    assert [(each["action_type"], each["target_id"]) for each in log["audit_log_entries"]] == [
        (80, bot.id),
        (30, role["id"]),
        (28, bot.id),
    ]
    await bot.rest.put(f"/guilds/{guild.id}/bans/{(await world.person('bob')).id}", {})


async def test_bot_without_permissions_gets_no_role(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="carol")
    await add(guild, bot, 0)
    assert await managed_role(guild, bot) is None
    member = await guild.owner.rest.get(f"/guilds/{guild.id}/members/{bot.id}")
    assert member["roles"] == []


async def test_bot_leaves_with_its_role(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="carol")
    await add(guild, bot, int(P.KICK_MEMBERS))
    role = await managed_role(guild, bot)
    assert role is not None
    overwrite = {"type": 0, "deny": str(int(P.SEND_MESSAGES))}
    await guild.owner.rest.put(f"/channels/{guild.general.id}/permissions/{role['id']}", overwrite)
    [watching] = await world.online("alice")
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bot.id}")
    gone = {"guild_id": guild.id, "role_id": role["id"]}
    assert (await watching.next("GUILD_ROLE_DELETE")).d == gone
    assert (await watching.next("CHANNEL_UPDATE")).d["permission_overwrites"] == []
    assert await managed_role(guild, bot) is None


async def test_managed_role_is_not_assigned_or_deleted_by_hand(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", owner="carol")
    await add(guild, bot, int(P.KICK_MEMBERS))
    role = await managed_role(guild, bot)
    assert role is not None
    bob = await world.person("bob")
    path = f"/guilds/{guild.id}"
    for method, end, body in (
        ("PUT", f"/members/{bob.id}/roles/{role['id']}", None),
        ("PATCH", f"/members/{bob.id}", {"roles": [role["id"]]}),
        ("DELETE", f"/members/{bot.id}/roles/{role['id']}", None),
        ("PATCH", f"/members/{bot.id}", {"roles": []}),
        ("DELETE", f"/roles/{role['id']}", None),
    ):
        refused = await guild.owner.rest.call(method, path + end, body)
        assert (refused.status, refused.code) == (400, 50028), (method, end)
    kept = {"nick": "robot", "roles": [role["id"]]}
    changed = await guild.owner.rest.patch(f"{path}/members/{bot.id}", kept)
    assert (changed["nick"], changed["roles"]) == ("robot", [role["id"]])
    changed = await guild.owner.rest.patch(f"{path}/roles/{role['id']}", {"name": "x", "color": 7})
    assert changed == {**role, "name": "x", "color": 7, "colors": changed["colors"]}
    assert await managed_role(guild, bot) == changed


async def test_authorizing_again_changes_the_role(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "carol", guild)
    [watching] = await world.online("alice")
    await add(guild, bot, int(P.KICK_MEMBERS))
    role = (await watching.next("GUILD_ROLE_CREATE")).d["role"]
    assert (await watching.next("GUILD_MEMBER_UPDATE")).d["roles"] == [role["id"]]
    await add(guild, bot, int(P.BAN_MEMBERS))
    updated = (await watching.next("GUILD_ROLE_UPDATE")).d["role"]
    assert updated == {**role, "permissions": str(int(P.BAN_MEMBERS))}
    await watching.next("GUILD_AUDIT_LOG_ENTRY_CREATE")
    await add(guild, bot, int(P.BAN_MEMBERS))
    assert (await authorize(guild.owner, bot.id, guild_id=guild.id)).status == 200
    assert await watching.received_before_fence() == []
    assert await managed_role(guild, bot) == updated
    await add(guild, bot, 0)
    assert (await watching.next("GUILD_ROLE_UPDATE")).d["role"] == {**role, "permissions": "0"}


async def test_person_grants_only_permissions_that_it_has(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", owner="bob")
    bob = await world.person("bob")
    held = P.MANAGE_GUILD | P.KICK_MEMBERS
    await assign_roles(world, guild, "bob", await create_role(guild, "manager", int(held)))
    for wanted in (P.BAN_MEMBERS, P.KICK_MEMBERS | P.BAN_MEMBERS, P.ADMINISTRATOR):
        refused = await authorize(bob, bot.id, guild_id=guild.id, permissions=str(int(wanted)))
        assert (refused.status, refused.code) == (403, 50013)
    assert await guild.owner.rest.get(f"/guilds/{guild.id}/integrations") == []
    granted = await authorize(bob, bot.id, guild_id=guild.id, permissions=str(int(P.KICK_MEMBERS)))
    assert granted.status == 200
    refused = await authorize(bob, bot.id, guild_id=guild.id, permissions=str(int(P.BAN_MEMBERS)))
    assert (refused.status, refused.code) == (403, 50013)
    role = await managed_role(guild, bot)
    assert role is not None
    assert role["permissions"] == str(int(P.KICK_MEMBERS))


async def test_role_above_the_person_is_not_changed(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", owner="carol")
    await add(guild, bot, int(P.BAN_MEMBERS))
    role = await managed_role(guild, bot)
    assert role is not None
    manager = await create_role(guild, "manager", int(P.MANAGE_GUILD | P.BAN_MEMBERS), position=2)
    await guild.owner.rest.patch(f"/guilds/{guild.id}/roles", [{"id": role["id"], "position": 3}])
    await assign_roles(world, guild, "bob", manager)
    bob = await world.person("bob")
    refused = await authorize(bob, bot.id, guild_id=guild.id, permissions="0")
    assert (refused.status, refused.code) == (403, 50013)
    unchanged = await authorize(bob, bot.id, guild_id=guild.id, permissions=role["permissions"])
    assert unchanged.status == 200
    assert await managed_role(guild, bot) == like(permissions=role["permissions"])


async def test_guild_with_all_roles_adds_no_bot_with_a_role(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "MAX_ROLES", 1)
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="carol")
    refused = await authorize(guild.owner, bot.id, guild_id=guild.id, permissions="2")
    assert (refused.status, refused.code) == (400, 30005)
    assert await guild.owner.rest.get(f"/guilds/{guild.id}/integrations") == []
    absent = await guild.owner.rest.call("GET", f"/guilds/{guild.id}/members/{bot.id}")
    assert absent.code == 10007
    assert (await authorize(guild.owner, bot.id, guild_id=guild.id)).status == 200


async def test_concurrent_authorizations_add_one_bot_with_one_role(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="alice")
    wanted = {"guild_id": guild.id, "permissions": "2"}
    answers = await asyncio.gather(*(authorize(guild.owner, bot.id, **wanted) for _ in range(4)))
    assert [answer.status for answer in answers] == [200] * 4
    assert await managed_role(guild, bot) == like(permissions="2")
    assert len(await guild.owner.rest.get(f"/guilds/{guild.id}/integrations")) == 1
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=28")
    assert len(log["audit_log_entries"]) == 1


@pytest.mark.parametrize("other", ["kick", "remove", "delete the guild", "delete the bot"])
async def test_authorization_races_with_an_end(world: World, other: str) -> None:
    """Whichever is first, the bot, its role and its integration are all there or all gone."""
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    path = {
        "kick": f"/guilds/{guild.id}/members/{bot.id}",
        "remove": f"/guilds/{guild.id}/integrations/{bot.id}",
        "delete the guild": f"/guilds/{guild.id}",
        "delete the bot": f"/applications/{bot.id}",
    }[other]
    wanted = {"guild_id": guild.id, "permissions": "2"}
    added, ended = await asyncio.gather(
        authorize(guild.owner, bot.id, **wanted), guild.owner.rest.call("DELETE", path)
    )
    assert ended.status == 204
    if added.status != 200:
        assert other.startswith("delete")
        assert added.code in (10002, 10004)
    if other == "delete the guild":
        return
    is_member = (await guild.owner.rest.call("GET", f"/guilds/{guild.id}/members/{bot.id}")).status
    integrations = await guild.owner.rest.get(f"/guilds/{guild.id}/integrations")
    role = await managed_role(guild, bot)
    assert (is_member == 200) == (len(integrations) == 1) == (role is not None)
    if other == "delete the bot":
        assert role is None
