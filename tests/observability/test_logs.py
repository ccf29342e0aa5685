"""The log: it contains ids of requests and sessions, and no secrets."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import aiohttp
import orjson
import pytest

from chatd.observability import logs
from tests.conftest import ServeMore
from tests.world import PASSWORD, World, world_on

CONTENT = "the treasure lies under the old oak"


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All log lines at LOG_LEVEL=debug as JSON, including those of libraries."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(before)
    root.removeHandler(handler)


async def _live(world: World) -> list[str]:
    """Use all functions of the server that handle secrets. Returns the secrets."""
    guild = await world.guild(owner="alice", members=["bob"])
    alice = guild.owner
    path = f"/channels/{guild.general.id}/messages"
    message = await alice.rest.post(path, {"content": CONTENT})
    await alice.rest.patch(f"{path}/{message['id']}", {"content": f"{CONTENT} tree"})
    await alice.rest.get(f"/guilds/{guild.id}/messages/search?content=treasure")
    login = {"email": alice.email, "password": PASSWORD}
    renewed = await world.anonymous.post("/auth/login", login)
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
    fresh = await world.anonymous.post("/auth/refresh", refresh)
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


async def test_log_contains_no_secrets(everything: io.StringIO, serve_more: ServeMore) -> None:
    async with serve_more(worker_id=2, log_level="debug") as server:
        async with world_on(server.url, server.gateway_url) as world:
            theirs = await _live(world)
        config = server.config
    secrets = [*theirs, config.jwt_secret]
    lines = _of_server(everything)
    text = "\n".join(lines)
    assert " identified" in text and " resumed" in text
    assert [secret for secret in secrets if secret in text] == []


async def test_lines_contain_request_and_session_ids(everything: io.StringIO, world: World) -> None:
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
    assert (of_request["level"], of_request["logger"]) == (
        "debug",
        "chatd.rest.middleware.request_metrics",
    )
    session_id = client.ready["session_id"][:8]
    [of_session] = [each for each in lines if each.get("session_id") == session_id]
    assert of_session["message"] == f"user {person.id} identified"


def test_json_record_is_one_line() -> None:
    try:
        int("no")
    except ValueError as error:
        record = logging.LogRecord("a", 40, "", 1, "two\nlines %s", ("x",), None)
        record.exc_info = (ValueError, error, error.__traceback__)
    line = logs.JsonFormatter().format(record)
    assert "\n" not in line
    fields = orjson.loads(line)
    assert (fields["message"], fields["level"]) == ("two\nlines x", "error")
    assert "ValueError: invalid literal" in fields["traceback"]


def _of_server(everything: io.StringIO) -> list[str]:
    """Return all lines but those of the client in the same process, which logs what it sends."""
    lines = everything.getvalue().splitlines()
    return [each for each in lines if not orjson.loads(each)["logger"].startswith("websockets.")]


IN_THE_JOURNAL = """
import logging, sys
from chatd.observability import logs
logs.configure("debug", sys.argv[1])
log = logging.getLogger("here")
log.debug("d"); log.info("i"); log.warning("w"); log.error("e"); log.critical("c")
try:
    raise ValueError("two\\nlines")
except ValueError:
    log.exception("broken")
"""


def _stderr_lines(*command: str, in_journal: bool) -> list[str]:
    """Return what a program writes to stderr: to the journal, or with only its variable set."""
    reading, writing = os.pipe()
    status = os.fstat(writing)
    inode = status.st_ino if in_journal else status.st_ino + 1
    with os.fdopen(reading) as stderr:
        process = subprocess.Popen(
            [sys.executable, *command],
            stderr=writing,
            env={"PATH": os.environ["PATH"], "JOURNAL_STREAM": f"{status.st_dev}:{inode}"},
        )
        os.close(writing)
        lines = stderr.read().splitlines()
    process.wait(30)
    return lines


def test_journal_lines_have_priorities_and_no_time() -> None:
    lines = _stderr_lines("-c", IN_THE_JOURNAL, "plain", in_journal=True)
    assert [line[:3] for line in lines[:5]] == ["<7>", "<6>", "<4>", "<3>", "<2>"]
    assert lines[2] == "<4>WARNING here: w"
    assert len(lines) > 8
    assert all(line.startswith("<3>") for line in lines[5:]), "a traceback has many lines"


def test_json_journal_lines_have_priorities() -> None:
    lines = _stderr_lines("-c", IN_THE_JOURNAL, "json", in_journal=True)
    assert [line[:3] for line in lines] == ["<7>", "<6>", "<4>", "<3>", "<2>", "<3>"]
    assert orjson.loads(lines[2][3:])["message"] == "w"


def test_other_stderr_has_times_and_no_priorities() -> None:
    lines = _stderr_lines("-c", IN_THE_JOURNAL, "plain", in_journal=False)
    assert not any(line.startswith("<") for line in lines)
    assert lines[2][:2] == "20", "the time comes first"


def test_invalid_settings_are_errors_in_the_journal() -> None:
    [line] = _stderr_lines("-m", "chatd", "serve", in_journal=True)
    assert line.startswith("<3>chatd: DATABASE_URL: ")
