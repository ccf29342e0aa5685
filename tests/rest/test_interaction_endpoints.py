"""Interactions over HTTP: what an endpoint receives, and what its answers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web

from chatd.db.pool import Database
from tests.helpers.endpoints import Endpoint, listening_endpoint, serving_urls
from tests.helpers.interactions import Received, Stage, interaction_stage
from tests.world import World


async def set_endpoint(stage: Stage, endpoint: Endpoint) -> None:
    """Let the application receive its interactions at an endpoint."""
    owner = await stage.world.person("alice")
    path = f"/applications/{stage.bot.id}"
    endpoint.verify_key = (await owner.rest.get(path))["verify_key"]
    changed = await owner.rest.patch(path, {"interactions_endpoint_url": endpoint.url})
    assert changed["interactions_endpoint_url"] == endpoint.url


@pytest.fixture
async def stage(world: World, database: Database) -> Stage:
    return await interaction_stage(world, database, "bob")


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with listening_endpoint() as running:
        yield running


async def test_answer_of_an_endpoint_is_the_response(stage: Stage, endpoint: Endpoint) -> None:
    async def answer(_: web.Request, payload: Any) -> web.Response:
        return web.json_response({"type": 4, "data": {"content": payload["data"]["custom_id"]}})

    endpoint.answerer = answer
    await set_endpoint(stage, endpoint)
    assert endpoint.forged == 1
    bob = await stage.world.person("bob")
    [bobs] = await stage.world.online("bob")
    await bob.rest.post("/interactions", stage.body())
    payload = await endpoint.received.get()
    assert (payload["type"], payload["application_id"]) == (3, stage.bot.id)
    assert payload["member"]["user"]["id"] == bob.id
    sent = (await bobs.next("MESSAGE_CREATE")).d
    assert (sent["content"], sent["author"]["id"]) == ("go", stage.bot.id)
    assert (await bobs.next("INTERACTION_SUCCESS")).d["id"] == payload["id"]
    assert (
        await stage.client.next_of("INTERACTION_CREATE", "MESSAGE_CREATE")
    ).t == "MESSAGE_CREATE"
    received = Received(payload, stage.world.anonymous)
    assert (await received.try_to_respond({"type": 6})).code == 40060
    assert (await received.follow_up(content="more"))["content"] == "more"


async def test_empty_answer_announces_a_callback(stage: Stage, endpoint: Endpoint) -> None:
    async def accept(_: web.Request, __: Any) -> web.Response:
        return web.Response(status=202)

    endpoint.answerer = accept
    await set_endpoint(stage, endpoint)
    bob = await stage.world.person("bob")
    await bob.rest.post("/interactions", stage.body())
    received = Received(await endpoint.received.get(), stage.world.anonymous)
    await received.respond(4, content="by callback")


async def _redirect(_: web.Request, __: Any) -> web.Response:
    raise web.HTTPFound("/elsewhere")


async def _garbage(_: web.Request, __: Any) -> web.Response:
    return web.Response(body=b"\xff{", content_type="application/json")


async def _page(_: web.Request, __: Any) -> web.Response:
    return web.Response(text='{"type": 6}', content_type="text/html")


async def _unfit(_: web.Request, __: Any) -> web.Response:
    return web.json_response({"type": 8, "data": {"choices": []}})


async def _list(_: web.Request, __: Any) -> web.Response:
    return web.json_response([[]])


async def _many_values(_: web.Request, __: Any) -> web.Response:
    return web.json_response({"type": 4, "data": {"embeds": [0] * 5000}})


async def _endless(request: web.Request, _: Any) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with suppress(ConnectionError):
        while True:  # until chatd closes the connection
            await response.write(b" " * 2**16)
    return response


@pytest.mark.parametrize(
    "answer", [_redirect, _garbage, _page, _unfit, _list, _many_values, _endless]
)
async def test_bad_answers_fail_the_interaction(
    stage: Stage, endpoint: Endpoint, answer: Any
) -> None:
    endpoint.answerer = answer
    await set_endpoint(stage, endpoint)
    bob = await stage.world.person("bob")
    [bobs] = await stage.world.online("bob")
    await bob.rest.post("/interactions", stage.body())
    failed = (await bobs.next("INTERACTION_FAILURE")).d
    payload = endpoint.received.get_nowait()
    assert failed == {"id": payload["id"], "nonce": "1", "reason_code": 1}
    assert endpoint.received.empty()
    received = Received(payload, stage.world.anonymous)
    assert (await received.try_to_respond({"type": 6})).code == 10062


async def test_slow_endpoint_gets_a_limited_number_of_requests(
    stage: Stage, endpoint: Endpoint
) -> None:
    release = asyncio.Event()

    async def wait(_: web.Request, __: Any) -> web.Response:
        await release.wait()
        return web.json_response({"type": 6})

    endpoint.answerer = wait
    await set_endpoint(stage, endpoint)
    bob = await stage.world.person("bob")
    [bobs] = await stage.world.online("bob")
    for _ in range(20):
        await bob.rest.post("/interactions", stage.body())
    for _ in range(20):
        await endpoint.received.get()
    await bob.rest.post("/interactions", stage.body())
    assert (await bobs.next("INTERACTION_FAILURE")).d["reason_code"] == 1
    release.set()
    for _ in range(20):
        await bobs.next("INTERACTION_SUCCESS")


async def _pong_to_all(request: web.Request) -> web.Response:
    return web.json_response({"type": 1})


async def _no_pong(request: web.Request) -> web.Response:
    return web.json_response({"type": 2})


async def _refuse(request: web.Request) -> web.Response:
    return web.Response(status=401)


async def _move(request: web.Request) -> web.Response:
    raise web.HTTPFound("https://example.org/")


@pytest.mark.parametrize(
    ("handle", "reason"),
    [
        (_pong_to_all, "It has to answer a wrong signature with 401, not with 200."),
        (_no_pong, 'It has to answer a PING with {"type": 1}.'),
        (_refuse, "The answer to a PING is 401 with application/octet-stream."),
        (_move, "The answer to a PING is 302 with text/plain."),
    ],
)
async def test_endpoint_has_to_verify_signatures(world: World, handle: Any, reason: str) -> None:
    bot = await world.bot("bot", "alice")
    owner = await world.person("alice")
    path = f"/applications/{bot.id}"
    async with serving_urls(handle) as url:
        answer = await owner.rest.call("PATCH", path, {"interactions_endpoint_url": url})
    assert (answer.status, answer.code) == (400, 50035)
    [error] = answer.json["errors"]["interactions_endpoint_url"]["_errors"]
    assert error["code"] == "APPLICATION_INTERACTIONS_ENDPOINT_URL_INVALID"
    assert error["message"].endswith(reason)
    assert (await owner.rest.get(path))["interactions_endpoint_url"] is None


async def test_bot_can_set_and_remove_its_endpoint(stage: Stage, endpoint: Endpoint) -> None:
    endpoint.verify_key = (await stage.bot.rest.get("/applications/@me"))["verify_key"]
    change = {"interactions_endpoint_url": endpoint.url}
    await stage.bot.rest.patch("/applications/@me", change)
    change = {"interactions_endpoint_url": None}  # type: ignore[dict-item]
    assert (await stage.bot.rest.patch("/applications/@me", change))[
        "interactions_endpoint_url"
    ] is None
    received = await stage.click(await stage.world.person("bob"))
    await received.respond(6)


async def test_strangers_cause_no_requests(world: World, endpoint: Endpoint) -> None:
    bot = await world.bot("bot", "alice")
    mallory = await world.person("mallory")
    path = f"/applications/{bot.id}"
    answer = await mallory.rest.call("PATCH", path, {"interactions_endpoint_url": endpoint.url})
    assert answer.status == 403
    assert endpoint.forged == 0


async def test_keys_differ_and_are_public(world: World) -> None:
    bot, other = await world.bot("bot", "alice"), await world.bot("other", "alice")
    bob = await world.person("bob")
    shown = await bob.rest.get(f"/applications/{bot.id}/public")
    assert len(bytes.fromhex(shown["verify_key"])) == 32
    others = await bob.rest.get(f"/applications/{other.id}/public")
    assert shown["verify_key"] != others["verify_key"]
