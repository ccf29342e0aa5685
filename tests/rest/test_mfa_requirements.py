"""What requires a second factor: moderation in guilds with an MFA level, and REQUIRE_MFA."""

from __future__ import annotations

from chatd.core import permissions
from chatd.core.permissions import Permissions
from chatd.rest.routing import Requirement
from tests.conftest import ServeMore, Server
from tests.helpers.accounts import administrator
from tests.helpers.mfa import CodeClock, confirmed, enable_totp
from tests.helpers.roles import assign_roles, create_role
from tests.helpers.routes import ALL_PERMISSIONS, TABLE, route_stage
from tests.world import Guild, Person, World, like, world_on

NEEDED = 60003


async def set_level(guild: Guild, level: int, clock: CodeClock) -> None:
    owner, path = guild.owner, f"/guilds/{guild.id}/mfa"
    asked = await owner.rest.call("POST", path, {"level": level})
    assert (asked.status, asked.json["code"]) == (401, NEEDED)
    header = await confirmed(owner, asked.json["mfa"]["ticket"], "totp", clock.next_code())
    answer = await owner.rest.call("POST", path, {"level": level}, headers=header)
    assert (answer.status, answer.json) == (200, {"level": level})


async def test_owner_sets_the_level_with_a_factor(world: World, code_clock: CodeClock) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.people("alice", "bob")
    [client] = await world.online("bob")
    path = f"/guilds/{guild.id}/mfa"
    answer = await alice.rest.call("POST", path, {"level": 1})
    assert (answer.status, answer.json["code"]) == (403, NEEDED)
    assert (await bob.rest.call("POST", path, {"level": 1})).json["code"] == 50013
    assert (await alice.rest.call("POST", path, {"level": 2})).status == 400
    await enable_totp(alice, code_clock)
    await set_level(guild, 1, code_clock)
    assert (await client.next("GUILD_UPDATE")).d == like(mfa_level=1)
    assert (await bob.rest.get(f"/guilds/{guild.id}"))["mfa_level"] == 1
    log = await alice.rest.get(f"/guilds/{guild.id}/audit-logs?limit=1")
    [change] = log["audit_log_entries"][0]["changes"]
    assert change == {"key": "mfa_level", "old_value": 0, "new_value": 1}
    await set_level(guild, 0, code_clock)
    assert (await bob.rest.get(f"/guilds/{guild.id}"))["mfa_level"] == 0


async def moderator(world: World, guild: Guild, name: str) -> Person:
    role = await create_role(guild, "moderator", int(ALL_PERMISSIONS), position=2)
    person = await world.person(name)
    await guild.admit(person)
    await assign_roles(world, guild, name, role)
    return person


async def test_moderation_needs_a_factor(world: World, code_clock: CodeClock) -> None:
    guild = await world.guild(owner="alice", members=["carol"])
    alice, carol = await world.people("alice", "carol")
    bob = await moderator(world, guild, "bob")
    await enable_totp(alice, code_clock)
    await set_level(guild, 1, code_clock)
    theirs = await carol.rest.post(
        f"/channels/{guild.general.id}/messages", {"content": "of a member"}
    )
    own = await bob.rest.post(f"/channels/{guild.general.id}/messages", {"content": "of bob"})
    messages = f"/channels/{guild.general.id}/messages"
    code = await guild.invite()
    moderating = [
        ("DELETE", f"{messages}/{theirs['id']}", None),
        ("PATCH", f"{messages}/{theirs['id']}", {"flags": 4}),
        ("POST", f"{messages}/bulk-delete", {"messages": [theirs["id"], own["id"]]}),
        ("PATCH", f"/guilds/{guild.id}", {"name": "renamed"}),
        ("POST", f"/guilds/{guild.id}/channels", {"name": "new"}),
        ("POST", f"/guilds/{guild.id}/roles", {"name": "new"}),
        ("PUT", f"/guilds/{guild.id}/bans/{carol.id}", {}),
        ("DELETE", f"/guilds/{guild.id}/members/{carol.id}", None),
        ("DELETE", f"/invites/{code}", None),
    ]
    for method, path, body in moderating:
        answer = await bob.rest.call(method, path, body)
        assert (answer.status, answer.json["code"]) == (403, NEEDED), (method, path, answer.raw)
    answer = await carol.rest.call("PUT", f"/guilds/{guild.id}/bans/{bob.id}", {})
    assert answer.json["code"] == 50013  # who may not moderate at all
    assert (await bob.rest.call("DELETE", f"{messages}/{own['id']}")).status == 204
    await enable_totp(bob, code_clock)
    for method, path, body in moderating:
        if "bulk" not in path:
            answer = await bob.rest.call(method, path, body)
            assert answer.status < 300 or answer.json["code"] in (10007, 10008), answer.raw


MODERATING = [
    name
    for name, route in TABLE.items()
    if isinstance(route.needs, Permissions) and route.needs & permissions.ELEVATED
]


async def test_every_route_with_an_elevated_permission_needs_a_factor(
    world: World, code_clock: CodeClock
) -> None:
    assert len(MODERATING) >= 30
    scene = await route_stage(world, everyone=ALL_PERMISSIONS)
    await scene.guild.admit(await world.person("bob"))
    await scene.add_application()  # before its owner has a factor, without which it needs no code
    await enable_totp(scene.guild.owner, code_clock)
    await set_level(scene.guild, 1, code_clock)
    wrong = []
    for name in MODERATING:
        answer = await scene.try_it(world.rest("bob"), name)
        if (answer.status, answer.json.get("code")) != (403, NEEDED):
            wrong.append((name, answer.status, answer.raw))
    assert wrong == []


async def test_bot_moderates_with_the_factor_of_its_owner(
    world: World, code_clock: CodeClock
) -> None:
    guild = await world.guild(owner="alice", members=["carol", "dave"])
    alice, dave = await world.people("alice", "dave")
    bots = [await world.bot("of alice", "alice", guild), await world.bot("of carol", "carol")]
    await enable_totp(alice, code_clock)
    await world.rest("alice").put(f"/guilds/{guild.id}/members/{bots[1].id}")
    role = await create_role(guild, "moderator", int(ALL_PERMISSIONS), position=2)
    for name in ("of alice", "of carol"):
        await assign_roles(world, guild, name, role)
    await set_level(guild, 1, code_clock)
    path = f"/guilds/{guild.id}/bans/{dave.id}"
    assert (await bots[1].rest.call("PUT", path, {})).json["code"] == NEEDED
    assert (await bots[0].rest.call("PUT", path, {})).status == 204


ADMINISTRATING = [name for name, route in TABLE.items() if route.needs is Requirement.ADMINISTRATOR]


async def test_administrators_need_a_factor_if_it_is_required(
    server: Server, serve_more: ServeMore, world: World, code_clock: CodeClock
) -> None:
    scene = await route_stage(world)
    alice = await administrator(server, world, "alice")
    async with (
        serve_more(worker_id=3, require_mfa="administrators") as second,
        world_on(second.url, second.gateway_url) as strict,
    ):
        strict.share_people(world)
        rest = strict.rest("alice")
        assert len(ADMINISTRATING) >= 9
        for name in ADMINISTRATING:
            answer = await scene.try_it(rest, name)
            assert (answer.status, answer.json["code"]) == (403, NEEDED), name
            assert "second factor" in answer.json["message"]
        assert (await strict.rest("alice").get("/users/@me"))["id"] == alice.id
        await world.person("bob")
        assert (await strict.rest("bob").call("GET", "/administration/accounts")).json[
            "code"
        ] == 50013
        await enable_totp(alice, code_clock)
        assert (await rest.call("GET", "/administration/accounts")).status == 200
    assert (await alice.rest.call("GET", "/administration/accounts")).status == 200


async def test_tokens_and_deletion_of_bots_need_the_factor_of_their_owner(
    world: World, code_clock: CodeClock
) -> None:
    alice, bob = await world.people("alice", "bob")
    application = await alice.rest.post("/applications", {"name": "helper"})
    path = f"/applications/{application['id']}"
    assert (await alice.rest.post(f"{path}/bot/reset"))["token"]  # without a factor as before
    await enable_totp(alice, code_clock)
    changes = [("POST", f"{path}/bot/reset"), ("POST", f"{path}/delete"), ("DELETE", path)]
    for method, place in changes:
        asked = await alice.rest.call(method, place)
        assert (asked.status, asked.json["code"]) == (401, NEEDED), place
        wrong = await alice.rest.call(method, place, {"code": "000000"})
        assert (wrong.status, wrong.json["code"]) == (400, 60008), place
        assert (await bob.rest.call(method, place)).status in (403, 404), place
    with_code = {"code": code_clock.next_code()}
    assert (await alice.rest.post(f"{path}/bot/reset", with_code))["token"]
    asked = await alice.rest.call("DELETE", path)
    header = await confirmed(alice, asked.json["mfa"]["ticket"], "totp", code_clock.next_code())
    assert (await alice.rest.call("DELETE", path, headers=header)).status == 204
