"""Messages in the web client: a long history, writing, searching, and what goes wrong."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from chatd.core import snowflake
from tests.conftest import Server
from tests.helpers.browser import needs_chromium
from tests.helpers.long_channel import fill
from tests.helpers.web_client import client_of, message, refusing, send, write
from tests.world import World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

LONG = 100_000
"""Messages of the long channel."""

MAX_SHOWN = 300
"""Messages that the page has at once, at most."""

MAX_NODES = 12_000
"""Elements of the page, at most: those of a message are about ten."""

ROUNDING_PX = 2
"""How far a message may move: browsers scroll by whole pixels."""


async def test_long_history_is_read_in_both_directions(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    start = await asyncio.to_thread(fill, web.config.database_url, guild, LONG)
    await send(web_world, guild.general.id, "the newest")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        await message(page, "the newest").wait_for()
        for _ in range(8):
            await to_edge(page, "first")
        assert await page.locator(".message").count() <= MAX_SHOWN
        assert await page.locator("*").count() <= MAX_NODES

        # A message that arrives, or one that grows, does not move what is read.
        shown = await first_in_view(page)
        await send(web_world, guild.general.id, "one more")
        await page.evaluate("document.querySelector('.message').style.paddingTop = '300px'")
        await page.get_by_role("button", name="Jump to the newest").wait_for()
        assert abs(await distance_of(page, shown[0]) - shown[1]) <= ROUNDING_PX

        # To the day of the first message, and from there down again.
        await page.get_by_role("button", name="Jump to a date").click()
        await page.get_by_label("Date", exact=True).fill(start.date().isoformat())
        await page.get_by_role("button", name="Jump there").click()
        await message(page, "number 0").wait_for()
        await page.get_by_text("This is the beginning of").wait_for()
        await to_edge(page, "last")
        await to_edge(page, "last")
        assert await page.locator(".message").count() <= MAX_SHOWN

        # Back to the present.
        await page.get_by_role("button", name="Jump to the newest").click()
        await message(page, "one more").wait_for()
        await write(page, "an answer")
        await message(page, "an answer").wait_for()

        # A link to a message in the middle, and one to a message that is gone.
        middle = at_number(start, LONG // 2)
        base = f"/app/{guild.id}/{guild.general.id}"
        await visit(page, f"{base}/{middle}")
        found = page.locator(".message[data-highlighted]")
        await expect(found.locator(".content")).to_have_text(f"number {LONG // 2}")
        await expect(found).to_be_focused()
        await page.keyboard.press("ArrowUp")
        await expect(page.locator(".message:focus")).to_contain_text(f"number {LONG // 2 - 1}")
        await visit(page, f"{base}/{int(middle) + 1}")
        await page.get_by_text("This message was deleted").wait_for()
        assert await page.locator("*").count() <= MAX_NODES


async def test_button_that_sends_leaves_the_focus_in_the_field(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="bob")
    address = f"{web.url}/app/{guild.id}/{guild.general.id}"
    async with client_of(guild.owner, address, problems) as page:
        field = page.get_by_role("textbox", name="Write a message")
        await field.fill("by the button")
        await page.get_by_role("button", name="Send", exact=True).click()
        await message(page, "by the button").wait_for()
        await expect(field).to_be_focused()


async def test_messages_are_changed_by_keys_and_by_the_menu(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="bob", members=["alice"])
    bob, alice = await web_world.people("bob", "alice")
    for text in ("first", "second", "third"):
        await send(web_world, guild.general.id, text)
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        await message(page, "third").wait_for()
        field = page.get_by_role("textbox", name="Write a message")
        held: asyncio.Queue[Route] = asyncio.Queue()
        await page.route(f"**/channels/{guild.general.id}/messages", held.put)
        await write(page, "mine")
        await message(page, "mine").wait_for()

        # The arrow key edits the last own message, also before the server has it.
        await expect(field).to_have_value("")
        await field.press("ArrowUp")
        await (await held.get()).continue_()
        await page.unroute_all()
        editor = page.get_by_role("textbox", name="Edit the message")
        await expect(editor).to_have_value("mine")

        # A refusal keeps what was typed.
        await editor.fill("changed")
        async with refusing(page, "PATCH", 500, problems):
            await editor.press("Enter")
            await expect(page.get_by_role("alert")).to_contain_text("The server has a problem")
        await expect(editor).to_have_value("changed")
        await page.get_by_role("button", name="Save").click()
        await message(page, "changed").wait_for()
        await expect(page.locator(".message:focus")).to_contain_text("changed")

        # Arrows choose a message, and letters do something with it.
        for _ in range(2):
            await page.keyboard.press("ArrowUp")
        await expect(page.locator(".message:focus")).to_contain_text("second")
        await page.keyboard.press("r")
        await page.get_by_text("Reply to alice").wait_for()
        await expect(field).to_be_focused()
        await write(page, "an answer")
        await page.locator(".replied", has_text="second").wait_for()
        await message(page, "first").focus()
        await page.keyboard.press("+")
        search = page.get_by_role("searchbox", name="Search emoji")
        await search.fill("rocket")
        await page.get_by_role("button", name="rocket", exact=True).wait_for()
        await search.press("Enter")
        await page.get_by_role("button", name="🚀, one reaction").wait_for()

        # The choice of emoji stays where it was opened, though the buttons of the message go.
        await message(page, "third").hover()
        button = message(page, "third").get_by_role("button", name="Add a reaction")
        at = await button.bounding_box()
        await button.click()
        await search.fill("grinning")
        window = await page.get_by_role("dialog").bounding_box()
        assert at is not None
        assert window is not None
        assert abs(window["x"] + window["width"] - at["x"] - at["width"]) < 2
        await search.press("Escape")

        # The name of an author opens the author's card.
        await message(page, "first").get_by_role("button", name=alice.name).click()
        card = page.locator(".popover")
        await card.get_by_role("button", name="Send a message").wait_for()
        await page.keyboard.press("Escape")
        await expect(card).to_have_count(0)

        await message(page, "first").focus()
        await page.keyboard.press("p")
        await page.get_by_text("pinned a message").wait_for()

        # Refusals are shown at the message.
        for status, method, key, text in (
            (403, "DELETE", "p", "Missing Permissions"),
            (429, "DELETE", "p", "Too many requests"),
        ):
            await message(page, "first").focus()
            async with refusing(page, method, status, problems):
                await page.keyboard.press(key)
                await expect(message(page, "first").get_by_role("alert")).to_contain_text(text)

        # Pins and replies lead to their messages.
        await page.get_by_role("button", name="Pinned messages").click()
        pins = page.get_by_role("complementary", name="Pinned messages")
        await pins.get_by_role("link", name="Jump there").click()
        await expect(page.locator(".message[data-highlighted]")).to_contain_text("first")
        await pins.get_by_role("button", name="Unpin").click()
        await pins.get_by_text("No message is pinned here.").wait_for()
        await page.locator(".replied a").click()
        await expect(page.locator(".message[data-highlighted]")).to_contain_text("second")

        # Deleting asks first, and the focus goes to the next message.
        await page.keyboard.press("m")
        await page.get_by_role("menuitem", name="Delete").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("second")
        async with refusing(page, "DELETE", 500, problems):
            await dialog.get_by_role("button", name="Delete").click()
            await expect(dialog.get_by_role("alert")).to_contain_text("The server has a problem")
        await dialog.get_by_role("button", name="Delete").click()
        await expect(message(page, "second")).to_have_count(0)
        await expect(page.locator(".message:focus")).to_contain_text("third")
        await page.locator(".replied", has_text="was deleted").wait_for()


async def test_search_finds_messages_with_filters(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    other = await guild.channel("other")
    await send(web_world, guild.general.id, "apples are red")
    await send(web_world, other.id, "apples and https://example.org")
    await send(web_world, other.id, f"<@{bob.id}> eats apples", by="bob")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        await page.get_by_role("button", name="Search", exact=True).click()
        panel = page.get_by_role("complementary", name="Search")
        words = panel.get_by_role("searchbox")
        await expect(words).to_be_focused()
        await words.fill("apples")
        await words.press("Enter")
        await panel.get_by_text("3 messages found.").wait_for()
        await panel.get_by_text("Filters").click()
        await panel.get_by_label("a link").check()
        await words.press("Enter")
        await panel.get_by_text("One message found.").wait_for()
        await expect(panel.locator(".found")).to_contain_text("example.org")
        await panel.get_by_label("a link").uncheck()
        await panel.get_by_label("From").fill(bob.name)
        await expect(panel.locator("input[name=author_id]")).to_have_value(bob.id)
        await words.press("Enter")
        await expect(panel.locator(".found")).to_contain_text("eats")
        await panel.get_by_label("From").fill("")
        await panel.locator("select[name=channel_id]").select_option("#general")
        await panel.get_by_label("After").fill("2020-01-01")
        await words.press("Enter")
        await expect(panel.locator(".found")).to_contain_text("red")
        await panel.get_by_label("Before").fill("2020-01-02")
        async with refusing(page, "GET", 500, problems):
            await words.press("Enter")
            await expect(panel.get_by_role("alert")).to_contain_text("The server has a problem")
        await panel.get_by_role("button", name="Try again").click()
        await panel.get_by_text("No messages found.").wait_for()
        await panel.get_by_label("Before").fill("")
        await panel.get_by_label("After").fill("")
        await panel.locator("select[name=channel_id]").select_option("All channels")
        await words.fill('"eats apples"')
        await words.press("Enter")
        await panel.get_by_role("link", name="Jump there").click()
        await page.get_by_role("heading", name="#other").wait_for()
        await expect(page.locator(".message[data-highlighted]")).to_contain_text("eats")


async def to_edge(page: Page, edge: str) -> None:
    """Scroll to the first or last message of the page, until others are loaded beyond it."""
    before = page.locator(".message >> nth=" + ("0" if edge == "first" else "-1"))
    known = await before.get_attribute("data-id")
    await before.evaluate("each => each.scrollIntoView()")
    await expect(before).not_to_have_attribute("data-id", known or "")


async def first_in_view(page: Page) -> Any:
    """Return the message at the upper edge of the list, and its distance from it in pixels."""
    return await page.evaluate(
        """() => {
            const top = document.querySelector('.timeline').getBoundingClientRect().top;
            const each = [...document.querySelectorAll('.message')].find(
                (one) => one.getBoundingClientRect().bottom > top);
            return [each.dataset.id, Math.round(each.getBoundingClientRect().top - top)];
        }"""
    )


async def distance_of(page: Page, message_id: str) -> Any:
    """Return how far a message is from the upper edge of the list, once the page has been laid out.

    Observers of sizes run in a frame, so two frames pass first.
    """
    return await page.evaluate(
        """async (id) => {
            for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
            const top = document.querySelector('.timeline').getBoundingClientRect().top;
            const found = document.querySelector(`.message[data-id="${id}"]`);
            return found.getBoundingClientRect().top - top;
        }""",
        message_id,
    )


def at_number(start: datetime, number: int) -> str:
    """Return the id of a message of the long history."""
    return str(snowflake.at(start) + (number * 60_000 << 22))


async def visit(page: Page, path: str) -> None:
    """Follow a link of the client within the page."""
    await page.evaluate(
        """path => {
            history.pushState(null, '', path);
            dispatchEvent(new PopStateEvent('popstate'));
        }""",
        path,
    )


HOSTILE = (
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:x", "&lt;b&gt;"),
    *("[x](javascript:alert(1))", "[x](https://a.example/%22onload=)", "https://[", "http://\u202ea"),
    *("**", "__", "~~", "||", "*", "_", "`", "``", "```", "```js\n", ">>> ", "> "),
    *("# ", "-# ", "- "),
    *("1. ", "\\", "<@", "<@1>", "<@&1>", "<#1>", "<:a:1>", "<t:99999999999999>"),
    *("<t:1:R>", "@everyone", "(((((", "]]]]]"),
    *("\n", " ", "text", "👩‍👩‍👧", "\u0000", "\ud83d", "__proto__", "constructor"),
)  # fmt: skip
"""What texts of users are made of in the worst case."""

PLAIN = [
    ("**b** *i* __u__ ~~s~~ `c` ***bi***", "<p><strong>b</strong> <em>i</em> <u>u</u> <s>s</s> "
     "<code>c</code> <strong><em>bi</em></strong></p>"),
    ("snake_case_name 2*3*4", "<p>snake_case_name 2<em>3</em>4</p>"),
    (r"\*not\* \<@1>", "<p>*not* &lt;@1&gt;</p>"),
    ("> a\n> b\nc", "<blockquote><p>a\nb</p></blockquote><p>c</p>"),
    (">>> a\n\nb", "<blockquote><p>a\n\nb</p></blockquote>"),
    ("- a\n  - b\n- c", '<ul class="list"><li>a<ul class="list"><li>b</li></ul></li>'
     "<li>c</li></ul>"),
    ("3. a\n4. b", '<ol class="list" start="3"><li>a</li><li>b</li></ol>'),
    ("-# small", '<p class="subtext">small</p>'),
    ("```\n*a*\n```", '<pre data-language="" tabindex="0" role="region" aria-label="Code">'
     "<code>*a*</code></pre>"),
    ("<:wave:123>", '<p><span class="custom-emoji">:wave:</span></p>'),
    ("no < tag > & amp", "<p>no &lt; tag &gt; &amp; amp</p>"),
]  # fmt: skip


async def test_texts_become_few_elements_whatever_they_contain(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice")
    async with client_of(
        guild.owner, f"{web.url}/app/{guild.id}/{guild.general.id}", problems
    ) as page:
        await page.evaluate(RENDERER)
        for text, wanted in PLAIN:
            assert await page.evaluate("text => rendered(text).innerHTML", text) == wanted, text
        wrong = await page.evaluate(HOSTILE_TEXTS, list(HOSTILE))
        assert wrong == []


RENDERER = """async () => {
    const base = document.querySelector('script[type=module]').src.replace('main.js', '');
    const {Markdown} = await import(base + 'view/messages/markdown.js');
    const {html} = await import(base + 'view/html.js');
    const {render} = await import(base + 'vendor/preact.js');
    window.rendered = (text) => {
        const element = document.createElement('div');
        render(html`<${Markdown} text=${text} />`, element);
        return element;
    };
}"""

HOSTILE_TEXTS = """parts => {
    const allowed = new Set(['P', 'STRONG', 'EM', 'U', 'S', 'CODE', 'PRE', 'A', 'SPAN', 'TIME',
        'UL', 'OL', 'LI', 'BLOCKQUOTE']);
    const names = new Set(['class', 'href', 'title', 'target', 'rel', 'datetime', 'role',
        'tabindex', 'aria-label', 'aria-level', 'aria-hidden', 'inert', 'data-level',
        'data-language', 'data-me', 'data-shown', 'start']);
    let seed = 1;
    const random = (below) => {
        seed = (seed * 48271) % 2147483647;
        return seed % below;
    };
    const wrong = [];
    for (let example = 0; example < 1500; example++) {
        let text = '';
        for (let count = random(14) + 1; count > 0; count--) text += parts[random(parts.length)];
        const element = rendered(text);
        for (const each of element.querySelectorAll('*')) {
            const attributes = [...each.attributes].map((one) => one.name);
            const isSafe = allowed.has(each.tagName) && attributes.every((one) => names.has(one));
            const isLink = each.tagName !== 'A' || /^https?:$/.test(each.protocol);
            if (!isSafe || !isLink) wrong.push([text, each.outerHTML]);
        }
    }
    for (const part of parts) rendered(part.repeat(2000 / part.length));
    return wrong;
}"""
