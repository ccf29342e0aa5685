"""Texts of messages in the web client: what becomes a link, and what is shown large."""

from __future__ import annotations

import pytest
from playwright.async_api import Page

from tests.conftest import Server
from tests.helpers.browser import needs_chromium
from tests.helpers.web_client import client_of, page_of
from tests.world import World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

_RENDER = """async (text) => {
    const base = document.querySelector("script[type=module]").src.replace("main.js", "");
    const {render} = await import(base + "vendor/preact.js");
    const {html} = await import(base + "view/html.js");
    const {Markdown} = await import(base + "view/messages/markdown.js");
    const root = document.createElement("div");
    render(html`<${Markdown} text=${text} />`, root);
    return {
        links: [...root.querySelectorAll("a")].map((each) => [each.textContent, each.href]),
        text: root.textContent,
        isLarge: root.querySelector(".large") !== null,
    };
}"""

_WIKI = "https://en.wikipedia.org/wiki/Python_(language)"

_LINKS: dict[str, list[list[str]]] = {
    _WIKI: [[_WIKI, _WIKI]],
    f"(see {_WIKI}).": [[_WIKI, _WIKI]],
    "(https://example.org/a)": [["https://example.org/a", "https://example.org/a"]],
    "https://example.org/a]), and": [["https://example.org/a", "https://example.org/a"]],
    "https://example.org/?a=[1]": [["https://example.org/?a=[1]", "https://example.org/?a=[1]"]],
    f"[docs]({_WIKI})": [["docs", _WIKI]],
    f"[docs](<{_WIKI}>)": [["docs", _WIKI]],
    "Https://Example.org/A": [["Https://Example.org/A", "https://example.org/A"]],
    "**https://example.org/a_b**": [["https://example.org/a_b", "https://example.org/a_b"]],
    "請看https://example.org/a。謝謝": [["https://example.org/a", "https://example.org/a"]],
    "ahttps://example.org/a": [],
    "請看 https://example.org/a。謝謝": [["https://example.org/a", "https://example.org/a"]],
    "https://example.org/\u202egnp.exe": [["https://example.org/", "https://example.org/"]],
    "https://": [],
    "https://)": [],
    "javascript:alert(1) [x](javascript:alert(1)) <javascript:alert(1)>": [],
    "[x](data:text/html,x) [y](//example.org) mailto:a@example.org": [],
    "`https://example.org`": [],
    # A text that looks like another address does not hide where a link leads.
    "[https://bank.example](https://evil.example/x)": [
        ["https://bank.example (evil.example)", "https://evil.example/x"]
    ],
    "[bank.example/login](https://evil.example/x)": [
        ["bank.example/login (evil.example)", "https://evil.example/x"]
    ],
    "[bank.example](https://www.bank.example/x)": [["bank.example", "https://www.bank.example/x"]],
    "[**bank**.example](https://evil.example/)": [
        ["bank.example (evil.example)", "https://evil.example/"]
    ],
    "https://аррӏе.com/": [
        ["https://аррӏе.com/ (xn--80ak6aa92e.com)", "https://xn--80ak6aa92e.com/"]
    ],
    "https://müller.example/": [["https://müller.example/", "https://xn--mller-kva.example/"]],
    "https://apple.com@evil.example/": [
        ["https://apple.com@evil.example/ (evil.example)", "https://apple.com@evil.example/"]
    ],
}

_LARGE = ("🎉", "❤️", "👩‍❤️‍👨 👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣ #️⃣", "🇩🇪🇫🇷", "☝🏽", "🎉" * 30, "👨‍👩‍👧‍👦" * 8)
_SMALL = ("™", "©", "❤ text", "123", "↔", "🎉" * 31, "🎉x", "\u200d", "🇩" * 29 + "x")


async def test_links_lead_where_they_say(web: Server, problems: list[str]) -> None:
    async with page_of(f"{web.url}/login", problems) as page:
        await page.get_by_label("Password").wait_for()
        found = {text: (await rendered(page, text))["links"] for text in _LINKS}
        assert found == _LINKS


async def test_emoji_are_large_only_where_nothing_else_is(web: Server, problems: list[str]) -> None:
    async with page_of(f"{web.url}/login", problems) as page:
        await page.get_by_label("Password").wait_for()
        texts = (*_LARGE, *_SMALL)
        assert [text for text in texts if (await rendered(page, text))["isLarge"]] == [*_LARGE]


async def rendered(page: Page, text: str) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = await page.evaluate(_RENDER, text)
    return found


_SPOKEN = {
    "**b** *i* __u__ ~~s~~ `c` ***bi***": "b i u s c bi",
    "# Title\n> said\n- one\n- two": "Title\nsaid\none\ntwo",
    "||hidden **words**|| and [a link](https://example.org/)": "… and a link",
    "a\n```py\nx = 2 * 3 * 4\n```": "a\nx = 2 * 3 * 4",
    r"\*not\* snake_case_name 2 * 3": "*not* snake_case_name 2 * 3",
    "@everyone <:wave:123> <t:99999999999999>": "@everyone :wave: <t:99999999999999>",
}

_SPEAK = """async (text) => {
    const base = document.querySelector("script[type=module]").src.replace("main.js", "");
    return (await import(base + "view/messages/plain.js")).plain(text);
}"""


async def test_screen_readers_say_what_is_shown(web: Server, problems: list[str]) -> None:
    async with page_of(f"{web.url}/app", problems) as page:
        for text, spoken in _SPOKEN.items():
            assert await page.evaluate(_SPEAK, text) == spoken, text


_LOOKUPS = """async ([guild, channel]) => {
    const base = document.querySelector("script[type=module]").src.replace("main.js", "");
    const {dispatch, state} = await import(base + "state/store.js");
    const {render} = await import(base + "vendor/preact.js");
    const {html} = await import(base + "view/html.js");
    const {UserMention} = await import(base + "view/messages/mentions.js");
    let looked = 0;
    const author = {id: "7", username: "author"};
    const page = Array.from({length: 50}, (_, at) => ({
        id: String(1000 - at), channel_id: channel, content: "x", mentions: [], attachments: [],
        embeds: [], components: [], timestamp: "2026-01-01T00:00:00Z", type: 0, flags: 0,
        get author() { looked += 1; return author; },
    }));
    const ends = {atStart: true, atEnd: true, removed: [], pending: []};
    const timeline = {...ends, messages: page.reverse()};
    state.value = {...state.value, timelines: {...state.value.timelines, [channel]: timeline}};
    const root = document.createElement("div");
    const ids = Array.from({length: 1000}, (_, at) => String(10 ** 6 + at));
    const mention = (id) => html`<${UserMention} id=${id} guild=${guild} />`;
    render(html`${[...ids, "7"].map(mention)}`, root);
    const first = looked;
    looked = 0;
    for (let n = 0; n < 20; n++) {
        const data = {channel_id: channel, user_id: "8", timestamp: 1, guild_id: guild};
        dispatch({type: "TYPING_START", data});
    }
    const later = looked;
    const other = {...page[0], id: "2000", author: {id: String(10 ** 6), username: "new"}};
    dispatch({type: "MESSAGE_CREATE", data: {...other, mention_roles: [], guild_id: guild}});
    await new Promise((resolve) => setTimeout(resolve));
    return [first <= 1000, later, root.textContent.slice(0, 4), root.textContent.slice(-7)];
}"""


async def test_names_of_mentions_are_not_looked_up_with_each_event(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice")
    channel = (await guild.channel("other")).id
    async with client_of(guild.owner, f"{web.url}/app", problems) as page:
        found = await page.evaluate(_LOOKUPS, [guild.id, channel])
        assert found == [True, 0, "@new", "@author"]
