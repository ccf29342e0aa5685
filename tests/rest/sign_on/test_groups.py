"""Groups at a provider: roles in guilds, the administration of the server, and REQUIRE_MFA."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chatd.core.ids import UserId
from chatd.oidc_settings import RoleMapping
from chatd.services.accounts import administration
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.hostile_provider import HostileProvider
from tests.helpers.mfa import CodeClock
from tests.helpers.rest_client import Rest
from tests.helpers.roles import create_role
from tests.helpers.sign_on import Browser, as_caller, browsing_at, person
from tests.world import Guild, World, like

_SETTINGS = "/administration/statistics"


def set_options(site: Server, hostile: HostileProvider, **options: Any) -> None:
    """Change the settings of a provider."""
    found = site.runner.app[DEPENDENCIES].providers.get("groups")
    assert found is not None
    found.settings = hostile.settings("groups", trust_email=True, **options)


def mappings(guild: Guild, **roles: str) -> tuple[RoleMapping, ...]:
    return tuple(
        RoleMapping(group=group, guild=int(guild.id), role=int(role))
        for group, role in roles.items()
    )


async def roles_of(guild: Guild, user_id: str) -> set[str]:
    found = await guild.owner.rest.get(f"/guilds/{guild.id}/members/{user_id}")
    return set(found["roles"])


async def join(guild: Guild, rest: Rest) -> None:
    await rest.post(f"/invites/{await guild.invite()}")


async def test_roles_follow_the_groups_at_each_login(
    browser: Browser, people: World, site: Server, hostile: HostileProvider
) -> None:
    guild = await people.guild(owner="alice")
    staff, ops, other = [await create_role(guild, name, 0) for name in ("staff", "ops", "other")]
    set_options(site, hostile, roles=mappings(guild, staff=staff, ops=ops, boss=staff))

    async def log_in(*groups: str) -> Any:
        return await browser.tokens(hostile, "groups", **person("sam"), groups=list(groups))

    tokens = await log_in("staff")  # it is not a member yet
    user_id = tokens["user_id"]
    await join(guild, as_caller(people, tokens))
    assert await roles_of(guild, user_id) == set()
    path = f"/guilds/{guild.id}/members/{user_id}/roles"
    await guild.owner.rest.put(f"{path}/{other}")
    await guild.owner.rest.put(f"{path}/{ops}")  # the mapping takes it
    [client] = await people.online("alice")
    await log_in("staff", "unknown")
    assert await roles_of(guild, user_id) == {staff, other}
    assert set((await client.next("GUILD_MEMBER_UPDATE")).d["roles"]) == {staff, other}
    await log_in("ops", "boss")
    assert await roles_of(guild, user_id) == {staff, ops, other}
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?limit=1")
    assert log["audit_log_entries"][0] == like(
        user_id=None, target_id=user_id, reason="Groups at the login provider"
    )
    await log_in()
    assert await roles_of(guild, user_id) == {other}
    await browser.tokens(hostile, "groups", **person("sam"), groups="ops")  # one, as text
    assert await roles_of(guild, user_id) == {ops, other}


async def test_mapping_to_roles_that_cannot_be_assigned_changes_nothing(
    browser: Browser, people: World, site: Server, hostile: HostileProvider
) -> None:
    guild = await people.guild(owner="alice")
    elsewhere = await people.guild(owner="alice")
    foreign = await create_role(elsewhere, "foreign", 0)
    bot = await people.bot("robot", "alice", guild)
    managed = next(iter(await roles_of(guild, bot.id)), guild.id)
    wanted = [*mappings(guild, all=guild.id), *mappings(guild, all=foreign)]
    wanted += [*mappings(guild, all=managed), *mappings(guild, all="17")]
    wanted.append(RoleMapping(group="all", guild=17, role=18))
    set_options(site, hostile, roles=tuple(wanted))
    tokens = await browser.tokens(hostile, "groups", **person("tom"), groups=["all"])
    await join(guild, as_caller(people, tokens))
    await browser.tokens(hostile, "groups", **person("tom"), groups=["all"])
    assert await roles_of(guild, tokens["user_id"]) == set()


async def test_hostile_groups_are_no_groups(
    browser: Browser, people: World, site: Server, hostile: HostileProvider
) -> None:
    set_options(site, hostile, administrators=("admins",))
    odd: Iterable[Any] = ({"admins": True}, 5, None, [["admins"]], ["Admins"], "admins,x", [None])
    for groups in odd:
        tokens = await browser.tokens(hostile, "groups", **person("uwe"), groups=groups)
        assert (await as_caller(people, tokens).call("GET", _SETTINGS)).status == 403


async def test_administration_follows_the_group(
    browser: Browser, people: World, site: Server, hostile: HostileProvider
) -> None:
    set_options(site, hostile, administrators=("admins", "root"))
    for groups, status in ((["root"], 200), (["root", "x"], 200), ([], 403), (["admins"], 200)):
        tokens = await browser.tokens(hostile, "groups", **person("vic"), groups=groups)
        rest = as_caller(people, tokens)
        assert (await rest.call("GET", _SETTINGS)).status == status
    await rest.post("/users/@me/password", {"new_password": "Correct horse, battery 7"})
    proof = {"password": "Correct horse, battery 7"}
    assert (await rest.call("DELETE", "/users/@me/oidc/groups", proof)).status == 204
    assert (await rest.call("GET", _SETTINGS)).status == 403


async def test_administrator_by_the_operator_stays_one(
    browser: Browser, people: World, site: Server, hostile: HostileProvider
) -> None:
    set_options(site, hostile, administrators=("admins",))
    tokens = await browser.tokens(hostile, "groups", **person("wim"), groups=[])
    user_id = UserId(int(tokens["user_id"]))
    await administration.set_administrator(site.runner.app[DEPENDENCIES], user_id, True)
    for groups in (["admins"], []):
        tokens = await browser.tokens(hostile, "groups", **person("wim"), groups=groups)
        assert (await as_caller(people, tokens).call("GET", _SETTINGS)).status == 200


async def test_factor_of_the_provider_satisfies_the_server(
    hostile: HostileProvider, people: World, serve_more: ServeMore, code_clock: CodeClock
) -> None:
    providers = (hostile.settings("admins", trust_email=True, administrators=("admins",)),)
    async with (
        serve_more(worker_id=13, providers=providers, require_mfa="administrators") as strict,
        browsing_at(strict.url) as browser,
    ):
        claims = {**person("xia"), "groups": ["admins"]}
        for amr, status in ((["pwd"], 403), (["pwd", "mfa"], 200)):
            tokens = await browser.tokens(hostile, "admins", **claims, amr=amr)
            rest = Rest(browser.rest.http, strict.url, tokens["access_token"])
            assert (await rest.call("GET", _SETTINGS)).status == status
