"""Verified addresses, lost passwords and notices, with a real SMTP server."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession

from chatd.auth.oidc.provider import Providers
from chatd.core.ids import LoginId, UserId
from chatd.oidc_settings import ProviderOptions, ProviderSettings
from chatd.queries import oidc_identities
from chatd.services.accounts import administration
from chatd.services.accounts.credentials import hash_new
from chatd.services.accounts.mail import recovery
from chatd.services.accounts.oidc import links
from chatd.services.accounts.oidc.person import read
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.accounts import log_in
from tests.helpers.mail import MailServer, body, link, mail_server
from tests.helpers.mfa import CodeClock, enable_totp
from tests.world import PASSWORD, Answer, Person, Rest, World, like, world_on

NEW = "Password456!"
OTHER = "Password789!"
_ACME = ProviderSettings(
    "acme",
    ProviderOptions(issuer="https://id.acme.example", client_id="chatd", label="Acme Inc."),
    client_secret="",
)


@pytest.fixture(scope="module")
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
async def sending(serve_more: ServeMore, mails: MailServer) -> AsyncIterator[Server]:
    """A server that sends mail."""
    async with serve_more(worker_id=1, smtp=mails.settings) as running:
        yield running


@pytest.fixture
async def world(sending: Server) -> AsyncIterator[World]:
    async with world_on(sending.url, sending.gateway_url) as made:
        yield made


def fresh_email() -> str:
    return f"new.{secrets.token_hex(6)}@example.org"


async def token_in_mail(mails: MailServer, address: str, page: str, count: int = 1) -> str:
    """Wait for a mail; return the token of its link, which opens this page."""
    found, token = link(await mails.next(address, count))
    assert found == page
    return token


async def verified(world: World, mails: MailServer, name: str) -> Person:
    """Return a person with a verified address, which has received one mail."""
    person = await world.person(name)
    token = await token_in_mail(mails, person.email, "verify")
    await world.anonymous.post("/auth/verify", {"token": token})
    return person


async def try_login(world: World, email: str, password: str) -> Answer:
    return await world.anonymous.call("POST", "/auth/login", {"email": email, "password": password})


async def use(rest: Rest, page: str, token: str, password: str = NEW) -> Answer:
    given = {"token": token} if page == "verify" else {"token": token, "password": password}
    return await rest.call("POST", f"/auth/{page}", given)


def is_invalid(answer: Answer) -> bool:
    return answer.status == 400 and "TOKEN_INVALID" in answer.raw.decode()


async def test_new_account_verifies_its_address(world: World, mails: MailServer) -> None:
    alice = await world.person("alice")
    [client] = await world.online("alice")
    assert (await alice.rest.get("/users/@me"))["verified"] is False
    token = await token_in_mail(mails, alice.email, "verify")
    answer = await world.anonymous.post("/auth/verify", {"token": token})
    assert answer == {"user_id": alice.id, "token": None}
    assert (await client.next("USER_UPDATE")).d == like(verified=True, email=alice.email)
    assert (await alice.rest.get("/users/@me"))["verified"] is True
    assert is_invalid(await use(world.anonymous, "verify", token))


async def test_verification_is_sent_again_until_it_is_done(world: World, mails: MailServer) -> None:
    alice = await world.person("alice")
    first = await token_in_mail(mails, alice.email, "verify")
    headers = {"Accept-Language": "de-DE"}
    answer = await alice.rest.call("POST", "/auth/verify/resend", headers=headers)
    assert answer.status == 204
    message = await mails.next(alice.email, 2)
    assert message["Subject"] == "Bestätige deine E-Mail-Adresse für chatd.test"
    assert link(message) == ("verify", first)
    await world.anonymous.post("/auth/verify", {"token": first})
    await alice.rest.post("/auth/verify/resend")
    await world.anonymous.post("/auth/forgot", {"login": alice.email})
    assert link(await mails.next(alice.email, 3))[0] == "reset"


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


@pytest.mark.parametrize("change", ["", "x", "A", "é"])
async def test_forged_link_is_refused(world: World, mails: MailServer, change: str) -> None:
    alice = await world.person("alice")
    token = await token_in_mail(mails, alice.email, "verify")
    forged = token[:-2] + change + ("" if change else "AA")
    for page in ("verify", "reset", "undo"):
        assert is_invalid(await use(world.anonymous, page, forged))
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


async def test_new_address_is_used_when_it_was_verified(world: World, mails: MailServer) -> None:
    alice = await verified(world, mails, "alice")
    other = await log_in(world, alice)
    await mails.next(alice.email, 2)  # the notice of the login
    email = fresh_email()
    changed = await alice.rest.patch("/users/@me", {"password": PASSWORD, "email": email})
    assert changed == like(email=alice.email, verified=True)
    token = await token_in_mail(mails, email, "verify")
    assert (await other.rest.call("GET", "/users/@me")).status == 200
    await world.anonymous.post("/auth/verify", {"token": token})
    assert (await alice.rest.get("/users/@me")) == like(email=email, verified=True)
    assert (await other.rest.call("GET", "/users/@me")).status == 401
    assert (await try_login(world, alice.email, PASSWORD)).status == 400
    notice = await mails.next(alice.email, 3)
    assert notice["Subject"] == "Your email address on chatd.test was changed"
    assert email in body(notice)


async def test_address_of_another_account_cannot_be_found_out_or_taken(
    world: World, mails: MailServer
) -> None:
    alice, bob = await world.people("alice", "bob")
    given = {"password": PASSWORD, "email": bob.email}
    answer = await alice.rest.call("PATCH", "/users/@me", given)
    assert (answer.status, answer.json["email"]) == (200, alice.email)
    token = await token_in_mail(mails, bob.email, "verify", 2)
    refused = await use(world.anonymous, "verify", token)
    assert (refused.status, "EMAIL_ALREADY_REGISTERED" in refused.raw.decode()) == (400, True)
    assert (await alice.rest.get("/users/@me"))["email"] == alice.email


async def test_thief_cannot_keep_an_account(world: World, mails: MailServer) -> None:
    """It changes password and address twice each; the first notice undoes all of it."""
    alice = await verified(world, mails, "alice")
    thief = await log_in(world, alice)
    await mails.next(alice.email, 2)
    await thief.rest.patch("/users/@me", {"password": PASSWORD, "new_password": NEW})
    undo = await token_in_mail(mails, alice.email, "undo", 3)
    later = []
    for email in (fresh_email(), fresh_email()):
        await thief.rest.patch("/users/@me", {"password": NEW, "email": email})
        token = await token_in_mail(mails, email, "verify")
        await world.anonymous.post("/auth/verify", {"token": token})
        later.append(email)
    thiefs_undo = await token_in_mail(mails, later[0], "undo", 2)
    taken = {"username": f"x.{secrets.token_hex(4)}", "email": alice.email, "password": PASSWORD}
    refused = await world.anonymous.call("POST", "/auth/register", taken)
    assert "EMAIL_ALREADY_REGISTERED" in refused.raw.decode()
    assert (await use(world.anonymous, "undo", undo, OTHER)).status == 204
    assert (await thief.rest.call("GET", "/users/@me")).status == 401
    assert is_invalid(await use(world.anonymous, "undo", thiefs_undo))
    assert is_invalid(await use(world.anonymous, "undo", undo))
    assert (await try_login(world, later[1], NEW)).status == 400
    answer = await try_login(world, alice.email, OTHER)
    assert answer.json["user"] == like(id=alice.id, email=alice.email, verified=True)
    assert "was undone" in (await mails.next(later[1], 2))["Subject"]


async def test_thief_cannot_keep_a_link_to_a_provider(
    world: World, sending: Server, mails: MailServer
) -> None:
    alice, bob = await verified(world, mails, "alice"), await world.person("bob")
    await alice.rest.patch("/users/@me", {"password": PASSWORD, "new_password": NEW})
    await world.anonymous.post("/auth/forgot", {"login": bob.email})
    database = sending.runner.app[DEPENDENCIES].database
    ids = [UserId(int(each.id)) for each in (alice, bob)]
    async with database.cursor() as cur:
        for user_id in ids:
            await oidc_identities.link(cur, user_id, "https://id.example.org", str(user_id))
    undo = await token_in_mail(mails, alice.email, "undo", 2)
    assert (await use(world.anonymous, "undo", undo, OTHER)).status == 204
    reset = await token_in_mail(mails, bob.email, "reset", 2)  # Bob's address is not verified
    assert (await use(world.anonymous, "reset", reset)).status == 200
    async with database.cursor() as cur:
        assert [await oidc_identities.list_identities(cur, each) for each in ids] == [[], []]


async def test_owner_learns_of_a_link_to_a_provider_and_undoes_it(
    world: World, sending: Server, mails: MailServer
) -> None:
    alice = await verified(world, mails, "alice")
    dependencies, caller = sending.runner.app[DEPENDENCIES], UserId(int(alice.id))
    provider = Providers([_ACME], "http://chatd.test").get("acme")
    assert provider is not None
    async with dependencies.database.cursor() as cur:
        await cur.execute(f"SELECT id FROM logins WHERE user_id = {caller}")
        [login_id] = (await cur.fetchall())[0]
    thief = read({"sub": f"thief of {caller}"}, {}, provider.settings.options)
    await links.finish(dependencies, provider, caller, LoginId(login_id), thief)
    notice = await mails.next(alice.email, 2)
    assert notice["Subject"] == "There is a new way to log in to your account on chatd.test"
    assert "Acme Inc." in body(notice)
    assert (await use(world.anonymous, "undo", link(notice)[1])).status == 204
    async with dependencies.database.cursor() as cur:
        assert await oidc_identities.list_identities(cur, caller) == []


async def test_account_that_waits_for_approval_verifies_its_address(
    world: World, sending: Server, mails: MailServer
) -> None:
    alice = await world.person("alice")
    token = await token_in_mail(mails, alice.email, "verify")
    dependencies = sending.runner.app[DEPENDENCIES]
    await administration.disable(dependencies, UserId(int(alice.id)))
    assert (await use(world.anonymous, "verify", token)).status == 200
    await administration.enable(dependencies, UserId(int(alice.id)))
    assert (await try_login(world, alice.email, PASSWORD)).json["user"]["verified"] is True


async def test_later_link_does_not_revoke_an_earlier_one(world: World, mails: MailServer) -> None:
    alice = await verified(world, mails, "alice")
    await alice.rest.patch("/users/@me", {"password": PASSWORD, "new_password": NEW})
    first = await token_in_mail(mails, alice.email, "undo", 2)
    await alice.rest.patch("/users/@me", {"password": NEW, "new_password": OTHER})
    second = await token_in_mail(mails, alice.email, "undo", 3)
    assert (await use(world.anonymous, "undo", second, PASSWORD)).status == 204
    assert (await use(world.anonymous, "undo", first, NEW)).status == 204
    assert (await try_login(world, alice.email, NEW)).status == 200


async def test_notice_of_a_login_is_escaped_and_has_no_links(
    world: World, mails: MailServer
) -> None:
    alice = await verified(world, mails, "alice")
    await log_in(world, alice, '<img src=x> "evil.example" http://evil.example/x')
    notice = await mails.next(alice.email, 2)
    assert notice["Subject"] == "New login to your account on chatd.test"
    assert "<img" not in body(notice, "html") and "&lt;img src=x&gt;" in body(notice, "html")
    for kind in ("plain", "html"):
        assert "evil.example" not in body(notice, kind) and "http://e" not in body(notice, kind)


async def test_unverified_address_gets_no_notices(world: World, mails: MailServer) -> None:
    alice = await world.person("alice")
    await mails.next(alice.email)
    await log_in(world, alice)
    await alice.rest.patch("/users/@me", {"password": PASSWORD, "new_password": NEW})
    await world.anonymous.post("/auth/forgot", {"login": alice.email})
    assert link(await mails.next(alice.email, 2))[0] == "reset"


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
