"""What the web client does with hostile texts, and with answers and events that are broken."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from playwright.async_api import Page, Route, ViewportSize, expect

from tests.conftest import Server
from tests.helpers.accounts import administrator
from tests.helpers.browser import listen, needs_chromium
from tests.helpers.hostile_scene import FORM, MARKUP, HostileScene
from tests.helpers.web_client import client_of, message, send, stored_message, write
from tests.world import World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

_NAMES_OF_OBJECTS = ("constructor", "__proto__", "toString")
"""Names that every object of JavaScript has."""

_SLOW = 16
"""Messages that took a page seconds each, so that it did not become usable in a minute."""

WIDE: Final[ViewportSize] = {"width": 1280, "height": 800}
NARROW: Final[ViewportSize] = {"width": 320, "height": 640}

_OPEN_FORM = """async (form) => {
    const base = document.querySelector("script[type=module]").src.replace("main.js", "");
    const {modals} = await import(base + "view/messages/ui.js");
    modals.value = [form];
}"""

_OPEN_DETAILS = """() => {
    for (const each of document.querySelectorAll("dialog details")) each.open = true;
}"""

_EVENTS = """async (events) => {
    const base = document.querySelector("script[type=module]").src.replace("main.js", "");
    const {enqueue} = await import(base + "state/store.js");
    for (const each of events) enqueue(each);
}"""

_GO = """async (path) => {
    const base = document.querySelector("script[type=module]").src.replace("main.js", "");
    const {go} = await import(base + "view/route.js");
    go(path);
}"""

_TEXT = """async (args) => {
    const base = document.querySelector("script[type=module]").src.replace("main.js", "");
    const {t} = await import(base + "lang/translate.js");
    return t("invited-by", args);
}"""


async def test_hostile_messages_leave_the_page_usable(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    general = guild.general.id
    link = f"{web.url}/app/constructor/toString"
    for _ in range(_SLOW):
        await send(web_world, general, "```" + "\n" * 1990 + "a")  # took cubic time
        await send(web_world, general, "<t:1:R>" * 280)
    for name in _NAMES_OF_OBJECTS:
        await send(web_world, general, f"```{name}\n{name} is no language\n```")
    await send(web_world, general, "```py\n\n\nwith empty lines\n\n\n```")
    await send(web_world, general, f"[a link]({link})")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{general}", problems) as page:
        for name in _NAMES_OF_OBJECTS:
            await page.locator("code", has_text=f"{name} is no").wait_for()
        await expect(page.locator("code", has_text="with empty")).to_have_text("with empty lines")
        await page.get_by_role("link", name="a link").click()
        await page.get_by_role("heading", name="Friends").wait_for()

        # Addresses that anyone could have written.
        shown = page.get_by_role("heading", name="Friends").or_(message(page, "a link"))
        for name in _NAMES_OF_OBJECTS:
            for path in (f"/app/{name}", f"/app/@me/{name}", f"/app/{guild.id}/{name}"):
                await page.evaluate(_GO, path)
                await shown.wait_for()
        await page.evaluate(_GO, f"/app/{guild.id}/{general}")
        await write(page, "still here")
        await stored_message(page, "still here").wait_for()


async def test_broken_events_and_answers_spoil_nothing_else(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    general = guild.general.id
    before = await send(web_world, general, "before")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{general}", problems) as page:
        await message(page, "before").wait_for()
        # An event that cannot be reduced does not take the others with it.
        later = str(int(before["id"]) + 1)
        unshown = {**before, "id": str(int(before["id"]) + 2), "attachments": None}
        await page.evaluate(
            _EVENTS,
            [
                {"type": "MESSAGE_CREATE", "data": {**before, "author": None}},
                {"type": "MESSAGE_CREATE", "data": {**before, "id": later, "content": "a second"}},
                {"type": "MESSAGE_CREATE", "data": unshown},
            ],
        )
        await message(page, "a second").wait_for()
        await page.get_by_text("cannot be shown because of a fault").wait_for()
        assert len(problems) == 2, problems
        problems.clear()
        await page.evaluate(
            _EVENTS, [{"type": "MESSAGE_UPDATE", "data": {**unshown, "attachments": []}}]
        )
        await expect(page.get_by_text("cannot be shown because of a fault")).to_be_hidden()

        # A text lacks a value: it is shown without it.
        assert "by" in await page.evaluate(_TEXT, {"name": None})

        # A proxy answers with a page of its own, and the status of success.
        async with answering_with_a_page(page):
            await page.get_by_role("button", name="Pinned messages").click()
            await page.get_by_text("The server has a problem").wait_for()
        await page.get_by_role("button", name="Try again").click()
        await expect(page.get_by_text("The server has a problem")).to_be_hidden()


@asynccontextmanager
async def answering_with_a_page(page: Page) -> AsyncIterator[None]:
    """Answer requests to the API with HTML."""

    async def answer(route: Route) -> None:
        await route.fulfill(status=200, content_type="text/html", body="<h1>Sorry</h1>")

    await page.route("**/api/v10/**", answer)
    yield
    await page.unroute("**/api/v10/**", answer)


_STATE = """() => {
    const found = [];
    if (window.hacked !== undefined) found.push("a script has run");
    const foreign = "#app script, #app iframe, img[src=x], [onerror], a[href^=javascript i]";
    for (const each of document.querySelectorAll(foreign)) found.push(each.outerHTML);
    for (const each of document.querySelectorAll(".failed")) found.push(each.textContent);
    if (document.body.innerText.includes("49$")) found.push("a template was evaluated");
    if (document.scrollingElement.scrollWidth > innerWidth) found.push("the page is too wide");
    const scrolls = (each) =>
        each !== null &&
        (/auto|scroll/.test(getComputedStyle(each).overflowX) || scrolls(each.parentElement));
    for (const each of document.querySelectorAll("button, a, input, select, textarea, h1, h2")) {
        const {left, right, width, height} = each.getBoundingClientRect();
        if (width * height < 4 || (left >= -1 && right <= innerWidth + 1)) continue;
        if (!each.checkVisibility({visibilityProperty: true})) continue;
        if (scrolls(each.parentElement)) continue;
        found.push(`${left} to ${right}: ${each.outerHTML.slice(0, 200)}`);
    }
    return found;
}"""
"""What a hostile text has done to the page. Nothing that users need may be beside the window."""


class HostileWalk:
    """Visits views, and collects what is wrong with each in a narrow window."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []

    async def check(self, name: str) -> None:
        await self.page.set_viewport_size(NARROW)
        await self.page.evaluate("document.fonts.ready")
        self.found += [f"{name}: {each}" for each in await self.page.evaluate(_STATE)]
        await self.page.set_viewport_size(WIDE)


async def test_hostile_texts_are_shown_as_texts_everywhere(
    web: Server, web_world: World, problems: list[str]
) -> None:
    ada = await administrator(web, web_world, "ada")
    guild = await web_world.guild(owner="ada", members=["bob", "carol", "dan"])
    scene = HostileScene(web_world, ada, guild)
    await scene.build()
    address = f"{web.url}/app/{guild.id}/{guild.general.id}"
    async with client_of(ada, address, problems, viewport=WIDE) as page:
        listen(page, "dialog", lambda each: problems.append(each.message))
        walk = HostileWalk(page)
        await visit_channel(walk, scene)
        await visit_guild_settings(walk, scene)
        await visit_pages(walk, scene, web.url)
    assert walk.found == [], "\n".join(walk.found)


async def visit_channel(walk: HostileWalk, scene: HostileScene) -> None:
    """Visit a channel, and what opens in it and beside it."""
    page = walk.page
    await page.locator(".message", has_text=MARKUP).first.wait_for()
    await page.locator(".file", has_text=".exe").wait_for()
    assert "\u202e" not in await page.locator(".file", has_text=".exe").inner_text()
    await page.locator("select").first.wait_for()
    await walk.check("channel")
    for name in ("Members", "Pinned messages", "Search"):
        panel = page.get_by_role("complementary", name=name)
        if name != "Members":  # which are shown from the start
            await page.get_by_role("button", name=name, exact=True).click()
        await panel.wait_for()
        if name == "Search":
            await panel.get_by_role("searchbox").fill("WWW")
            await panel.get_by_role("searchbox").press("Enter")
            await panel.get_by_text("Filters").click()
        await expect(panel.get_by_text(MARKUP[:20]).first).to_be_attached()
        await walk.check(name)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Members", exact=True).click()  # they cover the rest
    first = page.locator(".message", has_text=MARKUP).first
    await page.set_viewport_size(NARROW)
    for open_view in (
        first.locator(".author button"),
        first.get_by_role("button", name="More"),
    ):
        await first.hover()
        await open_view.click()
        await page.locator(".popover").wait_for()
        walk.found += [f"popover: {each}" for each in await page.evaluate(_STATE)]
        await page.keyboard.press("Escape")
    await page.set_viewport_size(WIDE)
    await first.focus()
    await page.keyboard.press("r")
    await page.get_by_role("textbox", name="Write a message").fill(MARKUP)
    await walk.check("reply")
    await first.focus()
    await page.keyboard.press("Delete")
    await page.get_by_role("dialog").wait_for()
    await walk.check("deletion")
    await page.keyboard.press("Escape")
    await page.locator("a.picture img").first.click()
    await page.locator("dialog.lightbox").wait_for()
    await walk.check("picture")
    await page.keyboard.press("Escape")
    await page.evaluate(_OPEN_FORM, FORM)
    await page.get_by_role("dialog").wait_for()
    await walk.check("form")
    await page.keyboard.press("Escape")


async def visit_guild_settings(walk: HostileWalk, scene: HostileScene) -> None:
    """Visit the menu, the settings of the guild, and those of its channel."""
    page = walk.page
    await page.get_by_role("button", name="Server menu").click()
    await page.get_by_role("menuitem", name="Server settings").click()
    sections = page.get_by_role("navigation", name="Sections").get_by_role("button")
    await sections.first.wait_for()
    for name in await sections.all_inner_texts():
        await sections.filter(has_text=re.compile(f"^{re.escape(name)}$")).click()
        await expect(page.get_by_role("dialog").get_by_text("Loading")).to_have_count(0)
        await page.evaluate(_OPEN_DETAILS)
        await walk.check(f"settings of the guild, {name}")
    await page.keyboard.press("Escape")
    await page.locator("a.channel").last.click(button="right")
    await page.get_by_role("menuitem", name="Edit channel").click()
    await page.get_by_role("dialog").get_by_role("button", name="Permissions").click()
    await page.get_by_role("dialog").get_by_role("row").first.wait_for()
    await walk.check("permissions of a channel")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Server menu").click()
    await page.get_by_role("menuitem", name="Create a channel").click()
    await page.get_by_role("dialog").wait_for()
    await walk.check("new channel")
    await page.keyboard.press("Escape")


async def visit_pages(walk: HostileWalk, scene: HostileScene, url: str) -> None:
    """Visit friends, private channels, the settings, the administration, and an invite."""
    page = walk.page
    await page.get_by_role("link", name="Direct messages").click()
    await page.locator(".person").first.wait_for()
    await walk.check("friends")
    await page.locator("nav.channels a.channel").nth(1).click()
    await page.locator(".message", has_text=MARKUP).last.wait_for()
    await walk.check("group")
    await page.get_by_role("button", name="Settings", exact=True).click()
    links = page.get_by_role("navigation", name="Settings").get_by_role("link")
    await links.first.wait_for()
    for name in await links.all_inner_texts():  # the last one leads to the administration
        await links.filter(has_text=re.compile(f"^{re.escape(name)}$")).click()
        await expect(page.get_by_role("main").get_by_text("Loading")).to_have_count(0)
        await walk.check(f"settings, {name}")
    for name in ("Accounts", "Servers"):  # the name of a bot, and that of the guild
        await page.get_by_role("link", name=name, exact=True).click()
        await page.get_by_label("Part of a name or address").fill(MARKUP[:20])
        await page.get_by_role("main").get_by_text(MARKUP[:20]).first.wait_for()
        await walk.check(f"administration, {name}")
    await page.goto(f"{url}/invite/{scene.invite}")
    await page.get_by_text("You are invited to").wait_for()
    await walk.check("invite")


_PLACE = """(element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const text = range.getBoundingClientRect();
    const box = element.getBoundingClientRect();
    return [text.left - box.left, box.right - text.right];
}"""
"""How far a text is from the sides of its element, in pixels."""

_TALL = """(element) => {
    Object.assign(element.style, {fontSize: "120px", lineHeight: "16px"});
}"""


async def test_directions_and_marks_of_a_text_stay_within_it(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    bot = await web_world.bot("bot", "alice", guild)
    general = guild.general.id
    for text in ("שלום", "hello", "> שלום", "- שלום"):
        await send(web_world, general, text)
    footer = {"text": "\u202eabc"}
    embed = {"title": "Embed", "footer": footer, "timestamp": "2026-01-02T03:04:05Z"}
    await bot.rest.post(f"/channels/{general}/messages", {"embeds": [embed]})
    await send(web_world, general, "above")
    await send(web_world, general, "marks")
    await send(web_world, general, "below")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{general}", problems) as page:
        await message(page, "below").wait_for()
        for each in await page.locator(".content p, .content li").all():
            before, after = await each.evaluate(_PLACE)
            shown = await each.inner_text()
            assert (after < before) == ("ש" in shown), shown
        time = await page.locator(".embed-footer time").bounding_box()
        named = await page.locator(".embed-footer bdi").bounding_box()
        assert time is not None and named is not None and time["x"] > named["x"]

        # Not all fonts stack marks. What is far taller than its line is like that.
        marked = page.locator(".message", has_text="marks")
        await marked.locator("p").last.evaluate(_TALL)
        for text in ("above", "below"):
            picture = await message(page, text).screenshot()
            await marked.evaluate("each => { each.style.visibility = 'hidden'; }")
            assert await message(page, text).screenshot() == picture, text
            await marked.evaluate("each => { each.style.visibility = ''; }")
