"""The documentation page in Chromium: keyboard search, phone width, and no scripts."""

from __future__ import annotations

from typing import Final, Literal

import pytest
from playwright.async_api import Page

from tests.conftest import Server
from tests.helpers.browser import DESKTOP, browsing, needs_chromium

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

ColorScheme = Literal["light", "dark"]
SCHEMES: Final[tuple[ColorScheme, ...]] = ("light", "dark")


async def shown(page: Page) -> list[str]:
    """Return the visible entries of the sidebar."""
    found: list[str] = await page.locator("#contents li > a").evaluate_all(
        "all => all.filter((each) => each.checkVisibility())"
        ".map((each) => each.innerText.replace(/\\s+/g, ' '))"
    )
    return found


async def test_search_finds_operations_by_keyboard(server: Server, problems: list[str]) -> None:
    url = f"{server.url}/docs"
    async with browsing(url, problems=problems, viewport=DESKTOP) as page:
        await page.keyboard.press("/")
        await page.keyboard.type("post channels messages send")
        found = await shown(page)
        operations = [each for each in found if each.startswith("POST ")]
        assert operations == ["POST Send a message"]
        assert await page.locator("#found").inner_text() == f"{len(found)} found"
        await page.keyboard.press("Enter")
        assert page.url.endswith("#messages.create")
        article = page.locator("[id='messages.create']")
        box = await article.bounding_box()
        assert box is not None
        assert 0 <= box["y"] < 200
        assert '"content": "Hello, Bob"' in await article.inner_text()

        await page.locator("#search").fill("no such operation")
        assert await shown(page) == []
        await page.keyboard.press("Escape")
        assert "Logging in" in await shown(page)
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        assert page.url.endswith("#logging-in")


async def test_search_finds_chapters_by_words_in_them(server: Server, problems: list[str]) -> None:
    async with browsing(f"{server.url}/docs", problems=problems, viewport=DESKTOP) as page:
        for words in ("ephemeral", "slash command", "ed25519"):
            await page.locator("#search").fill(words)
            assert "Interactions" in await shown(page), words


async def test_examples_contain_the_address_of_the_page(
    server: Server, problems: list[str]
) -> None:
    async with browsing(f"{server.url}/api/v10/docs", problems=problems) as page:
        first = page.locator(".guide pre").first
        assert (await first.inner_text()).startswith(f"API={server.url}/api/v10\n")


LAID_OUT_WIDTH = """(html) => {
    const articles = [...document.querySelectorAll("article")];
    for (const each of articles) each.style.contentVisibility = "visible";
    const width = html.scrollWidth;
    for (const each of articles) each.style.contentVisibility = "";
    return width;
}"""
"""The width of the page with all articles, also those that are far from the view."""


@pytest.mark.parametrize(
    ("script", "views"),
    [
        (True, [(320, "light"), (768, "dark"), (1280, "dark")]),
        (False, [(320, "dark"), (1280, "light")]),
    ],
    ids=["script", "no script"],
)
async def test_page_fits_every_width(
    server: Server, problems: list[str], script: bool, views: list[tuple[int, ColorScheme]]
) -> None:
    url = f"{server.url}/docs"
    first = f"{server.url}/health"
    async with browsing(first, problems=problems, java_script_enabled=script) as page:
        for width, scheme in views:
            await page.emulate_media(color_scheme=scheme)
            await page.set_viewport_size({"width": width, "height": 800})
            await page.goto(url)
            await contents_lead_to_operations(page, width)
            assert await page.locator("html").evaluate(LAID_OUT_WIDTH) <= width


async def contents_lead_to_operations(page: Page, width: int) -> None:
    """Check how the contents open, lead to an operation, and close where they cover the page."""
    contents = page.locator("#contents")  # a search in the whole page takes a second
    menu = page.locator("header").get_by_role("link", name="Contents", exact=True)
    if width < 1024:
        assert await shown(page) == []
        await menu.click()
    else:
        assert not await menu.is_visible()
    assert "Logging in" in await shown(page)
    await contents.locator("summary").first.click()
    await contents.get_by_role("link", name="POST Create an account and log in").click()
    assert page.url.endswith("#auth.register")
    assert await page.locator("[id='auth.register']").is_visible()
    if width < 1024:
        assert await shown(page) == []


async def test_color_contrast_is_sufficient_in_light_and_dark(
    server: Server, problems: list[str]
) -> None:
    """WCAG 2.2, "Contrast (Minimum)": 4.5 to 1, for every color of text on its background."""
    async with browsing(f"{server.url}/docs", problems=problems, viewport=DESKTOP) as page:
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            worst = await page.evaluate(CONTRAST)
            assert worst["ratio"] >= 4.5, (scheme, worst)


CONTRAST = """() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((each) => {
      const part = each / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const known = new Map();
  const behind = (each) => {
    if (!known.has(each)) {
      const color = getComputedStyle(each).backgroundColor;
      const isClear = color === "rgba(0, 0, 0, 0)" && each.parentElement;
      known.set(each, isClear ? behind(each.parentElement) : color);
    }
    return known.get(each);
  };
  let worst = { ratio: 99 };
  for (const each of document.querySelectorAll("body *")) {
    if ([...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) {
      const [text, back] = [light(getComputedStyle(each).color), light(behind(each))];
      const ratio = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
      if (ratio < worst.ratio) {
        worst = { ratio, html: each.outerHTML.slice(0, 200) };
      }
    }
  }
  return worst;
}"""
