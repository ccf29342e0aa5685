"""The documentation page: complete, well formed, and loaded from one server."""

from __future__ import annotations

import re

import pytest

from chatd.rest import docs_page
from chatd.rest.routing import PREFIXES
from chatd.rest.table import table
from tests.helpers.html import ParsedPage
from tests.world import Answer, World


async def read(world: World, prefix: str = "") -> tuple[Answer, ParsedPage]:
    answer = await world.anonymous.call("GET", f"{prefix}/docs")
    assert answer.status == 200
    return answer, ParsedPage(answer.raw.decode())


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_page_is_public(world: World, prefix: str) -> None:
    answer, page = await read(world, prefix)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for route in table():
        assert f"{route.method} {route.path}" in page.text
    for source in page.sources:
        asset = await world.anonymous.call("GET", f"{prefix}/{source}")
        assert (asset.status, "immutable" in asset.headers["Cache-Control"]) == (200, True)
        assert asset.headers["X-Content-Type-Options"] == "nosniff"


async def test_page_is_self_contained(world: World) -> None:
    _, page = await read(world)
    assert "style" not in page.tags and "img" not in page.tags
    assert len(page.sources) == 2
    assert len(set(page.ids)) == len(page.ids)
    inside = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert inside <= set(page.ids)
    assert {link for link in page.links if not link.startswith("#")} == {"openapi.json"}


async def test_style_and_script_refer_to_no_other_server(world: World) -> None:
    for name in ("docs.css", "docs.js"):
        assert not re.search(rb"https?:|//[a-z]|@import|url\(|fetch\(|eval", docs_page.asset(name))


async def test_content_security_policy_allows_own_server_only(world: World) -> None:
    answer, _ = await read(world)
    assert set(answer.headers["Content-Security-Policy"].split("; ")) == {
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    }
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_page_is_the_same_without_gzip(world: World) -> None:
    plain = await world.anonymous.call("GET", "/docs", headers={"Accept-Encoding": "identity"})
    packed = await world.anonymous.call("GET", "/docs", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert plain.raw == packed.raw  # the client decompresses it


async def test_page_describes_all_parts_of_a_route(world: World) -> None:
    _, page = await read(world)
    for text in (
        "Requires: MANAGE_CHANNELS",
        "Limit: 5 requests in 5 s",
        "X-Audit-Log-Reason",
        "Send a message",
        'curl -X POST "$API/channels/',
        "Logging in",
        "Rate limits",
        "Close codes",
    ):
        assert text in page.text, text
    assert "`" not in page.text


async def test_page_lists_the_objects_that_a_body_can_be(world: World) -> None:
    answer, _ = await read(world)
    article = answer.raw.decode().partition('id="interactions.respond"')[2].partition("</article>")
    for name in ("MessageCallback", "DeferralCallback", "ModalCallback"):
        assert f'href="#object-{name}"' in article[0], name
