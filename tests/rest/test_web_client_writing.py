"""Writing in the web client: completions, drafts, files, what is not sent, and what it shows."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import FilePayload, Route, expect

from chatd.core.permissions import Permissions
from tests.conftest import Server
from tests.helpers.attachments import png_bytes
from tests.helpers.browser import needs_chromium
from tests.helpers.web_client import (
    client_of,
    message,
    refusing,
    send,
    stored_message,
    until,
    until_in_state,
    write,
)
from tests.world import World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]


async def test_composer_completes_attaches_and_keeps_drafts(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob, alice = await web_world.people("bob", "alice")
    other = await guild.channel("other")
    path = f"/channels/{guild.general.id}/messages"
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        field = page.get_by_role("textbox", name="Write a message")
        options = page.get_by_role("option")

        # Names are completed, and sent as mentions.
        await field.press_sequentially(f"hey @{alice.name[:9]}")
        await expect(options.first).to_contain_text(alice.name)
        await expect(field).to_have_attribute("aria-activedescendant", re.compile("-0$"))
        await field.press("Enter")
        await field.press_sequentially("see #oth")
        await expect(options.first).to_contain_text("#other")
        await field.press("Tab")
        await field.press_sequentially(":tada")
        await expect(options.first).to_contain_text("🎉")
        await field.press("Enter")
        await field.press_sequentially(" :smile")  # not :smiley:, which begins with it
        await expect(options.first).to_contain_text(":smile:")
        await field.press("Enter")
        await field.press_sequentially(" @every")
        await expect(options.first).to_contain_text("@everyone")
        await alice.rest.put(
            f"/channels/{guild.general.id}/permissions/{guild.id}",
            {"type": 0, "deny": str(Permissions.MENTION_EVERYONE.value)},
        )
        await field.press_sequentially("o")
        await expect(options).to_have_count(0)
        await field.press("Enter")
        await expect(page.locator(".message[data-id] a.mention")).to_have_text("#other")
        [sent] = await alice.rest.get(path)
        assert sent["content"] == f"hey <@{alice.id}> see <#{other.id}> 🎉 😄 @everyo"
        assert not sent["mention_everyone"]

        # What is too long is not sent, and says how much too long it is.
        await field.fill("x" * 1990)
        await page.get_by_text("10 characters left").wait_for()
        await field.fill("x" * 2001)
        await page.get_by_text("One character too long.").wait_for()
        await expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()

        # A draft belongs to its channel, and survives a reload.
        await field.fill("a draft")
        await page.locator("a.channel", has_text="other").click()
        await expect(page.get_by_role("textbox", name="Write a message to #other")).to_have_value(
            ""
        )
        await page.locator("a.channel", has_text="general").click()
        await expect(field).to_have_value("a draft")
        await page.reload()
        await expect(field).to_have_value("a draft")

        # Files: one is too large, one is a spoiler with a description.
        await page.route("**/policies/instance/limits", small_limits)
        await field.fill("files")
        choose = page.locator("input[type=file]")
        big: FilePayload = {"name": "big.txt", "mimeType": "text/plain", "buffer": b"x" * 2000}
        small: FilePayload = {
            "name": "small.png",
            "mimeType": "image/png",
            "buffer": png_bytes(40, 30),
        }
        await choose.set_input_files([big, small])
        await page.get_by_text("big.txt has 2 KB; files can have up to 1 KB.").wait_for()
        await page.get_by_label("Description of small.png").fill("a black area")
        await page.get_by_role("checkbox", name="Spoiler").check()
        await page.get_by_role("button", name="Send", exact=True).click()
        hidden = page.get_by_role("button", name="Spoiler, select to show")
        await hidden.click()
        picture = page.get_by_role("img", name="a black area")
        await expect(picture).to_have_attribute("width", "40")

        # The picture fills the window, and the focus returns to it.
        await page.locator("a.picture").focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("dialog", name="a black area").wait_for()
        await page.keyboard.press("Escape")
        await expect(page.locator("a.picture")).to_be_focused()

        # Slow mode counts down, and keeps what is typed.
        await alice.rest.patch(f"/channels/{guild.general.id}", {"rate_limit_per_user": 600})
        await page.get_by_text("Slow mode: you can send again in").wait_for()
        await field.fill("too early")
        await field.press("Enter")
        await expect(field).to_have_value("too early")
        assert len(await alice.rest.get(path)) == 2


async def small_limits(route: Route) -> None:
    """Answer as a server that takes files of up to 1 KB."""
    await route.fulfill(json={"message": {"maxAttachments": 10, "maxAttachmentSize": 1000}})


async def test_message_that_is_not_sent_can_be_sent_again(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob, alice = await web_world.people("bob", "alice")
    path = f"/channels/{guild.general.id}/messages"
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        await page.get_by_text("No messages yet.").wait_for()
        for status, text in ((403, "Missing Permissions"), (500, "has a problem")):
            async with refusing(page, "POST", status, problems):
                await write(page, f"text {status}")
                failed = page.locator(".pending", has_text=f"text {status}")
                await expect(failed.get_by_role("alert")).to_contain_text(text)
                await expect(failed).to_have_count(1)
            await failed.get_by_role("button", name="Try again").click()
            await expect(
                page.locator(".message[data-id]", has_text=f"text {status}")
            ).to_have_count(1)
            await expect(page.locator(".pending")).to_have_count(0)

        # A file whose upload is stopped is not sent.
        await page.route(f"**{path}", lambda route: asyncio.sleep(0))
        notes: FilePayload = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"}
        await page.locator("input[type=file]").set_input_files(notes)
        await page.get_by_role("button", name="Send", exact=True).click()
        await page.locator(".pending").get_by_role("button", name="Cancel").click()
        await expect(page.locator(".pending")).to_have_count(0)
        assert len(await alice.rest.get(path)) == 2


async def test_message_that_is_not_sent_survives_a_reload(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob, alice = await web_world.people("bob", "alice")
    path = f"/channels/{guild.general.id}/messages"
    notes: FilePayload = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"}
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        pending = page.locator(".pending")
        async with refusing(page, "POST", 500, problems):
            await write(page, "refused")
            await expect(pending.get_by_role("alert")).to_have_count(1)
            await page.locator("input[type=file]").set_input_files(notes)
            await page.get_by_role("button", name="Send", exact=True).click()
            await expect(pending.get_by_role("alert")).to_have_count(2)
        await page.route(f"**{path}", lambda route: asyncio.sleep(0))
        async with page.expect_request(f"**{path}"):
            await write(page, "interrupted")

        # Another page leaves them to this one.
        other = await page.context.new_page()
        await other.goto(page.url)
        await other.get_by_text("No messages yet.").wait_for()
        await other.close()

        # What had no answer is sent, once; what was refused can be sent again.
        await page.unroute(f"**{path}")
        await page.reload()
        await expect(page.locator(".message[data-id]", has_text="interrupted")).to_have_count(1)
        await expect(pending).to_have_count(2)
        with_file = pending.filter(has_text="did not keep the files: a.txt")
        await with_file.get_by_role("button", name="Delete").click()
        await expect(pending.get_by_role("alert")).to_contain_text("The server has a problem")
        await pending.get_by_role("button", name="Try again").click()
        await expect(page.locator(".message[data-id]", has_text="refused")).to_have_count(1)
        await expect(pending).to_have_count(0)
        assert len(await alice.rest.get(path)) == 2
        await page.reload()
        await expect(page.locator(".message[data-id]")).to_have_count(2)
        await expect(pending).to_have_count(0)


async def test_unread_marks_follow_other_devices_and_notify(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob, alice = await web_world.people("bob", "alice")
    other = await guild.channel("other")
    loud = await guild.channel("loud")
    muted = await guild.channel("muted")
    usual = await guild.channel("usual")
    await alice.rest.patch(f"/guilds/{guild.id}", {"default_message_notifications": 1})
    await send(web_world, guild.general.id, "hello")
    overrides = {
        loud.id: {"message_notifications": 0},
        muted.id: {"muted": True},
    }
    await bob.rest.patch(f"/users/@me/guilds/{guild.id}/settings", {"channel_overrides": overrides})
    address = f"{web.url}/app/{guild.id}/{guild.general.id}"
    async with client_of(bob, address, problems, script=RECORDER) as page:
        await message(page, "hello").wait_for()
        await page.get_by_role("button", name="Settings").click()
        await page.get_by_role("link", name="Notifications").click()
        await page.get_by_role("checkbox", name="Show notifications").check()
        await page.keyboard.press("Escape")

        # Only mentions notify, and all messages where the user wants that.
        for channel, text in (
            (other, "nothing for bob"),
            (other, f"<@{bob.id}> please"),
            (muted, f"<@{bob.id}> again"),
            (guild.general, f"<@{bob.id}> here"),  # the user sees it
            (usual, "nobody"),
            (loud, "**to all**"),
        ):
            await send(web_world, channel.id, text)
        entry = page.locator("a.channel", has_text="other")
        await expect(entry).to_have_attribute("aria-label", re.compile("other.*one mention"))
        await expect(page.locator("a.channel", has_text="loud")).to_have_attribute(
            "data-unread", "true"
        )
        shown = await page.evaluate("window.shown")
        assert [each["title"].partition(" ")[2] for each in shown] == ["(#other)", "(#loud)"]
        assert shown[1]["body"] == "to all"

        # Without a choice of the user that of the guild counts.
        await alice.rest.patch(f"/guilds/{guild.id}", {"default_message_notifications": 0})
        await until_in_state(page, f"guilds.{guild.id}.default_message_notifications", "0")
        await send(web_world, usual.id, "now to all")
        await until(page, "() => window.shown.length === 3")

        # Read in part on another device, which does not say how many mentions are left.
        messages = await bob.rest.get(f"/channels/{other.id}/messages")
        first, newest = messages[-1]["id"], messages[0]["id"]
        await page.route("**/users/@me/read-states", lambda route: asyncio.sleep(0))
        await bob.rest.post(f"/channels/{other.id}/messages/{first}/ack", {"token": None})
        await until_in_state(page, f"reads.{other.id}.read", first)
        await expect(entry).to_have_attribute("aria-label", re.compile("other.*one mention"))
        await page.unroute("**/users/@me/read-states")

        # Read on another device; marked as unread on this one.
        await bob.rest.post(f"/channels/{other.id}/messages/{newest}/ack", {"token": None})
        await expect(entry).to_have_attribute("data-unread", "false")
        await entry.click()
        await page.locator(f'[data-id="{first}"]').focus()
        await page.keyboard.press("u")
        await page.locator(".divider.new").wait_for()
        await expect(entry).to_have_attribute("aria-label", re.compile("other.*one mention"))
        states = {each["id"]: each for each in await bob.rest.get("/users/@me/read-states")}
        assert states[other.id]["unread_count"] == 2
        await write(page, "read by answering")
        await stored_message(page, "read by answering").wait_for()
        await expect(entry).to_have_attribute("data-unread", "false")
        assert len(await alice.rest.get(f"/channels/{other.id}/messages")) == 3


RECORDER = """
    window.shown = [];
    window.Notification = class {
        static permission = 'granted';
        constructor(title, options) { window.shown.push({title, ...options}); }
        close() {}
    };
"""
"""Keeps the notifications that the page shows: browsers without a desktop have none."""
