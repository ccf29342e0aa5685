"""Forms of settings in the web client: what the server refuses, and changes that are not saved."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Error, Locator, Page, Route, expect

from tests.conftest import Server
from tests.helpers.accounts import administrator
from tests.helpers.browser import needs_chromium
from tests.helpers.web_client import client_of, dialog, until
from tests.world import PASSWORD, Guild, Person, World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

PREPARE = """() => {
    const real = window.setTimeout;
    const pauses = [500, 1000, 1500, 4000];
    window.setTimeout = (run, ms, ...more) =>
        real(run, pauses.includes(ms) ? ms / 20 : ms, ...more);
    window.said = new Set();
    new MutationObserver(() => {
        for (const each of document.querySelectorAll('[role=status]')) said.add(each.textContent);
    }).observe(document.body, {subtree: true, childList: true});
}"""
"""Shorten the pauses before requests are repeated, and keep what the page says in them."""

SHOWN = "each => each.localName === 'select' ? each.selectedOptions[0].text : each.value"
"""What a field shows."""

WAITING = "Too many requests. Trying again in 1 s…"


SAVED = "Saved."
UNSAVED = "There are changes that are not saved."
LONG_MS = 60_000

Open = Callable[[Page], Awaitable[Locator]]


@dataclass(frozen=True)
class Fault:
    """How a server fails, and what the client says then."""

    said: str
    status: int | None = None
    answer: dict[str, Any] = field(default_factory=dict)


FAULTS = (
    Fault("Too many requests. Try again in 60 s.", 429, {"message": "limited", "retry_after": 60}),
    Fault("The server has a problem. Try again in a moment.", 500),
    Fault("The server has a problem. Try again in a moment.", 503),
    Fault("The server cannot be reached. Check the connection and try again."),
)


@dataclass(frozen=True)
class Form:
    """A form of settings: how it is opened, what is entered, and what is sent."""

    open: Open
    button: str
    request: str
    """Its method, and a part of its path."""
    entered: dict[str, str] = field(default_factory=dict)
    done: str = SAVED
    """What the page says at the end, or does not say any more; nothing if the form is closed."""
    within: str = ""
    """The element of the settings that has the form, if there are several forms."""


async def test_settings_survive_a_server_that_fails(
    web: Server, web_world: World, problems: list[str]
) -> None:
    ada = await administrator(web, web_world, "ada")
    guild = await web_world.guild(owner="ada", members=[])
    stranger = await web_world.person("carol")
    await guild.owner.rest.post(f"/guilds/{guild.id}/roles", {"name": "Crew"})
    await guild.owner.rest.post(f"/channels/{guild.general.id}/webhooks", {"name": "news"})
    address = f"{web.url}/app/{guild.id}/{guild.general.id}"
    async with client_of(ada, address, problems) as page:
        await page.evaluate(PREPARE)
        wrong = []
        for form in forms_of(guild, stranger):
            try:
                await check(page, form)
            except (AssertionError, Error) as error:
                wrong.append(f"{form.button}, {form.request}: {error}")
                await page.goto(address)
                await page.evaluate(PREPARE)
        assert wrong == [], "\n".join(wrong)
    expected = ("status of 4", "status of 5", "ERR_FAILED")
    problems[:] = [each for each in problems if not any(one in each for one in expected)]


async def check(page: Page, form: Form) -> None:
    """Open a form, submit it to a server that fails, and then to one that does not."""
    scope = await form.open(page)
    if form.within:
        scope = scope.locator(form.within, has=page.get_by_role("button", name=form.button))
    for label, value in form.entered.items():
        control = scope.get_by_label(label).first
        if await control.evaluate("each => each.localName") == "select":
            await control.select_option(value)
        else:
            await control.fill(value)
    button = scope.get_by_role("button", name=form.button, exact=True).last
    alert = scope.get_by_role("alert").filter(has_text=re.compile("."))
    async with failing(page, form) as answers:
        for fault in FAULTS:
            said = re.compile(re.escape(fault.said))  # a plain text would match in any case
            answers[:] = [fault] * 1000
            await button.click()
            await alert.first.filter(has_text=said).wait_for(timeout=LONG_MS)
            for label, value in form.entered.items():
                control = scope.get_by_label(label).first
                shown = await control.evaluate(SHOWN)
                assert shown == value, (label, shown)

        # A limit that passes soon, and a token that has expired, cost the user nothing.
        await page.evaluate("said.clear()")
        answers[:] = [Fault("", 401), Fault("", 429, {"retry_after": 1})]
        await button.click()
        await until(page, "text => said.has(text)", WAITING)
        if form.done == UNSAVED:
            await expect(page.get_by_text(UNSAVED)).to_have_count(0, timeout=LONG_MS)
        elif form.done:
            where = scope if form.done == SAVED else page
            await where.get_by_text(form.done).first.wait_for(timeout=LONG_MS)
        else:
            await expect(scope).to_have_count(0, timeout=LONG_MS)
    await expect(alert).to_have_count(0)
    while opened := await page.locator("dialog[open]").count():
        await page.keyboard.press("Escape")  # all is saved: no question is asked
        await expect(page.locator("dialog[open]")).to_have_count(opened - 1)


@asynccontextmanager
async def failing(page: Page, form: Form) -> AsyncIterator[list[Fault]]:
    """Answer the requests of a form with the faults that the caller lists, until none is left.

    Adding and removing a route for each fault would take a tenth of the test's time.
    """
    method, _, path = form.request.partition(" ")
    answers: list[Fault] = []

    async def fail(route: Route) -> None:
        if route.request.method != method or path not in route.request.url or not answers:
            await route.fallback()
            return
        fault = answers.pop(0)
        if fault.status is None:
            await route.abort()
        else:
            body = {"message": "Error", "code": 0, **fault.answer}
            await route.fulfill(status=fault.status, json=body)

    await page.route("**/api/v10/**", fail)
    yield answers
    await page.unroute("**/api/v10/**", fail)


async def open_account(page: Page, name: str) -> None:
    """Open a section of the settings of the account, or of the server's administration."""
    await page.get_by_role("link", name=name, exact=True).click()
    await page.get_by_role("heading", name=name, exact=True).wait_for()


def account(name: str, button: str) -> Open:
    """Return a function that opens a section of the account's settings."""

    async def opened(page: Page) -> Locator:
        settings = page.get_by_role("button", name="Settings", exact=True)
        if await settings.count():
            await settings.click()
        await open_account(page, name)
        return page.locator("form", has=page.get_by_role("button", name=button, exact=True))

    return opened


def of_guild(name: str, *steps: str) -> Open:
    """Return a function that opens a section of the guild's settings, and then clicks texts."""

    async def opened(page: Page) -> Locator:
        if await page.get_by_role("button", name="Close: Settings").count():
            await page.get_by_role("button", name="Close: Settings").click()
        await page.get_by_role("button", name="Server menu").click()
        await page.get_by_role("menuitem", name="Server settings").click()
        settings = page.get_by_role("dialog", name="Settings of")
        await settings.get_by_role("button", name=name, exact=True).click()
        for step in steps:
            await settings.get_by_text(step, exact=True).first.click()
        return settings

    return opened


def of_channel(name: str) -> Open:
    """Return a function that opens a section of the channel's settings."""

    async def opened(page: Page) -> Locator:
        await page.get_by_role("link", name="general").click(button="right")
        await page.get_by_role("menuitem", name="Edit channel").click()
        settings = page.get_by_role("dialog", name="Settings of general")
        await settings.get_by_role("button", name=name, exact=True).click()
        return settings

    return opened


def banning(user_id: str) -> Open:
    """Return a function that opens the question whether to ban a user."""

    async def opened(page: Page) -> Locator:
        settings = await of_guild("Bans", "Ban a user who is not a member")(page)
        await settings.get_by_label("User id").fill(user_id)
        await settings.get_by_role("button", name="Ban", exact=True).click()
        return dialog(page, "Ban")

    return opened


async def unbanning(page: Page) -> Locator:
    settings = await of_guild("Bans")(page)
    await settings.get_by_role("button", name="Lift the ban").click()
    return dialog(page, "Lift the ban")


async def codes(page: Page) -> Locator:
    settings = page.get_by_role("button", name="Settings", exact=True)
    if await settings.count():
        await settings.click()
    await page.get_by_role("link", name="Administration of the server").click()
    await open_account(page, "Registration codes")
    return page.locator("main form")


def forms_of(guild: Guild, stranger: Person) -> list[Form]:
    """Return all forms of settings."""
    name = guild.owner.name
    password = {"Current password": PASSWORD}
    address = {"E-mail address": f"{name}.2@example.org", **password}
    own, guild_path = "PATCH /users/@me", f"/guilds/{guild.id}"
    webhook, made = {"Name of the webhook": "news 2"}, {"Name of the webhook": "more"}
    denied = {"@everyone: Send messages": "✕ Deny"}
    new = {**password, "New password": "another one of ada"}
    return [
        Form(of_guild("Overview"), "Save", f"PATCH {guild_path}", {"Name of the server": "Engine"}),
        Form(of_guild("Roles", "Crew"), "Save", "PATCH /roles/", {"Name of the role": "Team"}),
        Form(of_guild("Webhooks", "news"), "Save", "PATCH /webhooks/", webhook, within="li"),
        Form(
            of_guild("Webhooks", "Create a webhook"),
            *("Create", "POST /webhooks", made),
            within="details",
        ),
        Form(
            of_guild("Invites", "Create an invite"),
            *("Create the link", "POST /invites", {"Uses": "5"}),
            done="Copy",
        ),
        Form(banning(stranger.id), "Ban", "PUT /bans/", {"Reason": "spam"}, done=""),
        Form(unbanning, "Lift the ban", "DELETE /bans/", done=""),
        Form(of_channel("Overview"), "Save", "PATCH /channels/", {"Topic": "All of it"}),
        Form(of_channel("Permissions"), "Save", "PUT /permissions/", denied, done=UNSAVED),
        Form(account("Profile", "Save"), "Save", own, {"Display name": "Ada"}),
        Form(
            account("Account", "Change the username"),
            *("Change the username", own, {"Username": f"{name}.2"}),
        ),
        Form(account("Account", "Change the address"), "Change the address", own, address),
        Form(
            account("Account", "Change the password"),
            *("Change the password", own, new),
            done="The password is changed.",
        ),
        Form(
            account("Your bots", "Create a bot"),
            *("Create a bot", "POST /applications", {"Name of the bot": "helper"}),
            done="New token",
        ),
        Form(
            codes,
            *("Create a code", "POST /auth/invitations", {"How many people can use it": "3"}),
            done="Revoke",
        ),
    ]


async def test_changes_that_are_not_saved_are_left_on_purpose(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice")
    address = f"{web.url}/app/{guild.id}/{guild.general.id}"
    async with client_of(guild.owner, address, problems) as page:
        question = dialog(page, "Unsaved changes")
        stay = question.get_by_role("button", name="Keep editing")
        discard = question.get_by_role("button", name="Discard")
        settings = await of_guild("Overview")(page)
        name = settings.get_by_label("Name of the server")
        before = await name.input_value()
        await name.fill("Engine")
        for leave in (
            page.keyboard.press("Escape"),
            settings.get_by_role("button", name="Close", exact=True).click(),
            settings.get_by_role("button", name="Roles", exact=True).click(),
        ):
            await leave
            await stay.click()
            await expect(question).to_have_count(0)
            await expect(name).to_have_value("Engine")
        await name.fill(before)  # nothing is changed now
        await settings.get_by_role("button", name="Roles", exact=True).click()
        await settings.get_by_role("checkbox", name="Add reactions").click()
        await settings.get_by_role("button", name="Close", exact=True).click()
        await discard.click()
        await expect(settings).to_have_count(0)

        # In the account it holds for links, the key, the browser's own buttons and a reload.
        await page.get_by_role("button", name="Settings", exact=True).click()
        bio = page.get_by_label("About you")
        await bio.fill("I am here")
        for leave in (
            page.get_by_role("link", name="Account", exact=True).click(),
            page.keyboard.press("Escape"),
            page.evaluate("history.back()"),
        ):
            await leave
            await stay.click()
            await expect(bio).to_have_value("I am here")
            await expect(page).to_have_url(f"{web.url}/app/settings")
        async with page.expect_event("dialog") as warned:
            await page.evaluate("setTimeout(() => location.reload())")
        assert (await warned.value).type == "beforeunload"
        await (await warned.value).dismiss()
        await expect(bio).to_have_value("I am here")
        await page.get_by_role("link", name="Account", exact=True).click()
        await discard.click()
        await expect(page).to_have_url(f"{web.url}/app/settings/account")
