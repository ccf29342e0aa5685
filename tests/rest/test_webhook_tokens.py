"""Tokens of webhooks: what they allow without a login, and that they stay secret."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

import pytest

from chatd.web.keys import METRICS
from tests.conftest import ServeMore, Server
from tests.helpers.images import data_uri, image_bytes
from tests.helpers.raw_http import raw_response
from tests.helpers.webhooks import create_webhook, path_of, send
from tests.world import World, like, world_on


async def test_token_shows_the_webhook_without_its_creator(world: World) -> None:
    guild = await world.guild(owner="alice")
    made = await create_webhook(guild)
    shown = await world.anonymous.get(path_of(made))
    assert shown == {key: each for key, each in made.items() if key != "user"}
    # A login is not needed, and not looked at.
    answer = await world.anonymous.call("GET", path_of(made), headers={"Authorization": "Bot x"})
    assert answer.status == 200


async def test_token_changes_the_webhook_but_not_its_channel(world: World) -> None:
    guild = await world.guild(owner="alice")
    side = await guild.channel("side")
    made = await create_webhook(guild)
    [client] = await world.online("alice")
    body = {"name": "Releases", "avatar": data_uri(image_bytes()), "channel_id": side.id}
    changed = await world.anonymous.patch(path_of(made), body)
    assert changed == like(name="Releases", channel_id=guild.general.id, token=made["token"])
    assert changed["avatar"] is not None
    assert (await client.next("WEBHOOKS_UPDATE")).d["channel_id"] == guild.general.id
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=51")
    [entry] = log["audit_log_entries"]
    assert entry == like(user_id=None, target_id=made["id"])


async def test_token_deletes_the_webhook(world: World) -> None:
    guild = await world.guild(owner="alice")
    made = await create_webhook(guild)
    [client] = await world.online("alice")
    headers = {"X-Audit-Log-Reason": "not needed"}
    assert (await world.anonymous.call("DELETE", path_of(made), headers=headers)).status == 204
    assert (await client.next("WEBHOOKS_UPDATE")).d["channel_id"] == guild.general.id
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        answer = await world.anonymous.call(method, path_of(made), body)
        assert (answer.status, answer.code) == (404, 10015)
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=52")
    assert log["audit_log_entries"] == [like(user_id=None, reason="not needed")]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_wrong_token_is_refused_without_a_query(
    world: World, statements: list[str], method: str
) -> None:
    guild = await world.guild(owner="alice")
    made, other = await create_webhook(guild), await create_webhook(guild)
    body = {"name": "x"} if method == "PATCH" else None
    statements.clear()
    for webhook_id, token, status, code in (
        (made["id"], other["token"], 401, 50027),
        (made["id"], made["token"][:-1] + "~", 401, 50027),
        (made["id"], made["token"].swapcase(), 401, 50027),
        (str(int(made["id"]) + 1), made["token"], 401, 50027),
    ):
        answer = await world.anonymous.call(method, f"/webhooks/{webhook_id}/{token}", body)
        assert (answer.status, answer.code) == (status, code)
    assert statements == []
    for token in ("%C3%A4" * 68, made["token"] + "x", made["token"][:-1]):  # of no interaction
        answer = await world.anonymous.call(method, f"/webhooks/{made['id']}/{token}", body)
        assert (answer.status, answer.code) == (404, 10015)
    assert await guild.owner.rest.get(f"/webhooks/{made['id']}") == made


async def test_large_body_with_a_wrong_token_is_not_read(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice")
    made, other = await create_webhook(guild), await create_webhook(guild)
    request = (
        f"PATCH /webhooks/{made['id']}/{other['token']} HTTP/1.1\r\nHost: x\r\n"
        "Content-Type: application/json\r\nContent-Length: 3000000\r\n\r\n"
    )
    answer = await raw_response(server, request.encode())  # without the body
    assert answer.startswith(b"HTTP/1.1 401")


async def test_token_of_another_secret_is_refused(world: World, serve_more: ServeMore) -> None:
    guild = await world.guild(owner="alice")
    made = await create_webhook(guild)
    async with (
        serve_more(worker_id=9, jwt_secret="another secret of the tests, long enough") as server,
        world_on(server.url, server.gateway_url) as elsewhere,
    ):
        answer = await elsewhere.anonymous.call("GET", path_of(made))
        assert (answer.status, answer.code) == (401, 50027)


async def test_windows_of_a_token_are_separate(world: World, serve_more: ServeMore) -> None:
    guild = await world.guild(owner="alice")
    made, other = await create_webhook(guild), await create_webhook(guild)
    async with (
        serve_more(worker_id=10, rate_limits=True) as server,
        world_on(server.url, server.gateway_url) as limited,
    ):
        sent = (limited.anonymous.call("PATCH", path_of(made), {}) for _ in range(21))
        answers = await asyncio.gather(*sent)
        assert Counter(answer.status for answer in answers) == {200: 20, 429: 1}
        assert answers[0].headers["X-RateLimit-Limit"] == "20"
        # One with a wrong token does not use up the windows of the right one, and vice versa.
        wrong = f"/webhooks/{made['id']}/{other['token']}"
        assert (await limited.anonymous.call("PATCH", wrong, {})).status == 401
        assert (await limited.anonymous.call("PATCH", path_of(other), {})).status == 200


async def test_token_is_in_no_log_metric_and_event(
    world: World, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    guild = await world.guild(owner="alice")
    [client] = await world.online("alice")
    with caplog.at_level(logging.DEBUG):
        made = await create_webhook(guild)
        token = made["token"]
        path = path_of(made)
        await send(world, made, content="x")
        await world.anonymous.call("POST", f"{path}/github", {"sender": 5})
        await world.anonymous.call("POST", f"{path}/nothing", {})
        await world.anonymous.call("TRACE", path)
        await world.anonymous.call("POST", f"{path}%0a", {})
        await world.anonymous.call("POST", f"{path}?wait=maybe", {})
        await world.anonymous.call("PATCH", path, {"name": "y"})
        await raw(server, f"GET {path} HTTP/9.9\r\n\r\n")
        await raw(server, f"GET {path}\x01 HTTP/1.1\r\nHost: x\r\n\r\n")
        await raw(server, f"G({path} {path}\r\nHost: x\r\n\r\n")
        await raw(server, f"GET {path} HTTP/1.1\r\n{token}\r\n\r\n")
        await world.anonymous.delete(path)
    assert caplog.records
    assert token not in caplog.text
    assert token not in server.runner.app[METRICS].exposition().decode()
    log = await guild.owner.rest.call("GET", f"/guilds/{guild.id}/audit-logs")
    assert token not in log.raw.decode()
    assert token not in str(await client.received_before_fence())


async def raw(server: Server, request: str) -> None:
    """Send bytes that are not HTTP, and read the answer to its end."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request.encode("latin-1"))
    writer.write_eof()
    async with asyncio.timeout(60):
        await reader.read()
    writer.close()
