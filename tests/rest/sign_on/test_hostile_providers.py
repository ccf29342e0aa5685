"""Single sign-on with providers that fail, lie, or send wrong tokens."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from chatd.auth.oidc import provider as provider_module
from tests.conftest import Server
from tests.helpers.hostile_provider import HostileProvider, new_key
from tests.helpers.sign_on import HTML, Browser, person, query_of

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
