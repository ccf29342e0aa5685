"""A real browser for tests: Debian's chromium, or another Chromium on the path."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
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

CHROMIUM = next((path for name in _NAMES if (path := shutil.which(name))), None)
DESKTOP = {"width": 1280, "height": 900}
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@asynccontextmanager
async def browsing(url: str, *, problems: list[str], **context: Any) -> AsyncIterator[Page]:
    """Open a page in a new profile; add its errors to `problems`.

    Errors are console messages, exceptions, requests to other servers, and what a policy blocks.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            page = await (await browser.new_context(**context)).new_page()
            page.on("console", lambda message: problems.append(message.text))
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on(
                "request",
                lambda request: (
                    None
                    if urlsplit(request.url).netloc == urlsplit(url).netloc
                    else problems.append(request.url)
                ),
            )
            page.set_default_timeout(15_000)
            await page.goto(url)
            yield page
        finally:
            await browser.close()
