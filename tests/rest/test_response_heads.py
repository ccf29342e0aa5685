"""The short way of a response to its client: the bytes are those that aiohttp would send."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from chatd.core.errors import UnknownGuild
from chatd.ratelimit import headers
from chatd.ratelimit.window import Decision, Limit
from chatd.rest.response import encoded_json_response, json_response, no_content
from chatd.rest.response_heads import ResponseHeads
from tests.conftest import ServeMore, Server
from tests.helpers.attachments import download, guild_with_member, message_form, send_form
from tests.world import TIMEOUT_S, World, world_on

VARYING = re.compile(
    rb"(?m)^(Date|X-Request-Id|X-RateLimit-(?:Remaining|Reset|Reset-After)): [^\r]+"
)


async def whole_response(server: Server, request: bytes) -> bytes:
    """Return head and body of the response, without what differs between any two responses."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    async with asyncio.timeout(TIMEOUT_S):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        is_head = request.startswith(b"HEAD")
        body = await reader.readexactly(0 if is_head or length is None else int(length[1]))
    writer.close()
    return VARYING.sub(rb"\1: *", head) + body


def requests_of(token: str, user_id: str) -> dict[str, bytes]:
    json = "Content-Type: application/json\r\n"
    login = f"Authorization: Bearer {token}\r\n"

    def of(line: str, fields: str = login, body: str = "") -> bytes:
        return f"{line}\r\nHost: x\r\n{fields}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    return {
        "200": of("GET /users/@me HTTP/1.1"),
        "200 without a login": of("GET /gateway HTTP/1.1", ""),
        "201": of("POST /guilds HTTP/1.1", f"{login}{json}", '{"name": "guild"}'),
        "204": of(f"PUT /users/@me/notes/{user_id} HTTP/1.1", f"{login}{json}", '{"note": "n"}'),
        "204, version 1.0": of(
            f"PUT /users/@me/notes/{user_id} HTTP/1.0", f"{login}{json}", '{"note": "n"}'
        ),
        "204, close": of(
            f"PUT /users/@me/notes/{user_id} HTTP/1.1",
            f"{login}{json}Connection: close\r\n",
            '{"note": "n"}',
        ),
        "400": of("GET /guilds/x HTTP/1.1"),
        "401": of("GET /users/@me HTTP/1.1", ""),
        "404": of("GET /guilds/1 HTTP/1.1"),
        "404 of no route": of("GET /nope HTTP/1.1"),
        "405": of("PUT /users/@me HTTP/1.1"),
        "415 or 400": of("POST /guilds HTTP/1.1", f"{login}Content-Type: text/plain\r\n", "x"),
        "HEAD": of("HEAD /users/@me HTTP/1.1"),
        "version 1.0": of("GET /users/@me HTTP/1.0"),
        "version 1.0, kept alive": of(
            "GET /users/@me HTTP/1.0", f"{login}Connection: keep-alive\r\n"
        ),
        "close": of("GET /users/@me HTTP/1.1", f"{login}Connection: close\r\n"),
        "origin": of("GET /users/@me HTTP/1.1", f"{login}Origin: https://chat.example.org\r\n"),
    }


@pytest.mark.parametrize("rate_limits", [True, False])
@pytest.mark.parametrize("origins", [(), ("https://chat.example.org",)])
async def test_response_cannot_be_told_from_that_of_aiohttp(
    serve_more: ServeMore,
    monkeypatch: pytest.MonkeyPatch,
    rate_limits: bool,
    origins: tuple[str, ...],
) -> None:
    short_heads = 0
    encoded = ResponseHeads.encoded

    def counted(*arguments: object) -> bytes | None:
        nonlocal short_heads
        head = encoded(*arguments)  # type: ignore[arg-type]
        short_heads += head is not None
        return head

    async with (
        serve_more(worker_id=21, rate_limits=rate_limits, cors_origins=origins) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        alice = await world.person("alice")
        assert alice.rest.token is not None
        for title, request in requests_of(alice.rest.token, alice.id).items():
            monkeypatch.setattr(ResponseHeads, "encoded", counted)
            short = await whole_response(server, request)
            monkeypatch.setattr(ResponseHeads, "encoded", lambda *_: None)
            long = await whole_response(server, request)
            ids = re.compile(rb"\d{17,}")
            assert ids.sub(b"*", short) == ids.sub(b"*", long), title
            if title[:3].isdecimal():
                assert short.split(b" ")[1].decode() in title
    assert bool(short_heads) == (not origins)


@pytest.mark.parametrize("fields", ["", "Connection: Upgrade\r\nUpgrade: websocket\r\n"])
async def test_requests_that_arrive_together_are_answered_in_order(
    server: Server, monkeypatch: pytest.MonkeyPatch, fields: str
) -> None:
    """Also when aiohttp keeps the second one back, because the first one asks for an upgrade."""
    paths = ("/health", "/users/@me", "/nope")
    last = "Connection: close\r\n"
    together = "".join(
        f"GET {path} HTTP/1.1\r\nHost: x\r\n{last if path == paths[-1] else fields}\r\n"
        for path in paths
    )

    async def answers() -> bytes:
        host, _, port = server.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(together.encode())
        async with asyncio.timeout(TIMEOUT_S):
            answered = await reader.read()
        writer.close()
        return VARYING.sub(rb"\1: *", answered)

    short = await answers()
    assert re.findall(rb"HTTP/1.1 (\d+)", short) == [b"200", b"401", b"404"]
    monkeypatch.setattr(ResponseHeads, "encoded", lambda *_: None)
    assert await answers() == short


async def test_streamed_file_has_a_request_id(world: World) -> None:
    guild, path, _ = await guild_with_member(world)
    form = message_form({"content": "x"}, ("a.txt", b"data"))
    sent = await send_form(guild.owner.rest, path, form)
    [file] = sent.json["attachments"]
    answer = await download(world, file["url"])
    assert (answer.status, answer.raw) == (200, b"data")
    assert answer.headers["X-Request-Id"]


async def test_added_header_is_sent() -> None:
    response = json_response(UnknownGuild().body(), status=404)
    response.headers["X-Added"] = "1"
    assert dict(response.headers) == {"Content-Type": "application/json", "X-Added": "1"}
    assert (response.status, response.reason, response.body_length) == (404, "Not Found", 0)
    assert encoded_json_response(b"{}").headers == {"Content-Type": "application/json"}
    empty = no_content()
    empty.headers["X-Added"] = "1"
    assert dict(empty.headers) == {"X-Added": "1"}
    assert (empty.status, empty.reason, empty.body) == (204, "No Content", None)


@pytest.mark.parametrize("response", [json_response({}), no_content()])
async def test_response_to_a_closed_connection_is_not_written(
    monkeypatch: pytest.MonkeyPatch, response: web.Response
) -> None:
    monkeypatch.setattr(type(response), "_encoded_head", lambda *_: b"head")
    request = make_mocked_request("GET", "/")
    transport: Any = request.transport
    transport.is_closing.return_value = True
    with pytest.raises(ConnectionResetError):
        await response.prepare(request)
    assert not transport.write.called


@given(
    requests=st.integers(1, 10**6),
    remaining=st.integers(0, 10**6),
    ends=st.floats(-1e6, 1e9),
    bucket=st.text("0123456789abcdef", min_size=1),
)
def test_encoded_rate_limit_is_that_of_the_headers(
    requests: int, remaining: int, ends: float, bucket: str
) -> None:
    decision = Decision(True, Limit(requests, 1.0), remaining, ends)
    lines = headers.encoded(decision, bucket).decode().removesuffix("\r\n").split("\r\n")
    encoded = dict(line.split(": ") for line in lines)
    expected = headers.for_decision(decision, bucket)
    assert list(encoded) == list(expected)
    for name, value in expected.items():
        if name in (headers.RESET, headers.RESET_AFTER):  # of a moment later
            assert float(encoded[name]) == pytest.approx(float(value), abs=60)
            assert len(encoded[name].partition(".")[2]) == 3
        else:
            assert encoded[name] == value
