"""Authorization: every route, called with and without its requirements."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from chatd.core.permissions import TIMED_OUT, Permissions
from chatd.rest import web_client
from chatd.rest.routing import (
    ADMINISTRATOR,
    APPLICATION,
    APPLICATION_OWNER,
    AUTHENTICATED,
    BOT,
    HUMAN,
    MEMBER,
    OWNER,
    PREFIXES,
    PUBLIC,
    RECIPIENT,
    TOKEN,
    Route,
)
from chatd.rest.table import aliases
from tests.conftest import Server
from tests.helpers.roles import assign_roles, create_role
from tests.helpers.routes import (
    ALL_PERMISSIONS,
    BODIES,
    SEE,
    TABLE,
    RouteStage,
    assert_permitted,
    route_stage,
)
from tests.helpers.shared_stages import SharedStages
from tests.world import World

OUTSIDE = (PUBLIC, TOKEN, AUTHENTICATED, HUMAN, BOT, APPLICATION, APPLICATION_OWNER)
ELSEWHERE = (*OUTSIDE, RECIPIENT, ADMINISTRATOR)
RECIPIENTS_ONLY = [name for name, route in TABLE.items() if route.needs is RECIPIENT]
ADMINISTRATORS_ONLY = [name for name, route in TABLE.items() if route.needs is ADMINISTRATOR]
GATEWAY = ("/gateway", "/gateway/bot")
"""Routes of the gateway, which are not in the table."""
IN_GUILD = [name for name, route in TABLE.items() if route.needs not in ELSEWHERE]
WITH_PERMISSION = [name for name in IN_GUILD if isinstance(TABLE[name].needs, Permissions)]


UNRANKED = {
    "GET /guilds/{guild_id}/roles/{role_id}",
    "GET /guilds/{guild_id}/members/{user_id}",
    "GET /guilds/{guild_id}/bans/{user_id}",
    # Ranks do not apply to these. Discord docs, Permissions, "Permission Hierarchy", lists all
    # operations to which they apply.
    "DELETE /guilds/{guild_id}/bans/{user_id}",
    "PUT /guilds/{guild_id}/members/{user_id}",
    "PUT /channels/{channel_id}/permissions/{target_id}",
    "DELETE /channels/{channel_id}/permissions/{target_id}",
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user_id}",
}
"""Routes with a user or a role, to which ranks do not apply."""
RANKED = [
    name
    for name in WITH_PERMISSION
    if ("user_id}" in name or "role_id}" in name) and name not in UNRANKED
] + ["PATCH /guilds/{guild_id}/roles", "POST /guilds/{guild_id}/bulk-ban"]

FOREIGN = {
    "POST /channels/{channel_id}/messages/{message_id}/ack",  # only a position
    "PUT /guilds/{guild_id}/members/{user_id}",  # only bots can be added
    "DELETE /guilds/{guild_id}/bans/{user_id}",  # the user is not banned: see `assert_permitted`
    "PUT /guilds/{guild_id}/bans/{user_id}",  # users can be banned before they join
    "PUT /channels/{channel_id}/permissions/{target_id}",
}
TWO_IDS = [name for name in IN_GUILD if len(re.findall(r"_id}", name)) > 1]
"""Routes with an object in a guild or a channel."""


EMOJI_ME = "/{emoji}/@me"

NON_OWNERS = [name for name in IN_GUILD if TABLE[name].needs is not OWNER]


def needed(route: Route) -> Permissions:
    assert isinstance(route.needs, Permissions)
    return route.needs


async def test_every_served_route_is_in_the_table(server: Server) -> None:
    gateway = {("GET", prefix + path) for prefix in PREFIXES for path in GATEWAY}
    known = {
        (method, prefix + path)
        for prefix in PREFIXES
        for route in TABLE.values()
        for path in (route.path, *aliases(route.path))
        for method in ((route.method, "HEAD") if route.method == "GET" else (route.method,))
    }
    served = {
        (route.method, route.resource.canonical)
        for route in server.runner.app.router.routes()
        if route.resource is not None and route.method != "OPTIONS"
    }
    gateway |= {("HEAD", path) for _, path in gateway}
    pages = {
        (method, path.replace("{rest:.*}", "{rest}"))
        for path in ("/", *web_client.PAGES, "/client/{version}/{name}", "/service_worker.js")
        for method in ("GET", "HEAD")
    }
    assert served - gateway - pages == known


async def test_gateway_url_of_bots_requires_a_token(world: World) -> None:
    alice = await world.person("alice")
    assert (await world.anonymous.call("GET", "/gateway")).status == 200
    assert (await world.anonymous.call("GET", "/gateway/bot")).status == 401
    assert (await alice.rest.call("GET", "/gateway/bot")).status == 200


def test_every_route_is_tested() -> None:
    """Tested with the callers below, or by tests of routes outside of guilds."""
    tried = {*IN_GUILD, *RECIPIENTS_ONLY, *ADMINISTRATORS_ONLY}
    for name, route in TABLE.items():
        if name not in tried:
            assert route.needs in OUTSIDE, name


async def test_every_route_declares_its_requirement(world: World) -> None:
    assert len(TABLE) >= 70
    for name, route in TABLE.items():
        if name == "GET /guilds/{guild_id}/widget.json":
            continue  # which is for visitors of other sites, and always refused
        is_in_guild = "{guild_id}" in route.path or "{channel_id}" in route.path
        assert is_in_guild <= (route.needs not in (PUBLIC, TOKEN, AUTHENTICATED, HUMAN, BOT)), name


async def stage_with_outsider(world: World) -> RouteStage:
    scene = await route_stage(world, everyone=Permissions(sum(Permissions)))
    await world.guild(owner="rival")
    return scene


@pytest.mark.parametrize("name", IN_GUILD)
async def test_outsiders_are_refused(stages: SharedStages, name: str) -> None:
    async with stages.on(stage_with_outsider) as (world, scene):
        answer = await scene.try_it(world.rest("rival"), name)
        assert answer.status == 403, (name, answer.raw)
        assert answer.code in (50001, 50013)


async def stage_with_banned_user(world: World) -> RouteStage:
    scene = await route_stage(world)
    banned = await world.person("banned")
    await scene.allow_everyone(Permissions.ADMINISTRATOR)
    await scene.guild.admit(banned)
    await scene.guild.owner.rest.put(f"/guilds/{scene.guild.id}/bans/{banned.id}", {})
    return scene


@pytest.mark.parametrize("name", IN_GUILD)
async def test_banned_users_are_refused(stages: SharedStages, name: str) -> None:
    async with stages.on(stage_with_banned_user) as (world, scene):
        answer = await scene.try_it(world.rest("banned"), name)
        assert answer.status == 403, (name, answer.raw)


async def stage_with_member(world: World) -> RouteStage:
    scene = await route_stage(world)
    await scene.guild.admit(await world.person("bob"))
    return scene


async def stage_without_reactions(world: World) -> RouteStage:
    """Members that see reactions may join them, and remove their own."""
    scene = await stage_with_member(world)
    await scene.remove_reactions()
    return scene


@pytest.mark.parametrize("name", WITH_PERMISSION)
async def test_members_without_the_permission_are_refused(stages: SharedStages, name: str) -> None:
    bits = Permissions(sum(Permissions)) & ~(needed(TABLE[name]) | Permissions.ADMINISTRATOR)
    if name == "DELETE /invites/{code}":
        bits &= ~Permissions.MANAGE_GUILD  # it would be sufficient too
    is_of_reactions = name.endswith(EMOJI_ME) and needed(TABLE[name]) != SEE
    make = stage_without_reactions if is_of_reactions else stage_with_member
    async with stages.on(make) as (world, scene):
        await scene.allow_everyone(bits)
        answer = await scene.try_it(world.rest("bob"), name)
        assert answer.status == 403, (name, answer.raw)


@pytest.mark.parametrize("name", WITH_PERMISSION)
async def test_members_with_the_permission_are_permitted_until_they_lose_it(
    world: World, name: str
) -> None:
    scene = await route_stage(world)
    route = TABLE[name]
    bits = needed(route) | SEE | Permissions.READ_MESSAGE_HISTORY
    role = await create_role(scene.guild, "moderator", int(bits), position=2)
    bob = await world.person("bob")
    await scene.guild.admit(bob)
    await assign_roles(world, scene.guild, "bob", role)
    if route.method == "GET":
        assert_permitted(await scene.try_it(bob.rest, name))
    # The same token, after the role was deleted:
    await scene.guild.owner.rest.delete(f"/guilds/{scene.guild.id}/members/{bob.id}/roles/{role}")
    if needed(route) != SEE:
        answer = await scene.try_it(bob.rest, name)
        assert answer.status == 403, (name, answer.raw)
    await assign_roles(world, scene.guild, "bob", role)
    assert_permitted(await scene.try_it(bob.rest, name))


async def stage_with_timed_out_member(world: World) -> RouteStage:
    scene = await route_stage(world, everyone=ALL_PERMISSIONS)
    bob = await world.person("bob")
    await scene.guild.admit(bob)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await scene.guild.owner.rest.patch(
        f"/guilds/{scene.guild.id}/members/{bob.id}", {"communication_disabled_until": until}
    )
    return scene


async def stage_with_timed_out_member_without_reactions(world: World) -> RouteStage:
    scene = await stage_with_timed_out_member(world)
    await scene.remove_reactions()
    return scene


def is_forbidden_while_timed_out(name: str) -> bool:
    return TABLE[name].needs is not MEMBER and bool(needed(TABLE[name]) & ~TIMED_OUT)


@pytest.mark.parametrize(
    "name", [name for name in NON_OWNERS if is_forbidden_while_timed_out(name)]
)
async def test_timed_out_members_may_not_act(stages: SharedStages, name: str) -> None:
    make = (
        stage_with_timed_out_member_without_reactions
        if name == f"PUT /channels/{{channel_id}}/messages/{{message_id}}/reactions{EMOJI_ME}"
        else stage_with_timed_out_member
    )
    async with stages.on(make) as (world, scene):
        answer = await scene.try_it(world.rest("bob"), name)
        assert answer.status == 403, (name, answer.raw)


@pytest.mark.parametrize(
    "name", [name for name in NON_OWNERS if not is_forbidden_while_timed_out(name)]
)
async def test_timed_out_members_may_read(world: World, stages: SharedStages, name: str) -> None:
    if TABLE[name].method == "GET":
        async with stages.on(stage_with_timed_out_member) as (there, scene):
            assert_permitted(await scene.try_it(there.rest("bob"), name))
    else:
        scene = await stage_with_timed_out_member(world)
        assert_permitted(await scene.try_it(world.rest("bob"), name))


@pytest.mark.parametrize("name", [name for name in IN_GUILD if TABLE[name].needs is OWNER])
async def test_administrators_cannot_act_as_owners(world: World, name: str) -> None:
    scene = await route_stage(world, everyone=Permissions(sum(Permissions)))
    bob = await world.person("bob")
    await scene.guild.admit(bob)
    answer = await scene.try_it(bob.rest, name)
    assert (answer.status, answer.code) == (403, 50013)


@pytest.mark.parametrize("name", RANKED)
async def test_lower_members_cannot_act_on_higher_ones(world: World, name: str) -> None:
    scene = await route_stage(world)
    guild = scene.guild
    lower = await create_role(guild, "lower", int(ALL_PERMISSIONS), position=2)
    higher = await create_role(guild, "higher", position=3)
    bob = await world.person("bob")
    await guild.admit(bob)
    await assign_roles(world, guild, "bob", lower)
    await assign_roles(world, guild, "target", higher)
    scene.names["role_id"] = higher
    answer = await scene.try_it(bob.rest, name)
    if name == "POST /guilds/{guild_id}/bulk-ban":
        assert (answer.status, answer.code) == (400, 500000)
    else:
        assert (answer.status, answer.code) == (403, 50013), (name, answer.raw)
    there = await guild.owner.rest.get(f"/guilds/{guild.id}/members/{scene.names['user_id']}")
    assert (there["roles"], there["nick"]) == ([higher], None)
    # A higher member may.
    await guild.owner.rest.patch(
        f"/guilds/{guild.id}/roles", [{"id": lower, "position": 4}, {"id": higher, "position": 3}]
    )
    assert_permitted(await scene.try_it(bob.rest, name))


async def stage_with_rival_guild(world: World) -> RouteStage:
    """Paths name the guild and the channel of the rival, and objects of another guild."""
    scene = await route_stage(world)
    rival = await world.guild(owner="rival", members=["helper"])
    scene.names |= {"guild_id": rival.id, "channel_id": rival.general.id}
    return scene


@pytest.mark.parametrize("name", [name for name in TWO_IDS if name not in FOREIGN])
async def test_owners_cannot_access_other_guilds(stages: SharedStages, name: str) -> None:
    async with stages.on(stage_with_rival_guild) as (world, scene):
        answer = await scene.try_it(world.rest("rival"), name)
        assert answer.status == 404, (name, answer.raw)


@pytest.mark.parametrize("name", sorted(FOREIGN))
async def test_ids_of_other_guilds_cause_no_error(world: World, name: str) -> None:
    scene = await stage_with_rival_guild(world)
    assert (await scene.try_it(world.rest("rival"), name)).status < 500


@pytest.mark.parametrize("name", RECIPIENTS_ONLY)
async def test_outsiders_of_a_group_are_refused(world: World, name: str) -> None:
    alice, bob, carol, mallory = await world.friends("alice", "bob", "carol", "mallory")
    group = await alice.rest.post("/users/@me/channels", {"recipients": [bob.id, carol.id]})
    route = TABLE[name]
    for who in (mallory, await world.bot("bot", "mallory")):
        for user_id in (bob.id, mallory.id):
            path = route.path.format(channel_id=group["id"], user_id=user_id)
            answer = await who.rest.call(route.method, path)
            assert (answer.status, answer.code) == (403, 50001), (name, answer.raw)


@pytest.mark.parametrize("name", ADMINISTRATORS_ONLY)
async def test_non_administrators_are_refused(world: World, name: str) -> None:
    guild = await world.guild(owner="alice")
    route = TABLE[name]
    for who in (guild.owner, await world.bot("bot", "alice")):
        body = BODIES.get(name, {}) if route.method in ("POST", "PATCH") else None
        path = route.path.format(code="a", user_id=guild.owner.id, report_id="1")
        answer = await who.rest.call(route.method, path, body)
        assert answer.status == 403, (name, answer.raw)


@pytest.mark.parametrize("name", [name for name in IN_GUILD if TABLE[name].needs is MEMBER])
async def test_members_are_permitted(world: World, name: str) -> None:
    scene = await route_stage(world)
    bob = await world.person("bob")
    await scene.guild.admit(bob)
    answer = await scene.try_it(bob.rest, name)
    assert_permitted(answer)
