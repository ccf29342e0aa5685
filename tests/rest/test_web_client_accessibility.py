"""The web client for everyone: the rules of WCAG that axe checks, narrow pages, right to left."""

from __future__ import annotations

import re
from typing import Final, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page, ViewportSize

from tests.conftest import Server
from tests.helpers.accounts import administrator
from tests.helpers.browser import needs_chromium
from tests.helpers.components import button, label, link, row, select, text, text_input
from tests.helpers.web_client import log_in, message, page_of, refusing, write
from tests.world import World, befriend

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

RULES: Final = {
    "light": {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "dark": {"runOnly": ["color-contrast"]},  # the others do not depend on colours
}
THEMES: Final[tuple[Literal["dark", "light"], ...]] = ("dark", "light")
WIDE: Final[ViewportSize] = {"width": 1280, "height": 800}
NARROW: Final[ViewportSize] = {"width": 320, "height": 640}
"""WCAG's criterion 1.4.10: at this width nothing may need scrolling in two directions."""

WIDER: Final = """() => {
    const page = document.scrollingElement;
    return [page.scrollWidth, page.scrollLeft, innerWidth];
}"""

VIOLATIONS: Final = "async (options) => (await axe.run(options)).violations"

SQUEEZED: Final = """() =>
    [...document.querySelectorAll(".person .name")].filter((each) => each.clientWidth < 60).length
"""

EMBED: Final = {
    "title": "Embed",
    "url": "https://example.org/e",
    "color": 255,
    "author": {"name": "Author"},
    "description": "A text with `code` and a [link](https://example.org/).",
    "fields": [{"name": "Field", "value": "**value**", "inline": True}],
    "footer": {"text": "Footer"},
}

FORM: Final = {
    "id": "1",
    "channel_id": "1",
    "custom_id": "report",
    "title": "Report",
    "application": {"id": "1", "name": "bot"},
    "components": [
        text("Read **this**."),
        label(text_input("name", max_length=9), label="Name", description="Any"),
        label(select("colors", "red", "blue", max_values=2), label="Colors"),
        label(select("color", "red", "blue"), label="Color"),
        label({"type": 6, "custom_id": "roles"}, label="Role"),
        label({"type": 23, "custom_id": "agreed"}, label="Agreed"),
        label({"type": 19, "custom_id": "file"}, label="Proof"),
    ],
}

OPEN_FORM: Final = """async form => {
    const base = document.querySelector('script[type=module]').src.replace('main.js', '');
    const {modals} = await import(base + 'view/messages/ui.js');
    modals.value = [form];
}"""


class Checker:
    """Checks pages, and collects what is wrong with each."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []

    async def check(self, name: str) -> None:
        """Check what the page shows in all themes; then its width in both directions of text."""
        await self.page.evaluate("document.fonts.ready")
        if not await self.page.evaluate("'axe' in window"):  # 570 KB, once for each document
            await self.page.evaluate(AXE_SCRIPT)
        for theme in THEMES:
            await self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            options = {**RULES[theme], "resultTypes": ["violations"]}
            self.found += [
                f"{name}, {theme}: {each['id']}: {node['failureSummary']} {node['html']}"
                for each in await self.page.evaluate(VIOLATIONS, options)
                for node in each["nodes"]
            ]
        await self.page.set_viewport_size(NARROW)
        for direction in ("rtl", "ltr"):
            await self.page.evaluate("each => { document.documentElement.dir = each; }", direction)
            squeezed = await self.page.evaluate(SQUEEZED)
            self.found += [f"{name}, {direction}: no room for a name"] * squeezed
            width, left, inner = await self.page.evaluate(WIDER)
            if width > inner or left != 0:
                self.found.append(f"{name}, {direction}: {width} px wide in a window of {inner}")
        await self.page.set_viewport_size(WIDE)


async def test_pages_follow_wcag_and_fit_narrow_windows_in_both_directions(
    web: Server, web_world: World, problems: list[str]
) -> None:
    ada = await administrator(web, web_world, "ada")
    await lively_guild(web_world)
    async with page_of(f"{web.url}/app", problems, viewport=WIDE) as page:
        checker = Checker(page)
        await page.get_by_role("button", name="Log in").wait_for()
        await checker.check("login")
        await page.get_by_role("button", name="You have no account yet?").click()
        await page.get_by_role("button", name="Create an account").wait_for()
        await checker.check("registration")
        await page.get_by_role("button", name="You have an account").click()
        await log_in(page, ada.email)
        await page.get_by_role("heading", name="Friends", exact=True).wait_for()
        await page.locator(".person .name").wait_for()
        await checker.check("friends")
        await page.get_by_role("link", name="Engine").click()
        await check_channel(checker)
        problems[:] = [each for each in problems if "status of 403" not in each]
        await check_guild_settings(checker)
        await check_account(checker)
    assert checker.found == [], "\n".join(checker.found)


async def lively_guild(world: World) -> None:
    """Make a guild of "ada" with messages of all kinds, pins, roles and an audit log."""
    guild = await world.guild(owner="ada", members=["bob"])
    rest = guild.owner.rest
    bob = await world.person("bob")
    await befriend(guild.owner, bob)
    bot = await world.bot("bot", "ada", guild)
    await rest.patch(f"/guilds/{guild.id}", {"name": "Engine"})
    role = await rest.post(f"/guilds/{guild.id}/roles", {"name": "Crew", "color": 0x335599})
    await rest.put(f"/guilds/{guild.id}/members/{bob.id}/roles/{role['id']}")
    path = f"/channels/{guild.general.id}/messages"
    texts = f"**Bold**, `code`, ||a spoiler||, <@{bob.id}>\n```py\ndef f(): return 'x'\n```\n> said"
    sent = await rest.post(path, {"content": texts})
    await bob.rest.put(f"{path}/{sent['id']}/reactions/\N{WHITE HEAVY CHECK MARK}/@me")
    await rest.put(f"/channels/{guild.general.id}/pins/{sent['id']}")
    reply = {"content": "apples " * 30, "message_reference": {"message_id": sent["id"]}}
    await bob.rest.post(path, reply)
    rows = [row(button("go"), link()), row(select("colors", "red", "blue", max_values=2))]
    await bot.rest.post(path, {"content": "use me", "components": rows, "embeds": [EMBED]})


async def check_channel(checker: Checker) -> None:
    """Check the channel, what opens beside it, and a message that was not sent."""
    page = checker.page
    await message(page, "use me").wait_for()
    async with refusing(page, "POST", 403, []):
        await write(page, "A message that is not sent")
        await page.locator(".pending").get_by_role("alert").wait_for()
    await checker.check("channel")
    members = page.get_by_role("complementary", name="Members")
    await members.get_by_role("button", name="bob").click()
    await page.get_by_role("group", name=re.compile("bob")).wait_for()
    await checker.check("profile card")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Pinned messages").click()
    panel = page.get_by_role("complementary", name="Pinned messages")
    await panel.get_by_text("Bold").wait_for()
    await checker.check("pins")
    await page.get_by_role("button", name="Search", exact=True).click()
    panel = page.get_by_role("complementary", name="Search")
    await panel.get_by_role("searchbox").fill("apples")
    await panel.get_by_role("searchbox").press("Enter")
    await panel.get_by_text("One message found.").wait_for()
    await panel.get_by_text("Filters").click()
    await checker.check("search")
    await page.keyboard.press("Escape")
    await page.evaluate(OPEN_FORM, FORM)
    await page.get_by_role("dialog", name="Report").get_by_role("button", name="Submit").click()
    await page.get_by_text("This is missing.").first.wait_for()
    await checker.check("form of an application")
    await page.keyboard.press("Escape")


async def check_guild_settings(checker: Checker) -> None:
    """Check the sections of the settings of the guild, and those of its channel."""
    page = checker.page
    await page.get_by_role("button", name="Server menu").click()
    await page.get_by_role("menuitem", name="Server settings").click()
    sections = page.get_by_role("navigation", name="Sections").get_by_role("button")
    await sections.first.wait_for()
    for name in await sections.all_inner_texts():
        await sections.filter(has_text=re.compile(f"^{re.escape(name)}$")).click()
        if name == "Roles":
            await page.get_by_role("dialog").get_by_role("button", name="Crew").click()
        await checker.check(f"settings of the guild, {name}")
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="general").click(button="right")
    await page.get_by_role("menuitem", name="Edit channel").click()
    await page.get_by_role("dialog").get_by_role("button", name="Permissions").click()
    await page.get_by_role("dialog").get_by_role("row").first.wait_for()
    await checker.check("permissions of a channel")
    await page.keyboard.press("Escape")


async def check_account(checker: Checker) -> None:
    """Check the sections of the user's settings, and of the administration."""
    page = checker.page
    await page.get_by_role("button", name="Settings", exact=True).click()
    links = page.get_by_role("navigation", name="Settings").get_by_role("link")
    await links.first.wait_for()
    for name in await links.all_inner_texts():  # the last one leads to the administration
        await links.filter(has_text=re.compile(f"^{re.escape(name)}$")).click()
        await page.get_by_role("heading").first.wait_for()
        await checker.check(f"settings, {name}")
    await page.get_by_role("link", name="Accounts").click()
    await page.get_by_role("main").get_by_role("listitem").first.wait_for()
    await checker.check("accounts")
