"""chatd user: what it does to an account is so at once, on every instance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from chatd import embedded
from chatd.core.ids import UserId
from chatd.keys import RESOURCES
from chatd.services import administration
from tests.cli.conftest import Chatd
from tests.conftest import ServeMore, Server
from tests.locks import held_user
from tests.world import PASSWORD, Answer, Person, World, like, world_on

AT_ONCE_S = 5.0  # it is to be one second; the rest is for machines that are busy


@pytest.fixture
async def elsewhere(world: World, serve_more: ServeMore) -> AsyncIterator[World]:
    """The same people on another instance."""
    async with (
        serve_more(worker_id=1) as other,
        world_on(other.url, other.gateway_url) as there,
    ):
        there.meet(world)
        yield there


async def log_in(world: World, person: Person, password: str = PASSWORD) -> Answer:
    body = {"email": person.email, "password": password}
    return await world.nobody.call("POST", "/auth/login", body)


# -- ending what somebody has ----------------------------------------------------------------------


@pytest.mark.parametrize("act", ["disable", "revoke-sessions", "password"])
async def test_sockets_and_tokens_end_on_every_instance(
    world: World, elsewhere: World, chatd: Chatd, act: str
) -> None:
    await world.guild(owner="ada", members=["mallory"])
    [here], [there] = await world.online("mallory"), await elsewhere.online("mallory")
    [ada] = await elsewhere.online("ada")
    mallory = await world.person("mallory")
    for side in (world, elsewhere):  # both remember whose token it is
        await side.rest("mallory").get("/users/@me")

    await chatd.well("user", act, mallory.name)

    async with asyncio.timeout(AT_ONCE_S):
        assert [await here.closed(), await there.closed()] == [4004, 4004]
        for side in (world, elsewhere):
            assert (await side.rest("mallory").call("GET", "/users/@me")).status == 401
    again = await elsewhere.resumed("mallory", here)
    assert (await again.next_op(9))["d"] is False  # it has to identify, and cannot
    refreshing = {"refresh_token": mallory.refresh_token}
    assert (await world.nobody.call("POST", "/auth/refresh", refreshing)).status == 401
    assert await ada.heard_before_fence() == []  # others are not touched


async def test_a_disabled_account_lets_nobody_in(world: World, chatd: Chatd) -> None:
    mallory = await world.person("mallory")
    await chatd.well("user", "disable", mallory.email)
    answer = await log_in(world, mallory)
    assert (answer.status, answer.code) == (403, 20013)
    wrong = await log_in(world, mallory, "another password")
    assert (wrong.status, wrong.code) == (400, 50035)  # a stranger is told nothing

    assert (await chatd.well("user", "enable", mallory.id)).output == f"Enabled {mallory.name}.\n"
    assert (await log_in(world, mallory)).status == 200
    assert (await mallory.rest.call("GET", "/users/@me")).status == 401  # what ended, has ended


@pytest.mark.parametrize("first", ["login", "disabling"])
async def test_no_login_slips_through_while_it_is_disabled(
    world: World, server: Server, first: str
) -> None:
    mallory = await world.person("mallory")
    resources = server.runner.app[RESOURCES]
    acts: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
        "login": lambda: log_in(world, mallory),
        "disabling": lambda: administration.disable(resources, UserId(int(mallory.id))),
    }
    running: dict[str, asyncio.Task[Any]] = {}
    with held_user(server, mallory.id) as held:
        for number, name in enumerate([first, *(acts.keys() - {first})], 1):
            running[name] = asyncio.create_task(acts[name]())
            await held.waited_for_by(number)
        held.let_go()
        answer = await running["login"]
        await running["disabling"]
    await administration.enable(resources, UserId(int(mallory.id)))
    if first == "disabling":
        assert (answer.status, answer.code) == (403, 20013)
    else:
        headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
        assert (await world.nobody.call("GET", "/users/@me", headers=headers)).status == 401


async def test_a_bot_is_disabled(world: World, chatd: Chatd) -> None:
    bot = await world.bot("helper", owner="ada")
    ada = await world.person("ada")
    [client] = await world.online("helper")
    await chatd.well("user", "disable", bot.id)
    assert await client.closed() == 4004
    assert (await bot.rest.call("GET", "/users/@me")).status == 401

    path = f"/applications/{bot.id}/bot/reset"
    for ends in (401, 200):  # a new token does not open it again
        bot.rest.token = (await ada.rest.post(path))["token"]
        assert (await bot.rest.call("GET", "/users/@me")).status == ends
        await chatd.well("user", "enable", bot.id)
        if ends == 401:
            await world.rest("ada").get("/users/@me")


async def test_a_new_password(world: World, chatd: Chatd) -> None:
    mallory = await world.person("mallory")
    said = await chatd.json("user", "password", mallory.name)
    assert (await log_in(world, mallory)).status == 400
    assert (await log_in(world, mallory, said["password"])).status == 200

    await chatd.well("user", "password", mallory.name, "--password-stdin", stdin="Another123!\n")
    assert (await log_in(world, mallory, "Another123!")).status == 200
    line = await chatd.refused("user", "password", mallory.name, "--password-stdin", stdin="x\n")
    assert "password: Must be between 8 and 128" in line


async def test_without_redis_nothing_is_begun(world: World, chatd: Chatd) -> None:
    mallory = await world.person("mallory")
    chatd.environment["REDIS_URL"] = "redis://127.0.0.1:1"
    line = await chatd.refused("user", "disable", mallory.name)
    assert "cannot reach Redis" in line
    assert (await chatd.json("user", "show", mallory.name))["state"] == "active"
    await mallory.rest.get("/users/@me")


# -- making accounts, and letting others make them -------------------------------------------------


async def test_a_first_administrator(serve_more: ServeMore, chatd: Chatd) -> None:
    async with (
        serve_more(worker_id=1, registration="invitation") as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        address = ["--email", "first@example.org"]
        made = await chatd.json("user", "create", "first admin", *address, "--administrator")
        assert made == like(username="first admin", state="administrator")
        login = {"email": "first@example.org", "password": made["password"]}
        token = (await world.nobody.post("/auth/login", login))["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        invitation = await world.nobody.call("POST", "/auth/invitations", headers=headers)
        assert invitation.status == 201
        body = {"username": "second", "email": "second@example.org", "password": PASSWORD}
        wanted = {**body, "invitation": invitation.json["code"]}
        assert (await world.nobody.call("POST", "/auth/register", wanted)).status == 201


async def test_an_account_that_cannot_be(world: World, chatd: Chatd) -> None:
    ada = await world.person("ada")
    taken = await chatd.refused("user", "create", ada.name, "--email", ada.email)
    assert "username: Username is unavailable." in taken
    assert "email: Email is already registered." in taken
    wrong = await chatd.refused("user", "create", "x", "--email", "nowhere")
    assert "email: Not a well formed email address." in wrong
    assert "username: Must be between 2 and 32 in length." in wrong


async def test_an_invitation_of_the_command_line(serve_more: ServeMore, chatd: Chatd) -> None:
    async with (
        serve_more(worker_id=1, registration="invitation") as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        code = (await chatd.well("user", "invite", "--uses", "2", "--expires", "1h")).output.strip()
        body = {"username": "guest", "email": "guest@example.org", "password": PASSWORD}
        await world.nobody.post("/auth/register", {**body, "invitation": code})
        [row] = [row for row in (await chatd.well("user", "invitations")).rows if row[0] == code]
        assert row[1] == "1"

        assert await chatd.refused("user", "uninvite", code, code=2) == (
            "chatd: this needs --yes where nobody can be asked"
        )
        await chatd.well("user", "uninvite", code, "--yes")
        other = {"username": "other", "email": "other@example.org", "password": PASSWORD}
        late = await world.nobody.call("POST", "/auth/register", {**other, "invitation": code})
        assert late.status == 400
        assert "no invitation" in await chatd.refused("user", "uninvite", code, "--yes")


async def test_promote_and_demote(world: World, chatd: Chatd) -> None:
    ada = await world.person("ada")
    for act, state, status in (("promote", "administrator", 200), ("demote", "active", 403)):
        await chatd.well("user", act, ada.name)
        assert (await chatd.well("user", "show", ada.name)).facts["state"] == state
        assert (await ada.rest.call("GET", "/auth/invitations")).status == status
    bot = await world.bot("helper", owner="ada")
    assert "Unknown User" in await chatd.refused("user", "promote", bot.id)


@pytest.mark.parametrize("wrong", ["0h", "7", "soon", "1y"])
async def test_times_are_checked(chatd: Chatd, wrong: str) -> None:
    assert wrong in await chatd.refused("user", "invite", "--expires", wrong, code=2)


# -- looking ---------------------------------------------------------------------------------------


async def test_show_and_list(world: World, chatd: Chatd) -> None:
    await world.guild(owner="ada", members=["bob"])
    ada, bob = await world.people("ada", "bob")
    shown = await chatd.json("user", "show", ada.id)
    assert shown == like(username=ada.name, email=ada.email, guilds=1, guilds_owned=1, logins=1)
    assert [each["client"] for each in shown["login"]] == [like_python()]
    rows = (await chatd.well("user", "list", ada.name.upper())).rows
    assert [row[:4] for row in rows] == [[ada.id, ada.name, ada.email, "active"]]
    await chatd.well("user", "disable", bob.name)
    disabled = await chatd.json("user", "list", "--only", "disabled")
    assert bob.id in [each["id"] for each in disabled]
    assert ada.id not in [each["id"] for each in disabled]
    assert {each["state"] for each in disabled} == {"disabled"}


def like_python() -> object:
    class Anything(str):
        __slots__ = ()
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            return isinstance(other, str) and "Python" in other

    return Anything()


async def test_a_list_goes_on_where_it_ended(world: World, chatd: Chatd) -> None:
    people = [await world.person(f"paged{number}") for number in range(3)]
    after = str(int(people[0].id) - 1)
    ran = await asyncio.to_thread(
        chatd.run, "user", "list", "paged", "--after", after, "--limit", "2"
    )
    assert [row[0] for row in ran.rows] == [people[0].id, people[1].id]
    assert f"--after {people[1].id}" in ran.complaints
    rest = await chatd.well("user", "list", "paged", "--after", people[1].id)
    assert [row[0] for row in rest.rows] == [people[2].id]


@pytest.mark.parametrize("name", ["nobody.at.all", "no@where", "7", "99999999999999999999999"])
async def test_nobody(chatd: Chatd, name: str) -> None:
    assert await chatd.refused("user", "show", name) == f"chatd: There is no account '{name}'."


async def test_a_name_that_is_the_id_of_another(world: World, chatd: Chatd) -> None:
    ada = await world.person("ada")
    body = {"username": ada.id, "email": f"{ada.id}@example.org", "password": PASSWORD}
    await world.nobody.post("/auth/register", body)
    assert (await chatd.json("user", "show", ada.id))["username"] == ada.name


async def test_a_terminal_gets_a_table(world: World, chatd: Chatd) -> None:
    ada = await world.person("ada")
    text = await asyncio.to_thread(chatd.on_terminal, "user", "list", ada.name)
    assert "username" in text  # what plain lines do not have
    assert "─" in text
    assert ada.id in text
    assert "\t" not in text


# -- who is in the way -----------------------------------------------------------------------------


async def test_all_worker_ids_taken(
    chatd: Chatd, server: Server, postgres: embedded.Postgres
) -> None:
    import psycopg2

    connection = psycopg2.connect(server.config.database_url)
    try:
        with connection.cursor() as cur:
            cur.execute(
                "SELECT pg_try_advisory_lock(%s, id) FROM generate_series(0, 31) AS id",
                (0x63686174,),
            )
        line = await chatd.refused("user", "revoke-sessions", "1")
        assert "WORKER_IDs are in use" in line
    finally:
        connection.close()
