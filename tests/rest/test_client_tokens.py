"""Client tokens: the `token` of a login, for clients of Discord, which never refresh."""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import psycopg2
import pytest

from chatd.gateway.lifecycle import login_uses
from chatd.services.maintenance import janitor
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.accounts import list_logins
from tests.helpers.gateway import replayed_messages, send_messages
from tests.helpers.session_ends import end_by_deletion, end_by_password_change
from tests.world import PASSWORD, TIMEOUT_S, Person, Rest, World, world_on

DAY_S = 86400


@dataclass(frozen=True)
class Session:
    """A login by a client of Discord: its caller has the client token only."""

    person: Person
    access_token: str


async def log_in(world: World, name: str) -> Session:
    """Log in as a client of Discord does."""
    person = await world.person(name)
    body = {"login": person.email, "password": PASSWORD, "undelete": False, "login_source": None}
    answer = await world.anonymous.post("/auth/login", {**body, "gift_code_sku_id": None})
    assert answer["user_id"] == person.id
    assert answer["user_settings"].keys() == {"locale", "theme"}
    rest = Rest(world.http, world.url, answer["token"], "")
    return Session(replace(person, token=answer["token"], rest=rest), answer["access_token"])


async def sql(server: Server, statement: str, user_id: str) -> list[Any]:
    """Run a statement about the newest login of a user; return the rows."""

    def run() -> list[Any]:
        connection = psycopg2.connect(server.config.database_url)
        with connection, connection.cursor() as cur:
            newest = "id = (SELECT max(id) FROM logins WHERE user_id = %s)"
            cur.execute(statement.format(newest), (user_id,))
            rows = cur.fetchall() if cur.description else []
        connection.close()
        return rows

    return await asyncio.to_thread(run)


AGE = """UPDATE logins SET last_used_at = now() - interval '2 hours',
                           token_expires_at = now() + interval '1 minute' WHERE {}"""
EXPIRE = "UPDATE logins SET token_expires_at = now() - interval '1 second' WHERE {}"
LEFT = "SELECT extract(epoch FROM token_expires_at - now()) FROM logins WHERE {}"


async def test_token_has_the_form_of_discords_and_is_accepted_without_a_scheme(
    world: World,
) -> None:
    bob = (await log_in(world, "bob")).person
    first, *others = bob.token.split(".")
    assert (b64decode(first + "=="), len(others)) == (bob.id.encode(), 2)
    assert (await bob.rest.get("/users/@me"))["id"] == bob.id
    client = await world.socket()
    await client.identify(bob.token)
    assert client.ready["user"]["id"] == bob.id


async def test_registration_returns_a_token(world: World) -> None:
    name = f"new.{secrets.token_hex(5)}"
    body: dict[str, Any] = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    ignored = {"consent": True, "date_of_birth": "2000-01-01", "captcha_key": None, "invite": None}
    made = await world.anonymous.post(
        "/auth/register", {**body, **ignored, "global_name": "New", "fingerprint": "1.x"}
    )
    own = await Rest(world.http, world.url, made["token"], "").get("/users/@me")
    assert (own["id"], own["global_name"]) == (made["user_id"], "New")


async def test_login_needs_an_address(world: World) -> None:
    answer = await world.anonymous.call("POST", "/auth/login", {"password": PASSWORD})
    assert (answer.status, answer.json["errors"].keys()) == (400, {"login"})


async def test_registration_by_phone_is_refused(world: World) -> None:
    answer = await world.anonymous.call("POST", "/auth/register", {"phone_token": "x"})
    assert answer.json["errors"]["phone_token"]["_errors"][0]["code"] == "NOT_SUPPORTED"


@pytest.mark.parametrize("valid", [True, False])
async def test_registration_accepts_an_invite_if_it_is_valid(world: World, valid: bool) -> None:
    guild = await world.guild(owner="alice")
    name = f"new.{secrets.token_hex(5)}"
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    code = await guild.invite() if valid else "no.invite"
    made = await world.anonymous.post("/auth/register", {**body, "invite": code})
    guilds = await Rest(world.http, world.url, made["token"], "").get("/users/@me/guilds")
    assert [each["id"] for each in guilds] == ([guild.id] if valid else [])


async def test_session_is_resumed_with_any_token_of_its_login(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    login = await log_in(world, "bob")
    client = await world.socket()
    await client.identify(login.access_token)
    for token in (login.person.token, login.access_token):
        await client.cut()
        missed = await send_messages(world, guild, "missed")
        again = await world.socket()
        session = {"session_id": client.ready["session_id"], "seq": client.seq}
        again.seq, again.ready = client.seq, client.ready
        await again.send(6, {"token": token, **session})
        assert await replayed_messages(again) == missed
        client = again


async def test_use_moves_the_end_of_a_token(world: World, server: Server) -> None:
    bob = (await log_in(world, "bob")).person
    await sql(server, AGE, bob.id)
    await bob.rest.get("/users/@me")
    [[left_s]] = await sql(server, LEFT, bob.id)
    assert left_s > 29 * DAY_S


async def test_connected_client_moves_the_end_of_its_token(
    serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_uses, "_MAX_INTERVAL_S", 0.05)
    async with (
        serve_more(worker_id=3) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        bob = (await log_in(world, "bob")).person
        client = await world.socket()
        await client.identify(bob.token)
        await sql(server, AGE, bob.id)
        async with asyncio.timeout(TIMEOUT_S):
            while (await sql(server, LEFT, bob.id))[0][0] < 29 * DAY_S:
                await asyncio.sleep(0.02)


async def test_expired_token_is_refused_and_other_tokens_of_the_login_are_not(
    world: World, server: Server
) -> None:
    login = await log_in(world, "bob")
    client = await world.socket()
    await client.identify(login.access_token)
    await client.cut()
    await sql(server, EXPIRE, login.person.id)
    assert (await login.person.rest.call("GET", "/users/@me")).status == 401
    for op in (2, 6):
        socket = await world.socket()
        session = {"session_id": client.ready["session_id"], "seq": client.seq}
        await socket.send(op, {"token": login.person.token, "properties": {}, **session})
        assert await socket.closed() == 4004
    by_access_token = Rest(world.http, world.url, login.access_token)
    assert (await by_access_token.get("/users/@me"))["id"] == login.person.id
    [[left_s]] = await sql(server, LEFT, login.person.id)
    assert left_s < 0  # the use of another token does not restore it


async def end_by_logout(_: World, person: Person) -> None:
    """Log out as a client of Discord does."""
    await person.rest.post(
        "/auth/logout",
        {"provider": None, "voip_provider": None, "token": "push", "voip_token": None},
    )


async def end_by_session_list(world: World, person: Person) -> None:
    """End the login from another one."""
    other = (await log_in(world, "bob")).person
    for each in await list_logins(other):
        if not each["current"]:
            await other.rest.delete(f"/auth/sessions/{each['id_hash']}")


@pytest.mark.parametrize(
    "end", [end_by_logout, end_by_session_list, end_by_deletion, end_by_password_change]
)
async def test_token_of_an_ended_login_is_refused_at_once(
    world: World, end: Callable[[World, Person], Awaitable[None]]
) -> None:
    bob = (await log_in(world, "bob")).person
    client = await world.socket()
    await client.identify(bob.token)
    await bob.rest.get("/users/@me")
    await end(world, bob)
    assert (await bob.rest.call("GET", "/users/@me")).status == 401
    assert await client.closed() == 4004


async def test_login_is_kept_and_listed_as_long_as_its_token_is_valid(
    world: World, server: Server
) -> None:
    bob = (await log_in(world, "bob")).person
    refresh = "UPDATE refresh_tokens SET expires_at = now() - interval '2 days' WHERE {}"
    await sql(server, refresh.replace("{}", "login_{}"), bob.id)
    assert server.runner.app is not None
    database = server.runner.app[DEPENDENCIES].database
    for expired in janitor.EXPIRED:
        await janitor.delete_expired(database, expired)
    assert [each["current"] for each in await list_logins(bob)].count(True) == 1
    await sql(server, EXPIRE.replace("1 second", "2 days"), bob.id)
    for expired in janitor.EXPIRED:
        await janitor.delete_expired(database, expired)
    assert await sql(server, "SELECT 1 FROM logins WHERE {}", bob.id) == [(1,)]  # of registration
    assert len(await list_logins(await world.person("bob"))) == 1
