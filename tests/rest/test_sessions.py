"""Logins of an account: listing and ending them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest

from chatd.services.accounts import accounts
from tests.conftest import Server
from tests.helpers.accounts import list_logins, log_in, own_hash
from tests.helpers.raw_http import raw_response
from tests.world import PASSWORD, Answer, Person, Rest, World, like


async def use_refresh_token(world: World, person: Person) -> Answer:
    body = {"refresh_token": person.refresh_token}
    return await world.anonymous.call("POST", "/auth/refresh", body)


def age(server: Server, person: Person, by: str) -> None:
    """Move the last use of all logins of a person into the past."""
    with psycopg2.connect(server.config.database_url) as database, database.cursor() as cur:
        cur.execute(
            "UPDATE logins SET last_used_at = now() - %s::interval WHERE user_id = %s",
            (by, int(person.id)),
        )
    database.close()


def when(login: dict[str, Any]) -> timedelta:
    """Return the time since the last use of a login, as the API returns it."""
    return datetime.now(UTC) - datetime.fromisoformat(login["approx_last_used_time"])


async def test_list_contains_each_login_and_marks_the_current_one(world: World) -> None:
    alice = await world.person("alice")
    await world.person("bob")
    phone = await log_in(world, alice, "Phone/1.0 (a phone)")
    found = await list_logins(phone)
    assert [each["current"] for each in found] == [True, False]
    assert found[0]["client_info"] == {
        "os": None,
        "platform": "Phone/1.0 (a phone)",
        "location": None,
    }
    assert "aiohttp" in found[1]["client_info"]["platform"]  # the user agent of the test client
    for each in found:
        assert when(each) < timedelta(minutes=1)
        assert each["last_seen"] == each["approx_last_used_time"]  # its name at Spacebar
        created = datetime.fromisoformat(each["created_at"])
        assert datetime.now(UTC) - created < timedelta(minutes=1)
    here = await list_logins(alice)
    assert {each["id_hash"] for each in here} == {each["id_hash"] for each in found}
    assert here[0] == {**found[1], "current": True}


async def test_hash_of_a_login_is_no_token(world: World) -> None:
    alice = await world.person("alice")
    hashed = await own_hash(alice)
    assert len(hashed) == 64
    headers = {"Authorization": f"Bearer {hashed}"}
    assert (await world.anonymous.call("GET", "/users/@me", headers=headers)).status == 401
    body = {"refresh_token": hashed}
    assert (await world.anonymous.call("POST", "/auth/refresh", body)).status == 401


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("x" * 300, "x" * 256),
        ("tab\tbed", "tabbed"),
        ("\u202eback\u200bwards", "backwards"),
        ("  ", None),
    ],
    ids=["long", "control", "invisible", "empty"],
)
async def test_user_agent_is_truncated_and_cleaned(
    world: World, sent: str, kept: str | None
) -> None:
    alice = await world.person("alice")
    client = await log_in(world, alice, sent)
    assert (await list_logins(client))[0]["client_info"]["platform"] == kept


async def test_user_agent_may_be_invalid_utf8(world: World, server: Server) -> None:
    alice = await world.person("alice")
    body = f'{{"email": "{alice.email}", "password": "{PASSWORD}"}}'.encode()
    head = (
        b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"User-Agent: b\xff\x80d\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    assert (await raw_response(server, head + body)).startswith(b"HTTP/1.1 200 ")
    assert (await list_logins(alice))[1]["client_info"]["platform"] == "b??d"


async def test_refresh_updates_the_last_use(world: World, server: Server) -> None:
    alice = await world.person("alice")
    age(server, alice, "30 minutes")
    await alice.rest.get("/users/@me")
    [own] = await list_logins(alice)
    assert when(own) > timedelta(minutes=29)  # within an hour, requests are not recorded
    assert (await use_refresh_token(world, alice)).status == 200
    [own] = await list_logins(alice)
    assert when(own) < timedelta(minutes=1)


async def test_last_use_is_updated_hourly(world: World, other: World, server: Server) -> None:
    alice = await world.person("alice")
    age(server, alice, "2 hours")
    rest = Rest(other.http, other.url, alice.token)  # where the token is not cached
    [own] = (await rest.get("/auth/sessions"))["user_sessions"]
    assert when(own) < timedelta(minutes=1)


@pytest.mark.parametrize("by", ["DELETE", "POST", "POST with password"])
async def test_ending_a_login_closes_its_sockets_on_every_instance(
    world: World, other: World, by: str
) -> None:
    alice = await world.person("alice")
    phone = await log_in(world, alice)
    here, there, mine = await world.socket(), await other.socket(), await other.socket()
    await here.identify(phone.token)
    await there.identify(phone.token)
    await mine.identify(alice.token)
    remembered = Rest(other.http, other.url, phone.token)
    hashed = await own_hash(phone)
    await remembered.get("/users/@me")
    if by == "DELETE":
        await alice.rest.delete(f"/auth/sessions/{hashed}")
    else:
        body: dict[str, Any] = {"session_id_hashes": [hashed, "f" * 64]}
        if by == "POST with password":
            body["password"] = PASSWORD
        answer = await alice.rest.call("POST", "/auth/sessions/logout", body)
        assert (answer.status, answer.raw) == (204, b"")
    assert (await phone.rest.call("GET", "/users/@me")).status == 401
    assert await here.closed() == await there.closed() == 4004
    assert (await remembered.call("GET", "/users/@me")).status == 401
    assert (await use_refresh_token(world, phone)).status == 401
    assert await mine.received_before_fence() == []
    assert [each["current"] for each in await list_logins(alice)] == [True]
    again = await alice.rest.call("DELETE", f"/auth/sessions/{hashed}")
    assert (again.status, again.code) == (404, 10020)


async def test_several_logins_end_including_the_current_one(world: World) -> None:
    alice = await world.person("alice")
    phones = [await log_in(world, alice) for _ in range(3)]
    hashes = [await own_hash(each) for each in (alice, *phones[:2])]
    await alice.rest.post("/auth/sessions/logout", {"session_id_hashes": hashes})
    statuses = [(await each.rest.call("GET", "/users/@me")).status for each in (alice, *phones)]
    assert statuses == [401, 401, 401, 200]


async def test_wrong_password_ends_no_login(world: World) -> None:
    alice = await world.person("alice")
    phone = await log_in(world, alice)
    body = {"session_id_hashes": [await own_hash(phone)], "password": "Password124!"}
    answer = await alice.rest.call("POST", "/auth/sessions/logout", body)
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {"password"}
    await phone.rest.get("/users/@me")


async def test_logins_of_others_cannot_be_ended(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    hashed = await own_hash(bob)
    answer = await alice.rest.call("DELETE", f"/auth/sessions/{hashed}")
    assert (answer.status, answer.code) == (404, 10020)
    await alice.rest.post("/auth/sessions/logout", {"session_id_hashes": [hashed]})
    await bob.rest.get("/users/@me")


@pytest.mark.parametrize("name", ["x", "%00", "%EF%BC%91", "9" * 200, "..%2Fx", "%F0%9F%98%80"])
async def test_unknown_hash_is_refused(world: World, name: str) -> None:
    alice = await world.person("alice")
    answer = await alice.rest.call("DELETE", f"/auth/sessions/{name}")
    assert answer.status == 404


@pytest.mark.parametrize(
    "hashes",
    [None, [], "x", [7], [None], [""], ["nul\0"], ["x" * 129], ["x"] * 201],
    ids=lambda value: repr(value)[:12],
)
async def test_invalid_hashes_are_named(world: World, hashes: object) -> None:
    alice = await world.person("alice")
    body = {"session_id_hashes": hashes}
    answer = await alice.rest.call("POST", "/auth/sessions/logout", body)
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {"session_id_hashes"}


async def test_login_with_expired_tokens_is_not_listed(world: World, server: Server) -> None:
    alice = await world.person("alice")
    phone = await log_in(world, alice)
    with psycopg2.connect(server.config.database_url) as database, database.cursor() as cur:
        cur.execute(
            "UPDATE refresh_tokens SET expires_at = now() FROM logins"
            " WHERE logins.id = login_id AND user_id = %s",
            (int(alice.id),),
        )
        cur.execute(
            "UPDATE logins SET token_expires_at = now() WHERE user_id = %s", (int(alice.id),)
        )
    database.close()
    assert [each["current"] for each in await list_logins(alice)] == [True]
    assert [each["current"] for each in await list_logins(phone)] == [True]


async def test_logout_with_the_refresh_token_of_another_login(world: World) -> None:
    alice = await world.person("alice")
    phone = await log_in(world, alice)
    [client] = await world.online("alice")
    await phone.rest.post("/auth/logout", {"refresh_token": alice.refresh_token})
    assert await client.closed() == 4004
    assert (await alice.rest.call("GET", "/users/@me")).status == 401
    assert (await use_refresh_token(world, alice)).status == 401
    await phone.rest.get("/users/@me")


@pytest.mark.parametrize("token", ["own", "none"])
async def test_logout_ends_only_the_own_login(world: World, token: str) -> None:
    alice = await world.person("alice")
    phone = await log_in(world, alice)
    sent = {"own": alice.refresh_token, "none": None}[token]
    await alice.rest.post("/auth/logout", {"refresh_token": sent})
    assert (await alice.rest.call("GET", "/users/@me")).status == 401
    await phone.rest.get("/users/@me")


async def test_logout_with_a_foreign_or_unknown_token_ends_nothing(
    world: World,
) -> None:
    alice, bob = await world.people("alice", "bob")
    for token in ("unknown", bob.refresh_token):
        body = {"refresh_token": token}
        answer = await alice.rest.call("POST", "/auth/logout", body)
        assert (answer.status, answer.raw) == (204, b"")
    for person in (alice, bob):
        await person.rest.get("/users/@me")
        assert (await use_refresh_token(world, person)).status == 200


async def test_refresh_token_reuse_while_other_logins_end(world: World) -> None:
    """Both end logins of one user, in one lock order: they must not deadlock."""
    alice = await world.person("alice")
    assert (await use_refresh_token(world, alice)).status == 200
    for _ in range(10):
        phone = await log_in(world, alice)
        first = await use_refresh_token(world, phone)
        assert first.json == like(token_type="Bearer")

        statuses = await asyncio.gather(
            use_refresh_token(world, phone),
            alice.rest.call("DELETE", f"/auth/sessions/{await own_hash(phone)}"),
        )
        assert statuses[0].status == 401
        assert statuses[1].status in (204, 404)  # the first one ends it
        assert (await phone.rest.call("GET", "/users/@me")).status == 401


async def test_logins_of_an_account_are_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The least recently used login ends. Logins of other accounts stay."""
    monkeypatch.setattr(accounts, "MAX_LOGINS", 3)
    alice, bob = await world.people("alice", "bob")
    [client] = await world.online("alice")
    made = []
    for _ in range(3):
        body = {"email": alice.email, "password": PASSWORD}
        made.append((await world.anonymous.post("/auth/login", body))["access_token"])
    assert await client.closed() == 4004
    assert (await alice.rest.call("GET", "/users/@me")).status == 401
    for token in made:
        assert (await Rest(world.http, world.url, token).call("GET", "/users/@me")).status == 200
    assert (await bob.rest.call("GET", "/users/@me")).status == 200
