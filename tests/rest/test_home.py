"""The page at `/`: what the server is, whether it is ready, and links."""

from __future__ import annotations

from chatd import __version__
from chatd.rest.routing import PREFIXES
from tests.conftest import ServeMore
from tests.helpers.html import ParsedPage
from tests.world import World, world_on


async def test_page_shows_version_status_and_links(world: World) -> None:
    answer = await world.anonymous.call("GET", "/")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    page = ParsedPage(answer.raw.decode())
    assert f"chatd {__version__}" in page.text
    assert "The server is ready." in page.text
    assert f"curl -X POST {world.url}/auth/register" in page.text
    assert "discord.py" in page.text and "README" in page.text
    assert not page.tags & {"script", "style"}
    for link in {*page.links, *page.sources}:
        assert (await world.anonymous.call("GET", f"/{link.partition('#')[0]}")).status == 200, link


async def test_json_is_served_on_request(world: World) -> None:
    answer = await world.anonymous.call("GET", "/", headers={"Accept": "application/json"})
    assert answer.json == {
        "name": "chatd",
        "version": __version__,
        "status": "ok",
        "docs": "/docs",
        "openapi": "/openapi.json",
    }
    browser = {"Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"}
    answer = await world.anonymous.call("GET", "/", headers=browser)
    assert answer.headers["Content-Type"].startswith("text/html")


async def test_head_response_has_no_body(world: World) -> None:
    answer = await world.anonymous.call("HEAD", "/")
    assert (answer.status, answer.raw) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


async def test_only_the_root_has_a_page(world: World) -> None:
    for prefix in PREFIXES[1:]:
        for path in (prefix, f"{prefix}/"):
            answer = await world.anonymous.call("GET", path)
            assert (answer.status, answer.code) == (404, 0), path
    answer = await world.anonymous.call("POST", "/")
    assert (answer.status, answer.code) == (405, 0)


async def test_host_is_escaped(world: World) -> None:
    answer = await world.anonymous.call("GET", "/", headers={"Host": "a<b>.example"})
    assert b"<b>" not in answer.raw


async def test_registration_policy_is_shown(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=6, registration="invitation") as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        assert b"<code>invitation</code>" in (await world.anonymous.call("GET", "/")).raw
