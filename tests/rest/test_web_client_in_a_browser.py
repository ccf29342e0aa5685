"""The web client in Chromium: people register, join, chat, and lose their connection."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.conftest import Server
from tests.helpers.browser import needs_chromium
from tests.helpers.web_client import log_in, page_of, register, send, write
from tests.world import World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

HOSTILE = "<img src=x onerror=alert(1)> [x](javascript:alert(1)) **bold** <script>alert(2)</script>"


async def test_two_people_register_and_chat(web: Server, problems: list[str]) -> None:
    async with page_of(f"{web.url}/app", problems) as ada:
        await register(ada, "ada_l")
        await ada.get_by_role("main").get_by_role("button", name="Create or join a server").click()
        await ada.get_by_label("Name of the server").fill("Engine")
        await ada.get_by_role("button", name="Create", exact=True).click()
        await write(ada, "Hello **there**")
        await ada.get_by_role("button", name="Invite people").click()
        field = ada.get_by_label("Invite link or code")
        await expect(field).to_have_value(re.compile("invite"))
        link = await field.input_value()
        await ada.keyboard.press("Escape")
        async with page_of(link, problems) as bob:
            await bob.get_by_text("You are invited to Engine").wait_for()
            await register(bob, "bob_b")
            await bob.get_by_role("button", name="Join").click()
            await bob.locator("strong", has_text="there").wait_for()
            await write(bob, HOSTILE)
            shown = ada.locator(".message", has_text="<script>alert(2)</script>")
            await shown.wait_for()
            assert await ada.locator(".timeline script, .timeline a[href^=javascript]").count() == 0
            await shown.hover()
            await shown.get_by_role("button", name="Reply").click()
            await write(ada, "No.")
            await bob.locator(".replied", has_text="bold").wait_for()


async def test_lost_connection_is_resumed_without_a_gap(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    address = f"{web.url}/app/{guild.id}/{guild.general.id}"
    async with page_of(address, problems) as page:
        await log_in(page, bob.email)
        await send(web_world, guild.general.id, "one")
        await page.locator(".message", has_text="one").wait_for()
        await page.context.set_offline(True)
        await page.get_by_text("You are offline.").wait_for()
        await send(web_world, guild.general.id, "two")
        await page.context.set_offline(False)
        await page.locator(".message", has_text="two").wait_for()
        await send(web_world, guild.general.id, "three")
        await page.locator(".message", has_text="three").wait_for()
        texts = await page.locator(".message .content").all_inner_texts()
        assert [each for each in texts if each in ("one", "two", "three")] == [
            "one",
            "two",
            "three",
        ]
    problems[:] = [each for each in problems if "ERR_INTERNET_DISCONNECTED" not in each]


async def test_removed_member_sees_the_guild_no_more(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    await guild.owner.rest.patch(f"/guilds/{guild.id}", {"name": "Engine"})
    async with page_of(f"{web.url}/app/{guild.id}", problems) as page:
        await log_in(page, bob.email)
        await page.get_by_role("heading", name="Engine").wait_for()
        await page.get_by_text("This is the beginning of").wait_for()
        await page.wait_for_load_state("networkidle")  # the messages are marked as read, too
        await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bob.id}")
        await page.get_by_role("heading", name="Friends").wait_for()
        await expect(page.get_by_role("link", name="Engine")).to_have_count(0)
