"""The web client in Chromium: registration, login, and how long a login lasts."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.conftest import ServeMore, Server
from tests.helpers.accounts import administrator
from tests.helpers.browser import needs_chromium
from tests.helpers.images import image_bytes
from tests.helpers.web_client import client_of, log_in, page_of, write
from tests.world import PASSWORD, Person, World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

REFUSED_STORAGE = (
    "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError') };"
)
NEW_PASSWORD = "Analytical1843"
CLOCK_OFF_BY_A_DAY = "const now = Date.now; Date.now = () => now() - 86_400_000;"


def forget_refusals(problems: list[str]) -> None:
    """Remove what the browser reports of requests that the test expects to be refused."""
    problems[:] = [each for each in problems if "the server responded with a status" not in each]


async def test_registration_shows_rules_and_errors_at_their_fields(
    web: Server, web_world: World, problems: list[str]
) -> None:
    await web_world.person("taken")
    async with page_of(f"{web.url}/register", problems) as page:
        await page.get_by_text("Everyone can create an account here.").wait_for()
        name, password = page.get_by_label("Username"), page.get_by_label("Password")
        await expect(password).to_have_accessible_description(re.compile("At least 8 characters"))
        await name.fill((await web_world.rest("taken").get("/users/@me"))["username"])
        await page.get_by_label("E-mail address").fill("new@example.org")
        await password.fill(PASSWORD)
        await page.get_by_role("button", name="Create an account").click()
        await expect(name).to_have_accessible_description(re.compile("This username is taken"))
        await expect(name).to_be_focused()
        await expect(password).to_have_value(PASSWORD)
        await name.fill("not_taken")
        await page.get_by_role("button", name="Create an account").click()
        await expect(page).to_have_url(f"{web.url}/app/@me")
        await log_in_and_out_over_tabs(web, page)
    forget_refusals(problems)


async def log_in_and_out_over_tabs(web: Server, page: Page) -> None:
    """Open a second tab with the login of the first, log out there, and log in again."""
    second = await page.context.new_page()
    await second.goto(web.url)
    await second.get_by_role("heading", name="Friends").wait_for()
    await second.get_by_role("button", name="Log out").click()
    for each in (second, page):
        await each.get_by_role("button", name="Log in").wait_for()
        await expect(each.get_by_role("heading", name="Friends")).to_have_count(0)
    await log_in(second, "new@example.org")
    for each in (second, page):
        await each.get_by_role("heading", name="Friends").wait_for()


@pytest.mark.parametrize("policy", ["invitation", "closed"])
async def test_registration_page_shows_the_policy(
    serve_more: ServeMore, problems: list[str], policy: str
) -> None:
    async with (
        serve_more(worker_id=10, registration=policy) as server,
        page_of(f"{server.url}/register?code=nosuchcode", problems) as page,
    ):
        if policy == "closed":
            await page.get_by_text("Registration is closed.").wait_for()
            await expect(page.get_by_label("Username")).to_have_count(0)
            return
        code = page.get_by_label("Registration code")
        await expect(code).to_have_value("nosuchcode")
        await page.get_by_label("Username").fill("uninvited")
        await page.get_by_label("E-mail address").fill("uninvited@example.org")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Create an account").click()
        await expect(code).to_have_accessible_description(re.compile("This code is not valid"))
    forget_refusals(problems)


async def test_ended_login_is_renewed_without_losing_what_was_typed(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    address = f"{web.url}/app/{guild.id}/{guild.general.id}"
    script = REFUSED_STORAGE + CLOCK_OFF_BY_A_DAY
    async with page_of(address, problems, script=script) as page:
        # Neither storage that is full nor a wrong clock prevents anything.
        await log_in(page, bob.email)
        await page.get_by_text("This browser does not store your login.").wait_for()
        field = page.get_by_role("textbox", name="Write a message")
        await field.fill("half a tho")
        await end_logins(web_world)
        again = page.get_by_role("dialog", name="Please log in again")
        await expect(again.get_by_label("E-mail address")).to_have_value(bob.email)
        await again.get_by_label("Password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(again).to_have_count(0)
        await expect(field).to_have_value("half a tho")
        await write(page, "a whole thought")
        shown = page.locator(".message:not(.pending)", has_text="a whole thought")
        await shown.wait_for()
        assert await page.evaluate("localStorage.length") == 0
    forget_refusals(problems)


async def end_logins(world: World) -> None:
    """End all logins of Bob, but the one of his requests."""
    rest = world.rest("bob")
    found = (await rest.get("/auth/sessions"))["user_sessions"]
    hashes = [each["id_hash"] for each in found if not each["current"]]
    await rest.post("/auth/sessions/logout", {"session_id_hashes": hashes})


async def test_settings_change_the_account(
    web: Server, web_world: World, problems: list[str]
) -> None:
    await web_world.guild(owner="alice", members=["bob"])
    bob, alice = await web_world.people("bob", "alice")
    await bob.rest.put(f"/users/@me/relationships/{alice.id}", {"type": 2})
    async with client_of(bob, f"{web.url}/app", problems) as page:
        await page.get_by_role("button", name="Settings").click()
        await change_profile(page, alice)
        await log_out_other_devices(page, bob)
        await open_section(page, "Privacy")
        await page.get_by_label("Who may write to you").select_option("friends")
        await page.get_by_role("button", name=re.compile("Unblock")).click()
        await page.get_by_text("You have blocked no one.").wait_for()
        await create_bot(page, web_world)
        await change_password(page, bob.email)
        await page.keyboard.press("Escape")
        await page.get_by_role("heading", name="Friends").wait_for()
        await page.keyboard.press("Control+/")
        await page.get_by_role("heading", name="Keyboard").wait_for()
        await delete_account(page)
        await page.get_by_role("heading", name="Log in").wait_for()
        assert (await alice.rest.get(f"/users/{bob.id}"))["username"].startswith("deleted_user")
    forget_refusals(problems)


async def open_section(page: Page, name: str) -> None:
    await page.get_by_role("navigation", name="Settings").get_by_role("link", name=name).click()


async def change_profile(page: Page, other: Person) -> None:
    """Change the name and the picture, with the keyboard; another person sees both."""
    await page.get_by_label("Display name").fill("Robert")
    await page.get_by_label("About you").fill("I count.")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("Saved.", exact=True).wait_for()
    picture = image_bytes(size=(600, 300))
    await page.locator("input[type=file]").set_input_files(
        {"name": "picture.png", "mimeType": "image/png", "buffer": picture}
    )
    slider = page.get_by_label("Left or right")
    await slider.focus()
    await page.keyboard.press("Home")
    await page.get_by_role("button", name="Use this picture").click()
    shown = page.locator(".own-picture img")
    await expect(shown).to_have_attribute("src", re.compile("^/avatars/"))
    address = await shown.get_attribute("src")
    guild = (await other.rest.get("/users/@me/guilds"))[0]["id"]
    [user] = [
        each["user"]
        for each in await other.rest.get(f"/guilds/{guild}/members?limit=9")
        if each["user"]["id"] != other.id
    ]
    assert (user["global_name"], user["avatar"] in str(address)) == ("Robert", True)


async def log_out_other_devices(page: Page, person: Person) -> None:
    await open_section(page, "Devices")
    await page.get_by_text("this device").wait_for()
    await page.get_by_role("button", name="Log out all other devices").click()
    await page.get_by_role("dialog").get_by_role("button", name="Log out all").click()
    await page.get_by_text("device is logged out.").wait_for()
    assert (await person.rest.call("GET", "/users/@me")).status == 401


async def create_bot(page: Page, world: World) -> None:
    """Create a bot whose token works, replace the token, and delete the bot."""
    await open_section(page, "Your bots")
    await page.get_by_label("Name of the bot").fill("helper_of_bob")
    await page.get_by_role("button", name="Create a bot").click()
    token = page.get_by_label("Token", exact=True)
    first = await token.input_value()
    assert await token_status(world, first) == 200
    link = await page.get_by_label("Link to add it to a server", exact=True).input_value()
    assert "/oauth2/authorize?client_id=" in link
    await page.get_by_label("Others may add it to their servers").check()
    await page.get_by_role("button", name="New token").click()
    await page.get_by_role("dialog").get_by_role("button", name="New token").click()
    await expect(token).not_to_have_value(first)
    assert await token_status(world, first) == 401
    await open_section(page, "Account")
    await page.get_by_text("You have bots: helper_of_bob.").wait_for()
    await open_section(page, "Your bots")
    await expect(page.get_by_label("Others may add it to their servers")).to_be_checked()
    await page.get_by_role("button", name="Delete the bot").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete the bot").click()
    await page.get_by_text("You have no bots yet.").wait_for()


async def token_status(world: World, token: str) -> int:
    headers = {"Authorization": f"Bot {token}"}
    return (await world.anonymous.call("GET", "/users/@me", headers=headers)).status


async def change_password(page: Page, email: str) -> None:
    await open_section(page, "Account")
    form = page.locator("form", has=page.get_by_label("New password"))
    await form.get_by_label("Current password").fill("not this one")
    await form.get_by_label("New password").fill(NEW_PASSWORD)
    await form.get_by_role("button").click()
    await form.get_by_text("The password is wrong.").wait_for()
    await form.get_by_label("Current password").fill(PASSWORD)
    await form.get_by_role("button").click()
    await form.get_by_text("The password is changed.").wait_for()


async def delete_account(page: Page) -> None:
    await open_section(page, "Account")
    await page.get_by_role("button", name="Delete the account").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Current password").fill(NEW_PASSWORD)
    await dialog.get_by_role("button", name="Delete the account").click()


async def test_administrators_manage_accounts_and_codes(
    web: Server, web_world: World, problems: list[str]
) -> None:
    ada = await administrator(web, web_world, "ada")
    await web_world.guild(owner="mallory")
    mallory = await web_world.person("mallory")
    async with client_of(ada, f"{web.url}/app/settings", problems) as page:
        await page.get_by_role("link", name="Administration of the server").click()
        await page.get_by_role("img", name=re.compile(r"Sessions: now \d")).wait_for()
        await page.locator(".counts", has_text="People").wait_for()
        await page.get_by_role("link", name="Accounts").click()
        await page.get_by_label("Part of a name or address").fill(mallory.email)
        card = page.get_by_role("main").get_by_role("listitem")
        await expect(card).to_have_count(1)
        await confirm_in_card(page, "Disable")
        await card.get_by_text("disabled").wait_for()
        assert (await mallory.rest.call("GET", "/users/@me")).status == 401
        await confirm_in_card(page, "Enable")
        await expect(card.get_by_text("disabled")).to_have_count(0)
        await card.get_by_role("button", name="Delete").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Delete").click()
        await dialog.get_by_text("It owns guilds").wait_for()
        await dialog.get_by_label("Delete its server, too").check()
        await dialog.get_by_role("button", name="Delete").click()
        await page.get_by_text("Nothing found.").wait_for()
        await page.get_by_role("link", name="Registration codes").click()
        await page.get_by_label("How many people can use it").fill("3")
        await page.get_by_role("button", name="Create a code").click()
        link = await page.get_by_label("Link to register", exact=True).input_value()
        [code] = await ada.rest.get("/auth/invitations")
        assert (link, code["max_uses"]) == (f"{web.url}/register?code={code['code']}", 3)
        await page.get_by_role("button", name=re.compile("Revoke")).click()
        await dialog.get_by_role("button", name="Revoke").click()
        await page.get_by_text("There are no codes.").wait_for()
    forget_refusals(problems)
    bob = await web_world.person("bob")
    async with client_of(bob, f"{web.url}/app/admin", problems) as page:
        await page.get_by_text("Only administrators of this server").wait_for()


async def confirm_in_card(page: Page, action: str) -> None:
    """Press a button of the only card, and confirm."""
    button = page.get_by_role("main").get_by_role("listitem").get_by_role("button", name=action)
    await button.click()
    await page.get_by_role("dialog").get_by_role("button", name=action).click()
