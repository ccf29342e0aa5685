"""Authorizations: people add applications to guilds and to their accounts."""

from __future__ import annotations

import pytest

from chatd.core.permissions import Permissions as P
from chatd.services.accounts import authorization
from chatd.services.guilds import installation
from tests.helpers.authorizations import BOT_SCOPE, add, authorize, managed_role
from tests.world import World, like


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
