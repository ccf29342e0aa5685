"""Authorizations: people add applications to guilds, with permissions, and to their accounts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.core.permissions import Permissions as P
from chatd.services.accounts import authorization
from chatd.services.guilds import installation, roles
from tests.helpers.roles import assign_roles, create_role
from tests.world import Answer, Guild, Person, World, like

BOT_SCOPE = "bot applications.commands"


async def authorize(
    person: Person, client_id: str, *, scope: str = BOT_SCOPE, **consent: object
) -> Answer:
    """Consent to a link with these scopes."""
    path = f"/oauth2/authorize?client_id={client_id}&scope={scope.replace(' ', '+')}"
    return await person.rest.call("POST", path, {"authorize": True, **consent})


async def add(guild: Guild, bot: Person, permissions: int) -> None:
    """Add a bot to a guild, as its owner."""
    answer = await authorize(guild.owner, bot.id, guild_id=guild.id, permissions=str(permissions))
    assert answer.status == 200, answer.raw


async def managed_role(guild: Guild, bot: Person) -> dict[str, Any] | None:
    """Return the role of a bot."""
    found = await guild.owner.rest.get(f"/guilds/{guild.id}/roles")
    own = [role for role in found if role.get("tags") == {"bot_id": bot.id}]
    assert len(own) <= 1
    return own[0] if own else None


async def test_preview_shows_the_application_and_the_guilds_of_the_caller(world: World) -> None:
    bot = await world.bot("bot", owner="carol")
    guild = await world.guild(owner="alice")
    elsewhere = await world.guild(owner="bob", members=["alice"])
    shown = await guild.owner.rest.get(
        f"/oauth2/authorize?client_id={bot.id}&scope=bot+applications.commands&permissions=8"
    )
    assert shown["application"] == like(id=bot.id, name=bot.name, summary="", bot_public=True)
    assert shown["bot"] == like(id=bot.id, bot=True, approximate_guild_count=0)
    assert shown["user"] == like(id=guild.owner.id)
    assert (shown["authorized"], shown["integration_type"]) == (False, 0)
    permissions = {each["id"]: P(int(each["permissions"])) for each in shown["guilds"]}
    assert permissions.keys() == {guild.id, elsewhere.id}
    assert P.MANAGE_GUILD in permissions[guild.id]
    assert P.MANAGE_GUILD not in permissions[elsewhere.id]


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


async def test_who_may_not_add_an_application(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", owner="carol")
    hidden = await world.bot("hidden", owner="carol")
    await world.rest("carol").patch(f"/applications/{hidden.id}", {"bot_public": False})
    banned = await world.bot("banned", owner="carol")
    await guild.owner.rest.put(f"/guilds/{guild.id}/bans/{banned.id}", {})
    bob, mallory = await world.person("bob"), await world.person("mallory")
    for person, client_id, scope, status, code in (
        (bob, bot.id, BOT_SCOPE, 403, 50013),
        (bob, bot.id, "applications.commands", 403, 50013),
        (mallory, bot.id, BOT_SCOPE, 403, 50001),
        (bot, bot.id, BOT_SCOPE, 403, 20001),
        (guild.owner, hidden.id, BOT_SCOPE, 403, 50001),
        (guild.owner, banned.id, BOT_SCOPE, 403, 40007),
        (guild.owner, banned.id, "applications.commands", 403, 40007),
        (guild.owner, bob.id, BOT_SCOPE, 404, 10002),
        (guild.owner, "1", BOT_SCOPE, 404, 10002),
    ):
        refused = await authorize(person, client_id, scope=scope, guild_id=guild.id)
        assert (refused.status, refused.code) == (status, code), refused.raw
    unknown = await authorize(guild.owner, bot.id, guild_id="1")
    assert (unknown.status, unknown.code) == (404, 10004)
    assert await guild.owner.rest.get(f"/guilds/{guild.id}/integrations") == []
    for person, client_id, status, code in (
        (bot, bot.id, 403, 20001),
        (guild.owner, hidden.id, 403, 50001),
        (guild.owner, "1", 404, 10002),
    ):
        refused = await person.rest.call("GET", f"/oauth2/authorize?client_id={client_id}")
        assert (refused.status, refused.code) == (status, code)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("scope=bot", "client_id"),
        ("client_id=x&scope=bot", "client_id"),
        ("client_id={id}&scope=", "scope"),
        ("client_id={id}&scope=bots", "scope"),
        ("client_id={id}&scope=bot+identify", "scope"),
        ("client_id={id}&scope=" + "bot+" * 300, "scope"),
        ("client_id={id}&scope=bot&permissions=x", "permissions"),
        ("client_id={id}&scope=bot&permissions=-1", "permissions"),
        ("client_id={id}&scope=bot&guild_id=x", "guild_id"),
        ("client_id={id}&scope=bot&integration_type=2", "integration_type"),
        ("client_id={id}&scope=bot&integration_type=1", "scope"),
        ("client_id={id}&scope=bot&response_type=code", "response_type"),
        ("client_id={id}&scope=bot&redirect_uri=https://example.org", "redirect_uri"),
        ("client_id={id}&scope=bot&prompt=none", "prompt"),
    ],
)
async def test_wrong_links_are_refused(world: World, query: str, field: str) -> None:
    bot = await world.bot("bot", owner="alice")
    alice = await world.person("alice")
    for method, body in (("GET", None), ("POST", {"authorize": True, "guild_id": "1"})):
        path = f"/oauth2/authorize?{query.format(id=bot.id)}"
        refused = await alice.rest.call(method, path, body)
        assert (refused.status, refused.code) == (400, 50035), refused.raw
        assert [*refused.json["errors"]] == [field]


async def test_guild_is_required(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    refused = await authorize(await world.person("alice"), bot.id)
    assert [*refused.json["errors"]] == ["guild_id"]


async def test_denied_authorization_changes_nothing(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="alice")
    answer = await authorize(guild.owner, bot.id, guild_id=guild.id, authorize=False)
    assert answer.json["location"].startswith(f"{world.url}/oauth2/authorized?error=access_denied&")
    assert await guild.owner.rest.get(f"/guilds/{guild.id}/integrations") == []


async def test_link_without_scopes_has_the_defaults_of_the_application(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="alice")
    path = f"/oauth2/authorize?client_id={bot.id}&permissions=2&guild_id={guild.id}"
    assert "bot" in await guild.owner.rest.get(path)
    await guild.owner.rest.post(path, {"authorize": True})
    role = await managed_role(guild, bot)
    assert role is not None
    assert role["permissions"] == "2"


async def test_commands_are_added_without_the_bot(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", owner="carol")
    [watching] = await world.online("bob")
    scope = "applications.commands"
    answer = await authorize(guild.owner, bot.id, scope=scope, guild_id=guild.id, permissions="8")
    assert answer.status == 200
    assert (await watching.next("INTEGRATION_CREATE")).d == like(id=bot.id, scopes=[scope])
    absent = await guild.owner.rest.call("GET", f"/guilds/{guild.id}/members/{bot.id}")
    assert absent.code == 10007
    assert (await bot.rest.call("GET", f"/guilds/{guild.id}")).code == 50001
    own = await bot.rest.get("/applications/@me")
    assert own["approximate_guild_count"] == 1
    await add(guild, bot, int(P.KICK_MEMBERS))
    updated = (await watching.next("INTEGRATION_UPDATE")).d
    assert updated == like(id=bot.id, scopes=["bot", "applications.commands"])
    [entry] = (await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=81"))[
        "audit_log_entries"
    ]
    assert entry == like(target_id=bot.id, user_id=guild.owner.id)
    assert (await authorize(guild.owner, bot.id, scope=scope, guild_id=guild.id)).status == 200
    [integration] = await guild.owner.rest.get(f"/guilds/{guild.id}/integrations")
    assert integration["scopes"] == ["bot", "applications.commands"]


async def test_commands_end_with_their_application(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="carol")
    await authorize(guild.owner, bot.id, scope="applications.commands", guild_id=guild.id)
    [watching] = await world.online("alice")
    await world.rest("carol").delete(f"/applications/{bot.id}")
    assert (await watching.next("INTEGRATION_DELETE")).d["id"] == bot.id
    assert await guild.owner.rest.get(f"/guilds/{guild.id}/integrations") == []


async def test_commands_are_removed_without_a_bot(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="carol")
    await authorize(guild.owner, bot.id, scope="applications.commands", guild_id=guild.id)
    await guild.owner.rest.delete(f"/guilds/{guild.id}/integrations/{bot.id}")
    assert await guild.owner.rest.get(f"/guilds/{guild.id}/integrations") == []
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?limit=1")
    assert log["audit_log_entries"] == [like(action_type=82)]


async def test_person_adds_an_application_for_itself(world: World) -> None:
    bot = await world.bot("bot", owner="carol")
    alice = await world.person("alice")
    [client] = await world.online("alice")
    link = f"/oauth2/authorize?client_id={bot.id}&scope=applications.commands&integration_type=1"
    shown = await alice.rest.get(link)
    assert (shown["authorized"], shown["integration_type"]) == (False, 1)
    assert shown.keys().isdisjoint({"guilds", "bot"})
    scope = "applications.commands"
    for _ in range(2):
        answer = await authorize(alice, bot.id, scope=scope, integration_type=1)
        assert answer.status == 200
    assert (await client.next("USER_APPLICATION_UPDATE")).d == {"application_id": bot.id}
    assert (await alice.rest.get(link))["authorized"] is True
    [added] = await alice.rest.get("/oauth2/tokens")
    assert added == like(id=bot.id, scopes=[scope], application=like(id=bot.id, name=bot.name))
    assert (await bot.rest.get("/applications/@me"))["approximate_user_install_count"] == 1
    await alice.rest.delete(f"/oauth2/tokens/{bot.id}")
    assert (await client.next("USER_APPLICATION_REMOVE")).d == {"application_id": bot.id}
    assert await alice.rest.get("/oauth2/tokens") == []
    gone = await alice.rest.call("DELETE", f"/oauth2/tokens/{bot.id}")
    assert (gone.status, gone.code) == (404, 10012)


async def test_deleted_application_is_gone_from_accounts(world: World) -> None:
    bot = await world.bot("bot", owner="carol")
    alice = await world.person("alice")
    await authorize(alice, bot.id, scope="applications.commands", integration_type=1)
    await world.rest("carol").delete(f"/applications/{bot.id}")
    assert await alice.rest.get("/oauth2/tokens") == []


async def test_there_are_no_oauth2_tokens(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    for person in (bot, await world.person("alice")):
        refused = await person.rest.call("GET", "/oauth2/@me")
        assert (refused.status, refused.code) == (403, 50025)


async def test_number_of_applications_is_limited(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "MAX_INTEGRATIONS", 1)
    monkeypatch.setattr(authorization, "MAX_USER_INTEGRATIONS", 1)
    guild = await world.guild(owner="alice")
    first, second = await world.bot("first", "carol"), await world.bot("second", "carol")
    for wanted in ({"guild_id": guild.id}, {"integration_type": 1}):
        scope = "applications.commands"
        assert (await authorize(guild.owner, first.id, scope=scope, **wanted)).status == 200
        refused = await authorize(guild.owner, second.id, scope=scope, **wanted)
        assert (refused.status, refused.code) == (400, 0)
        assert "Maximum number" in refused.json["message"]
        assert (await authorize(guild.owner, first.id, scope=scope, **wanted)).status == 200
    refused = await guild.owner.rest.call("PUT", f"/guilds/{guild.id}/members/{second.id}")
    assert (refused.status, refused.code) == (400, 0)


async def test_bot_is_in_a_limited_number_of_guilds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "MAX_GUILDS", 1)
    guild, other = await world.guild(owner="alice"), await world.guild(owner="alice")
    bot = await world.bot("bot", owner="carol")
    scope = "applications.commands"
    assert (await authorize(guild.owner, bot.id, scope=scope, guild_id=guild.id)).status == 200
    refused = await authorize(guild.owner, bot.id, guild_id=other.id)
    assert (refused.status, refused.code) == (400, 30001)
    assert (await authorize(guild.owner, bot.id, guild_id=guild.id)).status == 200


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
