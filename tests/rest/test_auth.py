"""Registration, login, logout, and the validity of tokens."""

from __future__ import annotations

import asyncio
import base64
import secrets
import time

import pytest
from jose import jwt

from tests.conftest import Server
from tests.world import PASSWORD, World, like


def fresh(**changes: object) -> dict[str, object]:
    name = f"new.{secrets.token_hex(5)}"
    return {
        "username": name,
        "email": f"{name}@example.org",
        "password": PASSWORD,
        **changes,
    }


async def test_registration_returns_a_login(world: World) -> None:
    body = fresh()
    answer = await world.anonymous.call("POST", "/auth/register", body)
    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == like(token_type="Bearer", expires_in=900)
    assert answer.json["user"] == like(username=body["username"], email=body["email"])
    assert answer.json["access_token"].count(".") == 2
    assert len(answer.json["refresh_token"]) >= 32


async def test_login_ignores_the_case_of_the_address(world: World) -> None:
    alice = await world.person("alice")
    body = {"email": alice.email.upper(), "password": PASSWORD}
    answer = await world.anonymous.call("POST", "/auth/login", body)
    assert answer.status == 200
    assert answer.json["user"]["id"] == alice.id


async def test_wrong_password_and_unknown_address_have_one_response(world: World) -> None:
    alice = await world.person("alice")
    wrong = await world.anonymous.call(
        "POST", "/auth/login", {"email": alice.email, "password": "Password124!"}
    )
    unknown = await world.anonymous.call(
        "POST", "/auth/login", {"email": "nobody@example.org", "password": PASSWORD}
    )
    assert wrong.status == unknown.status == 400
    assert wrong.json == unknown.json


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "a"),
        ("username", "x" * 33),
        ("username", "nul\0nul"),
        ("username", 7),
        ("username", None),
        ("email", "no address"),
        ("email", "a" * 250 + "@example.org"),
        ("password", "short"),
        ("password", "x" * 129),
        ("password", ["Password123!"]),
    ],
)
async def test_invalid_field_is_named(world: World, field: str, value: object) -> None:
    answer = await world.anonymous.call("POST", "/auth/register", fresh(**{field: value}))
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {field}
    assert answer.json["errors"][field]["_errors"][0]["code"]


async def test_taken_names_and_addresses_are_refused_in_any_spelling(world: World) -> None:
    alice = await world.person("alice")
    answer = await world.anonymous.call(
        "POST", "/auth/register", fresh(username=alice.name.upper(), email=alice.email.upper())
    )
    assert answer.status == 400
    assert answer.json["errors"].keys() == {"username", "email"}


async def test_concurrent_registrations_of_a_name_create_one_account(world: World) -> None:
    name = f"wanted.{secrets.token_hex(4)}"
    answers = await asyncio.gather(
        *(world.anonymous.call("POST", "/auth/register", fresh(username=name)) for _ in range(6))
    )
    assert sorted(answer.status for answer in answers) == [201, 400, 400, 400, 400, 400]


async def test_reuse_of_a_refresh_token_ends_the_login(world: World) -> None:
    alice = await world.person("alice")
    first = await world.anonymous.post("/auth/refresh", {"refresh_token": alice.refresh_token})
    assert first["user"]["id"] == alice.id
    stolen = await world.anonymous.call(
        "POST", "/auth/refresh", {"refresh_token": alice.refresh_token}
    )
    assert stolen.status == 401
    thief = await world.anonymous.call(
        "POST", "/auth/refresh", {"refresh_token": first["refresh_token"]}
    )
    assert thief.status == 401


async def test_reuse_ends_the_login_immediately(world: World) -> None:
    guild = await world.guild(owner="alice")
    alice = await world.person("alice")
    [client] = await world.online("alice")
    await world.anonymous.post("/auth/refresh", {"refresh_token": alice.refresh_token})
    path = f"/channels/{guild.general.id}/messages"
    await alice.rest.post(path, {"content": "still me"})
    await world.anonymous.call("POST", "/auth/refresh", {"refresh_token": alice.refresh_token})
    assert (await alice.rest.call("POST", path, {"content": "and now?"})).status == 401
    assert await client.closed() == 4004


async def test_concurrent_uses_of_a_refresh_token_succeed_at_most_once(world: World) -> None:
    alice = await world.person("alice")
    body = {"refresh_token": alice.refresh_token}
    answers = await asyncio.gather(
        *(world.anonymous.call("POST", "/auth/refresh", body) for _ in range(4))
    )
    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401]


async def test_logout_ends_the_login_and_its_sessions(world: World) -> None:
    alice = await world.person("alice")
    [client] = await world.online("alice")
    await alice.rest.post("/auth/logout")
    assert await client.closed() == 4004
    assert (await alice.rest.call("GET", "/users/@me")).status == 401
    refreshed = await world.anonymous.call(
        "POST", "/auth/refresh", {"refresh_token": alice.refresh_token}
    )
    assert refreshed.status == 401


async def test_logout_keeps_other_logins(world: World) -> None:
    alice = await world.person("alice")
    other = await world.anonymous.post("/auth/login", {"email": alice.email, "password": PASSWORD})
    [client] = await world.online("alice")
    headers = {"Authorization": f"Bearer {other['access_token']}"}
    await world.anonymous.call("POST", "/auth/logout", headers=headers)
    assert (await alice.rest.call("GET", "/users/@me")).status == 200
    assert await client.received_before_fence() == []


@pytest.mark.parametrize("scheme", ["Bearer ", "Bot ", "bearer ", ""])
async def test_authorization_header_schemes(world: World, scheme: str) -> None:
    alice = await world.person("alice")
    headers = {"Authorization": scheme + alice.token}
    answer = await world.anonymous.call("GET", "/users/@me", headers=headers)
    assert answer.json["id"] == alice.id


async def test_missing_or_malformed_token_is_refused(world: World) -> None:
    answer = await world.anonymous.call("GET", "/users/@me")
    assert answer.status == 401
    assert answer.json == {"code": 0, "message": "401: Unauthorized"}


def forge(server: Server, token: str, **changes: object) -> str:
    claims = {**jwt.get_unverified_claims(token), **changes}
    claims = {name: value for name, value in claims.items() if value != "absent"}
    return str(jwt.encode(claims, server.config.jwt_secret, algorithm="HS256"))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": "absent"},
        {"exp": None},
        {"exp": float("inf")},
        {"exp": "soon"},
        {"sub": "absent"},
        {"sub": "x"},
        {"sub": "1"},
        {"login": "1"},
        {"type": "refresh"},
        {"type": "absent"},
        {"jti": "absent"},
        {"iat": "absent"},
    ],
    ids=str,
)
async def test_signed_token_with_wrong_claims_is_refused(
    world: World, server: Server, changes: dict[str, object]
) -> None:
    alice = await world.person("alice")
    headers = {"Authorization": f"Bearer {forge(server, alice.token, **changes)}"}
    assert (await world.anonymous.call("GET", "/users/@me", headers=headers)).status == 401


NO_ALGORITHM = b'{"alg":"none"}'


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


@pytest.mark.parametrize("kind", ["none", "other key", "HS512", "cut", "nested", "huge", "crit"])
async def test_forged_token_is_refused(world: World, server: Server, kind: str) -> None:
    alice = await world.person("alice")
    head, body, signature = alice.token.split(".")
    claims = jwt.get_unverified_claims(alice.token)
    secret = server.config.jwt_secret
    token = {
        "none": f"{encoded(NO_ALGORITHM)}.{body}.",
        "other key": jwt.encode(claims, "y" * 40, algorithm="HS256"),
        "HS512": jwt.encode(claims, secret, algorithm="HS512"),
        "cut": f"{head}.{body}.{signature[:-4]}",
        "nested": f"{encoded(b'[' * 1000)}.{body}.{signature}",
        "huge": "x" * 5000,
        "crit": jwt.encode(claims, secret, algorithm="HS256", headers={"crit": ["b64"]}),
    }[kind]
    headers = {"Authorization": f"Bearer {token}"}
    assert (await world.anonymous.call("GET", "/users/@me", headers=headers)).status == 401


async def test_expired_token_is_refused_although_cached(world: World, server: Server) -> None:
    alice = await world.person("alice")
    headers = {"Authorization": f"Bearer {forge(server, alice.token, exp=int(time.time()) + 3)}"}
    assert (await world.anonymous.call("GET", "/users/@me", headers=headers)).status == 200
    async with asyncio.timeout(60):
        while (await world.anonymous.call("GET", "/users/@me", headers=headers)).status == 200:
            await asyncio.sleep(0.05)
