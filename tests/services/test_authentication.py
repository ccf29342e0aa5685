"""The authentication cache: its lifetime, its bounds and its invalidation."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import psycopg2
import pytest

from chatd.auth.tokens import AccessTokens, Claims
from chatd.core.ids import LoginId, UserId
from chatd.core.models import Caller, User
from chatd.queries import logins
from chatd.services.accounts import authentication
from chatd.web.keys import AUTHENTICATOR
from tests.conftest import Server
from tests.helpers.accounts import own_hash
from tests.world import PASSWORD, TIMEOUT_S, Person, World


def revoke(url: str, user_id: str) -> None:
    """Revoke every login of a user without an event, as when Redis is unavailable."""
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cur:
        cur.execute("UPDATE logins SET revoked_at = now() WHERE user_id = %s", (int(user_id),))
    connection.close()


async def test_cached_caller_expires_although_the_clock_is_set_back(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await world.person("alice")
    await alice.rest.get("/users/@me")
    real = time.time
    monkeypatch.setattr("time.time", lambda: real() - 3600)
    await asyncio.to_thread(revoke, server.config.database_url, alice.id)
    async with asyncio.timeout(TIMEOUT_S):
        while (await alice.rest.call("GET", "/users/@me")).status != 401:
            await asyncio.sleep(0.1)


def test_eviction_leaves_nothing_of_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "_CACHE_SIZE", 2)
    authenticator = authentication.Authenticator(None, None, None, None)  # type: ignore[arg-type]
    for number in (1, 2, 2, 3, 4):
        user = User(UserId(number), "name", None, None, False)
        claims = Claims(user.id, LoginId(number), time.time() + 60)
        authenticator._add_to_cache(
            f"token {number}", Caller(user, claims.login_id), claims, by_client_token=False
        )
    assert authenticator._cached.keys() == {"token 3", "token 4"}
    assert authenticator._tokens == {3: {"token 3"}, 4: {"token 4"}}


async def test_caller_that_changes_during_its_query_is_not_cached(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even when the changes of other users evict the change of this one."""
    monkeypatch.setattr(authentication, "_CACHE_SIZE", 2)
    alice = await world.person("alice")
    authenticator = server.runner.app[AUTHENTICATOR]
    authenticator.invalidate(UserId(int(alice.id)))
    find = logins.find_caller_of_token

    async def find_while_it_changes(*args: Any, **kwargs: Any) -> tuple[Caller, bool] | None:
        found = await find(*args, **kwargs)
        for changed in (int(alice.id), 1, 2, 3):
            authenticator.invalidate(UserId(changed))
        return found

    monkeypatch.setattr(logins, "find_caller_of_token", find_while_it_changes)
    await authenticator.authenticate(alice.token)
    assert alice.token not in authenticator._cached


@pytest.fixture
def read_tokens(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The access tokens whose signature was verified. Each request queries its login again."""
    monkeypatch.setattr(authentication, "_CACHE_TTL_S", 0.0)
    found: list[str] = []
    read = AccessTokens.read

    def noted(tokens: AccessTokens, token: str) -> Claims:
        found.append(token)
        return read(tokens, token)

    monkeypatch.setattr(AccessTokens, "read", noted)
    return found


async def test_signature_is_verified_once(world: World, read_tokens: list[str]) -> None:
    alice = await world.person("alice")
    for _ in range(3):
        await cached(alice)
    assert read_tokens == [alice.token]


async def test_known_token_is_refused_when_its_login_has_ended(
    world: World, server: Server, read_tokens: list[str]
) -> None:
    alice = await world.person("alice")
    await cached(alice)
    await asyncio.to_thread(revoke, server.config.database_url, alice.id)
    assert not await is_authenticated(alice)
    assert read_tokens == [alice.token]


async def test_known_token_is_refused_when_it_has_expired(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch, read_tokens: list[str]
) -> None:
    alice = await world.person("alice")
    await cached(alice)
    lifetime_s = server.config.jwt_access_token_expiry_s
    real = time.time
    monkeypatch.setattr("time.time", lambda: real() + lifetime_s - 60)
    assert await is_authenticated(alice)
    assert read_tokens == [alice.token]
    monkeypatch.setattr("time.time", lambda: real() + lifetime_s + 1)
    # python-jose reads another clock, so this only shows that the claims are not taken as known.
    await is_authenticated(alice)
    assert read_tokens == [alice.token] * 2


async def test_changed_character_of_a_known_token_is_refused(world: World) -> None:
    alice = await world.person("alice")
    await cached(alice)
    last = "A" if alice.token[-2] != "A" else "B"
    alice.rest.token = f"{alice.token[:-2]}{last}{alice.token[-1]}"
    assert not await is_authenticated(alice)


@pytest.fixture
def lasting_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only an invalidation removes a result from the cache."""
    monkeypatch.setattr(authentication, "_CACHE_TTL_S", 3600.0)


async def cached(person: Person) -> None:
    await person.rest.get("/users/@me")


async def is_authenticated(person: Person) -> bool:
    return (await person.rest.call("GET", "/users/@me")).status == 200


@pytest.mark.usefixtures("lasting_cache")
async def test_changed_username_is_shown_by_the_next_request(world: World) -> None:
    guild = await world.guild(owner="alice")
    alice = guild.owner
    await cached(alice)
    name = f"{alice.name}.jr"
    await alice.rest.patch("/users/@me", {"username": name})
    path = f"/channels/{guild.general.id}/messages"
    message = await alice.rest.post(path, {"content": "hi"})
    assert message["author"]["username"] == name


@pytest.mark.usefixtures("lasting_cache")
async def test_ended_login_is_refused_by_the_next_request(world: World) -> None:
    """Each route that ends a login invalidates the cache before it answers."""
    alice, bob, carol, dave = await world.people("alice", "bob", "carol", "dave")
    for person in (alice, bob, carol, dave):
        await cached(person)
    await alice.rest.post("/auth/logout", {})
    ended = {"session_id_hashes": [await own_hash(bob)]}
    await bob.rest.post("/auth/sessions/logout", ended)
    await carol.rest.delete(f"/auth/sessions/{await own_hash(carol)}")
    await dave.rest.post("/users/@me/delete", {"password": PASSWORD})
    assert [await is_authenticated(person) for person in (alice, bob, carol, dave)] == [False] * 4


@pytest.mark.usefixtures("lasting_cache")
async def test_replaced_bot_token_is_refused_by_the_next_request(world: World) -> None:
    owner = await world.person("alice")
    bot = await world.bot("robot", "alice")
    await cached(bot)
    await owner.rest.post(f"/applications/{bot.id}/bot/reset")
    assert not await is_authenticated(bot)


@pytest.mark.usefixtures("lasting_cache")
async def test_bot_of_a_deleted_application_is_refused_by_the_next_request(world: World) -> None:
    owner = await world.person("alice")
    bot = await world.bot("robot", "alice")
    await cached(bot)
    await owner.rest.delete(f"/applications/{bot.id}")
    assert not await is_authenticated(bot)
