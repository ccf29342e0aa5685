"""What users of the web client look at: windows, lists beside a channel, and the way back."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.async_api import Page, expect

from tests.conftest import Server
from tests.helpers.attachments import message_form, send_form
from tests.helpers.browser import needs_chromium
from tests.helpers.web_client import client_of, dialog, message, send, until
from tests.world import World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

_NOTIFICATIONS = """() => {
    localStorage.setItem("chatd.notifications", "on");
    window.shown = [];
    window.Notification = class {
        static permission = "granted";
        constructor(title, {body}) { this.body = body; window.shown.push(body); }
        close() { window.shown = window.shown.filter((each) => each !== this.body); }
    };
}"""
"""Keeps the notifications that the page shows: browsers without a desktop have none."""


async def test_nothing_is_read_while_another_window_has_the_focus(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    await send(web_world, guild.general.id, "before")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        entry = page.locator("a.channel", has_text="general")
        await message(page, "before").wait_for()
        await expect(entry).to_have_attribute("data-unread", "false")
        await page.evaluate("document.hasFocus = () => false")
        await send(web_world, guild.general.id, "while away")
        await message(page, "while away").wait_for()
        await expect(page.locator(".divider.new + .message")).to_contain_text("while away")
        await expect(entry).to_have_attribute("data-unread", "true")
        await send(web_world, guild.general.id, f"<@{bob.id}> please")
        await expect(page).to_have_title(re.compile(r"^\(1\)"))
        await page.evaluate("document.hasFocus = () => true")
        await page.evaluate("dispatchEvent(new Event('focus'))")
        await expect(entry).to_have_attribute("data-unread", "false")
        await expect(page).to_have_title(re.compile("^#?general"))
        await expect(page.locator(".divider.new + .message")).to_contain_text("while away")


async def test_notifications_go_with_what_they_are_about(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob, alice = await web_world.people("bob", "alice")
    other = await guild.channel("other")
    gone = await guild.channel("gone")
    path = f"/channels/{other.id}/messages"
    address = f"{web.url}/app/{guild.id}/{guild.general.id}"
    async with client_of(bob, address, problems, script=f"({_NOTIFICATIONS})()") as page:
        await page.get_by_text("No messages yet.").wait_for()
        sent = {}
        for text in ("deleted", "first", "second"):
            sent[text] = await send(web_world, other.id, f"<@{bob.id}> {text}")
        await send(web_world, gone.id, f"<@{bob.id}> gone")
        await has_shown(page, ["deleted", "first", "second", "gone"])
        await alice.rest.delete(f"{path}/{sent['deleted']['id']}")
        await has_shown(page, ["first", "second", "gone"])
        await bob.rest.post(f"{path}/{sent['first']['id']}/ack", {"token": None})
        await has_shown(page, ["second", "gone"])
        await alice.rest.delete(f"/channels/{gone.id}")
        await has_shown(page, ["second"])

        # The title counts mentions on every page.
        await page.get_by_role("button", name="Settings").click()
        await expect(page).to_have_title(re.compile(r"^\(1\) .*Settings"))
        await page.locator("a.entry").last.click()
        await page.locator("a.channel", has_text="other").click()
        await has_shown(page, [])
        await expect(page).to_have_title(re.compile("^other"))


async def has_shown(page: Page, words: list[str]) -> None:
    """Wait until the notifications are those that end with these words."""
    script = "(words) => window.shown.map((each) => each.split(' ').at(-1)).join() === words.join()"
    await until(page, script, words)


async def test_found_and_pinned_messages_follow_their_channel(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob, alice = await web_world.people("bob", "alice")
    path = f"/channels/{guild.general.id}/messages"
    sent = [await send(web_world, guild.general.id, f"apple {text}") for text in "abc"]
    for each in sent:
        await alice.rest.put(f"{path}/pins/{each['id']}")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        found = page.locator(".found .content")
        await page.get_by_role("button", name="Pinned messages").click()
        await expect(found).to_have_text(["apple c", "apple b", "apple a"])
        await alice.rest.delete(f"{path}/{sent[1]['id']}")
        await expect(found).to_have_text(["apple c", "apple a"])
        await alice.rest.patch(f"{path}/{sent[2]['id']}", {"content": "apple d"})
        await expect(found).to_have_text(["apple d", "apple a"])

        await page.get_by_role("button", name="Search", exact=True).click()
        await page.get_by_role("searchbox", name="Words").fill("apple")
        await page.keyboard.press("Enter")
        await expect(found).to_have_text(["apple d", "apple a"])
        await alice.rest.patch(f"{path}/{sent[2]['id']}", {"content": "apple e"})
        await expect(found).to_have_text(["apple e", "apple a"])
        await alice.rest.delete(f"{path}/{sent[2]['id']}")
        await expect(found).to_have_text(["apple a"])
        await page.get_by_text("One message found").wait_for()


async def test_way_back_closes_what_covers_the_page(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="bob")
    bob = await web_world.person("bob")
    other = await guild.channel("other")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        await page.locator("a.channel", has_text="other").click()
        here = f"{web.url}/app/{guild.id}/{other.id}"
        await expect(page).to_have_url(here)
        await page.get_by_role("button", name="Invite people").first.click()
        await dialog(page, "Invite people").wait_for()
        await page.go_back()
        await expect(dialog(page, "Invite people")).to_be_hidden()
        await expect(page).to_have_url(here)
        await page.get_by_role("button", name="Server menu").click()
        await page.get_by_role("menu").wait_for()
        await page.go_back()
        await expect(page.get_by_role("menu")).to_be_hidden()
        await page.get_by_role("button", name="Server menu").click()
        await page.get_by_role("menuitem", name="Server settings").click()
        await page.locator("dialog.settings-page").wait_for()
        await page.go_back()
        await expect(page.locator("dialog.settings-page")).to_be_hidden()
        await expect(page).to_have_url(here)
        await page.go_back()
        await expect(page).to_have_url(f"{web.url}/app/{guild.id}/{guild.general.id}")
        await page.go_forward()
        await expect(page).to_have_url(here)


async def test_view_of_an_older_version_offers_to_load_the_page_again(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="bob")
    bob = await web_world.person("bob")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        field = page.get_by_role("textbox", name="Write a message")
        await field.fill("a draft")
        for name in ("view/account/settings.js", "vendor/emoji/list.js"):
            await page.route(f"**/{name}", lambda route: route.fulfill(status=404))
        await page.get_by_role("button", name="Emoji", exact=True).click()
        await page.get_by_role("button", name="Load the page again").wait_for()
        await page.get_by_role("button", name="Settings").click()
        await page.get_by_text("The client may have a new version.").wait_for()
        await page.unroute_all()
        await page.get_by_role("button", name="Load the page again").click()
        await page.get_by_label("Display name").wait_for()
        await page.keyboard.press("Escape")
        await expect(field).to_have_value("a draft")
    problems[:] = [each for each in problems if "404" not in each]


HAS_PICTURE = """() =>
    document.querySelector("canvas").getContext("2d").getImageData(9, 9, 1, 1).data[3] > 0
"""


def moving_gif() -> bytes:
    """Return a GIF that blinks."""
    data = io.BytesIO()
    frames = [Image.new("RGB", (40, 30), color) for color in ("red", "blue")]
    frames[0].save(data, "GIF", save_all=True, append_images=frames[1:], duration=100, loop=0)
    return data.getvalue()


async def test_pictures_do_not_move_for_users_who_want_no_motion(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob, alice = await web_world.people("bob", "alice")
    path = f"/channels/{guild.general.id}/messages"
    files = [("same.gif", moving_gif()), ("same.gif", moving_gif())]
    assert (await send_form(alice.rest, path, message_form({}, *files))).status == 200
    async with client_of(
        bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems, reduced_motion="reduce"
    ) as page:
        still = page.locator("a.picture canvas").first
        await expect(still).to_have_attribute("aria-label", "same.gif")
        await until(page, HAS_PICTURE)
        await expect(page.locator("a.picture img")).to_have_count(0)
        await still.click()
        await page.locator("dialog.lightbox img").wait_for()
        await page.keyboard.press("Escape")
        await page.emulate_media(reduced_motion="no-preference")
        await page.reload()
        await expect(page.locator("a.picture img")).to_have_count(2)


async def test_links_to_what_is_gone_say_so(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    other = await guild.channel("other")
    gone = "That channel or server does not exist, or you may not see it."
    async with client_of(bob, f"{web.url}/app/{guild.id}/1", problems) as page:
        await page.get_by_text(gone).wait_for()
        await expect(page).to_have_url(f"{web.url}/app/{guild.id}/{guild.general.id}")
        await expect(page.get_by_text(gone)).to_be_hidden()
        await page.locator("a.channel", has_text="other").click()
        await page.get_by_text("This is the beginning of #other").wait_for()
        await page.wait_for_load_state("networkidle")
        await guild.owner.rest.delete(f"/channels/{other.id}")
        await page.get_by_text(gone).wait_for()
        for address in ("/app/1", "/app/@me/1"):
            # The text stays for 4 seconds, which can end before all files are loaded.
            await page.goto(web.url + address, wait_until="commit")
            await page.get_by_text(gone).wait_for()
            await page.get_by_role("heading", name="Friends", exact=True).wait_for()
        await page.goto(f"{web.url}/app/{guild.id}")
        await page.get_by_role("button", name="Server menu").click()
        await page.get_by_role("menuitem", name="Leave").click()
        await page.get_by_role("dialog").get_by_role("button", name="Leave").click()
        await page.get_by_role("heading", name="Friends", exact=True).wait_for()
        await expect(page.get_by_text(gone)).to_be_hidden()
