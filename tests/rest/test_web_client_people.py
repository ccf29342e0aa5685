"""People in the web client: friends, groups and invites, and the client on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.conftest import Server
from tests.helpers.browser import needs_chromium
from tests.helpers.web_client import client_of, dialog
from tests.world import World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

HOSTILE = "<img src=x onerror=alert(1)> <script>alert(2)</script> **b**"


async def test_people_befriend_group_and_invite_each_other(
    web: Server, web_world: World, problems: list[str]
) -> None:
    alice, bob, carol = await web_world.friends("alice", "bob", "carol")
    dave = await web_world.person("dave")
    guild = await web_world.guild(owner="dave")
    await dave.rest.patch(f"/guilds/{guild.id}", {"name": "Harbour", "description": HOSTILE})
    await dave.rest.put(f"/users/@me/relationships/{alice.id}", {})
    async with client_of(alice, f"{web.url}/app", problems) as page:
        field = page.get_by_label("Add a friend by username")
        for username, answer in (
            ("is_not_here", "There is no user with this name. Check how it is written."),
            (bob.name, "You are friends already."),
        ):
            await field.fill(username)
            await page.get_by_role("button", name="Send", exact=True).click()
            await page.get_by_text(answer).wait_for()

        requests = page.get_by_role("region", name="Requests")
        await requests.get_by_role("button", name="Accept").click()
        friends = page.get_by_role("region", name="Friends — ")
        await expect(friends.get_by_role("listitem")).to_have_count(3)
        await friends.get_by_role("button", name=f"Actions for {dave.name}").click()
        await page.get_by_role("menuitem", name="Block").click()
        await dialog(page, "Block").get_by_role("button", name="Block").click()
        blocked = page.get_by_role("region", name="Blocked")
        await blocked.get_by_role("button", name="Unblock").click()
        await expect(blocked).to_have_count(0)
        for name in ("Robert", None):
            await bob.rest.patch("/users/@me", {"global_name": name})
            actions = friends.get_by_role("button", name=f"Actions for {name or bob.name}")
            await actions.wait_for()

        await page.get_by_role("button", name="Create a group").click()
        for each in (bob, carol):
            await page.get_by_role("checkbox", name=each.name).check()
        await dialog(page, "Create a group").get_by_role("button", name="Create").click()
        await page.get_by_role("link", name=bob.name).click(button="right")
        await page.get_by_role("menuitem", name="Group settings").click()
        group = dialog(page, "Group settings")
        await group.get_by_label("Name of the group").fill("Trio")
        await group.get_by_role("button", name="Save").click()
        await page.get_by_role("link", name="Trio").wait_for()
        await group.get_by_role("button", name="Remove").first.click()
        await expect(group.get_by_role("button", name="Remove")).to_have_count(1)
        await group.get_by_role("button", name="Add", exact=True).click()
        await expect(group.get_by_role("button", name="Remove")).to_have_count(2)
        await page.keyboard.press("Escape")
        await page.get_by_role("link", name="Trio").click(button="right")
        await page.get_by_role("menuitem", name="Leave group").click()
        await dialog(page, "Leave group").get_by_role("button", name="Leave group").click()
        await expect(page.get_by_role("link", name="Trio")).to_have_count(0)

        # What an invite says before joining, and why it cannot be used.
        code = await guild.invite(max_age=0)
        await page.goto(f"{web.url}/invite/{code}")
        await page.get_by_text("You are invited to Harbour").wait_for()
        await page.get_by_text(HOSTILE).wait_for()
        await page.get_by_text("1 member").wait_for()
        await page.get_by_text("Never expires").wait_for()
        await dave.rest.put(f"/guilds/{guild.id}/bans/{alice.id}", {})
        await page.get_by_role("button", name="Join").click()
        await page.get_by_text("You are banned from this server.").wait_for()
        await dave.rest.delete(f"/guilds/{guild.id}/bans/{alice.id}")
        await page.get_by_role("button", name="Join").click()
        await page.get_by_role("heading", name="Harbour").wait_for()
        await page.goto(f"{web.url}/invite/{code}")
        await page.get_by_text("You are a member already.").wait_for()
        await page.get_by_role("button", name="Open").click()
        await page.get_by_role("heading", name="Harbour").wait_for()
        await dave.rest.delete(f"/invites/{code}")
        await page.goto(f"{web.url}/invite/{code}")
        await page.get_by_text("This invite is not valid any more.").wait_for()
        await expect(page.get_by_role("button", name="Join")).to_have_count(0)
    problems[:] = [each for each in problems if not re.search("40[034]", each)]


async def test_narrow_page_reaches_channels_members_and_friends(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    size = {"width": 360, "height": 740}
    async with client_of(guild.owner, f"{web.url}/app/{guild.id}", problems, viewport=size) as page:
        await page.get_by_role("link", name="general").click()
        await page.get_by_role("link", name="Back to the list").click()
        await page.get_by_role("link", name="general").click()
        await page.get_by_role("button", name="Members").click()
        members = page.get_by_role("complementary", name="Members")
        await members.get_by_role("button", name=bob.name).wait_for()
        await page.keyboard.press("Escape")
        await expect(members).to_have_count(0)
        await page.get_by_role("button", name="Members").click()
        await page.get_by_role("textbox", name="Message").click(position={"x": 5, "y": 5})
        await expect(members).to_have_count(0)
        await page.get_by_role("button", name="Members").click()
        await page.get_by_role("button", name="Members").click()
        await expect(members).to_have_count(0)
        await page.get_by_role("link", name="alice's guild").click()
        await page.get_by_role("link", name="general").wait_for()
        await page.get_by_role("link", name="Direct messages").click()
        await page.get_by_label("Add a friend by username").wait_for()
        await page.get_by_role("link", name="Friends", exact=True).wait_for()
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"]
