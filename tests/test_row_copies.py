"""Copied accounts and guilds are like those that requests create."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest

from chatd.db.pool import Database
from tests.conftest import Server
from tests.helpers.row_copies import ACCOUNT, GUILD, is_plain
from tests.world import PASSWORD, Guild, Person, World

VARIABLE = {"seq", "password_hash", "token_hash", "refresh_token", "access_token", "session_id"}
"""Keys of values that differ between two accounts. The number of events differs, because a copy of
an account is one of the original after it had joined a guild."""

PATHS = (
    "/guilds/{}?with_counts=true",
    "/guilds/{}/channels",
    "/guilds/{}/roles",
    "/guilds/{}/members?limit=10",
    "/guilds/{}/invites",
    "/guilds/{}/audit-logs",
    "/users/@me",
    "/users/@me/guilds",
)

ROWS = {*ACCOUNT, *GUILD}

_ID = re.compile(r"\b\d{17,20}\b")
_CODE = re.compile(r'"(?:code|new_value)":"([a-zA-Z0-9]{10})"')
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")


@pytest.fixture
async def requesting(server: Server) -> AsyncIterator[World]:
    """A world that creates everything by requests."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        world = World(http, server.url, server.gateway_url)
        yield world
        await world.aclose()


def _comparable(found: Any, *people: Person) -> Any:
    """Return JSON with ids by their rank, and without times, names and random values."""
    text = orjson.dumps(found).decode()
    replaced = {person.name: f"name {number}" for number, person in enumerate(people)}
    ids = sorted({*_ID.findall(text)}, key=int)
    replaced |= {each: f"id {rank}" for rank, each in enumerate(ids)}
    replaced |= dict.fromkeys(_CODE.findall(text), "code")
    replaced |= dict.fromkeys(_TIME.findall(text), "time")

    def compare(value: Any, key: str = "") -> Any:
        match value:
            case dict():
                return {name: compare(each, name) for name, each in value.items()}
            case list():
                return [compare(each, key) for each in value]
            case None | bool():
                return value
            case _ if key in VARIABLE:
                return key
            case _:
                text = str(value)
                for old, new in replaced.items():
                    text = text.replace(old, new)
                return text

    return compare(found)


async def _rows(database: Database, *holders: Person | Guild) -> dict[str, list[Any]]:
    """Return all rows, of any table, that contain one of these ids, and the tokens of logins."""
    found: dict[str, list[Any]] = {}
    async with database.cursor() as cur:
        await cur.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        tables = sorted(str(name) for [name] in await cur.fetchall())
        ids = [each.id for each in holders]
        for table in sorted(tables, key=lambda name: name == "refresh_tokens"):
            await cur.execute(
                f"SELECT row FROM (SELECT to_jsonb({table}) AS row FROM {table}) AS rows"
                " WHERE row::text ~ %(ids)s ORDER BY row->>'id', row->>'joined_at'",
                {"ids": "|".join(ids)},
            )
            rows = [row for [row] in await cur.fetchall()]
            if rows:
                found[table] = rows
            if table == "logins":
                ids += [str(row["id"]) for row in rows]
    return found


async def _scene(world: World) -> tuple[Guild, list[Person]]:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    return guild, await world.people("alice", "bob", "carol")


async def test_copies_have_the_rows_of_what_requests_create(
    world: World, requesting: World, database: Database
) -> None:
    compared = []
    for each in (world, requesting):
        guild, people = await _scene(each)
        compared.append(_comparable(await _rows(database, guild, *people), *people))
    assert compared[0].keys() == ROWS
    assert compared[0] == compared[1]


async def test_account_without_a_guild_has_the_rows_of_a_registered_one(
    world: World, requesting: World, database: Database
) -> None:
    compared = []
    for each in (world, requesting):
        person = await each.person("alice")
        compared.append(_comparable(await _rows(database, person), person))
    assert compared[0] == compared[1]


async def test_guild_without_members_has_the_rows_of_a_created_one(
    world: World, requesting: World, database: Database
) -> None:
    compared = []
    for each in (world, requesting):
        guild = await each.guild("alice")
        compared.append(_comparable(await _rows(database, guild), guild.owner))
    assert compared[0] == compared[1]


async def test_clients_see_no_difference(world: World, requesting: World) -> None:
    compared = []
    for each in (world, requesting):
        guild, people = await _scene(each)
        assert [channel.name for channel in guild.channels] == ["general"]
        rest = people[0].rest
        answers = [await rest.get(path.format(guild.id)) for path in PATHS]
        [client] = await each.online("bob")
        compared.append(_comparable([*answers, client.ready], *people))
    assert compared[0] == compared[1]


async def test_tokens_and_password_of_a_copied_account_are_accepted(world: World) -> None:
    alice = await world.person("alice")
    assert (await alice.rest.get("/users/@me"))["email"] == alice.email
    body = {"login": alice.email, "password": PASSWORD}
    assert (await world.anonymous.post("/auth/login", body))["user"]["id"] == alice.id
    body = {"refresh_token": alice.refresh_token}
    assert (await world.anonymous.post("/auth/refresh", body))["user"]["id"] == alice.id


async def test_guild_of_connected_people_is_created_by_requests(world: World) -> None:
    [alice] = await world.online("alice")
    guild = await world.guild(owner="alice", members=["bob"])
    assert (await alice.next("GUILD_CREATE")).d["id"] == guild.id
    assert (await alice.next("GUILD_MEMBER_ADD")).d["guild_id"] == guild.id


async def test_name_that_is_normalized_is_not_copied(world: World) -> None:
    assert is_plain("al.ice_1")
    assert not is_plain("Alice")
    person = await world.person("Alice")
    assert (await person.rest.get("/users/@me"))["id"] == person.id
