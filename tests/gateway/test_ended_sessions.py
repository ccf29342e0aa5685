"""Sessions that end, or may see less, at once and on every instance; and who is refused then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from chatd.core.intents import ALL_INTENTS
from tests.conftest import ServeMore
from tests.gateway.test_parking import Fleet
from tests.gateway.test_resume_and_loss import refused
from tests.world import PASSWORD, Client, Person, World, world_on


@pytest.fixture
async def other(serve_more: ServeMore, world: World) -> AsyncIterator[World]:
    """The same people, on a second instance."""
    async with (
        serve_more(worker_id=26) as server,
        world_on(server.url, server.gateway_url) as there,
    ):
        there.meet(world)
        yield there


@pytest.fixture
async def fleet(world: World, serve_more: ServeMore) -> AsyncIterator[Fleet]:
    """Instances beside the shared one."""
    instances = Fleet(world, serve_more)
    yield instances
    await instances.aclose()


NEW_PASSWORD = "Another Password 123!"


async def log_in(world: World, person: Person) -> str:
    body = {"email": person.email, "password": PASSWORD}
    return str((await world.nobody.post("/auth/login", body))["access_token"])


async def by_itself(world: World, person: Person) -> None:
    await world.nobody.post("/auth/login", {"email": person.email, "password": PASSWORD})
    await person.rest.post("/auth/logout")


async def by_deletion(world: World, person: Person) -> None:
    await person.rest.call("POST", "/users/@me/delete", {"password": PASSWORD})


async def by_password(world: World, person: Person) -> None:
    """From another login, which stays."""
    body = {"password": PASSWORD, "new_password": NEW_PASSWORD}
    token = await log_in(world, person)
    answer = await person.rest.call(
        "PATCH", "/users/@me", body, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status == 200


Ending = Callable[[World, Person], Awaitable[None]]


@pytest.mark.parametrize("ending", [by_itself, by_deletion, by_password])
async def test_an_ended_login_has_no_sessions_anywhere(
    world: World, other: World, fleet: Fleet, ending: Ending
) -> None:
    leaving = await fleet.start(27)
    await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    live = [*await world.online("bob"), *await other.online("bob")]
    cut = [*await world.online("bob"), *await other.online("bob")]
    parked = await leaving.online("bob", "bob")
    for client in cut:
        await client.cut()
    await fleet.stop(27, *parked)
    [alice] = await other.online("alice")
    await ending(world, bob)
    for client in live:
        assert await client.closed() == 4004
    for where, client in zip(
        (world, other, world, other, world, other), (*live, *cut, *parked), strict=True
    ):
        back = await where.resumed("bob", client)
        await refused(back)
        anew = await where.socket()
        await anew.send(2, {"token": bob.token, "properties": {}})
        assert await anew.closed() == 4004
    assert await alice.heard_before_fence() is not None  # nobody else is disturbed


async def test_another_login_stays_when_one_ends(world: World, other: World) -> None:
    bob = await world.person("bob")
    await world.guild(owner="alice", members=["bob"])
    token = await log_in(world, bob)
    stays: list[Client] = []
    for where in (world, other):
        client = await where.socket()
        await client.identify(token)
        stays.append(client)
    ends = [*await world.online("bob"), *await other.online("bob")]
    await bob.rest.post("/auth/logout")
    for client in ends:
        assert await client.closed() == 4004
    for client in stays:
        await client.heard_before_fence()


@pytest.mark.parametrize("way", ["kick", "ban", "leave", "guild"])
async def test_who_is_out_hears_no_more(world: World, other: World, way: str) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    clients = [*await world.online("bob"), *await other.online("bob")]
    [cut] = await other.online("bob")
    [curious] = await other.online("bob", intents=int(ALL_INTENTS))
    await cut.cut()
    rest, path = guild.owner.rest, f"/channels/{guild.general.id}/messages"
    if way == "kick":
        await rest.delete(f"/guilds/{guild.id}/members/{bob.id}")
    elif way == "ban":
        await rest.put(f"/guilds/{guild.id}/bans/{bob.id}", {})
    elif way == "leave":
        await bob.rest.delete(f"/users/@me/guilds/{guild.id}")
    else:
        await rest.delete(f"/guilds/{guild.id}")
    if way != "guild":
        await rest.post(path, {"content": "he is gone"})
        await rest.post(f"/channels/{guild.general.id}/typing")
        await rest.patch(f"/guilds/{guild.id}", {"name": "without him"})
        await rest.post(f"/guilds/{guild.id}/channels", {"name": "new"})
    for client in (*clients, curious):
        assert (await client.next("GUILD_DELETE")).d == {"id": guild.id}
    # Its own events come after those of the guild that were on their way.
    await bob.rest.patch("/users/@me", {"global_name": "elsewhere"})
    back = await other.resumed("bob", cut)
    for client in (*clients, curious, back):
        heard: list[str] = []
        while (event := await client.next_any()).t != "USER_UPDATE":
            if event.t != "RESUMED":
                heard.append(event.t)
        if client is back:
            heard.remove("GUILD_DELETE")
        assert heard == []
    await curious.send(8, {"guild_id": guild.id, "query": "", "limit": 0})
    assert [each.t for each in await curious.heard_before_fence()] == []
