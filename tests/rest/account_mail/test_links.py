"""Lost passwords, and the links in mails: who can use them, how often, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from chatd.core.ids import UserId
from chatd.services.accounts import administration
from chatd.services.accounts.credentials import hash_new
from chatd.services.accounts.mail import recovery
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.account_mail import (
    NEW,
    OTHER,
    fresh_email,
    is_invalid,
    token_in_mail,
    try_login,
    use,
    verified,
)
from tests.helpers.mail import MailServer
from tests.helpers.mfa import CodeClock, enable_totp
from tests.helpers.tampered import tampered
from tests.world import PASSWORD, World, like, world_on


async def test_mails_to_one_address_are_limited(world: World, mails: MailServer) -> None:
    alice = await world.person("alice")
    answers = [await alice.rest.call("POST", "/auth/verify/resend") for _ in range(5)]
    assert [each.status for each in answers] == [204] * 4 + [429]
    for address in (alice.email, fresh_email()):
        wanted = {"login": address}
        tried = [await world.anonymous.call("POST", "/auth/forgot", wanted) for _ in range(6)]
        assert [each.status for each in tried] == [204] * 5 + [429]
    assert len(mails.to(alice.email)) <= 10


async def test_lost_password_is_replaced(world: World, mails: MailServer) -> None:
    alice = await world.person("alice")
    first = await token_in_mail(mails, alice.email, "verify")
    spelled = alice.email.upper().replace("E", "\uff25", 1)  # a full-width E: the same address
    await world.anonymous.post("/auth/forgot", {"login": spelled})
    token = await token_in_mail(mails, alice.email, "reset", 2)
    answer = await use(world.anonymous, "reset", token)
    assert answer.status == 200
    assert answer.json["user"] == like(id=alice.id, verified=True)
    assert (await alice.rest.call("GET", "/users/@me")).status == 401
    alice.rest.token = answer.json["token"]
    assert (await alice.rest.get("/users/@me"))["id"] == alice.id
    assert (await try_login(world, alice.email, PASSWORD)).status == 400
    assert (await try_login(world, alice.email, NEW)).status == 200
    for page, used in (("reset", token), ("verify", first), ("undo", token)):
        assert is_invalid(await use(world.anonymous, page, used))


async def test_of_many_uses_of_a_link_one_succeeds(world: World, mails: MailServer) -> None:
    alice = await world.person("alice")
    await world.anonymous.post("/auth/forgot", {"login": alice.email})
    token = await token_in_mail(mails, alice.email, "reset", 2)
    answers = await asyncio.gather(*(use(world.anonymous, "reset", token) for _ in range(5)))
    assert sorted(each.status for each in answers) == [200, 400, 400, 400, 400]


async def test_new_password_revokes_links(world: World, mails: MailServer) -> None:
    alice = await verified(world, mails, "alice")
    await world.anonymous.post("/auth/forgot", {"login": alice.email})
    token = await token_in_mail(mails, alice.email, "reset", 2)
    await alice.rest.patch("/users/@me", {"password": PASSWORD, "new_password": NEW})
    assert is_invalid(await use(world.anonymous, "reset", token, OTHER))
    assert (await try_login(world, alice.email, NEW)).status == 200


@pytest.mark.parametrize(
    "forge",
    [
        tampered,
        lambda token: token[:-2] + "x",
        lambda token: token[:-2] + "A",
        lambda token: token[:-2] + "é",
    ],
    ids=["tampered", "cut", "cut A", "cut é"],
)
async def test_forged_link_is_refused(
    world: World, mails: MailServer, forge: Callable[[str], str]
) -> None:
    alice = await world.person("alice")
    token = await token_in_mail(mails, alice.email, "verify")
    for page in ("verify", "reset", "undo"):
        assert is_invalid(await use(world.anonymous, page, forge(token)))
    assert is_invalid(await use(world.anonymous, "reset", token))


async def test_second_factor_is_asked_for_after_a_reset(
    world: World, mails: MailServer, code_clock: CodeClock
) -> None:
    alice = await world.person("alice")
    await enable_totp(alice, code_clock)
    await world.anonymous.post("/auth/forgot", {"login": alice.email})
    token = await token_in_mail(mails, alice.email, "reset", 2)
    challenge = (await use(world.anonymous, "reset", token)).json
    assert challenge == like(mfa=True, totp=True)
    assert not {"token", "access_token"} & challenge.keys()
    given = {"ticket": challenge["ticket"], "code": code_clock.next_code()}
    assert (await world.anonymous.post("/auth/mfa/totp", given))["user"]["id"] == alice.id


async def test_request_for_a_password_does_not_show_who_has_an_account(
    world: World, mails: MailServer, statements: list[str]
) -> None:
    alice = await world.person("alice")
    await mails.next(alice.email)
    made, raw = [], set()
    for address in (alice.email, fresh_email()):
        statements.clear()
        answer = await world.anonymous.call("POST", "/auth/forgot", {"login": address})
        raw.add((answer.status, answer.raw))
        made.append([each for each in statements if "INSERT INTO mails" in each])
    assert raw == {(204, b"")}
    assert made[0] == made[1] != []
    await mails.next(alice.email, 2)


async def test_disabled_and_deleted_accounts_get_and_use_no_links(
    world: World, sending: Server, mails: MailServer
) -> None:
    alice, bob = await world.people("alice", "bob")
    tokens = []
    for person in (alice, bob):
        await world.anonymous.post("/auth/forgot", {"login": person.email})
        tokens.append(await token_in_mail(mails, person.email, "reset", 2))
    dependencies = sending.runner.app[DEPENDENCIES]
    await administration.disable(dependencies, UserId(int(alice.id)))
    await bob.rest.post("/users/@me/delete", {"password": PASSWORD})
    for person, token in zip((alice, bob), tokens, strict=True):
        assert is_invalid(await use(world.anonymous, "reset", token))
        await world.anonymous.post("/auth/forgot", {"login": person.email})
    carol = await world.person("carol")
    await mails.next(carol.email)  # was added later
    assert [len(mails.to(each.email)) for each in (alice, bob)] == [2, 2]


@pytest.mark.parametrize("page", ["reset", "undo"])
async def test_account_that_is_disabled_while_its_link_is_used(
    page: str, world: World, sending: Server, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No login waits for the time when it is enabled again, and the password stays."""
    alice = await verified(world, mails, "alice")
    if page == "reset":
        await world.anonymous.post("/auth/forgot", {"login": alice.email})
    else:
        await alice.rest.patch("/users/@me", {"password": PASSWORD, "new_password": OTHER})
    token = await token_in_mail(mails, alice.email, page, 2)
    dependencies, user_id = sending.runner.app[DEPENDENCIES], UserId(int(alice.id))

    async def hash_slowly(*given: Any, **named: Any) -> str:
        hashed = await hash_new(*given, **named)
        await administration.disable(dependencies, user_id)
        return hashed

    monkeypatch.setattr(recovery, "hash_new", hash_slowly)
    assert is_invalid(await use(world.anonymous, page, token))
    await administration.enable(dependencies, user_id)
    kept = PASSWORD if page == "reset" else OTHER
    assert (await try_login(world, alice.email, kept)).status == 200


async def test_pages_of_links_are_served_without_the_web_client(
    serve_more: ServeMore, mails: MailServer
) -> None:
    async with (
        serve_more(worker_id=2, smtp=mails.settings, web_client=False) as server,
        ClientSession(headers={"Accept": "text/html"}) as http,
    ):
        for path, status in (("/reset", 200), ("/verify", 200), ("/undo", 200), ("/app", 404)):
            async with http.get(server.url + path) as answer:
                assert answer.status == status, path
                if status == 200:
                    assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_without_mail_the_routes_say_so(server: Server) -> None:
    async with world_on(server.url, server.gateway_url) as plain:
        alice = await plain.person("alice")
        given = {"token": "x", "password": NEW}
        tried = [
            await plain.anonymous.call("POST", "/auth/forgot", {"login": alice.email}),
            await plain.anonymous.call("POST", "/auth/verify", {"token": "x"}),
            await plain.anonymous.call("POST", "/auth/reset", given),
            await plain.anonymous.call("POST", "/auth/undo", given),
            await alice.rest.call("POST", "/auth/verify/resend"),
        ]
        assert [each.status for each in tried] == [403] * 5
