"""The page that describes the API: complete, well formed, and with nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from chatd.rest import routes
from tests.world import Answer, World

_VOID = {"meta"}
_MAY_STAY_OPEN = {"p", "li", "tr", "td", "th", "html", "body"}


class Page(HTMLParser):
    """The ids, the links and the text of a page; fails on tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in _VOID | _MAY_STAY_OPEN:
            self._open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on") and name not in ("style", "src")
            if name == "id":
                self.ids.append(value or "")
            elif name == "href":
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in _MAY_STAY_OPEN:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


async def read(world: World, prefix: str = "") -> tuple[Answer, Page]:
    answer = await world.nobody.call("GET", f"{prefix}/docs")
    assert answer.status == 200
    return answer, Page(answer.raw.decode())


@pytest.mark.parametrize("prefix", routes.PREFIXES)
async def test_anyone_may_read_it(world: World, prefix: str) -> None:
    answer, page = await read(world, prefix)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for route in routes.table():
        assert f"{route.method} {route.path}" in page.text


async def test_it_is_a_page_of_its_own(world: World) -> None:
    _, page = await read(world)
    assert "script" not in page.tags and "link" not in page.tags and "img" not in page.tags
    assert len(set(page.ids)) == len(page.ids)
    inside = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert inside <= set(page.ids)
    assert {link for link in page.links if not link.startswith("#")} == {"openapi.json"}


async def test_its_policy_lets_in_its_own_style_and_nothing_else(world: World) -> None:
    answer, _ = await read(world)
    policy = answer.headers["Content-Security-Policy"].split("; ")
    [style] = re.findall(rb"<style>(.*?)</style>", answer.raw, re.S)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert set(policy) == {
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    }
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_what_can_be_known_of_a_route_is_there(world: World) -> None:
    _, page = await read(world)
    for text in ("Who may: MANAGE_CHANNELS.", "X-Audit-Log-Reason", "Write a message."):
        assert text in page.text, text


async def test_nothing_is_said_twice(world: World) -> None:
    _, page = await read(world)
    for text in ("Whether the process lives.", "Write a message.", "Make an account and log in."):
        assert page.text.count(text) == 1, text
    assert "`" not in page.text
