"""The web client on a computer whose clock is wrong, and in other countries."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from tests.conftest import Server
from tests.helpers.browser import needs_chromium
from tests.helpers.web_client import log_in, page_of, send, stored_message, write
from tests.world import PASSWORD, World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

_SHIFT = """
const {{now}} = Date;
Date = class extends Date {{
    constructor(...given) {{ if (given.length) super(...given); else super(now() + {ms}); }}
    static now() {{ return now() + {ms}; }}
}};
"""
"""Makes the clock of the page wrong."""

_HOUR_MS = 3_600_000


async def test_wrong_clock_changes_nothing(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob, alice = await web_world.people("bob", "alice")
    general = f"/channels/{guild.general.id}"
    await alice.rest.patch(general, {"rate_limit_per_user": 5})
    address = f"{web.url}/app/{guild.id}/{guild.general.id}"
    for shift in (-_HOUR_MS, _HOUR_MS):
        async with page_of(address, problems, script=_SHIFT.format(ms=shift)) as page:
            await log_in(page, bob.email)
            await write(page, f"shifted by {shift}")
            await stored_message(page, f"shifted by {shift}").wait_for()
            field = page.get_by_role("textbox", name="Write a message")
            await field.fill("a draft")
            button = page.get_by_role("button", name="Send", exact=True)
            await expect(button).to_be_disabled()
            await expect(button).to_be_enabled(timeout=30_000)
            await alice.rest.post(f"{general}/typing")
            await page.get_by_text(f"{alice.name} is typing").wait_for()
            await send(web_world, guild.general.id, f"<t:{int(datetime.now(UTC).timestamp())}:R>")
            await expect(page.locator(".message time.timestamp").last).to_contain_text(
                re.compile("now|second")
            )
    until = datetime.now(UTC) + timedelta(minutes=10)
    await alice.rest.patch(
        f"/guilds/{guild.id}/members/{bob.id}",
        {"communication_disabled_until": until.isoformat()},
    )
    async with page_of(address, problems, script=_SHIFT.format(ms=_HOUR_MS)) as page:
        await log_in(page, bob.email)
        await page.get_by_text("You cannot write here").wait_for()


_FORMATTED = """([locale, options]) => new Intl.DateTimeFormat(locale, options).format()"""


async def test_dates_and_numbers_are_those_of_the_country(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    await send(web_world, guild.general.id, "<t:1706745600:d>")
    for locale in ("en-GB", "de-AT", "en-US"):
        address = f"{web.url}/app/{guild.id}/{guild.general.id}"
        zone = {"locale": locale, "timezone_id": "Europe/London"}
        async with page_of(address, problems, **zone) as page:
            await page.locator("input[name=login]").fill(bob.email)
            await page.locator("input[name=password]").fill(PASSWORD)
            await page.keyboard.press("Enter")
            today = await page.evaluate(_FORMATTED, [locale, {"dateStyle": "full"}])
            await expect(page.locator(".divider").first).to_have_text(today)
            shown = {"en-GB": "01/02/2024", "de-AT": "01.02.24", "en-US": "2/1/24"}[locale]
            await expect(page.locator("time.timestamp")).to_have_text(shown)
