"""CORS: which pages may call the API from a browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from chatd.rest.routing import PREFIXES, Route
from chatd.rest.table import table
from tests.conftest import ServeMore
from tests.helpers.raw_http import raw_response
from tests.helpers.walk import walk
from tests.world import Answer, World, world_on

OURS = "https://chat.example.org"
THEIRS = "https://evil.example.org"


@pytest.fixture(scope="module")
async def allowing(serve_more: ServeMore) -> AsyncIterator[World]:
    """Users of a server that allows one origin."""
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
    return await world.anonymous.call("OPTIONS", path, headers=headers)


def allowed(answer: Answer) -> str | None:
    return answer.headers.get("Access-Control-Allow-Origin")


@walk("prefix", PREFIXES)
@walk("route", table())
async def test_preflights_need_no_token(allowing: World, prefix: str, route: Route) -> None:
    path = prefix + re.sub(r"\{\w+\}", "1", route.path)
    answer = await preflight(allowing, path, OURS, route.method)
    assert answer.status == 200, answer.raw
    assert allowed(answer) == OURS
    assert answer.headers["Access-Control-Allow-Methods"] == route.method
    names = answer.headers["Access-Control-Allow-Headers"].lower().split(",")
    assert set(names) == {"authorization", "content-type", "x-audit-log-reason"}
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


async def test_allowed_origin_can_read_responses_and_errors(allowing: World) -> None:
    alice = await allowing.person("alice")
    for rest, status in ((alice.rest, 200), (allowing.anonymous, 401)):
        answer = await rest.call("GET", "/api/v10/users/@me", headers={"Origin": OURS})
        assert (answer.status, allowed(answer)) == (status, OURS)
        exposed = answer.headers["Access-Control-Expose-Headers"].split(",")
        assert {"X-RateLimit-Remaining", "Retry-After", "X-Request-Id"} <= set(exposed)
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v10/nowhere", 404),
        ("POST", "/", 405),
        ("PUT", "/users/@me/guilds", 405),
        ("GET", "/guilds/x", 401),
        ("POST", "/auth/login", 400),
    ],
)
async def test_page_can_read_every_error(
    allowing: World, method: str, path: str, status: int
) -> None:
    assert (await preflight(allowing, path, OURS, method)).status == 200
    answer = await allowing.anonymous.call(method, path, headers={"Origin": OURS})
    assert (answer.status, allowed(answer)) == (status, OURS)
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


async def test_request_to_options_without_preflight_headers_is_refused(allowing: World) -> None:
    for path, status in (("/users/@me", 405), ("/nowhere", 404)):
        answer = await allowing.anonymous.call("OPTIONS", path, headers={"Origin": OURS})
        assert (answer.status, allowed(answer)) == (status, OURS)


@pytest.mark.parametrize("origin", [THEIRS, OURS + ":8443", "http://chat.example.org", "null", ""])
async def test_other_origin_can_read_nothing(allowing: World, origin: str) -> None:
    assert (await preflight(allowing, "/users/@me", origin, "GET")).status == 403
    alice = await allowing.person("alice")
    answer = await alice.rest.call("GET", "/users/@me", headers={"Origin": origin})
    assert allowed(answer) is None


async def test_gateway_address_is_available_to_pages(allowing: World) -> None:
    answer = await allowing.anonymous.call("GET", "/gateway", headers={"Origin": OURS})
    assert allowed(answer) == OURS


async def test_websocket_is_accepted_from_any_origin(allowing: World) -> None:
    alice = await allowing.person("alice")
    client = await allowing.socket(origin=THEIRS)
    await client.identify(alice.token)


async def test_wildcard_allows_any_origin(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=8, cors_origins=("*",)) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        assert allowed(await preflight(world, "/guilds", THEIRS, "POST")) == THEIRS
        answer = await world.anonymous.call("GET", "/health", headers={"Origin": THEIRS})
        assert allowed(answer) == THEIRS
        assert "Access-Control-Allow-Credentials" not in answer.headers
        expected = await world.anonymous.call("GET", "/health", headers={"Origin": "null"})
        assert allowed(expected) == "null"


@pytest.mark.parametrize("origin", [b"\xff\xfe", "https://ex\u00e4mple.org".encode(), b"a\tb"])
async def test_odd_origin_gets_an_answer(serve_more: ServeMore, origin: bytes) -> None:
    async with serve_more(worker_id=8, cors_origins=("*",)) as server:
        for method, status in ((b"GET", b"200"), (b"OPTIONS", b"405")):
            head = await raw_response(
                server,
                method + b" /health HTTP/1.1\r\nHost: x\r\nOrigin: " + origin + b"\r\n"
                b"Access-Control-Request-Method: GET\r\n\r\n",
            )
            assert head.startswith(b"HTTP/1.1 " + status)
            assert b"Access-Control-Allow-Origin" not in head


async def test_only_named_origins_may_send_credentials(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=8, cors_origins=("*", OURS)) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        for origin, expected in ((OURS, "true"), (THEIRS, None)):
            for answer in (
                await preflight(world, "/guilds", origin, "POST"),
                await world.anonymous.call("GET", "/nowhere", headers={"Origin": origin}),
            ):
                assert allowed(answer) == origin
                assert answer.headers.get("Access-Control-Allow-Credentials") == expected


async def test_cors_is_off_by_default(world: World) -> None:
    answer = await preflight(world, "/guilds", OURS, "POST")
    assert answer.status == 405
    answer = await world.anonymous.call("GET", "/health", headers={"Origin": OURS})
    assert allowed(answer) is None
    assert "Vary" not in answer.headers
