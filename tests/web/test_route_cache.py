"""The cache of routes: it finds what aiohttp finds, whatever was requested before."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from aiohttp.typedefs import Handler
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatd.rest import table
from chatd.rest.routing import PREFIXES
from chatd.web import route_cache
from chatd.web.route_cache import RouteCache, RouteMiddleware
from tests.helpers.raw_http import filled_path
from tests.helpers.walk import walk

Found = tuple[Any, ...]

_MOCKED = make_mocked_request("GET", "/")


def _request(method: str, path: str) -> web.Request:
    """Return a request, for a tenth of the time of mocking another one."""
    return _MOCKED.clone(method=method, rel_url=path)


class Recorder:
    """An application whose middlewares record the route of each request instead of serving it."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        app = web.Application(middlewares=[self._outer(), self._inner()])
        table.add_to(app)
        app.freeze()
        self.app = app
        self.searches = 0
        self._find = app._handle
        self.cache = RouteCache(app, self._counted)

    async def _counted(self, request: web.BaseRequest) -> web.StreamResponse:
        self.searches += 1
        assert isinstance(request, web.Request)
        return await self._find(request)

    def _outer(self) -> Any:
        @web.middleware
        async def outer(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.found.append(("outer",))
            return await handler(request)

        return outer

    def _inner(self) -> Any:
        @web.middleware
        async def inner(request: web.Request, handler: Handler) -> web.StreamResponse:
            match = request.match_info
            assert request.app is self.app
            route = match.route
            failed = None if match.http_exception is None else match.http_exception.status
            self.found.append((dict(match), failed, match.apps, route.method))
            if failed is None:
                self.found.append((route, match.handler, route.resource))
            return web.Response()

        return inner

    async def by_aiohttp(self, method: str, path: str) -> list[Found]:
        self.found.clear()
        await self._find(_request(method, path))
        return self.found.copy()

    async def by_cache(self, method: str, path: str) -> list[Found]:
        self.found.clear()
        await self.cache.handle(_request(method, path))
        return self.found.copy()


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return Recorder()


@walk("route", [f"{each.method} {each.path}" for each in table.table()])
async def test_route_is_that_of_aiohttp(recorder: Recorder, route: str) -> None:
    method, _, template = route.partition(" ")
    for prefix in (PREFIXES[0], PREFIXES[-1]):
        for value in ("123", "a%2Fb"):
            path = prefix + filled_path(template, value)
            expected = await recorder.by_aiohttp(method, path)
            first = await recorder.by_cache(method, path)
            searches = recorder.searches
            assert await recorder.by_cache(method, path + "?limit=1") == first == expected
            is_found = expected[1][1] is None
            assert recorder.searches == searches + (not is_found)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]),
            st.lists(
                st.sampled_from(
                    ["channels", "1", "2", "messages", "guilds", "@me", "users", "%6dessages", ""]
                ),
                max_size=4,
            ),
        ),
        max_size=8,
    )
)
async def test_requests_before_do_not_matter(
    recorder: Recorder, asked: list[tuple[str, list[str]]]
) -> None:
    recorder.cache._found.clear()
    for method, parts in asked + asked:
        path = "/" + "/".join(parts)
        expected = await recorder.by_aiohttp(method, path)
        assert await recorder.by_cache(method, path) == expected


async def test_cache_is_bounded(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route_cache, "_MAX_ROUTES", 10)
    recorder.cache._found.clear()
    for number in range(25):
        await recorder.by_cache("GET", f"/channels/{number}")
        assert len(recorder.cache._found) <= 10
    for path in (f"/channels/{'1' * 300}", "/nope", "/nope/1"):
        recorder.cache._found.clear()
        await recorder.by_cache("GET", path)
        assert not recorder.cache._found


class Binding(RouteMiddleware):
    """Records to which routes it was bound, and with which of them requests were handled."""

    def __init__(self) -> None:
        self.bound: list[Found] = []
        self.handled: list[Found] = []

    def bind(self, match: web.UrlMappingMatchInfo, method: str, handler: Handler) -> Handler:
        failed = None if match.http_exception is None else match.http_exception.status
        known = (method, dict(match), failed)
        self.bound.append(known)

        async def handle(request: web.Request) -> web.StreamResponse:
            assert request.match_info == match
            assert request.match_info.handler is match.handler
            assert request.app is match.current_app
            self.handled.append((request.method, request.match_info["name"], known))
            return await handler(request)

        return handle


async def test_middleware_is_bound_once_for_a_path() -> None:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.method} {request.match_info['name']}")

    binding = Binding()
    app = web.Application(middlewares=[binding])
    app.router.add_get("/hello/{name}", hello)
    app.freeze()
    by_aiohttp: Any = app._handle
    cache = RouteCache(app, by_aiohttp)

    async def answer(method: str, path: str) -> str:
        response = await cache.handle(make_mocked_request(method, path))
        assert isinstance(response, web.Response)
        return response.text or ""

    for _ in range(3):
        for method in ("GET", "HEAD"):
            for name in ("ada", "ben"):
                assert await answer(method, f"/hello/{name}?x=1") == f"{method} {name}"
    for method, name, known in binding.handled:
        assert known == (method, {"name": name}, None)
    # aiohttp handles the first request of each method and path, and the cache all others.
    assert len(binding.handled) == 12
    assert len(binding.bound) == 8


async def test_requests_of_a_path_share_a_frozen_match(recorder: Recorder) -> None:
    recorder.cache._found.clear()
    for _ in range(2):
        await recorder.by_cache("GET", "/channels/1")
    request = make_mocked_request("GET", "/channels/1")
    await recorder.cache.handle(request)
    [found] = recorder.cache._found.values()
    assert request.match_info is found.match
    with pytest.raises(RuntimeError):
        request.match_info.add_app(recorder.app)
