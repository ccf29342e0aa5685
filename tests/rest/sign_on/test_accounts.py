"""Single sign-on: which account a login creates, and which account it opens."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.auth.mail_tokens import new_id
from chatd.core.ids import UserId
from chatd.core.mail import TokenPurpose
from chatd.core.models import User
from chatd.queries import mail_tokens
from chatd.queries.mail_tokens import MailToken
from chatd.services.accounts import administration
from chatd.services.accounts.oidc import login
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.hostile_provider import HostileProvider
from tests.helpers.mfa import CodeClock, enable_totp
from tests.helpers.sign_on import Browser, browsing_at, person
from tests.world import PASSWORD, World, like


async def test_second_login_is_the_same_account(browser: Browser, hostile: HostileProvider) -> None:
    first = await browser.tokens(hostile, "acme", **person("paul"))
    changed = {**person("paul"), "preferred_username": "paula", "email": "new@acme.example"}
    again = await browser.tokens(hostile, "acme", **changed)
    assert again["user"] == first["user"]


async def test_same_subject_of_another_issuer_is_another_person(
    browser: Browser, hostile: HostileProvider
) -> None:
    one = await browser.tokens(hostile, "acme", **person("nora"))
    claims = {**person("nora"), "email": "nora@other.example"}
    two = await browser.tokens(hostile, "other", **claims)
    assert one["user"]["id"] != two["user"]["id"]
    assert two["user"]["username"].startswith("nora")


async def test_concurrent_first_logins_create_one_account(
    site: Server, people: World, hostile: HostileProvider
) -> None:
    async with browsing_at(site.url) as one, browsing_at(site.url) as two:
        sent = [await each.begin("acme") for each in (one, two)]
        hostile.claims = person("twin")
        hostile.nonce_of_code = True
        answers = await asyncio.gather(
            *(
                each.come_back("acme", code=query["nonce"], state=query["state"])
                for each, query in zip((one, two), sent, strict=True)
            )
        )
        tokens = [
            (await each.exchange(answer)).json
            for each, answer in zip((one, two), answers, strict=True)
        ]
    assert tokens[0]["user"]["id"] == tokens[1]["user"]["id"]


async def test_claims_of_the_userinfo_endpoint(browser: Browser, hostile: HostileProvider) -> None:
    hostile.userinfo = {"email": "uma@acme.example", "preferred_username": "uma"}
    tokens = await browser.tokens(hostile, "acme", sub="sub of uma")
    assert tokens["user"] == like(username="uma", email="uma@acme.example")
    hostile.userinfo["sub"] = "somebody else"
    assert (await browser.log_in(hostile, "acme", sub="sub of uma")).status == 503


async def test_names_are_made_valid_and_free(
    browser: Browser, people: World, hostile: HostileProvider
) -> None:
    taken = await people.person("alice")
    claims = {**person("x"), "preferred_username": taken.name, "name": None}
    found = await browser.tokens(hostile, "acme", **claims)
    assert found["user"]["username"].startswith(taken.name[:20])
    assert found["user"]["username"] != taken.name
    claims = {"sub": "odd", "email": "odd@acme.example", "preferred_username": "@#:\u202e\u3164"}
    found = await browser.tokens(hostile, "acme", **claims, name={"a": 1})
    assert found["user"]["username"].startswith("user")


async def test_accounts_are_created_only_where_the_settings_permit(
    browser: Browser, hostile: HostileProvider, serve_more: ServeMore
) -> None:
    claims = {**person("new"), "email_verified": True}
    answer = await browser.log_in(hostile, "never", **claims)
    assert answer.status == 403
    assert b"creates none" in answer.raw
    providers = (
        hostile.settings("acme", trust_email=True),
        hostile.settings("always", trust_email=True, create_accounts="always"),
    )
    async with (
        serve_more(worker_id=12, providers=providers, registration="closed") as closed,
        browsing_at(closed.url) as there,
    ):
        assert (await there.log_in(hostile, "acme", **claims)).status == 403
        assert (await there.log_in(hostile, "always", **claims)).status == 303


async def test_blocked_mail_domain_creates_no_account(
    browser: Browser, site: Server, hostile: HostileProvider
) -> None:
    database = site.runner.app[DEPENDENCIES].database
    async with database.cursor() as cur:
        await cur.execute("INSERT INTO registration_blocks (domain) VALUES ('spam.example')")
    claims = {**person("spam"), "email": "spam@mail.spam.example"}
    answer = await browser.log_in(hostile, "acme", **claims)
    assert (answer.status, b"mail domain" in answer.raw) == (403, True)
    async with database.cursor() as cur:  # other servers have this database, too
        await cur.execute("DELETE FROM registration_blocks WHERE domain = 'spam.example'")


@pytest.mark.parametrize(
    "claims", [{"email": None}, {"email_verified": False}, {"email": "no address"}, {"email": 5}]
)
async def test_account_needs_a_verified_address(
    browser: Browser, hostile: HostileProvider, claims: dict[str, Any]
) -> None:
    answer = await browser.log_in(hostile, "adopting", **{**person("vera"), **claims})
    assert answer.status == 403
    assert b"verified your email address" in answer.raw


async def test_address_of_an_account_is_linked_only_where_the_settings_say_so(
    browser: Browser, people: World, hostile: HostileProvider
) -> None:
    alice = await people.person("alice")
    claims = {"sub": "sub of alice", "email": alice.email.upper(), "email_verified": True}
    answer = await browser.log_in(hostile, "acme", **claims)
    assert answer.status == 403
    assert b"has your email address" in answer.raw
    found = await browser.tokens(hostile, "adopting", **claims)
    assert found["user"]["id"] == alice.id
    # Someone else may have registered the address before.
    assert (await alice.rest.call("GET", "/users/@me")).status == 401
    body = {"login": alice.email, "password": PASSWORD}
    assert (await people.anonymous.call("POST", "/auth/login", body)).status == 400


async def test_address_that_looks_like_the_owners_is_another_mailbox(
    browser: Browser, people: World, hostile: HostileProvider
) -> None:
    alice = await people.person("alice")
    for name in ("\uff41lice", "a\uff4cice"):  # each is folded into "alice"
        email = alice.email.replace("alice", name, 1)
        claims = {"sub": f"thief {name}", "email": email, "email_verified": True}
        answer = await browser.log_in(hostile, "adopting", **claims)
        assert (answer.status, b"has your email address" in answer.raw) == (403, True), name
    assert (await alice.rest.get("/users/@me"))["id"] == alice.id


@pytest.mark.parametrize("provider", ["acme", "adopting"])
async def test_first_login_that_another_tab_overtakes(
    provider: str, browser: Browser, hostile: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = {**person(f"both at {provider}"), "email": f"{provider}@acme.example"}
    claims["email_verified"] = True
    find = login._log_in
    answers: list[User | None] = []

    async def overtaken(*given: Any) -> User | None:
        answers.append(None if not answers else await find(*given))
        return answers[-1]

    first = await browser.tokens(hostile, provider, **claims)
    monkeypatch.setattr(login, "_log_in", overtaken)  # the account is created after this question
    second = await browser.tokens(hostile, provider, **claims)
    assert second["user"]["id"] == first["user"]["id"]


async def test_address_that_an_account_can_return_to_is_not_free(
    browser: Browser, people: World, site: Server, hostile: HostileProvider
) -> None:
    """A thief has changed the address of the account. Its owner has the mail that undoes it."""
    alice, former = await people.person("alice"), "former@acme.example"
    async with site.runner.app[DEPENDENCIES].database.cursor() as cur:
        token = MailToken(new_id(), UserId(int(alice.id)), former, None)
        await mail_tokens.insert(cur, TokenPurpose.UNDO, token, lifetime_s=60)
    claims = {**person("former"), "email_verified": True}
    answer = await browser.log_in(hostile, "acme", **claims)
    assert (answer.status, b"has your email address" in answer.raw) == (403, True)
    async with site.runner.app[DEPENDENCIES].database.cursor() as cur:
        await mail_tokens.use_up(cur, token)
    assert (await browser.log_in(hostile, "acme", **claims)).status == 303


async def test_address_and_its_verification_are_of_one_source(
    browser: Browser, hostile: HostileProvider
) -> None:
    hostile.userinfo = {"email": "mine@acme.example", "email_verified": True}
    claims = {"sub": "mixed", "email": "theirs@acme.example"}
    tokens = await browser.tokens(hostile, "adopting", **claims)
    assert tokens["user"]["email"] == "mine@acme.example"


async def test_verified_address_keeps_the_password(
    browser: Browser, people: World, site: Server, hostile: HostileProvider
) -> None:
    alice = await people.person("alice")
    async with site.runner.app[DEPENDENCIES].database.cursor() as cur:
        await cur.execute(f"UPDATE users SET email_verified = true WHERE id = {alice.id}")
    claims = {"sub": "alice at acme", "email": alice.email, "email_verified": True}
    found = await browser.tokens(hostile, "adopting", **claims)
    assert found["user"] == like(id=alice.id, verified=True)
    assert (await alice.rest.get("/users/@me"))["id"] == alice.id


async def test_protected_accounts_are_not_linked_by_their_address(
    browser: Browser, people: World, site: Server, hostile: HostileProvider, code_clock: CodeClock
) -> None:
    alice, bob, carol = await people.people("alice", "bob", "carol")
    await enable_totp(alice, code_clock)
    dependencies = site.runner.app[DEPENDENCIES]
    await administration.set_administrator(dependencies, UserId(int(bob.id)), True)
    await administration.disable(dependencies, UserId(int(carol.id)))
    for each in (alice, bob, carol):
        claims = {"sub": f"thief of {each.id}", "email": each.email, "email_verified": True}
        assert (await browser.log_in(hostile, "adopting", **claims)).status == 403
    assert (await alice.rest.get("/users/@me"))["id"] == alice.id


async def test_disabled_account_cannot_log_in(
    browser: Browser, site: Server, people: World, hostile: HostileProvider
) -> None:
    first = await browser.tokens(hostile, "acme", **person("dora"))
    pending = await browser.log_in(hostile, "acme", **person("dora"))
    user_id = UserId(int(first["user"]["id"]))
    await administration.disable(site.runner.app[DEPENDENCIES], user_id)
    late = await browser.exchange(pending)
    assert (late.status, late.json["code"]) == (403, 20013)
    answer = await browser.log_in(hostile, "acme", **person("dora"))
    assert (answer.status, b"disabled" in answer.raw) == (403, True)
    async with site.runner.app[DEPENDENCIES].database.cursor() as cur:
        await cur.execute(f"INSERT INTO registration_requests VALUES ({user_id})")
    answer = await browser.log_in(hostile, "acme", **person("dora"))
    assert (answer.status, b"waits for the approval" in answer.raw) == (400, True)


async def test_deleted_account_is_forgotten(
    browser: Browser, site: Server, people: World, hostile: HostileProvider
) -> None:
    first = await browser.tokens(hostile, "acme", **person("gone"))
    pending = await browser.log_in(hostile, "acme", **person("gone"))
    user_id = UserId(int(first["user"]["id"]))
    await administration.delete_account(site.runner.app[DEPENDENCIES], user_id)
    async with site.runner.app[DEPENDENCIES].database.cursor() as cur:
        await cur.execute(f"SELECT FROM oidc_identities WHERE user_id = {user_id}")
        assert await cur.fetchone() is None
    assert (await browser.exchange(pending)).status == 400
    again = await browser.tokens(hostile, "acme", **person("gone"))
    assert again["user"]["id"] != first["user"]["id"]
