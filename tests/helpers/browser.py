"""A real browser for tests: a Chromium on the path, without a window."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

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

CHROMIUM = next((path for name in _NAMES if (path := shutil.which(name))), None)
DESKTOP = {"width": 1280, "height": 900}
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


_running: list[Browser] = []


@asynccontextmanager
async def running_browser() -> AsyncIterator[None]:
    """Run the browser that `browsing` uses; its start takes longer than most tests."""
    expect.set_options(timeout=_TIMEOUT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        _running.append(browser)
        try:
            yield
        finally:
            _running.remove(browser)
            await browser.close()


@asynccontextmanager
async def browsing(url: str, *, problems: list[str], **context: Any) -> AsyncIterator[Page]:
    """Open a page in a new profile; add its errors to `problems`.

    Errors are console messages, exceptions, requests to other servers, and what a policy blocks.
    """
    [browser] = _running
    async with await browser.new_context(**context) as profile:
        page = await profile.new_page()
        page.on(
            "console",
            lambda message: None if message.text == _BLOCKED else problems.append(message.text),
        )
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None
                if urlsplit(request.url.removeprefix("blob:")).netloc == urlsplit(url).netloc
                else problems.append(request.url)
            ),
        )
        page.set_default_timeout(_TIMEOUT_MS)
        await page.goto(url)
        yield page
