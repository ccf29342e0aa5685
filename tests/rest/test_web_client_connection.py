"""The connection of the web client in Chromium: compression, restarts, and hours of sleep."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from playwright.async_api import Page, WebSocket, expect

from chatd.config import Config
from chatd.gateway.handler import GATEWAY
from tests.conftest import Server, serving
from tests.helpers.browser import listen, needs_chromium
from tests.helpers.servers import free_ports
from tests.helpers.web_client import log_in, page_of, send
from tests.world import TIMEOUT_S, World, world_on

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

WITHOUT_DECOMPRESSION = "delete window.DecompressionStream;"
BROKEN_DECOMPRESSION = """
window.DecompressionStream = class extends DecompressionStream {
    constructor() { super("gzip"); }
};
"""


async def open_channel(page: Page, world: World, address: str) -> list[str]:
    """Log Bob in at a channel, and wait for a message there. Return the sockets' addresses."""
    sockets: list[str] = []

    def opened(socket: WebSocket) -> None:
        sockets.append(socket.url)

    listen(page, "websocket", opened)
    bob = await world.person("bob")
    await log_in(page, bob.email)
    await send(world, address.rpartition("/")[2], "first")
    await page.locator(".message", has_text="first").last.wait_for()
    return sockets


async def test_connection_is_compressed_where_the_browser_can_read_it(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    address = f"{web.url}/app/{guild.id}/{guild.general.id}"
    for script, compressed in ((None, [True]), (WITHOUT_DECOMPRESSION, [False])):
        async with page_of(address, problems, script=script) as page:
            sockets = await open_channel(page, web_world, address)
            assert ["compress=zlib-stream" in each for each in sockets] == compressed
    async with page_of(address, problems, script=BROKEN_DECOMPRESSION) as page:
        sockets = await open_channel(page, web_world, address)
        assert ["compress=zlib-stream" in each for each in sockets] == [True, False]


async def test_restart_of_the_server_loses_nothing(config: Config, problems: list[str]) -> None:
    [port] = free_ports(1)
    settings = replace(config, worker_id=11, api_port=port)
    async with serving(settings) as server, world_on(server.url, server.gateway_url) as world:
        guild = await world.guild(owner="alice", members=["bob"])
        address = f"{server.url}/app/{guild.id}/{guild.general.id}"
        page_context = page_of(address, problems)
        page = await page_context.__aenter__()
        await open_channel(page, world, address)
        people = world
    await page.get_by_text("The connection is lost.").wait_for()
    notice = page.get_by_text("nothing was missed").wait_for(timeout=TIMEOUT_S * 1000)
    resuming = asyncio.create_task(notice)  # it is shown for four seconds
    async with serving(settings) as server, world_on(server.url, server.gateway_url) as world:
        world.share_people(people)
        await send(world, guild.general.id, "after the restart")
        await resuming
        await expect(page.locator(".message", has_text="after the restart")).to_have_count(1)
        await page_context.__aexit__(None, None, None)
    problems[:] = [each for each in problems if "WebSocket" not in each and "ERR_" not in each]


async def test_page_that_slept_too_long_to_resume_loads_what_it_missed(
    config: Config, problems: list[str]
) -> None:
    async with (
        serving(replace(config, worker_id=12, resume_window_s=0)) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        guild = await world.guild(owner="alice", members=["bob"])
        address = f"{server.url}/app/{guild.id}/{guild.general.id}"
        async with page_of(address, problems) as page:
            await open_channel(page, world, address)
            await page.context.set_offline(True)
            await page.get_by_text("You are offline.").wait_for()
            hub = server.runner.app[GATEWAY].hub
            async with asyncio.timeout(TIMEOUT_S):
                while len(hub):
                    await asyncio.sleep(0.01)
            for number in range(60):
                await send(world, guild.general.id, f"missed {number}")
            await page.context.set_offline(False)
            await page.get_by_text("loading what was missed").wait_for()
            await page.locator(".message", has_text="missed 59").wait_for()
            await expect(page.locator(".message", has_text="missed 59")).to_have_count(1)
    problems[:] = [each for each in problems if "ERR_INTERNET_DISCONNECTED" not in each]
