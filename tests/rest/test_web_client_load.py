"""What the web client costs a browser under load. It prints figures; run it with -m soak -s."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import CDPSession, Page

from tests.conftest import Server
from tests.helpers.browser import devtools, needs_chromium
from tests.helpers.long_channel import fill
from tests.helpers.web_client import client_of, message, send
from tests.world import Guild, World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser"), pytest.mark.soak]

SECONDS = 10
"""How long each load lasts."""

LONG = 100_000
"""Messages of the long channel."""

MAX_NODES = 12_000
"""Elements of the page, at most."""

HOURS_VISITS = 60
"""Visits of a channel in a simulated hour: one a minute, each with a hundred messages."""

MAX_GROWTH = 2.0
"""How much larger the heap may be after the simulated hour than after its first tenth."""

_WATCH = """() => {
    const base = document.querySelector("script[type=module]").src.replace("main.js", "");
    window.watched = {frames: 0, longest: 0, tasks: 0, on: true, base};
    new PerformanceObserver((list) => {
        for (const each of list.getEntries()) {
            window.watched.tasks += 1;
            window.watched.longest = Math.max(window.watched.longest, each.duration);
        }
    }).observe({type: "longtask"});
    const frame = () => {
        window.watched.frames += 1;
        if (window.watched.on) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
}"""

_SEEN = """() => {
    const seen = {...window.watched};
    Object.assign(window.watched, {frames: 0, longest: 0, tasks: 0});
    return seen;
}"""

_MESSAGES = """async ([channel, author, first, perSecond, seconds]) => {
    const {enqueue} = await import(window.watched.base + "state/store.js");
    const start = performance.now();
    let sent = 0;
    while (sent < perSecond * seconds) {
        const due = Math.min(((performance.now() - start) / 1000) * perSecond, perSecond * seconds);
        for (; sent < due; sent++) {
            enqueue({type: "MESSAGE_CREATE", data: {
                id: String(BigInt(first) + BigInt(sent)), channel_id: channel, author,
                content: `message **${sent}** of many`, timestamp: new Date().toISOString(),
                edited_timestamp: null, attachments: [], embeds: [], mentions: [],
                mention_roles: [], mention_everyone: false, pinned: false, type: 0,
                components: [], flags: 0,
            }});
        }
        await new Promise((resolve) => setTimeout(resolve, 4));
    }
}"""

_MEMBERS = """async ([guild, count]) => {
    const {enqueue} = await import(window.watched.base + "state/store.js");
    for (let n = 0; n < count; n++) {
        const user = {id: String(10n ** 17n + BigInt(n)), username: `member${n}`, avatar: null};
        enqueue({type: "GUILD_MEMBER_LIST_UPDATE", data: {
            guild_id: guild, id: "everyone", online_count: n + 1, member_count: count,
            groups: [{id: "online", count: n + 1}],
            ops: [{op: "INSERT", index: Math.min(n, 99) + 1, item: {member: {user, roles: []}}}],
        }});
        enqueue({type: "PRESENCE_UPDATE", data: {user, status: "online", guild_id: guild}});
        if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 4));
    }
}"""


async def report(page: Page, what: str) -> None:
    """Print the frames a second and the longest task since the last report."""
    seen = json.loads(json.dumps(await page.evaluate(_SEEN)))
    print(
        f"\n{what}: {seen['frames'] / SECONDS:.0f} frames/s, "
        f"longest task {seen['longest']:.0f} ms, {seen['tasks']} tasks above 50 ms"
    )


async def heap(cdp: CDPSession) -> float:
    """Return the size of the heap in MB, after a collection."""
    await cdp.send("HeapProfiler.collectGarbage")
    used: dict[str, Any] = await cdp.send("Runtime.getHeapUsage")
    return float(used["usedSize"]) / 2**20


async def open_long_channel(web: Server, world: World) -> Guild:
    guild = await world.guild(owner="alice", members=["bob"])
    await asyncio.to_thread(fill, web.config.database_url, guild, LONG)
    await send(world, guild.general.id, "the newest")
    return guild


@pytest.mark.timeout(600)
async def test_page_stays_small_under_load(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await open_long_channel(web, web_world)
    bob = await web_world.person("bob")
    author = {"id": guild.owner.id, "username": "alice", "avatar": None, "discriminator": "0"}
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        await message(page, "the newest").wait_for()
        cdp = await devtools(page)
        await page.evaluate(_WATCH)

        async with asyncio.timeout(60):
            await page.locator(".timeline").hover()
            until = asyncio.get_running_loop().time() + SECONDS
            await page.evaluate(_SEEN)
            while asyncio.get_running_loop().time() < until:
                await page.mouse.wheel(0, -600)
        await report(page, f"scrolling up through {LONG} messages")
        assert await page.locator("*").count() <= MAX_NODES

        await page.get_by_role("button", name="Jump to the newest").click()
        await message(page, "the newest").wait_for()
        last = int((await send(web_world, guild.general.id, "before the storm"))["id"])
        await page.evaluate(_SEEN)
        storm = [guild.general.id, author, str(last + 1), 1000, SECONDS]
        await page.evaluate(_MESSAGES, storm)
        await report(page, "1,000 messages a second in the open channel")
        assert await page.locator("*").count() <= MAX_NODES

        await page.evaluate(_SEEN)
        await page.evaluate(_MEMBERS, [guild.id, 10_000])
        await report(page, f"10,000 members come online (frames of {SECONDS} s)")
        assert await page.locator("*").count() <= MAX_NODES

        sizes = []
        other = await guild.channel("other")
        for visit in range(HOURS_VISITS):
            channel = (guild.general, other)[visit % 2].id
            await page.locator(f"a[href$='/{channel}']").first.click()
            last += 10**9
            await page.evaluate(_MESSAGES, [channel, author, str(last), 100, 1])
            if visit % 6 == 5:
                sizes.append(await heap(cdp))
        print("heap over a simulated hour, MB: " + ", ".join(f"{size:.1f}" for size in sizes))
        assert sizes[-1] < sizes[0] * MAX_GROWTH
