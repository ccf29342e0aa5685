"""Sessions that end or lose a guild: all instances act at once, and reject resumes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from chatd.core.intents import ALL_INTENTS
from tests.helpers.accounts import log_in
from tests.helpers.fleet import Fleet
from tests.helpers.gateway import expect_invalid_session
from tests.helpers.session_ends import (
    end_by_deletion,
    end_by_logout,
    end_by_password_change,
)
from tests.world import Client, Person, World

Ending = Callable[[World, Person], Awaitable[None]]


@pytest.mark.parametrize("ending", [end_by_logout, end_by_deletion, end_by_password_change])
async def test_ended_login_has_no_sessions_on_any_instance(
    world: World, other: World, fleet: Fleet, ending: Ending
) -> None:
    leaving = await fleet.start(27)
    await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    live = [*await world.online("bob"), *await other.online("bob")]
    cut = [*await world.online("bob"), *await other.online("bob")]
    suspended = await leaving.online("bob", "bob")
    for client in cut:
        await client.cut()
    await fleet.stop(27, *suspended)
    [alice] = await other.online("alice")
    await ending(world, bob)
    for client in live:
        assert await client.closed() == 4004
    for where, client in zip(
        (world, other, world, other, world, other), (*live, *cut, *suspended), strict=True
    ):
        back = await where.resumed("bob", client)
        await expect_invalid_session(back)
        fresh = await where.socket()
        await fresh.send(2, {"token": bob.token, "properties": {}})
        assert await fresh.closed() == 4004
    assert await alice.received_before_fence() is not None  # other sessions are not disturbed


async def test_sessions_of_another_login_stay_connected(world: World, other: World) -> None:
    bob = await world.person("bob")
    await world.guild(owner="alice", members=["bob"])
    token = (await log_in(world, bob)).token
    staying: list[Client] = []
    for where in (world, other):
        client = await where.socket()
        await client.identify(token)
        staying.append(client)
    ending_clients = [*await world.online("bob"), *await other.online("bob")]
    await bob.rest.post("/auth/logout")
    for client in ending_clients:
        assert await client.closed() == 4004
    for client in staying:
        await client.received_before_fence()


@pytest.mark.parametrize("cause", ["kick", "ban", "leave", "guild"])
async def test_removed_member_receives_no_further_events(
    world: World, other: World, cause: str
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    clients = [*await world.online("bob"), *await other.online("bob")]
    [cut] = await other.online("bob")
    [all_intents] = await other.online("bob", intents=int(ALL_INTENTS))
    await cut.cut()
    rest, path = guild.owner.rest, f"/channels/{guild.general.id}/messages"
    if cause == "kick":
        await rest.delete(f"/guilds/{guild.id}/members/{bob.id}")
    elif cause == "ban":
        await rest.put(f"/guilds/{guild.id}/bans/{bob.id}", {})
    elif cause == "leave":
        await bob.rest.delete(f"/users/@me/guilds/{guild.id}")
    else:
        await rest.delete(f"/guilds/{guild.id}")
    if cause != "guild":
        await rest.post(path, {"content": "he is gone"})
        await rest.post(f"/channels/{guild.general.id}/typing")
        await rest.patch(f"/guilds/{guild.id}", {"name": "without him"})
        await rest.post(f"/guilds/{guild.id}/channels", {"name": "new"})
    for client in (*clients, all_intents):
        assert (await client.next("GUILD_DELETE")).d == {"id": guild.id}
    # Its own events arrive after earlier events of the guild.
    await bob.rest.patch("/users/@me", {"global_name": "elsewhere"})
    back = await other.resumed("bob", cut)
    for client in (*clients, all_intents, back):
        received: list[str] = []
        while (event := await client.next_any()).t != "USER_UPDATE":
            if event.t != "RESUMED":
                received.append(event.t)
        if client is back:
            received.remove("GUILD_DELETE")
        assert received == []
    await all_intents.send(8, {"guild_id": guild.id, "query": "", "limit": 0})
    assert [each.t for each in await all_intents.received_before_fence()] == []
