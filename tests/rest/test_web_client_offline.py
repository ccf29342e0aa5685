"""The service worker of the web client: the client starts without a connection to its server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatd.config import Config
from tests.conftest import serving
from tests.helpers.browser import needs_chromium
from tests.helpers.web_client import (
    log_in,
    message,
    page_of,
    send,
    stored_message,
    until,
    write,
)
from tests.world import world_on

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

OLD = "caches.open('chatd-shell-old').then(() => navigator.serviceWorker.ready).then(() => {})"

KEPT = """async () => {
    const addresses = [];
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const each of await cache.keys()) addresses.push(new URL(each.url).pathname);
    }
    return addresses;
}"""


async def test_client_starts_without_its_server(config: Config, problems: list[str]) -> None:
    here = replace(config, worker_id=9, web_client=True)
    async with serving(here) as server, world_on(server.url, server.gateway_url) as world:
        guild = await world.guild(owner="alice", members=["bob"])
        address = f"{server.url}/app/{guild.id}/{guild.general.id}"
        await send(world, guild.general.id, "secret of the guild")
        pages = page_of(address, problems, service_workers="allow")
        page = await pages.__aenter__()
        await page.evaluate(OLD)
        await log_in(page, (await world.person("bob")).email)
        await message(page, "secret of the guild").wait_for()
        await until(page, "async () => (await caches.keys()).length === 1")
        await page.reload()  # from here on the worker answers
        await write(page, "while there is a connection")
        await stored_message(page, "while there is a connection").wait_for()
        kept = await page.evaluate(KEPT)
        assert "/app" in kept
        assert {each.split("/")[1] for each in kept} == {"app", "client"}
    # The server is gone.
    await page.reload()
    await page.get_by_text("Trying again in").wait_for()
    assert await page.get_by_text("secret of the guild").count() == 0
    await pages.__aexit__(None, None, None)
    problems[:] = [each for each in problems if "ERR_CONNECTION_REFUSED" not in each]


PROXIED = """async (redirects) => {
    const text = await (await fetch("/service_worker.js")).text();
    const handlers = {};
    const kept = [];
    const cache = {match: async () => undefined, put: async (request) => kept.push(request.url)};
    const answer = async () => redirects
        ? Object.defineProperty(new Response("x"), "redirected", {value: true})
        : new Response("<h1>Log in</h1>", {headers: {"Content-Type": "text/html"}});
    const run = new Function("addEventListener", "caches", "fetch", text);
    run((name, handler) => (handlers[name] = handler), {open: async () => cache}, answer);
    let response;
    const request = new Request("/client//main.js");
    handlers.fetch({request, respondWith: (given) => (response = given)});
    return [(await response).status, kept];
}"""


async def test_worker_keeps_no_page_of_a_proxy(config: Config, problems: list[str]) -> None:
    async with (
        serving(replace(config, worker_id=9, web_client=True)) as server,
        page_of(f"{server.url}/app", problems, bypass_csp=True) as page,
    ):
        for redirects in (False, True):
            assert await page.evaluate(PROXIED, redirects) == [200, []]


HANGING = """async () => {
    const text = await (await fetch("/service_worker.js")).text();
    const handlers = {};
    const caches = {match: async () => new Response("kept")};
    const never = () => new Promise(() => {});
    const atOnce = (run) => queueMicrotask(run);
    const run = new Function("addEventListener", "caches", "fetch", "setTimeout", text);
    run((name, handler) => (handlers[name] = handler), caches, never, atOnce);
    let response;
    const request = {method: "GET", mode: "navigate", url: location.origin + "/app"};
    handlers.fetch({request, respondWith: (given) => (response = given)});
    return (await response).text();
}"""


async def test_worker_does_not_wait_for_a_server_that_hangs(
    config: Config, problems: list[str]
) -> None:
    async with (
        serving(replace(config, worker_id=9, web_client=True)) as server,
        page_of(f"{server.url}/app", problems, bypass_csp=True) as page,
    ):
        assert await page.evaluate(HANGING) == "kept"
