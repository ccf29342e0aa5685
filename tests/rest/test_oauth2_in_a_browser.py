"""The page that adds a bot to a guild, in Chromium: as a person uses it, and with hostile links."""

from __future__ import annotations

from urllib.parse import quote

import discord
import pytest
from playwright.async_api import Page, ViewportSize

from chatd.core.permissions import Permissions as P
from tests.helpers.browser import DESKTOP, browsing, needs_chromium
from tests.helpers.mfa import CodeClock, enable_totp
from tests.helpers.roles import assign_roles, create_role
from tests.world import PASSWORD, Person, World, like

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]


async def log_in(page: Page, person: Person, password: str = PASSWORD) -> None:
    """Log in by the keyboard: the field for the address has the focus."""
    await page.keyboard.type(person.email)
    await page.keyboard.press("Tab")
    await page.keyboard.type(password)
    await page.keyboard.press("Enter")


async def asked_permissions(page: Page) -> dict[str, tuple[bool, bool]]:
    """Return the permissions that the page shows, and whether each is checked and enabled."""
    found: list[tuple[str, bool, bool]] = await page.locator("#permissions li").evaluate_all(
        "all => all.filter((each) => each.checkVisibility()).map((each) => {"
        " const box = each.querySelector('input');"
        " return [each.innerText.trim(), box.checked, !box.disabled]; })"
    )
    return {title: (checked, enabled) for title, checked, enabled in found}


async def test_link_of_discord_py_adds_its_bot(world: World, problems: list[str]) -> None:
    guild = await world.guild(owner="alice")
    other = await world.guild(owner="bob", members=["alice"])
    bot = await world.bot("bot", owner="carol")
    wanted = discord.Permissions(kick_members=True, ban_members=True)
    link = discord.utils.oauth_url(bot.id, permissions=wanted)
    url = link.replace("https://discord.com", world.url)
    async with browsing(url, problems=problems, viewport=DESKTOP) as page:
        await log_in(page, guild.owner)
        heading = page.get_by_role("heading", name=bot.name)
        await heading.wait_for()
        choice = page.get_by_label("Guild", exact=True)
        assert await choice.locator("option").evaluate_all("all => all.map((e) => e.value)") == [
            guild.id
        ]
        assert other.id != guild.id
        assert await asked_permissions(page) == {
            "Kick members": (True, True),
            "Ban members": (True, True),
        }
        await page.get_by_label("Kick members").focus()
        await page.keyboard.press("Space")
        await page.get_by_role("button", name="Authorize").focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name=f"{bot.name} was added to").wait_for()
        assert await page.get_by_role("button").count() == 0
    roles = await guild.owner.rest.get(f"/guilds/{guild.id}/roles")
    assert [role["permissions"] for role in roles if role["managed"]] == [str(int(P.BAN_MEMBERS))]
    sessions = await guild.owner.rest.get("/auth/sessions")
    assert len(sessions["user_sessions"]) == 1  # the page has logged out


async def test_second_factor_is_asked_for(world: World, code_clock: CodeClock) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="carol")
    codes = await enable_totp(guild.owner, code_clock)
    url = f"{world.url}/api/oauth2/authorize?client_id={bot.id}&scope=bot&permissions=8"
    problems: list[str] = []
    async with browsing(url, problems=problems) as page:
        await log_in(page, guild.owner)
        field = page.get_by_label("Code of your app")
        await field.fill("000000")
        await page.keyboard.press("Enter")
        await page.get_by_text("This code is wrong").wait_for()
        assert await field.input_value() == ""
        await page.keyboard.type(codes[0])
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name=bot.name).wait_for()
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_role("heading", name="Nothing was added.").wait_for()
    assert len(problems) == 1  # the wrong code
    assert len((await guild.owner.rest.get("/auth/sessions"))["user_sessions"]) == 1


async def test_cancel_adds_nothing(world: World, problems: list[str]) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="carol")
    url = f"{world.url}/api/oauth2/authorize?client_id={bot.id}&scope=bot&permissions=8"
    async with browsing(url, problems=problems) as page:
        await log_in(page, guild.owner)
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_role("heading", name="Nothing was added.").wait_for()
    assert await guild.owner.rest.get(f"/guilds/{guild.id}/integrations") == []
    assert len((await guild.owner.rest.get("/auth/sessions"))["user_sessions"]) == 1


async def test_permissions_that_the_person_lacks_cannot_be_granted(
    world: World, problems: list[str]
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    held = P.MANAGE_GUILD | P.KICK_MEMBERS
    await assign_roles(world, guild, "bob", await create_role(guild, "manager", int(held)))
    bot = await world.bot("bot", owner="carol")
    own = await world.guild(owner="bob")
    wanted = int(P.ADMINISTRATOR | P.KICK_MEMBERS)
    url = (
        f"{world.url}/oauth2/authorize?client_id={bot.id}&scope=bot+applications.commands"
        f"&permissions={wanted}&guild_id={guild.id}"
    )
    async with browsing(url, problems=problems) as page:
        await log_in(page, await world.person("bob"))
        choice = page.get_by_label("Guild", exact=True)
        await choice.wait_for()
        assert await choice.input_value() == guild.id
        assert await asked_permissions(page) == {
            "Kick members": (True, True),
            "Administrator": (False, False),
        }
        assert "do not have" in await page.locator("#hint").inner_text()
        await choice.select_option(own.id)
        assert (await asked_permissions(page))["Administrator"] == (True, True)
        await choice.select_option(guild.id)
        await page.get_by_role("button", name="Authorize").click()
        await page.get_by_role("heading", name="was added to").wait_for()
    roles = await guild.owner.rest.get(f"/guilds/{guild.id}/roles")
    assert [role["permissions"] for role in roles if role["managed"]] == [str(int(P.KICK_MEMBERS))]


async def test_guild_of_the_link_can_be_fixed(world: World, problems: list[str]) -> None:
    guild = await world.guild(owner="alice")
    await world.guild(owner="alice")
    bot = await world.bot("bot", owner="carol")
    url = (
        f"{world.url}/oauth2/authorize?client_id={bot.id}&scope=applications.commands"
        f"&guild_id={guild.id}&disable_guild_select=true"
    )
    async with browsing(url, problems=problems) as page:
        await log_in(page, guild.owner)
        choice = page.get_by_label("Guild", exact=True)
        await choice.wait_for()
        assert (await choice.input_value(), await choice.is_disabled()) == (guild.id, True)
        assert not await page.locator("#permissions").is_visible()
        await page.get_by_role("button", name="Authorize").click()
        await page.get_by_role("heading", name="was added to").wait_for()
    [integration] = await guild.owner.rest.get(f"/guilds/{guild.id}/integrations")
    assert integration == like(id=bot.id, scopes=["applications.commands"])


async def test_person_adds_an_application_for_itself(world: World, problems: list[str]) -> None:
    bot = await world.bot("bot", owner="carol")
    alice = await world.person("alice")
    url = (
        f"{world.url}/oauth2/authorize?client_id={bot.id}&scope=applications.commands"
        "&integration_type=1"
    )
    async with browsing(url, problems=problems) as page:
        await log_in(page, alice)
        await page.get_by_role("button", name="Authorize").click()
        await page.get_by_role("heading", name="was added to your account").wait_for()
    assert [each["id"] for each in await alice.rest.get("/oauth2/tokens")] == [bot.id]


async def test_names_are_shown_as_text(world: World, problems: list[str]) -> None:
    attack = "<img src=x onerror=alert(1)>"
    alice, carol = await world.people("alice", "carol")
    guild = await alice.rest.post("/guilds", {"name": f"{attack}</option>"})
    made = await carol.rest.post(
        "/applications", {"name": "x", "description": attack} | {"name": attack[:32]}
    )
    link = f"{world.url}/oauth2/authorize?client_id={made['id']}&scope=bot&permissions=8"
    hostile = f"{link}&x={quote('</script><script>alert(1)</script>')}#{quote(attack)}"
    async with browsing(hostile, problems=problems) as page:
        await log_in(page, alice)
        await page.get_by_role("heading", name=attack).wait_for()
        assert await page.locator("#description").inner_text() == attack
        assert await page.locator("main img:not(#icon)").count() == 0
        option = page.locator(f"option[value='{guild['id']}']")
        assert await option.inner_text() == f"{attack}</option>"


WRONG_LINKS = [
    ("", "client_id"),
    ("client_id=javascript:alert(1)", "client_id"),
    ("client_id=1&scope=bot", "Unknown Application"),
    ("client_id={id}&scope=identify", "scope: "),
    ("client_id={id}&scope=bot&redirect_uri=javascript:alert(1)", "redirect_uri: "),
    ("client_id={id}&scope=bot&permissions=<b>", "permissions: "),
    ("client_id={id}&scope=bot&guild_id=1&disable_guild_select=true", "guild of this link"),
]


async def test_wrong_links_say_what_is_wrong(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="carol")
    problems: list[str] = []
    async with browsing(f"{world.url}/oauth2/authorize", problems=problems) as page:
        alert = page.get_by_role("alert")
        for query, said in WRONG_LINKS:
            await page.goto(f"{world.url}/oauth2/authorize?{query.format(id=bot.id)}")
            if not await alert.inner_text():
                await log_in(page, guild.owner)
                await page.locator("#error:not(:empty)").wait_for()
            assert said in await alert.inner_text(), query
            assert not await page.locator("form:visible").count()
    assert all("the server responded with a status of 40" in each for each in problems)
    assert await guild.owner.rest.get(f"/guilds/{guild.id}/integrations") == []


async def test_wrong_password_can_be_corrected(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="carol")
    problems: list[str] = []
    url = f"{world.url}/oauth2/authorize?client_id={bot.id}&scope=bot"
    async with browsing(url, problems=problems) as page:
        await log_in(page, guild.owner, "not the password")
        await page.locator("#error:not(:empty)").wait_for()
        shown = await page.get_by_role("alert").inner_text()
        assert shown == "The email address or the password is wrong."
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        await page.get_by_role("heading", name=bot.name).wait_for()
        assert await page.get_by_role("alert").inner_text() == ""
    assert len(problems) == 1


async def test_page_fits_a_phone_and_needs_a_script(world: World, problems: list[str]) -> None:
    url = f"{world.url}/oauth2/authorize?client_id=1"
    phone: ViewportSize = {"width": 320, "height": 640}
    async with browsing(url, problems=problems, viewport=phone) as page:
        assert await page.locator("html").evaluate("html => html.scrollWidth") <= 320
    async with browsing(url, problems=problems, java_script_enabled=False) as page:
        assert "needs JavaScript" in await page.locator("main").inner_text()
        assert not await page.locator("form:visible").count()


async def test_page_cannot_be_framed(world: World) -> None:
    answer = await world.anonymous.call(
        "GET", "/oauth2/authorize?client_id=1", headers={"Accept": "text/html"}
    )
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    page = answer.raw.decode()
    assert "<script>" not in page
    assert " style=" not in page
    assert " onclick" not in page
    without_page = await world.anonymous.call("GET", "/oauth2/authorize?client_id=1")
    assert (without_page.status, without_page.json["code"]) == (401, 0)
