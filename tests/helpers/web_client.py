"""What tests of the web client do in a browser: open it, log in, register, write."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Locator, Page, Route

from tests.helpers.browser import browsing
from tests.world import PASSWORD, TIMEOUT_S, Person, World

_SIZE = {"width": 1280, "height": 800}

_IN_STATE = """async ([path, value]) => {
    const base = document.querySelector("script[type=module]").src.replace("main.js", "");
    const {state} = await import(base + "state/store.js");
    const found = path.split(".").reduce((part, name) => part?.[name], state.value);
    return String(found) === value;
}"""
"""Whether the state of the page has a value at a path."""


@asynccontextmanager
async def page_of(url: str, problems: list[str], **context: Any) -> AsyncIterator[Page]:
    """Open the client as a new user with an English browser.

    `context` changes the page or its profile: `viewport`, `reduced_motion`, `locale` and so on.
    """
    settings = {"viewport": _SIZE, "locale": "en-US", "service_workers": "block", **context}
    async with browsing(url, problems=problems, **settings) as page:
        yield page


@asynccontextmanager
async def client_of(
    person: Person, address: str, problems: list[str], **context: Any
) -> AsyncIterator[Page]:
    """Open the client at an address and log a person in."""
    storage = {"chatd.login": await _login_of(person)}
    async with page_of(address, problems, storage=storage, **context) as page:
        await page.locator(".app").wait_for()
        yield page


async def _login_of(person: Person) -> str:
    """Log a person in; return what the client stores then. Rule: `Tokens.store` in tokens.js."""
    body = {"login": person.email, "password": PASSWORD}
    answer = await person.rest.post("/auth/login", body)
    expires = (time.time() + answer["expires_in"]) * 1000
    return json.dumps(
        {
            "user": person.id,
            "access": answer["access_token"],
            "refresh": answer["refresh_token"],
            "expires": expires,
        }
    )


async def log_in(page: Page, email: str) -> None:
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()


async def register(page: Page, name: str) -> None:
    await page.get_by_role("button", name="You have no account yet?").click()
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("E-mail address").fill(f"{name}@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create an account").click()


async def write(page: Page, text: str) -> None:
    await page.get_by_role("textbox", name="Write a message").fill(text)
    await page.keyboard.press("Enter")


async def send(world: World, channel: str, text: str, by: str = "alice") -> Any:
    """Send a message over the REST API. Return it."""
    return await world.rest(by).post(f"/channels/{channel}/messages", {"content": text})


async def until(page: Page, function: str, argument: Any = None) -> None:
    """Wait until a JavaScript function returns what is true, or a promise of it.

    `Page.wait_for_function` ends at the first promise, whatever it is resolved with. And the policy
    of the page lets it evaluate an expression only once.
    """
    async with asyncio.timeout(TIMEOUT_S):
        while not await page.evaluate(function, argument):
            await asyncio.sleep(0.02)


async def until_in_state(page: Page, path: str, value: str) -> None:
    """Wait until the state of a page has a value at a path; both are texts."""
    await until(page, _IN_STATE, [path, value])


def message(page: Page, text: str) -> Locator:
    """Return the message with this text in it."""
    return page.locator(".message").filter(has=page.get_by_text(text, exact=True))


def stored_message(page: Page, text: str) -> Locator:
    """Return the message with this text that the server has stored.

    While a channel is loaded, what was written in it may be shown as pending, too.
    """
    return page.locator(".message[data-id]").filter(has=page.get_by_text(text, exact=True))


@asynccontextmanager
async def refusing(
    page: Page, method: str, status: int, problems: list[str], answer: Any = None
) -> AsyncIterator[None]:
    """Answer requests with this method as a server that refuses them, with an answer of its own."""
    texts = {403: "Missing Permissions", 429: "You are being rate limited.", 500: "Error"}

    async def refuse(route: Route) -> None:
        if route.request.method == method:
            body = answer or {"message": texts[status], "code": 0, "retry_after": 60}
            await route.fulfill(status=status, json=body)
        else:
            await route.fallback()

    await page.route("**/api/v10/**", refuse)
    yield
    await page.unroute("**/api/v10/**", refuse)
    problems[:] = [each for each in problems if f"status of {status}" not in each]


def dialog(page: Page, name: str) -> Locator:
    """Return the dialog of this name."""
    return page.get_by_role("dialog", name=name, exact=True)
