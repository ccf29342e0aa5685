"""Changing address and password: requirements, ended logins, and concurrent requests."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Any

import pytest

from tests.conftest import Server
from tests.helpers.accounts import log_in
from tests.helpers.locks import held_stream, held_table, held_user
from tests.world import PASSWORD, Answer, Rest, World

NEW = "Password456!"


def fresh_email() -> str:
    return f"new.{secrets.token_hex(6)}@example.org"


async def try_login(world: World, email: str, password: str) -> Answer:
    return await world.anonymous.call("POST", "/auth/login", {"email": email, "password": password})


def assert_wrong_password(answer: Answer) -> None:
    assert (answer.status, answer.code) == (400, 50035), answer.raw
    [error] = answer.json["errors"]["password"]["_errors"]
    assert error["code"] == "PASSWORD_DOES_NOT_MATCH"


async def test_new_password_replaces_the_old_one(world: World) -> None:
    alice = await world.person("alice")
    [client] = await world.online("alice")
    body = {"password": PASSWORD, "new_password": NEW}
    answer = await alice.rest.call("PATCH", "/users/@me", body)
    assert (answer.status, answer.json["id"]) == (200, alice.id)
    assert PASSWORD.encode() not in answer.raw and NEW.encode() not in answer.raw
    assert (await try_login(world, alice.email, PASSWORD)).status == 400
    assert (await try_login(world, alice.email, NEW)).status == 200
    assert await client.received_before_fence() == []  # it is random


async def test_new_address_replaces_the_old_one(world: World) -> None:
    alice = await world.person("alice")
    [client] = await world.online("alice")
    email = fresh_email()
    changed = await alice.rest.patch("/users/@me", {"password": PASSWORD, "email": email})
    assert changed["email"] == email
    assert (await client.next("USER_UPDATE")).d == changed
    assert (await try_login(world, alice.email, PASSWORD)).status == 400
    assert (await try_login(world, email.upper(), PASSWORD)).status == 200


async def test_profile_and_credentials_change_together(world: World) -> None:
    alice = await world.person("alice")
    email, name = fresh_email(), f"all.{secrets.token_hex(5)}"
    body = {"password": PASSWORD, "new_password": NEW, "email": email, "username": name}
    changed = await alice.rest.patch("/users/@me", {**body, "bio": "new"})
    assert (changed["email"], changed["username"], changed["bio"]) == (email, name, "new")
    assert (await try_login(world, email, NEW)).status == 200


@pytest.mark.parametrize("change", [{"new_password": NEW}, {"email": "x@example.org"}], ids=str)
@pytest.mark.parametrize("password", ["Password124!", "", None, "absent"])
async def test_change_requires_the_current_password(
    world: World, change: dict[str, str], password: str | None
) -> None:
    alice = await world.person("alice")
    body: dict[str, Any] = {"bio": "not this either", **change}
    if password != "absent":
        body["password"] = password
    assert_wrong_password(await alice.rest.call("PATCH", "/users/@me", body))
    assert (await try_login(world, alice.email, PASSWORD)).status == 200
    assert (await alice.rest.get("/users/@me"))["bio"] == ""


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("PATCH /users/@me", {"bio": "x", "email": f"slow.{secrets.token_hex(6)}@example.org"}),
        ("PATCH /users/@me", {"new_password": NEW}),
        ("POST /auth/sessions/logout", {"session_id_hashes": ["0"]}),
        ("POST /users/@me/delete", {}),
        ("DELETE /users/@me", {}),
    ],
    ids=["email", "password", "logins", "delete", "delete as REST"],
)
async def test_attempts_at_the_current_password_are_limited(
    world: World, route: str, body: dict[str, Any]
) -> None:
    alice = await world.person("alice")
    method, _, path = route.partition(" ")
    statuses = []
    for password in (
        "Wrong1234!",
        "Wrong1235!",
        "Wrong1236!",
        "Wrong1237!",
        "Wrong1238!",
        PASSWORD,
    ):
        answer = await alice.rest.call(method, path, {**body, "password": password})
        statuses.append(answer.status)
    assert statuses == [400] * 5 + [429]
    elsewhere = await log_in(world, alice)  # a stolen token does not lock out the owner
    assert (await elsewhere.rest.call(method, path, {**body, "password": PASSWORD})).status < 300


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("new_password", "short"),
        ("new_password", "x" * 129),
        ("new_password", None),
        ("new_password", ["Password123!"]),
        ("email", "no address"),
        ("email", None),
        ("email", "a" * 250 + "@example.org"),
        ("password", 7),
        ("password", "x" * 129),
        ("password", "nul\0"),
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_invalid_field_is_named(world: World, field: str, value: object) -> None:
    alice = await world.person("alice")
    body = {"password": PASSWORD, "new_password": NEW, field: value}
    answer = await alice.rest.call("PATCH", "/users/@me", body)
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {field}


async def test_taken_address_is_refused_in_any_spelling(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    body = {"password": PASSWORD, "email": bob.email.upper(), "new_password": NEW}
    answer = await alice.rest.call("PATCH", "/users/@me", body)
    assert (answer.status, answer.code) == (400, 50035)
    [error] = answer.json["errors"]["email"]["_errors"]
    assert error["code"] == "EMAIL_ALREADY_REGISTERED"
    assert (await try_login(world, alice.email, PASSWORD)).status == 200


async def test_own_address_may_be_kept_or_respelled(world: World) -> None:
    alice = await world.person("alice")
    elsewhere = await log_in(world, alice)
    body = {"password": PASSWORD, "email": alice.email}
    await alice.rest.patch("/users/@me", body)
    await elsewhere.rest.get("/users/@me")  # without a change, no login ends
    spelled = alice.email.capitalize()
    assert (await alice.rest.patch("/users/@me", {**body, "email": spelled}))["email"] == spelled


@pytest.mark.parametrize("field", ["new_password", "email"])
async def test_change_ends_other_logins_on_every_instance(
    world: World, other: World, field: str
) -> None:
    alice = await world.person("alice")
    elsewhere = await log_in(world, alice)
    here, there, mine = await world.socket(), await other.socket(), await other.socket()
    await here.identify(elsewhere.token)
    await there.identify(elsewhere.token)
    await mine.identify(alice.token)
    remembered = Rest(other.http, other.url, elsewhere.token)
    await remembered.get("/users/@me")

    value = NEW if field == "new_password" else fresh_email()
    await alice.rest.patch("/users/@me", {"password": PASSWORD, field: value, "bio": "secret"})

    assert (await elsewhere.rest.call("GET", "/users/@me")).status == 401
    assert await here.closed() == await there.closed() == 4004
    assert "USER_UPDATE" not in [each.t for each in here._received]  # it contains the new address
    assert (await remembered.call("GET", "/users/@me")).status == 401
    body = {"refresh_token": elsewhere.refresh_token}
    assert (await world.anonymous.call("POST", "/auth/refresh", body)).status == 401
    assert (await mine.next("USER_UPDATE")).d["bio"] == "secret"
    assert await mine.received_before_fence() == []
    await alice.rest.get("/users/@me")
    await world.anonymous.post("/auth/refresh", {"refresh_token": alice.refresh_token})


async def test_session_started_during_the_change_is_closed(world: World, server: Server) -> None:
    alice = await world.person("alice")
    elsewhere = await log_in(world, alice)
    [mine] = await world.online("alice")
    late = await world.socket()
    with held_table(server, "dm_recipients") as table:
        await late.send(2, {"token": elsewhere.token, "properties": {}, "intents": 0})
        await table.waited_for_by(1)  # the account and the login are read, the rest is not
        email = fresh_email()
        await alice.rest.patch("/users/@me", {"password": PASSWORD, "email": email})
        assert (await mine.next("USER_UPDATE")).d["email"] == email
        table.release()
        assert await late.closed() == 4004
    assert email not in str(late._received)


@pytest.mark.parametrize("field", ["new_password", "email"])
async def test_login_verified_before_the_change_is_refused(
    world: World, server: Server, field: str
) -> None:
    alice = await world.person("alice")
    change = {"password": PASSWORD, field: NEW if field == "new_password" else fresh_email()}
    with held_user(server, alice.id) as row:
        changing = asyncio.create_task(alice.rest.call("PATCH", "/users/@me", change))
        await row.waited_for_by(1)
        late = asyncio.create_task(try_login(world, alice.email, PASSWORD))
        await row.waited_for_by(2)  # the password is verified, the login is not yet created
        row.release()
        answers = await asyncio.gather(changing, late)
    assert [answer.status for answer in answers] == [200, 400]


@pytest.mark.parametrize("field", ["new_password", "email"])
async def test_login_before_the_change_ends(world: World, server: Server, field: str) -> None:
    alice = await world.person("alice")
    change = {"password": PASSWORD, field: NEW if field == "new_password" else fresh_email()}
    with held_user(server, alice.id) as row:
        early = asyncio.create_task(try_login(world, alice.email, PASSWORD))
        await row.waited_for_by(1)
        changing = asyncio.create_task(alice.rest.call("PATCH", "/users/@me", change))
        await row.waited_for_by(2)
        row.release()
        answers = await asyncio.gather(early, changing)
    assert [answer.status for answer in answers] == [200, 200]
    headers = {"Authorization": f"Bearer {answers[0].json['access_token']}"}
    assert (await world.anonymous.call("GET", "/users/@me", headers=headers)).status == 401


@pytest.mark.parametrize("field", ["new_password", "email"])
async def test_concurrent_changes_succeed_once(world: World, server: Server, field: str) -> None:
    alice = await world.person("alice")
    elsewhere = await log_in(world, alice)
    values = [f"{NEW}{n}" if field == "new_password" else fresh_email() for n in range(2)]
    with held_stream(server, alice.id) as stream:
        changing = []
        for n, person in enumerate((alice, elsewhere)):
            body = {"password": PASSWORD, field: values[n]}
            changing.append(asyncio.create_task(person.rest.call("PATCH", "/users/@me", body)))
            await stream.waited_for_by(n + 1)
        stream.release()
        first, second = await asyncio.gather(*changing)
    assert (first.status, second.status) == (
        200,
        401,
    )  # the first change ended the login of the second one
    password = values[0] if field == "new_password" else PASSWORD
    email = values[0] if field == "email" else alice.email
    assert (await try_login(world, email, password)).status == 200


async def test_second_change_of_a_login_has_the_wrong_password(
    world: World, server: Server
) -> None:
    alice = await world.person("alice")
    with held_stream(server, alice.id) as stream:
        changing = []
        for n in range(2):
            body = {"password": PASSWORD, "new_password": f"{NEW}{n}"}
            changing.append(asyncio.create_task(alice.rest.call("PATCH", "/users/@me", body)))
            await stream.waited_for_by(n + 1)
        stream.release()
        first, second = await asyncio.gather(*changing)
    assert first.status == 200
    assert_wrong_password(second)
    assert (await try_login(world, alice.email, f"{NEW}0")).status == 200


async def test_concurrent_changes_to_one_address_succeed_once(world: World) -> None:
    people = await world.people("alice", "bob", "carol")
    email = fresh_email()
    new = [{"username": f"n{n}.{email[:10]}", "email": email, "password": NEW} for n in range(3)]
    answers = await asyncio.gather(
        *(
            person.rest.call("PATCH", "/users/@me", {"password": PASSWORD, "email": email})
            for person in people
        ),
        *(world.anonymous.call("POST", "/auth/register", body) for body in new),
    )
    refused = [answer for answer in answers if answer.status >= 400]
    assert len(refused) == 5
    for answer in refused:
        assert answer.json["errors"].keys() == {"email"}


async def test_address_password_and_bio_are_not_logged_or_published(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    [client] = await world.online("alice")
    email = fresh_email()
    secret = {"password": PASSWORD, "new_password": NEW, "email": email, "bio": "my bio"}
    await bob.rest.patch("/users/@me", {**secret, "global_name": "Bob"})
    await bob.rest.call("PATCH", "/users/@me", secret)
    await bob.rest.post(f"/channels/{guild.general.id}/messages", {"content": "hi"})
    received = [str(each.d) for each in await client.received_before_fence()]
    assert len(received) == 2  # GUILD_MEMBER_UPDATE, MESSAGE_CREATE
    for word in (PASSWORD, NEW, email, "my bio"):
        assert word not in caplog.text
        assert not any(word in each for each in received)
