"""AutoModeration in the web client: why a message was blocked, and the alert of moderators."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.conftest import Server
from tests.helpers.automod import add_rule, alert
from tests.helpers.browser import needs_chromium
from tests.helpers.web_client import client_of, write
from tests.world import World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]


async def test_author_reads_why_and_moderators_read_what(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    block = {"type": 1, "metadata": {"custom_message": "Be kind."}}
    await add_rule(guild, 1, block, alert(guild.general.id), keyword_filter=["bad"])
    bob = await web_world.person("bob")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        await write(page, "a bad day")
        failed = page.locator(".message.pending")
        await expect(failed).to_contain_text("does not allow this message: Be kind.")
        shown = page.locator(".message:not(.pending)").filter(has=page.locator(".embed"))
        await expect(shown).to_contain_text("A rule of the server has found a message of bob")
        await expect(shown.locator(".embed")).to_contain_text("a bad day")
        await expect(shown.locator(".embed")).to_contain_text("“words” has blocked it. Found: bad")
        await expect(shown.locator(".embed")).to_contain_text("general")
    problems[:] = [each for each in problems if "status of 400" not in each]
