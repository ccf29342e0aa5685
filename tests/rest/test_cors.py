"""CORS: which pages may call the API from a browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from chatd.rest import routes
from tests.conftest import ServeMore
from tests.world import Answer, World, world_on

OURS = "https://chat.example.org"
THEIRS = "https://evil.example.org"


@pytest.fixture(scope="module")
async def allowing(serve_more: ServeMore) -> AsyncIterator[World]:
    """People on a server that one origin may use."""
    async with (
        serve_more(worker_id=7, cors_origins=(OURS,)) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        yield world


async def preflight(world: World, path: str, origin: str, method: str) -> Answer:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,x-audit-log-reason",
    }
    return await world.nobody.call("OPTIONS", path, headers=headers)


def allowed(answer: Answer) -> str | None:
    return answer.headers.get("Access-Control-Allow-Origin")


@pytest.mark.parametrize("prefix", routes.PREFIXES)
@pytest.mark.parametrize("route", routes.table(), ids=lambda route: route.method + route.path)
async def test_every_route_answers_preflights_without_a_token(
    allowing: World, prefix: str, route: routes.Route
) -> None:
    path = prefix + re.sub(r"\{\w+\}", "1", route.path)
    answer = await preflight(allowing, path, OURS, route.method)
    assert answer.status == 200, answer.raw
    assert allowed(answer) == OURS
    assert answer.headers["Access-Control-Allow-Methods"] == route.method
    names = answer.headers["Access-Control-Allow-Headers"].lower().split(",")
    assert set(names) == {"authorization", "content-type", "x-audit-log-reason"}
    assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_an_allowed_origin_reads_answers_and_refusals(allowing: World) -> None:
    alice = await allowing.person("alice")
    for rest, status in ((alice.rest, 200), (allowing.nobody, 401)):
        answer = await rest.call("GET", "/api/v10/users/@me", headers={"Origin": OURS})
        assert (answer.status, allowed(answer)) == (status, OURS)
        exposed = answer.headers["Access-Control-Expose-Headers"].split(",")
        assert {"X-RateLimit-Remaining", "Retry-After", "X-Request-Id"} <= set(exposed)
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", [THEIRS, OURS + ":8443", "http://chat.example.org", "null", ""])
async def test_a_foreign_origin_reads_nothing(allowing: World, origin: str) -> None:
    assert (await preflight(allowing, "/users/@me", origin, "GET")).status == 403
    alice = await allowing.person("alice")
    answer = await alice.rest.call("GET", "/users/@me", headers={"Origin": origin})
    assert allowed(answer) is None


async def test_the_address_of_the_gateway_is_for_pages_too(allowing: World) -> None:
    answer = await allowing.nobody.call("GET", "/gateway", headers={"Origin": OURS})
    assert allowed(answer) == OURS


async def test_a_socket_may_come_from_any_page(allowing: World) -> None:
    alice = await allowing.person("alice")
    client = await allowing.socket(origin=THEIRS)
    await client.identify(alice.token)


async def test_any_origin(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=8, cors_origins=("*",)) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        assert allowed(await preflight(world, "/guilds", THEIRS, "POST")) == THEIRS
        answer = await world.nobody.call("GET", "/health", headers={"Origin": THEIRS})
        assert allowed(answer) == THEIRS
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_without_the_setting_there_is_none(world: World) -> None:
    answer = await preflight(world, "/guilds", OURS, "POST")
    assert answer.status == 405
    answer = await world.nobody.call("GET", "/health", headers={"Origin": OURS})
    assert allowed(answer) is None
    assert "Vary" not in answer.headers
