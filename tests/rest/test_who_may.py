"""Who may call what: every route of the table, as everyone who should be refused, and not."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from chatd.core.permissions import TIMED_OUT, Permissions
from chatd.rest import routes
from chatd.rest.routes import (
    ADMINISTRATOR,
    ANYONE,
    BOT,
    MEMBER,
    OWNER,
    PERSON,
    RECIPIENT,
    USER,
    Route,
)
from tests.conftest import Server
from tests.rest.test_roles import give, made
from tests.world import Answer, Guild, Rest, World

TABLE = {f"{route.method} {route.path}": route for route in routes.table()}
ELSEWHERE = (ANYONE, USER, PERSON, BOT, RECIPIENT, ADMINISTRATOR)
RECIPIENTS_ONLY = [name for name, route in TABLE.items() if route.needs is RECIPIENT]
ADMINISTRATORS_ONLY = [name for name, route in TABLE.items() if route.needs is ADMINISTRATOR]
GATEWAY = ("/gateway", "/gateway/", "/gateway/bot")
"""What the gateway serves itself, beside the table."""
IN_GUILD = [name for name, route in TABLE.items() if route.needs not in ELSEWHERE]
WITH_PERMISSION = [name for name in IN_GUILD if isinstance(TABLE[name].needs, Permissions)]

SEE = Permissions.VIEW_CHANNEL

EVERYTHING = Permissions(sum(Permissions)) & ~Permissions.ADMINISTRATOR

UNRANKED = {
    "GET /guilds/{guild_id}/roles/{role_id}",
    "GET /guilds/{guild_id}/members/{user_id}",
    "GET /guilds/{guild_id}/bans/{user_id}",
    # Who may come back, who comes as a bot, and what is said or denied somewhere, is no question
    # of ranks (Discord docs, Permissions, "Permission Hierarchy", names all that is).
    "DELETE /guilds/{guild_id}/bans/{user_id}",
    "PUT /guilds/{guild_id}/members/{user_id}",
    "PUT /channels/{channel_id}/permissions/{target_id}",
    "DELETE /channels/{channel_id}/permissions/{target_id}",
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user_id}",
}
"""Routes that name a user or a role, whatever its rank."""
RANKED = [
    name
    for name in WITH_PERMISSION
    if ("user_id}" in name or "role_id}" in name) and name not in UNRANKED
] + ["PATCH /guilds/{guild_id}/roles", "POST /guilds/{guild_id}/bulk-ban"]

FOREIGN = {
    "POST /channels/{channel_id}/messages/{message_id}/ack",  # how far one has read: a place
    "PUT /guilds/{guild_id}/members/{user_id}",  # who is no bot is never brought in
    "DELETE /guilds/{guild_id}/bans/{user_id}",  # nobody is banned: see `assert_let_in`
    "PUT /guilds/{guild_id}/bans/{user_id}",  # anyone can be banned ahead of joining
    "PUT /channels/{channel_id}/permissions/{target_id}",
}
TWO_IDS = [name for name in IN_GUILD if len(re.findall(r"_id}", name)) > 1]
"""Routes that name something in a guild or in a channel."""

BODIES: dict[str, object] = {
    "PATCH /guilds/{guild_id}": {"name": "theirs"},
    "POST /guilds/{guild_id}/channels": {"name": "theirs"},
    "PATCH /guilds/{guild_id}/channels": [],
    "PATCH /channels/{channel_id}": {"topic": "theirs"},
    "PUT /channels/{channel_id}/permissions/{target_id}": {"type": 0},
    "POST /channels/{channel_id}/messages": {"content": "theirs"},
    "PATCH /channels/{channel_id}/messages/{message_id}": {"flags": 4},
    "POST /guilds/{guild_id}/roles": {"name": "theirs"},
    "PATCH /guilds/{guild_id}/roles/{role_id}": {"name": "theirs"},
    "PATCH /guilds/{guild_id}/members/@me": {"nick": "theirs"},
    "PATCH /guilds/{guild_id}/members/{user_id}": {"nick": "theirs"},
    "POST /channels/{channel_id}/invites": {},
    "PUT /guilds/{guild_id}/bans/{user_id}": {},
}


class Stage:
    """A guild with one of everything that a path can name, and a person to try it."""

    def __init__(self, guild: Guild, names: dict[str, str]) -> None:
        self.guild = guild
        self.names = names

    async def try_it(self, rest: Rest, name: str) -> Answer:
        """Call a route for somebody, with what it needs besides the right to."""
        route = TABLE[name]
        path = route.path.format(**self.names)
        if "search" in path:
            path += "?query=x"
        body = BODIES.get(name)
        if name == "PATCH /guilds/{guild_id}/roles":
            body = [{"id": self.names["role_id"], "position": 1}]
        if name == "POST /guilds/{guild_id}/bulk-ban":
            body = {"user_ids": [self.names["user_id"]]}
        if name == "POST /channels/{channel_id}/messages/bulk-delete":
            body = {"messages": [self.names["message_id"], self.names["other_message_id"]]}
        return await rest.call(route.method, path, body)


async def stage(world: World, *, everyone: Permissions = SEE) -> Stage:
    """A guild whose members may do `everyone` and no more."""
    guild = await world.guild(owner="alice", members=["target"])
    rest, channel = guild.owner.rest, guild.general.id
    target = await world.person("target")
    messages = f"/channels/{channel}/messages"
    message, other = [await rest.post(messages, {"content": text}) for text in ("1", "2")]
    await rest.put(f"{messages}/{message['id']}/reactions/{quote('👍')}/@me")
    role = await made(guild, "low", position=1)
    await rest.put(f"/channels/{channel}/permissions/{role}", {"type": 0})
    names = {
        "guild_id": guild.id,
        "channel_id": channel,
        "message_id": message["id"],
        "other_message_id": other["id"],
        "user_id": target.id,
        "role_id": role,
        "target_id": role,
        "emoji": quote("👍"),
        "code": await guild.invite(),
    }
    await rest.patch(f"/guilds/{guild.id}/roles/{guild.id}", {"permissions": str(int(everyone))})
    return Stage(guild, names)


def needed(route: Route) -> Permissions:
    assert isinstance(route.needs, Permissions)
    return route.needs


def assert_let_in(answer: Answer) -> None:
    """The call went through, though it may be that nobody is banned."""
    assert 200 <= answer.status < 300 or answer.code == 10026, answer.raw


async def test_nothing_is_served_that_is_not_in_the_table(server: Server) -> None:
    gateway = {("GET", prefix + path) for prefix in routes.PREFIXES for path in GATEWAY}
    known = {
        (method, prefix + route.path)
        for prefix in routes.PREFIXES
        for route in TABLE.values()
        for method in ((route.method, "HEAD") if route.method == "GET" else (route.method,))
    }
    served = {
        (route.method, route.resource.canonical)
        for route in server.runner.app.router.routes()
        if route.resource is not None and route.method != "OPTIONS"
    }
    gateway |= {("HEAD", path) for _, path in gateway}
    assert served - gateway == known


async def test_who_looks_for_the_gateway(world: World) -> None:
    alice = await world.person("alice")
    assert (await world.nobody.call("GET", "/gateway")).status == 200
    assert (await world.nobody.call("GET", "/gateway/bot")).status == 401
    assert (await alice.rest.call("GET", "/gateway/bot")).status == 200


def test_every_route_is_tried() -> None:
    """By the callers below, or in the tests of what is no guild's."""
    tried = {*IN_GUILD, *RECIPIENTS_ONLY, *ADMINISTRATORS_ONLY}
    for name, route in TABLE.items():
        if name not in tried:
            assert route.needs in (ANYONE, USER, PERSON, BOT), name


async def test_every_route_says_who_may_call_it(world: World) -> None:
    assert len(TABLE) >= 70
    for name, route in TABLE.items():
        is_in_guild = "{guild_id}" in route.path or "{channel_id}" in route.path
        assert is_in_guild <= (route.needs not in (ANYONE, USER, PERSON, BOT)), name


@pytest.mark.parametrize("name", IN_GUILD)
async def test_outsiders_are_refused(world: World, name: str) -> None:
    scene = await stage(world, everyone=Permissions(sum(Permissions)))
    await world.guild(owner="rival")
    answer = await scene.try_it(world.rest("rival"), name)
    assert answer.status == 403, (name, answer.raw)
    assert answer.code in (50001, 50013)


@pytest.mark.parametrize("name", IN_GUILD)
async def test_the_banned_are_refused(world: World, name: str) -> None:
    scene = await stage(world)
    banned = await world.person("banned")
    await scene.guild.owner.rest.patch(
        f"/guilds/{scene.guild.id}/roles/{scene.guild.id}", {"permissions": "8"}
    )
    await scene.guild.admit(banned)
    await scene.guild.owner.rest.put(f"/guilds/{scene.guild.id}/bans/{banned.id}", {})
    answer = await scene.try_it(banned.rest, name)
    assert answer.status == 403, (name, answer.raw)


@pytest.mark.parametrize("name", WITH_PERMISSION)
async def test_members_without_the_permission_are_refused(world: World, name: str) -> None:
    bits = Permissions(sum(Permissions)) & ~(needed(TABLE[name]) | Permissions.ADMINISTRATOR)
    scene = await stage(world, everyone=bits | Permissions(0))
    if name == "DELETE /invites/{code}":
        bits &= ~Permissions.MANAGE_GUILD  # which would be enough, too
        scene = await stage(world, everyone=bits)
    # Reactions may be joined, and one's own taken back, by whoever sees them.
    if name.endswith("/{emoji}/@me") and needed(TABLE[name]) != SEE:
        path = f"/channels/{scene.guild.general.id}/messages"
        await scene.guild.owner.rest.delete(
            f"{path}/{scene.names['message_id']}/reactions/{quote('👍')}/@me"
        )
    bob = await world.person("bob")
    await scene.guild.admit(bob)
    answer = await scene.try_it(bob.rest, name)
    assert answer.status == 403, (name, answer.raw)


@pytest.mark.parametrize("name", WITH_PERMISSION)
async def test_members_with_just_the_permission_are_let_in_until_they_lose_it(
    world: World, name: str
) -> None:
    scene = await stage(world)
    route = TABLE[name]
    bits = needed(route) | SEE | Permissions.READ_MESSAGE_HISTORY
    role = await made(scene.guild, "moderator", int(bits), position=2)
    bob = await world.person("bob")
    await scene.guild.admit(bob)
    await give(world, scene.guild, "bob", role)
    if route.method == "GET":
        assert_let_in(await scene.try_it(bob.rest, name))
    # The same token, after the role is gone:
    await scene.guild.owner.rest.delete(f"/guilds/{scene.guild.id}/members/{bob.id}/roles/{role}")
    if needed(route) != SEE:
        answer = await scene.try_it(bob.rest, name)
        assert answer.status == 403, (name, answer.raw)
    await give(world, scene.guild, "bob", role)
    assert_let_in(await scene.try_it(bob.rest, name))


@pytest.mark.parametrize("name", [name for name in IN_GUILD if TABLE[name].needs is not OWNER])
async def test_the_timed_out_may_only_read(world: World, name: str) -> None:
    scene = await stage(world, everyone=EVERYTHING)
    if name == "PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me":
        path = f"/channels/{scene.guild.general.id}/messages"
        await scene.guild.owner.rest.delete(
            f"{path}/{scene.names['message_id']}/reactions/{quote('👍')}/@me"
        )
    bob = await world.person("bob")
    await scene.guild.admit(bob)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await scene.guild.owner.rest.patch(
        f"/guilds/{scene.guild.id}/members/{bob.id}", {"communication_disabled_until": until}
    )
    answer = await scene.try_it(bob.rest, name)
    if TABLE[name].needs is not MEMBER and needed(TABLE[name]) & ~TIMED_OUT:
        assert answer.status == 403, (name, answer.raw)
    else:
        assert_let_in(answer)


@pytest.mark.parametrize("name", [name for name in IN_GUILD if TABLE[name].needs is OWNER])
async def test_administrators_are_no_owners(world: World, name: str) -> None:
    scene = await stage(world, everyone=Permissions(sum(Permissions)))
    bob = await world.person("bob")
    await scene.guild.admit(bob)
    answer = await scene.try_it(bob.rest, name)
    assert (answer.status, answer.code) == (403, 50013)


@pytest.mark.parametrize("name", RANKED)
async def test_the_lower_is_refused_by_the_higher(world: World, name: str) -> None:
    scene = await stage(world)
    guild = scene.guild
    lower = await made(guild, "lower", int(EVERYTHING), position=2)
    higher = await made(guild, "higher", position=3)
    bob = await world.person("bob")
    await guild.admit(bob)
    await give(world, guild, "bob", lower)
    await give(world, guild, "target", higher)
    scene.names["role_id"] = higher
    answer = await scene.try_it(bob.rest, name)
    if name == "POST /guilds/{guild_id}/bulk-ban":
        assert (answer.status, answer.code) == (400, 500000)
    else:
        assert (answer.status, answer.code) == (403, 50013), (name, answer.raw)
    there = await guild.owner.rest.get(f"/guilds/{guild.id}/members/{scene.names['user_id']}")
    assert (there["roles"], there["nick"]) == ([higher], None)
    # Who has a place above may.
    await guild.owner.rest.patch(
        f"/guilds/{guild.id}/roles", [{"id": lower, "position": 4}, {"id": higher, "position": 3}]
    )
    assert_let_in(await scene.try_it(bob.rest, name))


@pytest.mark.parametrize("name", TWO_IDS)
async def test_owners_reach_nothing_of_another_guild(world: World, name: str) -> None:
    scene = await stage(world)
    rival = await world.guild(owner="rival", members=["helper"])
    for key, own in (("guild_id", rival.id), ("channel_id", rival.general.id)):
        scene.names[key] = own
    answer = await scene.try_it(world.rest("rival"), name)
    assert answer.status == 404 or name in FOREIGN, (name, answer.raw)


@pytest.mark.parametrize("name", RECIPIENTS_ONLY)
async def test_who_is_in_no_group_is_refused(world: World, name: str) -> None:
    alice, bob, carol, mallory = await world.people("alice", "bob", "carol", "mallory")
    group = await alice.rest.post("/users/@me/channels", {"recipients": [bob.id, carol.id]})
    route = TABLE[name]
    for who in (mallory, await world.bot("bot", "mallory")):
        for user_id in (bob.id, mallory.id):
            path = route.path.format(channel_id=group["id"], user_id=user_id)
            answer = await who.rest.call(route.method, path)
            assert (answer.status, answer.code) == (403, 50001), (name, answer.raw)


@pytest.mark.parametrize("name", ADMINISTRATORS_ONLY)
async def test_who_does_not_administer_the_server_is_refused(world: World, name: str) -> None:
    guild = await world.guild(owner="alice")
    route = TABLE[name]
    for who in (guild.owner, await world.bot("bot", "alice")):
        body: object = {} if route.method == "POST" else None
        answer = await who.rest.call(route.method, route.path.format(code="a"), body)
        assert answer.status == 403, (name, answer.raw)


@pytest.mark.parametrize("name", [name for name in IN_GUILD if TABLE[name].needs is MEMBER])
async def test_members_are_let_in(world: World, name: str) -> None:
    scene = await stage(world)
    bob = await world.person("bob")
    await scene.guild.admit(bob)
    answer = await scene.try_it(bob.rest, name)
    assert_let_in(answer)


@pytest.mark.parametrize("name", [name for name, route in TABLE.items() if route.needs is PERSON])
async def test_what_is_for_people_is_not_for_bots(world: World, name: str) -> None:
    bot = await world.bot("bot", owner="alice")
    path = TABLE[name].path.format(application_id=bot.id)
    answer = await bot.rest.call(TABLE[name].method, path, {})
    assert (answer.status, answer.code) == (403, 20001)


@pytest.mark.parametrize("name", [name for name, route in TABLE.items() if route.needs is BOT])
async def test_what_is_for_bots_is_not_for_people(world: World, name: str) -> None:
    alice = await world.person("alice")
    path = TABLE[name].path.format(application_id=alice.id)
    answer = await alice.rest.call(TABLE[name].method, path)
    assert (answer.status, answer.code) == (403, 20002)
