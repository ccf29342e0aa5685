"""A lost password in the web client, in Chromium: the request, the mail, and its link."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatd.config import Config
from tests.conftest import serving
from tests.helpers.browser import needs_chromium
from tests.helpers.mail import link, mail_server
from tests.helpers.web_client import page_of
from tests.world import world_on

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]


async def test_lost_password_is_replaced(config: Config, problems: list[str]) -> None:
    async with mail_server() as mails:
        settings = replace(config, worker_id=9, web_client=True, smtp=mails.settings)
        async with serving(settings) as web, world_on(web.url, web.gateway_url) as world:
            ada = await world.person("ada")
            verify = link(await mails.next(ada.email))
            async with page_of(f"{web.url}/login", problems) as page:
                await page.get_by_role("combobox", name="Language").select_option("de")
                await page.get_by_role("link", name="Passwort vergessen?").click()
                await page.get_by_label("E-Mail-Adresse").fill(ada.email)
                await page.get_by_role("button", name="Senden").click()
                await page.get_by_text("ist eine Mail unterwegs").wait_for()
                mail = await mails.next(ada.email, 2)
                assert mail["Subject"] == "Wähle ein neues Passwort für chatd.test"
                await page.goto("{}/{}#token={}".format(web.url, *verify))
                await page.get_by_role("button", name="E-Mail-Adresse bestätigen").click()
                await page.get_by_text("ist bestätigt").wait_for()
                await page.goto("{}/{}#token={}".format(web.url, *link(mail)))
                await page.get_by_label("Neues Passwort", exact=True).fill("Password456!")
                await page.get_by_role("button", name="Passwort ändern").click()
                await page.get_by_role("link", name="Weiter").click()
                await page.locator(".app").wait_for()
