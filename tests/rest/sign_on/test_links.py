"""Single sign-on for accounts that exist: linking, unlinking, and a first password."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.auth.mail_tokens import new_id
from chatd.core.ids import UserId
from chatd.core.mail import TokenPurpose
from chatd.queries import mail_tokens
from chatd.queries.mail_tokens import MailToken
from chatd.services.accounts.oidc import first_password
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.hostile_provider import HostileProvider
from tests.helpers.mfa import CodeClock, enable_totp
from tests.helpers.rest_client import Answer, Rest
from tests.helpers.sign_on import Browser, as_caller, browsing_at, person, query_of
from tests.world import PASSWORD, Person, World, like

_PROOF = {"password": PASSWORD}
_NEW = "Correct horse, battery 7"


async def begin_link(browser: Browser, rest: Rest, body: Any = _PROOF) -> dict[str, str]:
    """Begin to link an account at Acme; return the query for the provider."""
    header = {"Authorization": f"Bearer {rest.token}"}
    answer = await browser.call("POST", "/users/@me/oidc/acme", body, headers=header)
    assert answer.status == 200, answer.raw
    return query_of(answer.json["url"])


async def link(
    browser: Browser, rest: Rest, hostile: HostileProvider, body: Any = _PROOF, **claims: Any
) -> Answer:
    """Link an account at Acme with the caller's."""
    sent = await begin_link(browser, rest, body)
    hostile.claims = {"nonce": sent["nonce"], **claims}
    return await browser.come_back("acme", code="a-code", state=sent["state"])


def error_of(answer: Answer) -> tuple[int, str]:
    """Return the status of an answer, and the code of its error, which is about one field."""
    [errors] = answer.json["errors"].values()
    return answer.status, errors["_errors"][0]["code"]


async def links_of(rest: Rest) -> list[str]:
    return [each["name"] for each in (await rest.get("/users/@me/oidc"))["links"]]


async def test_linked_account_logs_in(
    browser: Browser, people: World, hostile: HostileProvider
) -> None:
    alice = await people.person("alice")
    answer = await link(browser, alice.rest, hostile, sub="alice at acme")
    assert answer.status == 303
    assert answer.headers["Location"] == "http://chatd.test/app/settings/security"
    assert await alice.rest.get("/users/@me/oidc") == like(
        has_password=True, links=[like(name="acme", label="Acme Inc.", last_used_at=None)]
    )
    tokens = await browser.tokens(hostile, "acme", sub="alice at acme", email="else@acme.example")
    assert tokens["user"] == like(id=alice.id, email=alice.email)
    assert (await alice.rest.call("DELETE", "/users/@me/oidc/acme", _PROOF)).status == 204
    assert await links_of(alice.rest) == []
    assert (await as_caller(people, tokens).call("GET", "/users/@me")).status == 401
    answer = await alice.rest.call("DELETE", "/users/@me/oidc/acme", _PROOF)
    assert (answer.status, answer.json["message"]) == (
        404,
        "The account is not linked with this provider",
    )


async def test_linking_needs_proof_of_the_owner(
    browser: Browser, people: World, hostile: HostileProvider, code_clock: CodeClock
) -> None:
    alice = await people.person("alice")
    for method in ("POST", "DELETE"):
        path = "/users/@me/oidc/acme"
        asked = await alice.rest.call(method, path)
        assert (asked.status, asked.json["mfa"]["methods"]) == (401, [{"type": "password"}])
        assert (await alice.rest.call(method, path, {"password": "wrong"})).status == 400
    await enable_totp(alice, code_clock)
    assert (await alice.rest.call("POST", path, _PROOF)).status == 401
    code = {"code": code_clock.next_code()}
    assert (await link(browser, alice.rest, hostile, code, sub="a2")).status == 303
    assert (await alice.rest.call("POST", "/users/@me/oidc/unknown", _PROOF)).status == 404


async def test_link_belongs_to_one_browser_and_login(
    browser: Browser, people: World, site: Server, hostile: HostileProvider
) -> None:
    alice, mallory = await people.people("alice", "mallory")
    sent = await begin_link(browser, mallory.rest)
    hostile.claims = {"nonce": sent["nonce"], "sub": "victim at acme"}
    async with browsing_at(site.url) as victim:
        await victim.begin("acme")
        answer = await victim.come_back("acme", code="a-code", state=sent["state"])
        assert answer.status == 400
    sent = await begin_link(browser, alice.rest)
    await alice.rest.post("/auth/logout")
    hostile.claims = {"nonce": sent["nonce"], "sub": "alice at acme"}
    answer = await browser.come_back("acme", code="a-code", state=sent["state"])
    assert answer.status == 400


async def test_account_at_a_provider_has_one_account_here(
    browser: Browser, people: World, hostile: HostileProvider
) -> None:
    alice, bob = await people.people("alice", "bob")
    assert (await link(browser, alice.rest, hostile, sub="shared")).status == 303
    assert (await link(browser, alice.rest, hostile, sub="shared")).status == 303
    taken = await link(browser, bob.rest, hostile, sub="shared")
    assert (taken.status, b"linked with another account" in taken.raw) == (400, True)
    second = await link(browser, alice.rest, hostile, sub="a second one")
    assert second.status == 400
    assert await links_of(bob.rest) == []


async def test_link_that_ends_during_a_login(
    browser: Browser, people: World, hostile: HostileProvider
) -> None:
    alice, bob = await people.people("alice", "bob")
    for other in (None, bob):
        assert (await link(browser, alice.rest, hostile, sub="moving")).status == 303
        pending = await browser.log_in(hostile, "acme", sub="moving")
        assert (await alice.rest.call("DELETE", "/users/@me/oidc/acme", _PROOF)).status == 204
        if other is not None:
            assert (await link(browser, other.rest, hostile, sub="moving")).status == 303
        assert error_of(await browser.exchange(pending)) == (400, "LOGIN_EXPIRED")


async def test_last_way_to_log_in_stays(
    browser: Browser, people: World, hostile: HostileProvider
) -> None:
    rest = as_caller(people, await browser.tokens(hostile, "acme", **person("ida")))
    assert (await rest.get("/users/@me/oidc"))["has_password"] is False
    answer = await rest.call("DELETE", "/users/@me/oidc/acme")
    assert error_of(answer) == (400, "LAST_WAY_TO_LOG_IN")
    assert await links_of(rest) == ["acme"]
    body = {"new_password": "short"}
    assert (await rest.call("POST", "/users/@me/password", body)).status == 400
    body = {"new_password": _NEW}
    assert (await rest.call("POST", "/users/@me/password", body)).status == 204
    again = await rest.call("POST", "/users/@me/password", body)
    assert error_of(again) == (400, "PASSWORD_EXISTS")
    login = {"login": "ida@acme.example", "password": _NEW}
    await people.anonymous.post("/auth/login", login)
    assert (await rest.call("DELETE", "/users/@me/oidc/acme", {"password": _NEW})).status == 204


async def test_first_password_revokes_links_of_mails(
    browser: Browser, people: World, site: Server, hostile: HostileProvider
) -> None:
    tokens = await browser.tokens(hostile, "acme", **person("ines"))
    token = MailToken(new_id(), UserId(int(tokens["user"]["id"])), "ines@acme.example", None)
    async with site.runner.app[DEPENDENCIES].database.cursor() as cur:
        await mail_tokens.insert(cur, TokenPurpose.RESET, token, lifetime_s=60)
    await as_caller(people, tokens).post("/users/@me/password", {"new_password": _NEW})
    async with site.runner.app[DEPENDENCIES].database.cursor() as cur:
        assert await mail_tokens.get(cur, TokenPurpose.RESET, token.id) is None


async def test_old_login_proves_nothing(
    browser: Browser, people: World, hostile: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = as_caller(people, await browser.tokens(hostile, "acme", **person("olga")))
    monkeypatch.setattr(first_password, "_RECENT", -first_password._RECENT)
    for method, path in (
        ("POST", "/users/@me/password"),
        ("POST", "/users/@me/oidc/other"),
        ("DELETE", "/users/@me/oidc/acme"),
    ):
        answer = await rest.call(method, path, {"new_password": _NEW})
        assert error_of(answer) == (400, "LOGIN_TOO_OLD"), path


async def test_account_with_a_password_has_a_first_one(people: World) -> None:
    alice: Person = await people.person("alice")
    body = {"new_password": _NEW}
    assert (await alice.rest.call("POST", "/users/@me/password", body)).status == 400
    assert (await alice.rest.get("/users/@me/oidc"))["has_password"] is True


async def test_password_of_a_new_account_is_unknown(
    browser: Browser, people: World, hostile: HostileProvider
) -> None:
    tokens = await browser.tokens(hostile, "acme", **person("rita"))
    rest = as_caller(people, tokens)
    for body in ({"email": "x@example.org", "password": _NEW}, {"new_password": _NEW}):
        assert (await rest.call("PATCH", "/users/@me", body)).status == 400
    assert (await rest.call("POST", "/users/@me/delete", {"password": ""})).status == 400
