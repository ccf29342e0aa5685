"""Temporary memberships end when their users go offline, on any instance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import psycopg2
import pytest

from chatd.gateway.fanout import presence_reporter
from chatd.services.guilds import temporary_members
from tests.conftest import ServeMore
from tests.helpers.databases import NewDatabase
from tests.world import TIMEOUT_S, Client, Guild, World, like, world_on

NO_REDIS = "redis://127.0.0.1:1"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waiting times of servers that the test starts."""
    monkeypatch.setattr(temporary_members, "INTERVAL_S", 0.1)
    monkeypatch.setattr(temporary_members, "GRACE_S", 1.0)
    monkeypatch.setattr(presence_reporter, "_GRACE_S", 0.5)


@pytest.fixture
def database(migrated_database: NewDatabase, request: pytest.FixtureRequest) -> str:
    """An empty database that no other server uses."""
    return migrated_database(f"temporary_{abs(hash(request.node.name))}")


@asynccontextmanager
async def worlds(serve_more: ServeMore, *settings: dict[str, Any]) -> AsyncIterator[list[World]]:
    """The same users on one instance for each of these settings."""
    async with AsyncExitStack() as stack:
        made: list[World] = []
        for number, each in enumerate(settings):
            server = await stack.enter_async_context(serve_more(worker_id=number, **each))
            made.append(await stack.enter_async_context(world_on(server.url, server.gateway_url)))
            made[-1].share_people(made[0])
        yield made


async def join(world: World, guild: Guild, *names: str) -> None:
    code = await guild.invite(temporary=True)
    for person in await world.people(*names):
        await person.rest.post(f"/invites/{code}")


async def gone(client: Client, world: World, name: str) -> None:
    """Wait until the client receives the removal of a member."""
    person = await world.person(name)
    removed = await client.next("GUILD_MEMBER_REMOVE")
    assert removed.d["user"]["id"] == person.id, "another member was removed"


async def members(guild: Guild) -> set[str]:
    found = await guild.owner.rest.get(f"/guilds/{guild.id}/members?limit=100")
    return {each["user"]["id"] for each in found}


async def test_temporary_membership_ends_when_the_user_goes_offline(
    quick: None, database: str, serve_more: ServeMore
) -> None:
    async with worlds(serve_more, {"database_url": database}) as [world]:
        guild = await world.guild(owner="alice", members=["dave"])
        other = await world.guild(owner="alice", members=["bob"])
        [alice, bob] = await world.online("alice", "bob")
        await join(world, guild, "bob")
        await bob.next("GUILD_CREATE")
        await join(world, guild, "carol")  # never connected
        await gone(alice, world, "carol")
        people = {name: (await world.person(name)).id for name in ("alice", "bob", "dave")}
        assert await members(guild) == set(people.values())  # bob is online, dave may stay
        await bob.leave()
        await gone(alice, world, "bob")
        assert await members(guild) == {people["alice"], people["dave"]}
        assert await members(other) == {people["alice"], people["bob"]}
        await join(world, guild, "bob")  # may join again


async def test_temporary_membership_with_a_role_stays(
    quick: None, database: str, serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporary_members, "GRACE_S", 4.0)  # bob gets the role within it
    async with worlds(serve_more, {"database_url": database}) as [world]:
        guild = await world.guild(owner="alice")
        [alice] = await world.online("alice")
        rest = guild.owner.rest
        role = (await rest.post(f"/guilds/{guild.id}/roles", {}))["id"]
        await join(world, guild, "bob", "carol")
        bob = (await world.person("bob")).id
        path = f"/guilds/{guild.id}/members/{bob}/roles/{role}"
        await rest.put(path)
        await gone(alice, world, "carol")
        await rest.delete(path)
        await join(world, guild, "dave")
        await gone(alice, world, "dave")
        assert await members(guild) == {guild.owner.id, bob}


async def left(guild: Guild, user_id: str) -> None:
    """Wait until a user is no member in the database."""
    async with asyncio.timeout(TIMEOUT_S):
        while user_id in await members(guild):
            await asyncio.sleep(0.05)


async def test_temporary_membership_ends_without_redis(
    quick: None, database: str, serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine, one instance may record its users later than the other one looks.
    monkeypatch.setattr(temporary_members, "GRACE_S", 3.0)
    settings = {"database_url": database, "redis_url": NO_REDIS}
    async with worlds(serve_more, settings) as [here]:
        guild = await here.guild(owner="alice")
        bob, carol = await here.people("bob", "carol")
        async with (
            serve_more(worker_id=1, **settings) as server,
            world_on(server.url, server.gateway_url) as there,
        ):
            there.share_people(here)
            await there.online("bob")
            await join(here, guild, "bob", "carol")
            await left(guild, carol.id)
            assert await members(guild) == {guild.owner.id, bob.id}
        await left(guild, bob.id)  # its instance has stopped


async def test_temporary_members_may_reconnect_after_a_start(
    quick: None, database: str, serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporary_members, "GRACE_S", 3600.0)
    async with worlds(serve_more, {"database_url": database}) as [before]:
        guild = await before.guild(owner="alice")
        await join(before, guild, "bob", "carol")
        with psycopg2.connect(database) as connection, connection.cursor() as cur:
            cur.execute("UPDATE temporary_members SET last_seen_at = now() - interval '1 hour'")
        connection.close()
        monkeypatch.setattr(temporary_members, "GRACE_S", 12.0)
        async with (
            serve_more(worker_id=1, database_url=database) as server,
            world_on(server.url, server.gateway_url) as world,
        ):
            world.share_people(before)
            alice, _ = await world.online("alice", "bob")
            await gone(alice, world, "carol")
            assert (await world.person("bob")).id in await members(guild)


async def test_invite_contains_its_temporary_flag(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/invites"
    made = await guild.owner.rest.post(path, {"temporary": True})
    assert made == like(temporary=True)
    again = await guild.owner.rest.post(path, {"temporary": False})
    assert again["code"] != made["code"]
