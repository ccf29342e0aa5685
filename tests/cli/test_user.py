"""chatd user: its changes take effect on every instance at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from chatd.core.ids import UserId
from chatd.embedded.postgres import Postgres
from chatd.services.accounts import administration
from chatd.web.keys import DEPENDENCIES
from tests.cli.conftest import Chatd
from tests.conftest import ServeMore, Server
from tests.helpers.locks import held_user
from tests.helpers.mfa import CodeClock, enable_totp
from tests.world import PASSWORD, Answer, Person, World, like, world_on

AT_ONCE_S = 5.0  # the goal is 1 s; the rest is for busy machines


@pytest.fixture
async def elsewhere(world: World, serve_more: ServeMore) -> AsyncIterator[World]:
    """The same users on another instance."""
    async with (
        serve_more(worker_id=1) as other,
        world_on(other.url, other.gateway_url) as there,
    ):
        there.share_people(world)
        yield there


async def log_in(world: World, person: Person, password: str = PASSWORD) -> Answer:
    body = {"email": person.email, "password": password}
    return await world.anonymous.call("POST", "/auth/login", body)


# -- ending sessions -------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["disable", "revoke-sessions", "password", "reset-mfa"])
async def test_disabling_ends_sockets_and_tokens_on_every_instance(
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
    assert (await world.anonymous.call("POST", "/auth/refresh", refreshing)).status == 401
    assert await ada.received_before_fence() == []  # others are not touched


async def test_disabled_account_cannot_log_in(world: World, chatd: Chatd) -> None:
    mallory = await world.person("mallory")
    await chatd.well("user", "disable", mallory.email)
    answer = await log_in(world, mallory)
    assert (answer.status, answer.code) == (403, 20013)
    wrong = await log_in(world, mallory, "another password")
    assert (wrong.status, wrong.code) == (400, 50035)  # the response does not reveal the state

    assert (await chatd.well("user", "enable", mallory.id)).output == f"Enabled {mallory.name}.\n"
    assert (await log_in(world, mallory)).status == 200
    assert (await mallory.rest.call("GET", "/users/@me")).status == 401  # what ended, has ended


@pytest.mark.parametrize("first", ["login", "disabling"])
async def test_login_concurrent_with_disabling_has_no_valid_token(
    world: World, server: Server, first: str
) -> None:
    mallory = await world.person("mallory")
    dependencies = server.runner.app[DEPENDENCIES]
    acts: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
        "login": lambda: log_in(world, mallory),
        "disabling": lambda: administration.disable(dependencies, UserId(int(mallory.id))),
    }
    running: dict[str, asyncio.Task[Any]] = {}
    with held_user(server, mallory.id) as held:
        for number, name in enumerate([first, *(acts.keys() - {first})], 1):
            running[name] = asyncio.create_task(acts[name]())
            await held.waited_for_by(number)
        held.release()
        answer = await running["login"]
        await running["disabling"]
    await administration.enable(dependencies, UserId(int(mallory.id)))
    if first == "disabling":
        assert (answer.status, answer.code) == (403, 20013)
    else:
        headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
        assert (await world.anonymous.call("GET", "/users/@me", headers=headers)).status == 401


async def test_disabled_bot_is_disconnected(world: World, chatd: Chatd) -> None:
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


async def test_new_password_logs_the_account_out(world: World, chatd: Chatd) -> None:
    mallory = await world.person("mallory")
    said = await chatd.json("user", "password", mallory.name)
    assert (await log_in(world, mallory)).status == 400
    assert (await log_in(world, mallory, said["password"])).status == 200

    await chatd.well("user", "password", mallory.name, "--password-stdin", stdin="Another123!\n")
    assert (await log_in(world, mallory, "Another123!")).status == 200
    line = await chatd.refused("user", "password", mallory.name, "--password-stdin", stdin="x\n")
    assert "password: Must be between 8 and 128" in line


async def test_invalid_password_is_rejected_before_it_is_repeated(
    world: World, chatd: Chatd
) -> None:
    mallory = await world.person("mallory")
    again = "Repeat for confirmation: "
    text = await asyncio.to_thread(
        chatd.on_terminal,
        *("user", "password", mallory.name),
        answers=[
            ("Password: ", "short"),
            ("Must be between 8 and 128 in length.", ""),
            ("Password: ", "iloveyou1"),
            ("most commonly used", ""),
            ("Password: ", "correct horse 1"),
            (again, "correct horse 2"),
            ("do not match", ""),
            ("Password: ", "correct horse 1"),
            (again, "correct horse 1"),
        ],
    )
    assert text.count(again) == 2
    assert "horse" not in text
    assert (await log_in(world, mallory, "correct horse 1")).status == 200


async def test_changes_need_redis(world: World, chatd: Chatd) -> None:
    mallory = await world.person("mallory")
    chatd.environment["REDIS_URL"] = "redis://127.0.0.1:1"
    line = await chatd.refused("user", "disable", mallory.name)
    assert "cannot reach Redis" in line
    assert (await chatd.json("user", "show", mallory.name))["state"] == "active"
    await mallory.rest.get("/users/@me")


# -- erasing accounts ------------------------------------------------------------------------------


async def test_deleting_an_account_anonymizes_its_messages(
    world: World, elsewhere: World, chatd: Chatd
) -> None:
    guild = await world.guild(owner="ada", members=["mallory", "bob"])
    other = await world.guild(owner="bob", members=["mallory"])
    [there] = await elsewhere.online("mallory")
    [bob] = await elsewhere.online("bob")
    mallory = await world.person("mallory")
    said = await chatd.json("user", "delete", mallory.name, "--yes")
    assert said == like(id=mallory.id, state="deleted", guilds=0, logins=0, email=None)
    async with asyncio.timeout(AT_ONCE_S):
        assert await there.closed() == 4004
        gone = [await bob.next("GUILD_MEMBER_REMOVE") for _ in range(2)]
    assert {each.d["guild_id"] for each in gone} == {guild.id, other.id}
    assert {each.d["user"]["id"] for each in gone} == {mallory.id}
    for side in (world, elsewhere):
        assert (await side.rest("mallory").call("GET", "/users/@me")).status == 401
    assert (await log_in(world, mallory)).status == 400
    body = {"username": mallory.name, "email": mallory.email, "password": PASSWORD}
    assert (await world.anonymous.call("POST", "/auth/register", body)).status == 201  # free again
    line = await chatd.refused("user", "delete", mallory.id, "--yes")
    assert "Unknown User" in line


async def test_deleting_an_owner_of_guilds_needs_an_option(world: World, chatd: Chatd) -> None:
    one = await world.guild(owner="ada", members=["bob", "carol"])
    two = await world.guild(owner="ada", members=["bob"])
    theirs = await world.guild(owner="bob", members=["ada"])
    ada, bob, carol = await world.people("ada", "bob", "carol")
    line = await chatd.refused("user", "delete", ada.name, "--yes")
    assert "owns guilds" in line
    assert one.id in line
    assert two.id in line
    assert theirs.id not in line
    line = await chatd.refused("user", "delete", ada.name, "--yes", "--transfer", carol.name)
    assert two.id in line
    assert one.id not in line
    for anonymous in (ada.name, "no.such.person"):
        await chatd.refused("user", "delete", ada.name, "--yes", "--transfer", anonymous)
    owner = (await ada.rest.get(f"/guilds/{one.id}"))["owner_id"]
    assert owner == ada.id  # nothing has been done by halves

    await chatd.well("user", "delete", ada.name, "--yes", "--transfer", bob.name)
    for guild in (one, two, theirs):
        assert (await bob.rest.get(f"/guilds/{guild.id}"))["owner_id"] == bob.id

    both = ("--transfer", ada.name, "--delete-guilds")
    await chatd.refused("user", "delete", bob.name, *both, code=2)
    await chatd.well("user", "delete", bob.name, "--yes", "--delete-guilds")
    assert (await carol.rest.call("GET", f"/guilds/{one.id}")).status == 404
    assert (await chatd.json("user", "show", carol.name))["guilds"] == 0


async def test_deleting_an_owner_of_applications_needs_an_option(
    world: World, chatd: Chatd
) -> None:
    bot = await world.bot("helper", owner="ada")
    other = await world.bot("neighbor", owner="bob")
    ada = await world.person("ada")
    line = await chatd.refused("user", "delete", ada.name, "--yes")
    assert f"It has applications: {bot.id}" in line
    line = await chatd.refused("user", "delete", bot.id, "--yes")
    assert "with its application" in line
    await chatd.well("user", "delete", ada.name, "--yes", "--delete-applications")
    assert (await bot.rest.call("GET", "/users/@me")).status == 401
    await other.rest.get("/users/@me")


async def test_deleting_needs_confirmation(world: World, chatd: Chatd) -> None:
    ada = await world.person("ada")
    line = await chatd.refused("user", "delete", ada.name, code=2)
    assert line == "chatd: without a terminal, this needs --yes"
    await ada.rest.get("/users/@me")
    await asyncio.to_thread(
        chatd.on_terminal, "user", "delete", ada.name, answers=[("permanently? [y/N]", "y")]
    )
    assert (await ada.rest.call("GET", "/users/@me")).status == 401


# -- creating accounts and invitations -------------------------------------------------------------


async def test_create_the_first_administrator(serve_more: ServeMore, chatd: Chatd) -> None:
    async with (
        serve_more(worker_id=1, registration="invitation") as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        address = ["--email", "first@example.org"]
        made = await chatd.json("user", "create", "first admin", *address, "--administrator")
        assert made == like(username="first admin", state="administrator")
        login = {"email": "first@example.org", "password": made["password"]}
        token = (await world.anonymous.post("/auth/login", login))["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        invitation = await world.anonymous.call("POST", "/auth/invitations", headers=headers)
        assert invitation.status == 201
        body = {"username": "second", "email": "second@example.org", "password": PASSWORD}
        wanted = {**body, "invitation": invitation.json["code"]}
        assert (await world.anonymous.call("POST", "/auth/register", wanted)).status == 201


async def test_invalid_accounts_are_rejected(world: World, chatd: Chatd) -> None:
    ada = await world.person("ada")
    taken = await chatd.refused("user", "create", ada.name, "--email", ada.email)
    assert "username: Username is unavailable." in taken
    assert "email: Email is already registered." in taken
    wrong = await chatd.refused("user", "create", "x", "--email", "nowhere")
    assert "email: Not a well formed email address." in wrong
    assert "username: Must be between 2 and 32 in length." in wrong


async def test_promote_and_demote_an_account(world: World, chatd: Chatd) -> None:
    ada = await world.person("ada")
    for act, state, status in (("promote", "administrator", 200), ("demote", "active", 403)):
        await chatd.well("user", act, ada.name)
        assert (await chatd.well("user", "show", ada.name)).facts["state"] == state
        assert (await ada.rest.call("GET", "/auth/invitations")).status == status
    bot = await world.bot("helper", owner="ada")
    assert "Unknown User" in await chatd.refused("user", "promote", bot.id)


@pytest.mark.parametrize("wrong", ["0h", "7", "soon", "1y"])
async def test_invalid_durations_are_rejected(chatd: Chatd, wrong: str) -> None:
    assert wrong in await chatd.refused("user", "invite", "--expires", wrong, code=2)


# -- looking ---------------------------------------------------------------------------------------


async def test_show_and_list_accounts(world: World, chatd: Chatd) -> None:
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


async def test_list_continues_after_an_id(world: World, chatd: Chatd) -> None:
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
async def test_unknown_account_is_an_error(chatd: Chatd, name: str) -> None:
    assert await chatd.refused("user", "show", name) == f"chatd: There is no account '{name}'."


async def test_id_takes_precedence_over_a_name(world: World, chatd: Chatd) -> None:
    ada = await world.person("ada")
    body = {"username": ada.id, "email": f"{ada.id}@example.org", "password": PASSWORD}
    await world.anonymous.post("/auth/register", body)
    assert (await chatd.json("user", "show", ada.id))["username"] == ada.name


async def test_terminal_shows_a_table(world: World, chatd: Chatd) -> None:
    ada = await world.person("ada")
    text = await asyncio.to_thread(chatd.on_terminal, "user", "list", ada.name)
    assert "username" in text  # what plain lines do not have
    assert "─" in text
    assert ada.id in text
    assert "\t" not in text


# -- who is in the way -----------------------------------------------------------------------------


async def test_command_without_a_free_worker_id_fails(
    chatd: Chatd, server: Server, postgres: Postgres
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


# -- second factors --------------------------------------------------------------------------------


async def test_resetting_second_factors_leaves_the_password(
    world: World, chatd: Chatd, elsewhere: World
) -> None:
    mallory = await world.person("mallory")
    await enable_totp(mallory, CodeClock())
    assert (await log_in(elsewhere, mallory)).json["mfa"] is True
    said = await chatd.json("user", "reset-mfa", mallory.name)
    assert said == like(username=mallory.name)
    assert (await elsewhere.rest("mallory").call("GET", "/users/@me")).status == 401
    made = (await log_in(elsewhere, mallory)).json
    assert made["user"]["mfa_enabled"] is False
    assert made["token"]
    await chatd.well("user", "reset-mfa", mallory.name)  # has no effect
    await chatd.refused("user", "reset-mfa", "nobody at all")
