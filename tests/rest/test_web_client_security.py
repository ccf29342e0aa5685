"""Second factors in the web client, in Chromium: settings, logins, and confirmations."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Page, expect

from chatd.auth.passkeys import PasskeyVerifier
from chatd.config import Config
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server, serving
from tests.helpers.browser import devtools, needs_chromium
from tests.helpers.mfa import CodeClock, enable_totp
from tests.helpers.web_client import client_of, dialog, log_in, page_of
from tests.world import PASSWORD, Person, World, world_on

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

CONFIRM = "Confirm that it is you"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@contextmanager
def refusals(problems: list[str], *statuses: int) -> Iterator[None]:
    """Forget what the browser reports of requests that the server refuses with these statuses."""
    yield
    expected = tuple(f"status of {status}" for status in statuses)
    problems[:] = [each for each in problems if not any(text in each for text in expected)]


async def enter_code(page: Page, code: str) -> None:
    await page.get_by_label("Code", exact=True).fill(code)
    await page.keyboard.press("Enter")


async def confirm(page: Page, code: str) -> None:
    asked = dialog(page, CONFIRM)
    await asked.get_by_label("Code", exact=True).fill(code)
    await asked.get_by_role("button", name="Confirm").click()
    await asked.wait_for(state="detached")


async def test_app_is_set_up_used_and_removed(
    web: Server, web_world: World, problems: list[str], code_clock: CodeClock
) -> None:
    ada = await web_world.person("ada")
    with refusals(problems, 400, 401):
        async with client_of(ada, f"{web.url}/app/settings/security", problems) as page:
            await page.get_by_text("Your account has no second factor yet.").wait_for()
            codes = await set_up_app(page, code_clock)
            await page.get_by_text("Your account has a second factor.").wait_for()
            await page.get_by_role("button", name="Remove the app").wait_for()
        async with page_of(web.url, problems) as page:
            await log_in(page, ada.email)
            await enter_code(page, "000000")
            await page.get_by_text("This code is wrong, or was used before.").wait_for()
            await enter_code(page, codes[0])
            await page.locator(".app").wait_for()
            await page.goto(f"{web.url}/app/settings/security")
            await page.get_by_role("button", name="Remove the app").click()
            asked = dialog(page, "Remove the app")
            await asked.get_by_role("button", name="Remove the app").click()
            await confirm(page, codes[1])
            await page.get_by_text("Your account has no second factor yet.").wait_for()


async def set_up_app(page: Page, clock: CodeClock) -> list[str]:
    """Set up an app with the key on the page; return the recovery codes that the page shows."""
    await page.get_by_role("button", name="Set up an app").click()
    secret = (await page.get_by_label("Key", exact=True).input_value()).replace(" ", "")
    assert re.fullmatch("[A-Z2-7]{32}", secret)
    link = await page.get_by_role("link", name="Open in an app").get_attribute("href")
    picture = await page.get_by_role("img", name="QR code for the app").screenshot()
    [code] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)).convert("L"))
    assert code.text == link
    assert f"secret={secret}" in (link or "")
    await page.get_by_label("Code of the app").fill(clock.next_code(secret))
    await page.get_by_label("Current password").fill("not the password")
    await page.get_by_role("button", name="Turn on").click()
    await page.get_by_text("password is wrong").wait_for()
    await page.get_by_label("Current password").fill(PASSWORD)
    await page.get_by_role("button", name="Turn on").click()
    shown = page.get_by_role("region", name="Recovery codes")
    await expect(shown.locator("code")).to_have_count(10)
    codes = await shown.locator("code").all_inner_texts()
    assert len(set(codes)) == 10
    async with page.expect_download() as download:
        await shown.get_by_role("link", name="Download").click()
    saved = await (await download.value).path()
    assert saved.read_text().split() == codes
    await shown.get_by_role("button", name="I have kept them").click()
    await shown.wait_for(state="detached")
    return codes


async def test_ticket_that_is_used_up_leads_back_to_the_password(
    web: Server, web_world: World, problems: list[str], code_clock: CodeClock
) -> None:
    ada = await web_world.person("ada")
    await enable_totp(ada, code_clock)
    with refusals(problems, 400):
        async with page_of(web.url, problems) as page:
            await log_in(page, ada.email)
            for _ in range(5):
                await enter_code(page, "000000")
                await page.get_by_role("alert").filter(has_text="wrong").wait_for()
                await page.get_by_label("Code", exact=True).fill("")
            await enter_code(page, code_clock.next_code())
            await page.get_by_text("Enter your password again").wait_for()
            await log_in(page, ada.email)
            await page.get_by_role("button", name="Back").click()
            await log_in(page, ada.email)
            await enter_code(page, code_clock.next_code())
            await page.locator(".app").wait_for()


async def test_new_recovery_codes_and_deletion_are_confirmed(
    web: Server, web_world: World, problems: list[str], code_clock: CodeClock
) -> None:
    ada = await web_world.person("ada")
    await enable_totp(ada, code_clock)
    with refusals(problems, 400, 401):
        async with page_of(f"{web.url}/app/settings/security", problems) as page:
            await log_in(page, ada.email)
            await enter_code(page, code_clock.next_code())
            await page.get_by_role("button", name="Create new codes").click()
            asked = dialog(page, "Create new codes")
            await asked.get_by_label("Current password").fill(PASSWORD)
            await asked.get_by_role("button", name="Create new codes").click()
            await dialog(page, CONFIRM).get_by_role("button", name="Cancel").click()
            await asked.get_by_text("needs the second factor").wait_for()
            await asked.get_by_role("button", name="Create new codes").click()
            await confirm(page, code_clock.next_code())
            shown = page.get_by_role("region", name="Recovery codes")
            await expect(shown.locator("code")).to_have_count(10)
            codes = await shown.locator("code").all_inner_texts()
            await page.goto(f"{web.url}/app/settings/account")
            await page.get_by_role("button", name="Delete the account").click()
            asked = dialog(page, "Delete the account")
            await asked.get_by_label("Current password").fill(PASSWORD)
            await asked.get_by_role("button", name="Delete the account").click()
            await confirm(page, codes[0])
            await page.get_by_label("E-mail address").wait_for()


@asynccontextmanager
async def on_localhost(config: Config) -> AsyncIterator[tuple[Server, World]]:
    """A server at a host name, which passkeys need; browsers trust that of this machine."""
    async with (
        serving(replace(config, worker_id=8, web_client=True)) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        url = server.url.replace("127.0.0.1", "localhost")
        dependencies = server.runner.app[DEPENDENCIES]
        verifier = PasskeyVerifier(url, user_verification="required")
        object.__setattr__(dependencies, "passkeys", verifier)
        yield replace(server, url=url), world


async def add_authenticator(page: Page) -> Any:
    session = await devtools(page)
    await session.send("WebAuthn.enable")
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return session


async def test_passkey_of_the_browser(config: Config, problems: list[str]) -> None:
    async with on_localhost(config) as (server, world):
        ada = await world.person("ada")
        with refusals(problems, 400, 401):
            address = f"{server.url}/app/settings/security"
            async with client_of(ada, address, problems) as page:
                await add_authenticator(page)
                await add_passkey(page)
                await page.goto(server.url)
                await page.get_by_role("button", name="Log out").click()
                await page.get_by_label("Password").wait_for()
                await use_and_delete_passkey(page, address, ada)


async def add_passkey(page: Page) -> None:
    await page.get_by_label("Name of the passkey").fill("Laptop")
    await page.get_by_role("button", name="Add a passkey").click()
    asked = dialog(page, CONFIRM)
    await asked.get_by_label("Current password").fill(PASSWORD)
    await asked.get_by_role("button", name="Confirm").click()
    shown = page.get_by_role("region", name="Recovery codes")
    await expect(shown.locator("code")).to_have_count(10)
    await shown.get_by_role("button", name="I have kept them").click()
    await page.get_by_text("Not used yet").wait_for()


async def use_and_delete_passkey(page: Page, address: str, ada: Person) -> None:
    await log_in(page, ada.email)
    await page.get_by_role("button", name="Use a passkey").click()
    await page.locator(".app").wait_for()
    await page.goto(address)
    await page.get_by_role("button", name="Rename Laptop").click()
    await dialog(page, "Rename").get_by_label("Name of the passkey").fill("Desk")
    await dialog(page, "Rename").get_by_role("button", name="Rename").click()
    await page.get_by_role("button", name="Delete Desk").click()
    await dialog(page, "Delete the passkey").get_by_role("button", name="Delete the").click()
    await dialog(page, CONFIRM).get_by_role("button", name="Use a passkey").click()
    await page.get_by_text("You have no passkeys.").wait_for()
    await page.get_by_text("Your account has no second factor yet.").wait_for()


async def test_passkeys_are_not_offered_where_the_browser_has_none(
    web: Server, web_world: World, problems: list[str]
) -> None:
    ada = await web_world.person("ada")
    with refusals(problems, 400):
        address = f"{web.url}/app/settings/security"
        script = "delete window.PublicKeyCredential"
        async with page_of(address, problems, script=script) as page:
            await log_in(page, ada.email)
            await page.get_by_text("This browser cannot use passkeys here.").wait_for()


async def test_owner_requires_a_factor_of_moderators(
    web: Server, web_world: World, problems: list[str], code_clock: CodeClock
) -> None:
    guild = await web_world.guild(owner="ada")
    ada = guild.owner
    with refusals(problems, 401):
        async with client_of(ada, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
            await open_guild_settings(page)
            await page.get_by_text("enable a second factor for your own").wait_for()
            await page.keyboard.press("Escape")
            await enable_totp(ada, code_clock)
        async with page_of(f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
            await log_in(page, ada.email)
            await enter_code(page, code_clock.next_code())
            await open_guild_settings(page)
            await page.get_by_role("button", name="Require a second factor").click()
            asked = dialog(page, "Require a second factor")
            await asked.get_by_role("button", name="Require a second factor").click()
            await confirm(page, code_clock.next_code())
            await page.get_by_text("Moderators need a second factor").wait_for()
    assert (await ada.rest.get(f"/guilds/{guild.id}"))["mfa_level"] == 1


async def open_guild_settings(page: Page) -> None:
    await page.get_by_role("button", name="Server menu").click()
    await page.get_by_role("menuitem", name="Server settings").click()
