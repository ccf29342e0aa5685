"""Two tabs of the web client in one browser."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, Request, expect

from tests.conftest import Server
from tests.helpers.browser import needs_chromium
from tests.helpers.web_client import client_of
from tests.world import World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

_WITHOUT_LOCKS = "Object.defineProperty(navigator, 'locks', {value: undefined});"
"""Browsers have locks on https only."""

_EXPIRE = """() => {
    const login = JSON.parse(localStorage.getItem("chatd.login"));
    localStorage.setItem("chatd.login", JSON.stringify({...login, expires: 0}));
}"""

_ASK = """async () => {
    const base = document.querySelector("script[type=module]").src.replace("main.js", "");
    const {rest} = await import(base + "net/session.js");
    return (await rest.get("/users/@me")).id;
}"""


async def test_one_tab_refreshes_the_login_also_without_locks(
    web: Server, web_world: World, problems: list[str]
) -> None:
    bob = await web_world.person("bob")
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/auth/refresh"):
            sent.append(request.url)

    async with client_of(bob, f"{web.url}/app/@me", problems) as page:
        await page.context.add_init_script(_WITHOUT_LOCKS)  # of all tabs
        await page.reload()
        tabs: list[Page] = [page, await page.context.new_page(), await page.context.new_page()]
        for tab in tabs:
            tab.on("request", note)
            await tab.goto(f"{web.url}/app/@me")
            await tab.get_by_role("heading", name="Friends", exact=True).wait_for()
        for _ in range(3):
            sent.clear()
            await page.evaluate(_EXPIRE)
            async with asyncio.timeout(30):
                answers = await asyncio.gather(*(tab.evaluate(_ASK) for tab in tabs))
            assert answers == [bob.id] * 3
            assert len(sent) == 1
        await expect(page.get_by_role("dialog")).to_be_hidden()
