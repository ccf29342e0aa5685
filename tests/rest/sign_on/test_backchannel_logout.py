"""Back-channel logout: a provider ends logins by a token that works once."""

from __future__ import annotations

import time
from typing import Any

import pytest
from aiohttp import web

from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.hostile_provider import LOGOUT_EVENT, HostileProvider, sign
from tests.helpers.rest_client import Answer, Rest
from tests.helpers.sign_on import Browser, as_caller, person
from tests.world import World, world_on

_PATH = "/auth/oidc/acme/backchannel-logout"


async def send(rest: Rest, token: str, path: str = _PATH) -> Answer:
    """Send a logout token, as a provider does."""
    return await rest.call("POST", path, data={"logout_token": token})


async def is_valid(people: World, tokens: Any) -> bool:
    answer = await as_caller(people, tokens).call("GET", "/users/@me")
    return answer.status == 200


async def test_logout_ends_the_session_on_all_instances(
    browser: Browser, people: World, site: Server, hostile: HostileProvider, serve_more: ServeMore
) -> None:
    """Also an open gateway session of another instance ends at once."""
    first = await browser.tokens(hostile, "acme", **person("ada"), sid="session 1")
    second = await browser.tokens(hostile, "acme", **person("ada"), sid="session 2")
    async with (
        serve_more(worker_id=14, providers=site.config.providers) as another,
        world_on(another.url, another.gateway_url) as there,
    ):
        client = await there.socket()
        await client.identify(first["token"], intents=0)
        token = hostile.logout_token("acme", sub="sub of ada", sid="session 1")
        answer = await send(people.anonymous, token)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
        assert await client.closed() == 4004
    assert not await is_valid(people, first)
    assert await is_valid(people, second)
    token = hostile.logout_token("acme", sub="sub of ada")
    assert (await send(people.anonymous, token)).status == 200
    assert not await is_valid(people, second)


async def test_token_works_once(browser: Browser, people: World, hostile: HostileProvider) -> None:
    token = hostile.logout_token("acme", sub="sub of bea")
    assert (await send(people.anonymous, token)).status == 200
    tokens = await browser.tokens(hostile, "acme", **person("bea"))
    again = await send(people.anonymous, token)
    assert (again.status, again.json["message"]) == (400, "The logout token is not valid")
    assert await is_valid(people, tokens)


async def test_other_logins_stay(browser: Browser, people: World, hostile: HostileProvider) -> None:
    tokens = await browser.tokens(hostile, "acme", **person("cleo"), sid="s")
    rest = as_caller(people, tokens)
    password = "Correct horse, battery 7"
    await rest.post("/users/@me/password", {"new_password": password})
    body = {"login": "cleo@acme.example", "password": password}
    own = await people.anonymous.post("/auth/login", body)
    other = await browser.tokens(hostile, "acme", **person("dana"), sid="s of dana")
    assert (await send(people.anonymous, hostile.logout_token("acme", sid="s"))).status == 200
    assert not await is_valid(people, tokens)
    assert await is_valid(people, own)
    assert await is_valid(people, other)


async def test_login_without_a_session_ends_with_any_of_its_subject(
    browser: Browser, people: World, hostile: HostileProvider
) -> None:
    tokens = await browser.tokens(hostile, "acme", **person("emil"))
    token = hostile.logout_token("acme", sub="sub of emil", sid="unknown here")
    assert (await send(people.anonymous, token)).status == 200
    assert not await is_valid(people, tokens)


async def test_logout_ends_a_login_that_is_not_complete(
    browser: Browser, people: World, hostile: HostileProvider
) -> None:
    pending = await browser.log_in(hostile, "acme", **person("finn"), sid="f")
    assert (await send(people.anonymous, hostile.logout_token("acme", sid="f"))).status == 200
    assert (await browser.exchange(pending)).status == 400


NOW = int(time.time())
REFUSED: dict[str, dict[str, Any]] = {
    "of another issuer": {"iss": "https://evil.example"},
    "for another client": {"aud": "else"},
    "of an hour ago": {"iat": NOW - 3600},
    "from the future": {"iat": NOW + 3600},
    "without a time": {"iat": None},
    "that has expired": {"exp": NOW - 3600},
    "without an id": {"jti": None},
    "with a number as id": {"jti": 5},
    "without an event": {"events": None},
    "with another event": {"events": {"https://example.org/other": {}}},
    "with a list of events": {"events": [LOGOUT_EVENT]},
    "with a nonce": {"nonce": "x"},
    "about nobody": {"sub": None},
    "with a list as subject": {"sub": ["sub of gus"]},
    "with NUL in the session": {"sid": "a\0b"},
}


@pytest.mark.parametrize("name", REFUSED)
async def test_wrong_token_is_refused(people: World, hostile: HostileProvider, name: str) -> None:
    claims = {"sub": "sub of gus", **REFUSED[name]}
    answer = await send(people.anonymous, hostile.logout_token("acme", **claims))
    assert (answer.status, answer.json["message"]) == (400, "The logout token is not valid")


async def test_other_tokens_and_bodies_are_refused(
    browser: Browser, people: World, hostile: HostileProvider
) -> None:
    tokens = await browser.tokens(hostile, "acme", **person("hal"))
    good = hostile.logout_token("acme", sub="sub of hal")
    id_token = sign({"iss": f"{hostile.url}/acme", "aud": "chatd", "iat": NOW}, hostile.keys[0])
    rest = people.anonymous
    for wrong in (id_token, good[:-8] + "AAAAAAAA", "x", "a.b.c", "é", good.replace(".", "")):
        assert (await send(rest, wrong)).status == 400
    assert (await send(rest, good, "/auth/oidc/other/backchannel-logout")).status == 400
    assert (await send(rest, good, "/auth/oidc/unknown/backchannel-logout")).status == 404
    assert (await rest.call("POST", _PATH, {"logout_token": good})).status == 400
    assert (await rest.call("POST", _PATH, data={"other": "x"})).status == 400
    assert (await rest.call("POST", _PATH, data={"logout_token": "x" * 90_000})).status == 413
    assert await is_valid(people, tokens)
    assert (await send(rest, good)).status == 200


def _fail(_: web.Request) -> web.Response:
    return web.Response(status=500)


async def test_provider_that_is_away_can_log_out_by_keys_that_are_known(
    browser: Browser, people: World, hostile: HostileProvider, site: Server
) -> None:
    await browser.tokens(hostile, "acme", **person("ivo"))
    hostile.overrides["keys"] = hostile.overrides["openid-configuration"] = _fail
    token = hostile.logout_token("acme", sub="sub of ivo")
    assert (await send(people.anonymous, token)).status == 200
    for each in site.runner.app[DEPENDENCIES].providers:
        each.forget()  # as after a restart
    token = hostile.logout_token("acme", sub="sub of ivo")
    assert (await send(people.anonymous, token)).status == 503
