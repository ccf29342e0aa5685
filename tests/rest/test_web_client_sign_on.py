"""A login at a provider in the web client, in Chromium, and linking an account there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aiohttp import web
from playwright.async_api import expect

from chatd.config import Config
from tests.conftest import serving
from tests.helpers.browser import needs_chromium
from tests.helpers.hostile_provider import hostile_provider
from tests.helpers.servers import free_port
from tests.helpers.sign_on import person
from tests.helpers.web_client import dialog, page_of
from tests.world import PASSWORD

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]


async def test_login_and_link_at_providers(config: Config, problems: list[str]) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with hostile_provider() as hostile:

        def authorize(request: web.Request) -> web.Response:
            """Log in at once, as the person that the test has set."""
            query = request.query
            hostile.claims["nonce"] = query["nonce"]
            back = f"{query['redirect_uri']}?code=a-code&state={query['state']}"
            return web.Response(status=303, headers={"Location": back})

        hostile.overrides["authorize"] = authorize
        providers = (
            hostile.settings("acme", label="Acme", trust_email=True),
            hostile.settings("other", label="Other", trust_email=True),
        )
        settings = replace(config, worker_id=15, web_client=True, public_url=url)
        settings = replace(settings, api_port=port, providers=providers)
        async with serving(settings), page_of(f"{url}/login", problems) as page:
            hostile.claims = person("zoe")
            await page.get_by_role("link", name="Acme").click()
            await page.locator(".app").wait_for()
            assert page.url == f"{url}/app/@me"
            await page.goto(f"{url}/app/settings/security")
            await page.get_by_label("New password", exact=True).fill(PASSWORD)
            await page.get_by_role("button", name="Choose a new password").click()
            await expect(page.get_by_text("has no password yet")).to_have_count(0)
            hostile.claims = {"sub": "zoe elsewhere"}
            await page.get_by_role("button", name="Link Other").click()
            asked = dialog(page, "Confirm that it is you")
            await asked.get_by_label("Current password").fill(PASSWORD)
            await asked.get_by_role("button", name="Confirm").click()
            await page.get_by_role("button", name="Unlink Other").wait_for()
            await page.get_by_role("button", name="Unlink Acme").click()
            await dialog(page, "Unlink").get_by_role("button", name="Unlink").click()
            await page.get_by_role("button", name="Link Acme").wait_for()
        # The browser has been at the providers, and was asked for the password.
        expected = (
            hostile.url,
            "Failed to load resource: the server responded with a status of 401",
        )
        problems[:] = [each for each in problems if not each.startswith(expected)]
