"""Guilds in the web client, in Chromium: permissions, channels, roles, members, moderation."""

from __future__ import annotations

import pytest
from playwright.async_api import FilePayload, Locator, Page, Route, expect

from chatd.core.permissions import Permissions
from tests.conftest import Server
from tests.helpers.browser import needs_chromium
from tests.helpers.images import image_bytes
from tests.helpers.web_client import client_of, dialog, send
from tests.world import Guild, World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

HOSTILE = "<img src=x onerror=alert(1)> <script>alert(2)</script> **b**"


async def test_owner_builds_a_guild_by_keyboard_and_mouse(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    rest = guild.owner.rest
    address = f"{web.url}/app/{guild.id}/{guild.general.id}"
    async with client_of(guild.owner, address, problems) as page:
        # The keyboard opens the menu, and moves in it.
        await page.get_by_role("button", name="Server menu").press("Enter")
        await expect(page.get_by_role("menuitem", name="Invite people")).to_be_focused()
        for _ in range(3):
            await page.keyboard.press("ArrowDown")
        await expect(page.get_by_role("menuitem", name="Create a category")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.get_by_label("Name of the category").fill("Workshop")
        await page.keyboard.press("Enter")
        category = page.get_by_role("button", name="Workshop", exact=True)
        await category.wait_for()

        await create_channel(page, "news", kind="Announcements", category="Workshop")
        await page.get_by_role("heading", name="news").wait_for()
        await create_channel(page, "plans", category="Workshop")
        plans = page.get_by_role("link", name="plans")
        await plans.press("Alt+ArrowUp")
        await expect_order(page, ["general", "plans", "news"])
        await expect(plans).to_be_focused()
        await plans.press("Alt+ArrowUp")  # out of the category
        outside = page.get_by_role("region", name="Channels", exact=True)
        await outside.get_by_role("link", name="plans").wait_for()
        await plans.drag_to(
            page.get_by_role("link", name="news"), target_position={"x": 40, "y": 28}
        )
        await expect_order(page, ["general", "news", "plans"])
        by_name = {each["name"]: each for each in await rest.get(f"/guilds/{guild.id}/channels")}
        assert by_name["plans"]["parent_id"] == by_name["Workshop"]["id"]
        assert by_name["news"]["type"] == 5

        await category.click()
        await expect_order(page, ["general", "plans"])  # the channel that is open stays
        await page.reload()
        await expect(category).to_have_attribute("aria-expanded", "false")
        await category.click()

        await choose(page, "plans", "Edit channel")
        settings = page.get_by_role("dialog", name="Settings of plans")
        await settings.get_by_label("Topic").fill("What we build")
        await settings.get_by_label("Slow mode").select_option("30 seconds")
        await settings.get_by_role("button", name="Save").click()
        await settings.get_by_role("status").filter(has_text="Saved").wait_for()
        await page.keyboard.press("Escape")
        changed = await rest.get(f"/channels/{by_name['plans']['id']}")
        assert (changed["topic"], changed["rate_limit_per_user"]) == ("What we build", 30)

        await choose(page, "plans", "Mute")
        await page.get_by_role("link", name="plans, muted").wait_for()
        await send(web_world, by_name["plans"]["id"], "quiet")
        await choose(page, "news", "Delete channel")
        await dialog(page, "Delete channel").get_by_role("button", name="Delete").click()
        await expect(page.get_by_role("link", name="news")).to_have_count(0)

        await rename_guild(page, guild)
        await page.reload()
        await delete_guild(page)
        await page.get_by_role("heading", name="Friends", exact=True).wait_for()
        assert await rest.get("/users/@me/guilds") == []
    problems[:] = [each for each in problems if "400" not in each]  # a name that was refused


async def create_channel(page: Page, name: str, *, category: str, kind: str = "Text") -> None:
    await page.get_by_role("button", name="Create a channel").click()
    await page.get_by_label(kind).check()
    await page.get_by_label("Name of the channel").fill(name)
    await page.get_by_label("Category").select_option(category)
    await page.get_by_role("button", name="Create", exact=True).click()
    await page.get_by_role("link", name=name).wait_for()


async def choose(page: Page, channel: str, item: str) -> None:
    """Choose from the menu of a channel."""
    await page.get_by_role("link", name=channel).click(button="right")
    await page.get_by_role("menuitem", name=item, exact=True).click()


async def expect_order(page: Page, names: list[str]) -> None:
    await expect(page.locator(".channels a.channel .name")).to_have_text(names)


async def rename_guild(page: Page, guild: Guild) -> None:
    """Give a guild another name and picture. A refused name stays in its field."""
    await page.get_by_role("button", name="Server menu").click()
    await page.get_by_role("menuitem", name="Server settings").click()
    name = page.get_by_label("Name of the server")
    await name.fill("x")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("alert").filter(has_text="2 and 100").wait_for()
    await expect(name).to_have_value("x")
    await name.fill("Engine")
    picture = FilePayload(name="p.png", mimeType="image/png", buffer=image_bytes(size=(40, 20)))
    await page.locator("input[type=file][accept^='image/png']").set_input_files(picture)
    await page.get_by_alt_text("The new picture").wait_for()
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("dialog", name="Settings of Engine").wait_for()
    found = await guild.owner.rest.get(f"/guilds/{guild.id}")
    assert found["name"] == "Engine"
    assert found["icon"]


async def delete_guild(page: Page) -> None:
    await page.get_by_role("button", name="Server menu").click()
    await page.get_by_role("menuitem", name="Server settings").click()
    await page.get_by_role("button", name="Delete server").click()
    question = dialog(page, "Delete server")
    typed = question.get_by_label("Type Engine to confirm")
    await typed.fill("engine")
    await question.get_by_role("button", name="Delete server").click()
    await question.get_by_text("Type the name exactly").wait_for()
    await typed.fill("Engine")
    await question.get_by_role("button", name="Delete server").click()


async def test_roles_and_overwrites_change_what_others_see_at_once(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    rest = guild.owner.rest
    await rest.post(f"/guilds/{guild.id}/roles", {"name": HOSTILE, "hoist": True})
    address = f"{web.url}/app/{guild.id}/{guild.general.id}"
    async with (
        client_of(guild.owner, address, problems) as page,
        client_of(bob, address, problems) as other,
    ):
        await open_settings(page, "Roles")
        settings = page.get_by_role("dialog", name="Settings of alice's guild")
        await settings.get_by_role("button", name="Create a role").click()
        editor = settings.get_by_role("group", name="New role")
        await editor.get_by_label("Name of the role").fill("Crew")
        await editor.get_by_label("Colour", exact=True).check()
        await editor.get_by_label("Colour of the role").fill("#aa3300")
        await editor.get_by_label("Show its members separately").check()
        await editor.get_by_label("Kick members").check()
        await editor.get_by_role("button", name="Save").click()
        editor = settings.get_by_role("group", name="Crew")
        await editor.get_by_role("status").filter(has_text="Saved").wait_for()
        roles = {each["name"]: each for each in await rest.get(f"/guilds/{guild.id}/roles")}
        crew = roles["Crew"]
        assert (crew["color"], crew["hoist"]) == (0xAA3300, True)
        assert int(crew["permissions"]) == Permissions.KICK_MEMBERS

        item = settings.get_by_role("button", name="Crew", exact=True)
        order = settings.locator(".role-list .name")
        await expect(order).to_have_text([HOSTILE, "Crew", "@everyone"])
        await item.press("Alt+ArrowUp")
        await expect(order).to_have_text(["Crew", HOSTILE, "@everyone"])
        await expect(item).to_be_focused()

        # A member list that is open elsewhere gets the group of the role.
        await editor.get_by_label("Find members by name").fill(bob.name)
        await editor.get_by_role("button", name=f"Give the role: {bob.name}").click()
        await editor.get_by_text(f"{bob.name} has Crew now.").wait_for()
        members = other.get_by_role("complementary", name="Members")
        await members.get_by_role("heading", name="Crew — 1").wait_for()
        await page.keyboard.press("Escape")

        # Only the crew sees a private channel; then nobody does.
        await page.get_by_role("button", name="Create a channel").click()
        await page.get_by_label("Name of the channel").fill("bridge")
        await page.get_by_role("checkbox", name="Private").check()
        await page.get_by_label("Crew").check()
        await dialog(page, "Create a channel").get_by_role("button", name="Create").click()
        await other.get_by_role("link", name="bridge, Private").wait_for()

        await choose(page, "bridge", "Edit channel")
        settings = page.get_by_role("dialog", name="Settings of bridge")
        await settings.get_by_role("button", name="Permissions").click()
        send_row = settings.get_by_role("row", name="Send messages Members write")
        await expect(send_row).to_contain_text("Cannot see the channel.")
        await settings.get_by_label("Show what may be done by").select_option("Crew")
        await expect(send_row).to_contain_text("Granted by the role @everyone.")
        await settings.get_by_label("Crew: Send messages").select_option(label="✕ Deny")
        await expect(send_row).to_contain_text("Denied here for Crew.")
        await settings.get_by_role("button", name="Save").click()
        await expect(settings.get_by_text("There are changes")).to_have_count(0)
        await other.get_by_role("link", name="bridge").click()
        await other.get_by_text("You cannot write here.").wait_for()
        crew_path = f"/guilds/{guild.id}/roles/{crew['id']}"
        await rest.patch(crew_path, {"permissions": str(Permissions.MANAGE_ROLES.value)})
        await settings.get_by_label("Crew: View channels").select_option(label="– Inherit")
        await settings.get_by_role("button", name="Save").click()
        await expect(other.get_by_role("link", name="bridge")).to_have_count(0)
        await other.get_by_role("heading", name="#general").wait_for()
        await page.keyboard.press("Escape")

        # A right that is taken away meanwhile: the refusal is said, and nothing typed is lost.
        await open_settings(other, "Roles")
        theirs = other.get_by_role("dialog", name="Settings of alice's guild")
        await theirs.get_by_role("button", name="Crew").click()
        await theirs.get_by_text("not below your highest role").first.wait_for()
        await expect(theirs.get_by_label("Name of the role")).to_be_disabled()
        await theirs.locator(".role-list button").nth(1).click()
        await expect(theirs.get_by_label("Ban members")).to_be_disabled()
        name = theirs.get_by_label("Name of the role")
        await expect(name).to_have_value(HOSTILE)
        await name.fill("Renamed")
        await other.route("**/api/v10/guilds/*/roles/*", refuse)
        await theirs.get_by_role("button", name="Save").click()
        await theirs.get_by_text("You may not do that (any more).").wait_for()
        await expect(name).to_have_value("Renamed")
        await rest.patch(crew_path, {"permissions": "0"})
        await theirs.get_by_role("heading", name="Members").wait_for()
        assert await other.locator("script:not([type=module])").count() == 0
    problems[:] = [each for each in problems if "403" not in each]


async def refuse(route: Route) -> None:
    """Answer as the server does when the right of the caller has ended."""
    await route.fulfill(status=403, json={"message": "Missing Permissions", "code": 50013})


async def open_settings(page: Page, section: str) -> None:
    """Open a section of the settings of the guild that is shown."""
    await page.get_by_role("button", name="Server menu").click()
    await page.get_by_role("menuitem", name="Server settings").click()
    sections = page.get_by_role("navigation", name="Sections")
    await sections.get_by_role("button", name=section, exact=True).click()


async def test_moderators_act_within_their_rights(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob", "carol", "dave"])
    bob, carol, dave = await web_world.people("bob", "carol", "dave")
    rest = guild.owner.rest
    rights = (
        Permissions.KICK_MEMBERS
        | Permissions.BAN_MEMBERS
        | Permissions.MODERATE_MEMBERS
        | Permissions.MANAGE_NICKNAMES
        | Permissions.VIEW_AUDIT_LOG
        | Permissions.MANAGE_WEBHOOKS
        | Permissions.MANAGE_GUILD
    )
    role = await rest.post(
        f"/guilds/{guild.id}/roles", {"name": "Mods", "permissions": str(rights.value)}
    )
    await rest.put(f"/guilds/{guild.id}/members/{bob.id}/roles/{role['id']}")
    await dave.rest.patch("/users/@me", {"global_name": HOSTILE[:32]})
    address = f"{web.url}/app/{guild.id}/{guild.general.id}"
    async with client_of(bob, address, problems) as page:
        list_of = page.get_by_role("complementary", name="Members")
        # The card of a member has what may be done with it.
        await list_of.get_by_role("button", name=guild.owner.name).click()
        card = page.get_by_role("group", name=guild.owner.name)
        await card.get_by_text("Member since").wait_for()
        await expect(card.get_by_role("button", name="Kick")).to_have_count(0)
        await page.keyboard.press("Escape")
        await list_of.get_by_role("button", name=carol.name).click()
        card = page.get_by_role("group", name=carol.name, exact=True)
        await card.get_by_role("button", name="Mention").click()
        field = page.get_by_role("textbox", name="Write a message")
        await expect(field).to_have_value(f"<@{carol.id}> ")
        await field.fill("")

        await on_card(page, carol.name, "Change nickname")
        await page.get_by_role("textbox", name="Nickname").fill("Caro")
        await dialog(page, "Change nickname").get_by_role("button", name="Save").click()
        await on_card(page, "Caro", "Time out")
        await page.get_by_label("Duration").select_option("one hour")
        await page.get_by_label("Reason").fill("too loud")
        await dialog(page, "Time out").get_by_role("button", name="Time out").click()
        await on_card(page, "Caro", "End the timeout")
        await dialog(page, "End the timeout").get_by_role("button", name="End the timeout").click()
        await on_card(page, "Caro", "Ban")
        await page.get_by_label("Reason").fill("spam")
        await dialog(page, "Ban").get_by_role("button", name="Ban").click()
        await expect(list_of.get_by_role("button", name="Caro")).to_have_count(0)

        await open_settings(page, "Members")
        settings = page.get_by_role("dialog", name="Settings of alice's guild")
        await settings.get_by_text("3 members").wait_for()
        await settings.get_by_label("Find members by name").fill(dave.name[:6])
        await expect(settings.locator(".entries > li")).to_have_count(1)
        await settings.get_by_text(HOSTILE[:32]).wait_for()
        await settings.get_by_role("button", name="Manage", exact=False).last.click()
        await page.get_by_role("button", name="Kick").click()
        await dialog(page, "Kick").get_by_role("button", name="Kick").click()
        await expect(settings.locator(".entries > li")).to_have_count(0)

        await section(settings, "Bans")
        await settings.get_by_text("One ban").wait_for()
        await settings.get_by_label("Find bans").fill("spam")
        await settings.get_by_role("button", name=f"Lift the ban: {carol.name}").click()
        await dialog(page, "Lift the ban").get_by_role("button", name="Lift the ban").click()
        await settings.get_by_text("Nobody is banned.").wait_for()

        await section(settings, "Webhooks")
        await settings.get_by_text("Create a webhook").click()
        await settings.get_by_label("Name of the webhook").fill(HOSTILE)
        await settings.get_by_role("button", name="Create", exact=True).click()
        made = settings.locator(".entries > li", has_text=HOSTILE)
        await made.locator("summary").click()
        await made.get_by_label("Name of the webhook").fill("Builds")
        await made.get_by_role("button", name="Save").click()
        made = settings.locator(".entries > li", has_text="Builds")
        await made.get_by_role("button", name="Copy the address").wait_for()
        await made.get_by_role("button", name="Delete webhook").click()
        await dialog(page, "Delete webhook").get_by_role("button", name="Delete").click()
        await settings.get_by_text("There are no webhooks.").wait_for()

        await section(settings, "Invites")
        await settings.get_by_text("Create an invite").click()
        await settings.get_by_label("Expires after").select_option("30 minutes")
        await settings.get_by_label("Uses").select_option("5")
        await settings.get_by_role("button", name="Create the link").click()
        limited = settings.locator(".entries > li", has_text="uses: 0 of 5")
        await limited.get_by_role("button", name="Revoke").click()
        await dialog(page, "Revoke").get_by_role("button", name="Revoke").click()
        await expect(limited).to_have_count(0)

        await section(settings, "Audit log")
        entries = settings.locator(".entries > li")
        await expect(entries.filter(has_text=f"{bob.name} banned {carol.name}.")).to_contain_text(
            "Reason: spam"
        )
        await settings.get_by_label("Action").select_option("Member kicked")
        await expect(entries).to_have_count(1)
        await expect(entries).to_contain_text(f"{bob.name} kicked {dave.name}.")
        assert await page.locator("dialog script, dialog img[src=x]").count() == 0


async def on_card(page: Page, name: str, action: str) -> None:
    """Choose an action from the card of a member in the list."""
    members = page.get_by_role("complementary", name="Members")
    await members.get_by_role("button", name=name).click()
    card = page.get_by_role("group", name=name, exact=True)
    await card.get_by_role("button", name=action, exact=True).click()


async def section(settings: Locator, name: str) -> None:
    sections = settings.get_by_role("navigation", name="Sections")
    await sections.get_by_role("button", name=name, exact=True).click()
