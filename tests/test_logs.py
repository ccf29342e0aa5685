"""What the log says: the ids that help, and never a secret."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import aiohttp
import orjson
import pytest

from chatd import logs
from tests.conftest import ServeMore
from tests.world import PASSWORD, World, world_on

CONTENT = "the treasure lies under the old oak"


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All that is logged with LOG_LEVEL=debug, by libraries too, as JSON."""
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.setFormatter(logs.Json())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield told
    root.setLevel(before)
    root.removeHandler(handler)


async def _live(world: World) -> list[str]:
    """Use the server in every way that has to do with secrets; returns them."""
    guild = await world.guild(owner="alice", members=["bob"])
    alice = guild.owner
    path = f"/channels/{guild.general.id}/messages"
    message = await alice.rest.post(path, {"content": CONTENT})
    await alice.rest.patch(f"{path}/{message['id']}", {"content": f"{CONTENT} tree"})
    await alice.rest.get(f"/guilds/{guild.id}/messages/search?content=treasure")
    login = {"email": alice.email, "password": PASSWORD}
    renewed = await world.nobody.post("/auth/login", login)
    for body in ({**login, "password": "wrong-hunter2"}, {"email": 5, "password": PASSWORD}):
        async with world.http.post(f"{world.url}/auth/login", json=body) as response:
            assert response.status >= 400
    [client] = await world.online("alice")
    await client.cut()
    again = await world.resumed("alice", client)
    await again.next("RESUMED")
    forged = await world.socket()
    await forged.send(2, {"token": alice.token + "forged", "intents": 0, "properties": {}})
    assert await forged.closed() == 4004
    bot = await world.bot("robot", "alice", guild)
    await world.online("robot")
    refresh = {"refresh_token": renewed["refresh_token"]}
    fresh = await world.nobody.post("/auth/refresh", refresh)
    return [
        PASSWORD,
        "wrong-hunter2",
        CONTENT,
        "treasure",
        alice.token,
        alice.token.rsplit(".", 1)[1],
        alice.refresh_token,
        renewed["refresh_token"],
        renewed["access_token"],
        fresh["refresh_token"],
        fresh["access_token"],
        bot.token,
        client.ready["session_id"],
    ]


async def test_no_secrets(everything: io.StringIO, serve_more: ServeMore) -> None:
    async with serve_more(worker_id=2, log_level="debug") as server:
        async with world_on(server.url, server.gateway_url) as world:
            theirs = await _live(world)
        config = server.config
    secrets = [*theirs, config.jwt_secret]
    lines = _of_server(everything)
    told = "\n".join(lines)
    assert "has identified" in told and "has resumed" in told
    assert [secret for secret in secrets if secret in told] == []


async def test_lines_name_requests_and_sessions(everything: io.StringIO, world: World) -> None:
    person = await world.person("alice")
    headers = {"Authorization": f"Bearer {person.token}"}
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{world.url}/users/@me", headers=headers) as response,
    ):
        request_id = response.headers["X-Request-Id"]
    [client] = await world.online("alice")
    lines = [orjson.loads(line) for line in _of_server(everything)]
    [of_request] = [each for each in lines if each.get("request_id") == request_id]
    assert of_request["message"] == "GET /users/@me: 200"
    assert (of_request["level"], of_request["logger"]) == ("debug", "chatd.rest.measured")
    session_id = client.ready["session_id"][:8]
    [of_session] = [each for each in lines if each.get("session_id") == session_id]
    assert of_session["message"] == f"user {person.id} has identified"


def test_a_line_is_one_line_of_json() -> None:
    try:
        int("no")
    except ValueError as error:
        record = logging.LogRecord("a", 40, "", 1, "two\nlines %s", ("x",), None)
        record.exc_info = (ValueError, error, error.__traceback__)
    line = logs.Json().format(record)
    assert "\n" not in line
    told = orjson.loads(line)
    assert (told["message"], told["level"]) == ("two\nlines x", "error")
    assert "ValueError: invalid literal" in told["traceback"]


def _of_server(everything: io.StringIO) -> list[str]:
    """The lines but those of the client, which shares the process: it tells what it sends."""
    lines = everything.getvalue().splitlines()
    return [each for each in lines if not orjson.loads(each)["logger"].startswith("websockets.")]
