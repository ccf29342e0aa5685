"""A real browser for tests: a Chromium on the path, without a window."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    Error,
    Page,
    Request,
    ViewportSize,
    async_playwright,
    expect,
)

_NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
"""Commands of Chromium. The first has the same engine without menus and windows, and takes a third
less CPU time."""

_ARGUMENTS = [
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
]

_TIMEOUT_MS = 60_000

_BLOCKED = "Service Worker registration blocked by Playwright"
"""Most tests block it: it would load all files once more, in each new profile."""

_BLANK = "/health"
"""A page without scripts that each server has. Profiles wait there for the next test."""

_MAX_IDLE = 3
"""Profiles that wait for the next test, at most: each has a process with about 80 MB."""

CHROMIUM = next((path for name in _NAMES if (path := shutil.which(name))), None)
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 900}
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

_EMPTY_STORAGE = """async () => {
    localStorage.clear();
    sessionStorage.clear();
    for (const name of await caches.keys()) await caches.delete(name);
    for (const {name} of await indexedDB.databases()) indexedDB.deleteDatabase(name);
}"""


@dataclass
class _Profile:
    """A page in a profile of its own, with what `browsing` was asked for."""

    settings: str
    context: BrowserContext
    page: Page
    devtools: CDPSession
    listeners: list[tuple[Any, Callable[[Any], Any]]] = field(default_factory=list)
    """Events and listeners that a test has added to the page."""
    is_changed: bool = False
    """Whether a test has changed what `_renew` does not restore."""
    script: str | None = None
    """The identifier of a script that runs before those of each document."""

    async def run_first(self, script: str) -> None:
        """Run a script before those of each document, until `run_nothing_first` is called."""
        await self.devtools.send("Page.enable")
        added = await self.devtools.send(
            "Page.addScriptToEvaluateOnNewDocument", {"source": script}
        )
        self.script = added["identifier"]

    async def run_nothing_first(self) -> None:
        if self.script is not None:
            await self.devtools.send(
                "Page.removeScriptToEvaluateOnNewDocument", {"identifier": self.script}
            )
            await self.devtools.send("Page.disable")
            self.script = None


@dataclass
class _Running:
    browser: Browser
    idle: list[_Profile] = field(default_factory=list)
    """Profiles as good as new, whose processes have the files of the client: the first load of a
    profile takes three times as long."""


_running: list[_Running] = []
_used: dict[Page, _Profile] = {}


@asynccontextmanager
async def running_browser() -> AsyncIterator[None]:
    """Run the browser that `browsing` uses; its start takes longer than most tests."""
    expect.set_options(timeout=_TIMEOUT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        running = _Running(browser)
        _running.append(running)
        try:
            yield
        finally:
            _running.remove(running)
            await browser.close()


@asynccontextmanager
async def browsing(
    url: str,
    *,
    problems: list[str],
    script: str | None = None,
    storage: Mapping[str, str] = {},
    viewport: ViewportSize = DESKTOP,
    reduced_motion: Literal["reduce"] | None = None,
    **context: Any,
) -> AsyncIterator[Page]:
    """Open a page in a new profile; add its errors to `problems`.

    Errors are console messages, exceptions, requests to other servers, and what a policy blocks.
    `script` runs before those of each document of this page. `storage` is put into the local one.

    A profile without service workers may be one that another test has used, without anything that
    scripts could find there. Only what it has loaded from this server before is quicker.
    """
    [running] = _running
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    profile = await _profile(running, origin, context)
    page = profile.page
    try:
        if page.viewport_size != viewport:
            await page.set_viewport_size(viewport)
        if reduced_motion is not None:
            await page.emulate_media(reduced_motion=reduced_motion)
        if script is not None:
            await profile.run_first(script)
        with _collecting(page, origin, problems):
            if storage:
                if page.url == "about:blank":
                    await page.goto(origin + _BLANK)
                await page.evaluate("all => Object.assign(localStorage, all)", storage)
            await page.goto(url)
            yield page
        is_kept = await _renew(profile, origin, context)
    except BaseException:
        await profile.context.close()
        raise
    finally:
        del _used[page]
    if not is_kept:
        await profile.context.close()
        return
    running.idle.append(profile)
    if len(running.idle) > _MAX_IDLE:
        await running.idle.pop(0).context.close()


def listen(page: Page, event: Any, listener: Callable[[Any], Any]) -> None:
    """Listen to events of a page until the test has left it."""
    _used[page].listeners.append((event, listener))
    page.on(event, listener)


async def devtools(page: Page) -> CDPSession:
    """Open a session of the protocol of developer tools. No other test gets the profile."""
    _used[page].is_changed = True
    return await page.context.new_cdp_session(page)


async def _profile(running: _Running, origin: str, context: Mapping[str, Any]) -> _Profile:
    """Return a profile that has loaded files of this server before, or a new one."""
    settings = repr((origin, sorted(context.items())))
    for profile in running.idle:
        if profile.settings == settings:
            running.idle.remove(profile)
            _used[profile.page] = profile
            return profile
    made = await running.browser.new_context(viewport=DESKTOP, **context)
    page = await made.new_page()
    page.set_default_timeout(_TIMEOUT_MS)
    profile = _Profile(settings, made, page, await made.new_cdp_session(page))
    _used[page] = profile
    return profile


@contextmanager
def _collecting(page: Page, origin: str, problems: list[str]) -> Iterator[None]:
    """Add the errors of a page to `problems`."""

    def on_console(message: ConsoleMessage) -> None:
        if message.text != _BLOCKED:
            problems.append(message.text)

    def on_error(error: Error) -> None:
        problems.append(str(error))

    def on_request(request: Request) -> None:
        if urlsplit(request.url.removeprefix("blob:")).netloc != urlsplit(origin).netloc:
            problems.append(request.url)

    page.on("console", on_console)
    page.on("pageerror", on_error)
    page.on("request", on_request)
    yield
    page.remove_listener("console", on_console)
    page.remove_listener("pageerror", on_error)
    page.remove_listener("request", on_request)


async def _renew(profile: _Profile, origin: str, context: Mapping[str, Any]) -> bool:
    """Make a profile as good as new. Return whether it is."""
    page, made = profile.page, profile.context
    is_lasting = context.get("service_workers") == "block"
    if profile.is_changed or not is_lasting:
        return False
    try:
        while profile.listeners:
            page.remove_listener(*profile.listeners.pop())
        for other in made.pages:
            if other is not page:
                await other.close()
        await profile.run_nothing_first()
        await page.unroute_all()
        await made.set_offline(False)
        await page.goto(origin + _BLANK)
        await page.evaluate(_EMPTY_STORAGE)
        await made.clear_cookies()
        await made.clear_permissions()
        await page.emulate_media(color_scheme="null", reduced_motion="null")
        await profile.devtools.send("Page.resetNavigationHistory")
    except Error:  # the server is gone, or the page
        return False
    return True
