"""Profiles of the browser that tests use in turn: none finds anything of the last one."""

from __future__ import annotations

import pytest
from playwright.async_api import Request

from tests.conftest import Server
from tests.helpers.browser import devtools, listen, needs_chromium
from tests.helpers.web_client import page_of

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

_LEAVE = """async () => {
    localStorage.setItem("left", "1");
    sessionStorage.setItem("left", "1");
    document.cookie = "left=1; path=/";
    await caches.open("left");
    await new Promise((resolve) => (indexedDB.open("left").onsuccess = resolve));
    window.left = 1;
    history.pushState(null, "", "/app/left");
}"""

_FOUND = """async () => [
    localStorage.length,
    sessionStorage.length,
    document.cookie,
    await caches.keys(),
    (await indexedDB.databases()).length,
    window.left ?? null,
    window.scripted ?? null,
    history.length,
    [innerWidth, innerHeight],
    ["dark", "light"].map((each) => matchMedia(`(prefers-color-scheme: ${each})`).matches),
    matchMedia("(prefers-reduced-motion: reduce)").matches,
    (await fetch("/health")).status,
    (await navigator.permissions.query({name: "geolocation"})).state,
]"""


async def test_profile_that_is_used_again_is_like_a_new_one(
    web: Server, problems: list[str]
) -> None:
    url = f"{web.url}/login"
    heard: list[str] = []

    def hear(request: Request) -> None:
        heard.append(request.url)

    async with page_of(url, problems) as page:
        new = await page.evaluate(_FOUND)
        await devtools(page)  # no other test gets it
    async with page_of(url, problems, script="window.scripted = 1", storage={"a": "b"}) as used:
        assert await used.evaluate("[window.scripted, localStorage.a]") == [1, "b"]
        await used.evaluate(_LEAVE)
        await used.route("**/health", lambda route: route.fulfill(status=418))
        await used.context.grant_permissions(["geolocation"])
        await used.emulate_media(color_scheme="dark", reduced_motion="reduce")
        await used.set_viewport_size({"width": 320, "height": 640})
        await used.context.new_page()
        listen(used, "request", hear)
        await used.context.set_offline(True)
    async with page_of(url, problems) as page:
        assert page is used
        heard.clear()
        assert await page.evaluate(_FOUND) == new
        assert page.context.pages == [page]
        assert heard == []


async def test_changed_profile_is_not_used_again(web: Server, problems: list[str]) -> None:
    url = f"{web.url}/login"
    async with page_of(url, problems) as first:
        await devtools(first)
    async with page_of(url, problems) as second:
        assert second is not first
