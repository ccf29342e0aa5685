"""Single sign-on: logins at providers, the accounts that they open, and what they refuse."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any

import aiohttp
import pytest

from chatd.auth.mail_tokens import new_id
from chatd.auth.oidc import provider as provider_module
from chatd.core.ids import UserId
from chatd.core.mail import TokenPurpose
from chatd.core.models import User
from chatd.queries import mail_tokens
from chatd.queries.mail_tokens import MailToken
from chatd.services.accounts import administration
from chatd.services.accounts.oidc import login
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.hostile_provider import SECRET, HostileProvider, new_key
from tests.helpers.mfa import CodeClock, enable_totp
from tests.helpers.openid_provider import OpenIdProvider
from tests.helpers.sign_on import HTML, Browser, as_caller, browsing_at, person, query_of
from tests.world import PASSWORD, Person, World, like


async def test_login_at_a_real_provider(
    browser: Browser, people: World, real: OpenIdProvider
) -> None:
    """Discovery, PKCE, code exchange, ID token, userinfo, and logout by a signed token."""
    begun = await browser.call("GET", "/auth/oidc/real/login")
    assert begun.headers["Location"].startswith(f"{real.url}/authorization?")
    async with aiohttp.ClientSession() as http:
        answer = await http.get(begun.headers["Location"], allow_redirects=False)
    back = answer.headers["Location"]
    assert back.startswith("http://chatd.test/auth/oidc/real/callback?")
    returned = await browser.come_back("real", **query_of(back))
    tokens = (await browser.exchange(returned)).json
    assert tokens["user"] == like(
        username="diana", email="diana@example.org", global_name="Diana K."
    )
    me = as_caller(people, tokens)
    assert (await me.get("/users/@me/oidc"))["links"][0] == like(name="real", label="real")
    form = {"data": {"logout_token": real.logout_token()}}
    path = "/auth/oidc/real/backchannel-logout"
    assert (await people.anonymous.call("POST", path, **form)).status == 200
    assert (await me.call("GET", "/users/@me")).status == 401


async def test_providers_are_listed(people: World) -> None:
    found = await people.anonymous.get("/auth/oidc")
    assert found["providers"][:2] == [
        {"name": "acme", "label": "Acme Inc."},
        {"name": "other", "label": "other"},
    ]


async def test_request_to_the_provider(browser: Browser, hostile: HostileProvider) -> None:
    answer = await browser.call("GET", "/auth/oidc/acme/login")
    url = answer.headers["Location"]
    assert url.startswith(f"{hostile.url}/acme/authorize?theme=dark&")
    sent = query_of(url)
    assert sent == like(
        response_type="code",
        client_id="chatd",
        redirect_uri="http://chatd.test/auth/oidc/acme/callback",
        scope="openid profile email",
        code_challenge_method="S256",
    )
    cookie = answer.headers["Set-Cookie"]
    assert all(each in cookie for each in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"))
    hostile.claims = {"nonce": sent["nonce"], **person("rosa")}
    await browser.come_back("acme", code="a-code", state=sent["state"])
    [form] = [form for last, form in hostile.requests if last == "token"]
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert sent["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert form == like(code="a-code", redirect_uri=sent["redirect_uri"])
    assert "client_secret" not in form  # it is in a header


async def test_secrets_are_not_logged(
    browser: Browser, hostile: HostileProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    hostile.userinfo = {"email": "quiet@acme.example"}
    sent = await browser.begin("acme")
    tokens = await browser.tokens(hostile, "acme", sub="quiet")
    hostile.overrides["token"] = lambda _: aiohttp.web.json_response(
        {"error": SECRET, "error_description": SECRET}, status=400
    )
    failed = await browser.log_in(hostile, "acme", sub="quiet")
    assert failed.status == 400
    secrets = [SECRET, "a-code", "quiet@", sent["state"], sent["nonce"], sent["code_challenge"]]
    secrets += [browser.cookies["chatd-oidc"], tokens["token"], tokens["access_token"]]
    assert "is refused" in caplog.text
    assert [each for each in secrets if each in caplog.text] == []


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


REFUSED: dict[str, dict[str, Any]] = {
    "of another issuer": {"iss": "https://evil.example"},
    "for another client": {"aud": "someone else"},
    "for several clients": {"aud": ["chatd", "someone else"]},
    "issued to another client": {"aud": ["chatd", "x"], "azp": "x"},
    "without an audience": {"aud": None},
    "expired": {"exp": 1},
    "without an end": {"exp": None},
    "from the future": {"iat": 2**40, "exp": 2**41},
    "with another nonce": {"nonce": "another"},
    "without a nonce": {"nonce": None},
    "with a list as nonce": {"nonce": ["x"]},
    "of another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "with a number as at_hash": {"at_hash": 5},
    "without a subject": {"sub": None},
    "with a number as subject": {"sub": 17},
    "with an empty subject": {"sub": ""},
    "with a long subject": {"sub": "s" * 256},
    "with NUL in the subject": {"sub": "a\0b"},
    "with a list as session": {"sid": []},
}


@pytest.mark.parametrize("name", REFUSED)
async def test_wrong_id_token_is_refused(
    browser: Browser, hostile: HostileProvider, name: str
) -> None:
    answer = await browser.log_in(hostile, "acme", **{**person("eve"), **REFUSED[name]})
    assert answer.status == 400
    assert b"not valid" in answer.raw
    assert "Location" not in answer.headers


async def test_right_id_token_of_several_clients(
    browser: Browser, hostile: HostileProvider
) -> None:
    claims = {**person("mia"), "aud": ["x", "chatd"], "azp": "chatd"}
    assert (await browser.log_in(hostile, "acme", **claims)).status == 303


async def test_state_works_once_in_one_browser_for_one_provider(
    browser: Browser, site: Server, hostile: HostileProvider
) -> None:
    sent = await browser.begin("acme")
    hostile.claims = {"nonce": sent["nonce"], **person("carl")}
    back = {"code": "a-code", "state": sent["state"]}
    async with browsing_at(site.url) as thief:
        await thief.begin("acme")  # it has a cookie of its own
        assert (await thief.come_back("acme", **back)).status == 400
    assert (await browser.come_back("other", **back)).status == 400
    assert (await browser.come_back("acme", code="a-code")).status == 400
    assert (await browser.come_back("acme", code="a-code", state="forged")).status == 400
    assert (await browser.come_back("acme", **back)).status == 303
    assert (await browser.come_back("acme", **back)).status == 400


async def test_attempt_on_several_instances(
    browser: Browser, site: Server, hostile: HostileProvider, serve_more: ServeMore
) -> None:
    """A balancer sends each request of a browser to another instance."""
    async with (
        serve_more(worker_id=16, providers=site.config.providers) as second,
        browsing_at(second.url) as there,
    ):
        sent = await browser.begin("acme")
        there.cookies = {"other": "x", **browser.cookies}
        hostile.claims = {"nonce": sent["nonce"], **person("two")}
        answer = await there.come_back("acme", code="a-code", state=sent["state"])
        assert (await browser.exchange(answer)).status == 200


@pytest.mark.parametrize("value", ["", "x", "a" * 44, "a" * 42 + "%"])
async def test_malformed_cookie_is_none(browser: Browser, value: str) -> None:
    browser.cookies = {"chatd-oidc": value}
    await browser.begin("acme")
    assert len(browser.cookies["chatd-oidc"]) == 43


async def test_attempts_in_two_tabs(browser: Browser, hostile: HostileProvider) -> None:
    tabs = [await browser.begin("acme"), await browser.begin("acme")]
    for name, sent in zip(("tab1", "tab2"), tabs, strict=True):
        hostile.claims = {"nonce": sent["nonce"], **person(name)}
        answer = await browser.come_back("acme", code="a-code", state=sent["state"])
        assert answer.status == 303


async def test_code_works_once_in_one_browser(
    browser: Browser, site: Server, hostile: HostileProvider
) -> None:
    answer = await browser.log_in(hostile, "acme", **person("lea"))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Location"].startswith("http://chatd.test/login#sso=")
    async with browsing_at(site.url) as thief:
        await thief.begin("acme")
        assert (await thief.exchange(answer)).status == 400
    assert (await browser.exchange(answer)).status == 200
    again = await browser.exchange(answer)
    assert (again.status, b"LOGIN_EXPIRED" in again.raw) == (400, True)


async def test_refusal_of_the_provider(browser: Browser, hostile: HostileProvider) -> None:
    sent = await browser.begin("acme")
    hostile_text = "<script>alert(1)</script>"
    answer = await browser.come_back(
        "acme", error=hostile_text, error_description=hostile_text, state=sent["state"]
    )
    assert answer.status == 403
    assert b"did not log you in" in answer.raw
    assert b"<script" not in answer.raw
    for last in ("token", "keys"):
        assert last not in [each for each, _ in hostile.requests]


async def test_answer_of_a_provider_that_always_names_itself(
    browser: Browser, hostile: HostileProvider
) -> None:
    document = hostile.metadata(f"{hostile.url}/acme")
    document["authorization_response_iss_parameter_supported"] = True
    hostile.overrides["openid-configuration"] = _json(200, document)
    for iss, status in (("", 400), (f"{hostile.url}/other", 400), (f"{hostile.url}/acme", 303)):
        sent = await browser.begin("acme")
        hostile.claims = {"nonce": sent["nonce"], **person("named")}
        answer = await browser.come_back("acme", code="c", state=sent["state"], iss=iss)
        assert answer.status == status


async def test_answer_of_another_issuer(browser: Browser, hostile: HostileProvider) -> None:
    sent = await browser.begin("acme")
    answer = await browser.come_back(
        "acme", code="x", state=sent["state"], iss="https://evil.example"
    )
    assert answer.status == 400
    assert "token" not in [each for each, _ in hostile.requests]


def _json(status: int, document: Any) -> Any:
    return lambda _: aiohttp.web.json_response(document, status=status)


def _bytes(content: bytes) -> Any:
    return lambda _: aiohttp.web.Response(body=content, content_type="application/json")


def _elsewhere(request: aiohttp.web.Request) -> aiohttp.web.Response:
    return aiohttp.web.Response(status=307, headers={"Location": "/acme/userinfo"})


FAULTS: dict[str, tuple[str, Any, int]] = {
    "refuses the code": ("token", _json(400, {"error": "invalid_grant"}), 400),
    "refuses with markup": ("token", _json(400, {"error": "<b>" * 999}), 400),
    "fails": ("token", _json(500, {}), 503),
    "answers no JSON": ("token", _bytes(b"<html>"), 503),
    "answers a list": ("token", _json(200, []), 503),
    "answers no tokens": ("token", _json(200, {"access_token": "x"}), 503),
    "answers numbers": ("token", _json(200, {"access_token": 1, "id_token": 2}), 503),
    "answers a broken access token": (
        "token",
        _json(200, {"access_token": "a\r\nb: c", "id_token": "x.y.z"}),
        503,
    ),
    "answers no token": ("token", _json(200, {"access_token": "a", "id_token": "x"}), 400),
    "nests deeply": ("token", _bytes(b"[" * 500_000), 503),
    "answers too much": ("token", _bytes(b" " * (2**20 + 1)), 503),
    "answers many values": ("token", _bytes(b"[" + b"1," * 200_000 + b"1]"), 503),
    "redirects": ("token", _elsewhere, 503),
    "has no keys": ("keys", _json(200, {"keys": []}), 503),
    "has broken keys": ("keys", _json(200, {"keys": [1, {"kty": "RSA", "n": 1}]}), 503),
    "hides its keys": ("keys", _json(403, {}), 503),
    "hides its metadata": ("openid-configuration", _json(404, {}), 503),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_fault_of_a_provider_is_an_error_page(
    browser: Browser, hostile: HostileProvider, site: Server, name: str
) -> None:
    last, answerer, status = FAULTS[name]
    hostile.overrides[last] = answerer
    answer = await browser.call("GET", "/auth/oidc/acme/login", headers=HTML)
    if last != "openid-configuration":
        sent = query_of(answer.headers["Location"])
        hostile.claims = {"nonce": sent["nonce"], **person("eve")}
        answer = await browser.come_back("acme", code="a-code", state=sent["state"])
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/html")


async def test_silent_provider_ends_in_an_error_page(
    browser: Browser, hostile: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = await browser.begin("acme")
    monkeypatch.setattr(provider_module, "_TIMEOUT_S", 0.1)
    release = asyncio.Event()

    async def stall() -> Any:
        await release.wait()
        return aiohttp.web.Response()

    hostile.overrides["token"] = lambda _: stall()
    answer = await browser.come_back("acme", code="a-code", state=sent["state"])
    release.set()
    assert answer.status == 503
    assert b"does not answer" in answer.raw


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://evil.example"},
    "a private address": {"token_endpoint": "http://127.0.0.1:1/token"},
    "a private address with https": {"token_endpoint": "https://127.0.0.1:1/token"},
    "the metadata service of a cloud": {"jwks_uri": "http://169.254.169.254/latest"},
    "a file": {"jwks_uri": "file:///etc/passwd"},
    "a page without encryption": {"authorization_endpoint": "http://x.example/authorize"},
    "a script": {"authorization_endpoint": "javascript:alert(1)"},
    "a line break": {"authorization_endpoint": "https://x.example/\r\nSet-Cookie: a=b"},
    "no endpoint": {"token_endpoint": None},
    "a number": {"authorization_endpoint": 5},
    "a user": {"authorization_endpoint": "https://a:b@x.example/"},
}


@pytest.mark.parametrize("name", LIES)
async def test_lying_metadata_is_refused(
    browser: Browser, hostile: HostileProvider, name: str
) -> None:
    document = hostile.metadata(f"{hostile.url}/acme") | LIES[name]
    hostile.overrides["openid-configuration"] = _json(200, document)
    answer = await browser.call("GET", "/auth/oidc/acme/login", headers=HTML)
    if answer.status == 303:  # requests to this endpoint fail, whatever listens there
        sent = query_of(answer.headers["Location"])
        answer = await browser.come_back("acme", code="a-code", state=sent["state"])
    assert answer.status == 503


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri", "userinfo_endpoint"])
async def test_lying_provider_reaches_no_internal_server(
    browser: Browser, hostile: HostileProvider, scheme: str, name: str
) -> None:
    """Also not another port of the provider's own host, where Redis may listen."""
    reached = 0

    def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal reached
        reached += 1
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as internal:
        port = internal.sockets[0].getsockname()[1]
        document = hostile.metadata(f"{hostile.url}/acme")
        document[name] = f"{scheme}://127.0.0.1:{port}/x"
        hostile.overrides["openid-configuration"] = _json(200, document)
        answer = await browser.call("GET", "/auth/oidc/acme/login", headers=HTML)
        if answer.status == 303:
            sent = query_of(answer.headers["Location"])
            hostile.claims = {"nonce": sent["nonce"], "sub": "without more claims"}
            answer = await browser.come_back("acme", code="a-code", state=sent["state"])
    assert (answer.status, reached) == (503, 0)


@pytest.mark.parametrize("kid", ["second", "first"])
async def test_new_key_is_fetched_once_a_minute(
    browser: Browser,
    hostile: HostileProvider,
    site: Server,
    monkeypatch: pytest.MonkeyPatch,
    kid: str,
) -> None:
    """Also one with the name of the old one, as a provider has that was installed again."""
    await browser.tokens(hostile, "acme", **person("kim"))
    hostile.keys[:] = [new_key(kid)]
    before = hostile.count("keys")
    answer = await browser.log_in(hostile, "acme", **person("kim"))
    assert answer.status == 400  # the keys were fetched less than a minute ago
    monkeypatch.setattr(provider_module, "_KEYS_EVERY_S", 0.0)
    await browser.tokens(hostile, "acme", **person("kim"))
    assert hostile.count("keys") == before + 1


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
    async with site.runner.app[DEPENDENCIES].database.cursor() as cur:
        await cur.execute("INSERT INTO registration_blocks (domain) VALUES ('spam.example')")
    claims = {**person("spam"), "email": "spam@mail.spam.example"}
    answer = await browser.log_in(hostile, "acme", **claims)
    assert (answer.status, b"mail domain" in answer.raw) == (403, True)


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


async def test_second_factor_of_the_provider(browser: Browser, hostile: HostileProvider) -> None:
    answer = await browser.log_in(hostile, "strict", **person("fred"), amr=["pwd"])
    assert (answer.status, b"second factor" in answer.raw) == (403, True)
    assert (await browser.log_in(hostile, "strict", **person("fred"), amr="mfa")).status == 403
    await browser.tokens(hostile, "strict", **person("fred"), amr=["pwd", "hwk"])


async def test_second_factor_of_the_account_is_not_asked_for(
    browser: Browser, people: World, hostile: HostileProvider, code_clock: CodeClock
) -> None:
    tokens = await browser.tokens(hostile, "acme", **person("tina"))
    rest = as_caller(people, tokens)
    assert (
        await rest.call("POST", "/users/@me/password", {"new_password": PASSWORD})
    ).status == 204
    tina = Person(tokens["user_id"], "tina", "tina@acme.example", "", "", rest)
    await enable_totp(tina, code_clock)
    again = await browser.tokens(hostile, "acme", **person("tina"))
    assert again["user"]["mfa_enabled"] is True
