"""Single sign-on: the steps of a login, in one browser or several, and second factors."""

from __future__ import annotations

import base64
import hashlib

import aiohttp
import pytest

from tests.conftest import ServeMore, Server
from tests.helpers.hostile_provider import SECRET, HostileProvider
from tests.helpers.mfa import CodeClock, enable_totp
from tests.helpers.openid_provider import OpenIdProvider
from tests.helpers.sign_on import Browser, as_caller, browsing_at, person, query_of
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
