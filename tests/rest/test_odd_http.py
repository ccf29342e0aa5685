"""Malformed HTTP over real sockets: each request gets a 4xx error in JSON."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatd.rest.routing import PREFIXES
from tests.conftest import Server
from tests.helpers.examples import examples
from tests.world import World

LF = b"\r\n"


@dataclass(frozen=True)
class Answered:
    """The response to one request."""

    status: int
    headers: dict[str, str]
    body: bytes


async def answered(server: Server, request: bytes) -> Answered | None:
    """Return the first final response to these bytes."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        async with asyncio.timeout(60):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                first, *lines = head.decode("latin-1").strip().split("\r\n")
                status = int(first.split()[1])
                if status != 100:  # 101 is final
                    break
            headers = {
                name.lower(): value for name, value in (line.split(": ", 1) for line in lines)
            }
            is_head = request.startswith(b"HEAD")
            length = 0 if is_head else int(headers.get("content-length", 0))
            body = await reader.readexactly(length)
        return Answered(status, headers, body)
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return None  # closed without a response, as for bytes that do not begin a request
    finally:
        writer.close()


def assert_shaped(answer: Answered) -> None:
    assert 100 <= answer.status < 500
    if answer.status >= 400:
        assert answer.headers["content-type"] == "application/json"
        shape = orjson.loads(answer.body)
        assert isinstance(shape["code"], int)
        assert isinstance(shape["message"], str)


def request(line: str | bytes, *headers: bytes, body: bytes = b"") -> bytes:
    first = line if isinstance(line, bytes) else line.encode("latin-1")
    return LF.join([first, b"Host: x", *headers, b"", b""]) + body


ODD: dict[str, bytes] = {
    "version 9.9": b"GET / HTTP/9.9\r\n\r\n",
    "version 2.0": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version 0.9": b"GET /health\r\n\r\n",
    "nonsense": b"nonsense\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64 + b"\r\n\r\n",
    "NUL in path": request("GET /\0 HTTP/1.1"),
    "bytes in path": request(b"GET /\xff\xfe HTTP/1.1"),
    "no path": request("GET  HTTP/1.1"),
    "star": request("OPTIONS * HTTP/1.1"),
    "star for GET": request("GET * HTTP/1.1"),
    "authority": request("CONNECT example.org:443 HTTP/1.1"),
    "bad authority": request("CONNECT [::1 HTTP/1.1"),
    "port of nothing": request("CONNECT x:99999999 HTTP/1.1"),
    "absolute": request("GET http://example.org/nope HTTP/1.1"),
    "absolute, bad host": request("GET http://[::1/health HTTP/1.1"),
    "absolute, bad port": request("GET http://x:y/health HTTP/1.1"),
    "absolute, huge port": request("GET http://x:99999/health HTTP/1.1"),
    "absolute, other scheme": request("GET ftp://x/nope HTTP/1.1"),
    "double slash": request("GET //nope HTTP/1.1"),
    "slash and brackets": request("GET //[ HTTP/1.1"),
    "slash and port": request("GET //x:y HTTP/1.1"),
    "no slash": request("GET nope HTTP/1.1"),
    "fragment": request("GET /nope#x HTTP/1.1"),
    "percent alone": request("GET /guilds/% HTTP/1.1"),
    "percent half": request("GET /guilds/%a HTTP/1.1"),
    "percent no hex": request("GET /guilds/%zz HTTP/1.1"),
    "percent no UTF-8": request("GET /guilds/%ff%fe HTTP/1.1"),
    "percent surrogate": request("GET /avatars/%ed%a0%80/x HTTP/1.1"),
    "percent slash": request("GET /guilds%2f1 HTTP/1.1"),
    "percent NUL": request("GET /avatars/%00/%00 HTTP/1.1"),
    "percent line": request("GET /avatars/1/%0d%0a HTTP/1.1"),
    "query no UTF-8": request("GET /nope?%ff=%fe&\xff HTTP/1.1"),
    "long path": request("GET /" + "x" * 20_000 + " HTTP/1.1"),
    "long query": request("GET /?" + "x" * 20_000 + " HTTP/1.1"),
    "long header": request("GET /nope HTTP/1.1", b"X: " + b"y" * 20_000),
    "long name": request("GET /nope HTTP/1.1", b"X" * 20_000 + b": y"),
    "header flood": request("GET /nope HTTP/1.1", *[b"X-%d: y" % n for n in range(5_000)]),
    "no colon": request("GET /nope HTTP/1.1", b"X"),
    "space before colon": request("GET /nope HTTP/1.1", b"X : y"),
    "folded": request("GET /nope HTTP/1.1", b"X: y", b" z"),
    "NUL in header": request("GET /nope HTTP/1.1", b"X: \0"),
    "CR in header": request("GET /nope HTTP/1.1", b"X: a\rb"),
    "bytes in header": request("GET /nope HTTP/1.1", b"Authorization: \xff\xfe"),
    "two hosts": request("GET /nope HTTP/1.1", b"Host: y"),
    "no host": b"GET /nope HTTP/1.1\r\n\r\n",
    "odd host": b"GET /gateway HTTP/1.1\r\nHost: \xff[::\r\n\r\n",
    "lower case method": request("get /nope HTTP/1.1"),
    "unknown method": request("BREW /health HTTP/1.1"),
    "long method": request("X" * 20_000 + " /health HTTP/1.1"),
    "odd method": request('GE"T /health HTTP/1.1'),
    "TRACE": request("TRACE /nope HTTP/1.1"),
    "version 1.0": b"GET /nope HTTP/1.0\r\n\r\n",
    "version 1.0, chunked": b"POST /nope HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "length -1": request("POST /guilds HTTP/1.1", b"Content-Length: -1"),
    "length +1": request("POST /guilds HTTP/1.1", b"Content-Length: +1", body=b"x"),
    "length huge": request("POST /nope HTTP/1.1", b"Content-Length: " + b"9" * 30),
    "two lengths": request("POST /nope HTTP/1.1", b"Content-Length: 1", b"Content-Length: 2"),
    "length and chunked": request(
        "POST /guilds HTTP/1.1",
        b"Content-Length: 1",
        b"Transfer-Encoding: chunked",
        body=b"0\r\n\r\n",
    ),
    "odd coding": request("POST /nope HTTP/1.1", b"Transfer-Encoding: gzip", body=b"x"),
    "bad chunk": request("POST /nope HTTP/1.1", b"Transfer-Encoding: chunked", body=b"zz\r\n"),
    "packed": request(
        "POST /auth/login HTTP/1.1",
        b"Content-Encoding: gzip",
        b"Content-Type: application/json",
        b"Content-Length: 3",
        body=b"abc",
    ),
    "packing unknown": request(
        "POST /auth/login HTTP/1.1", b"Content-Encoding: br", b"Content-Length: 3", body=b"abc"
    ),
    "upgrade unknown": request(
        "GET /gateway HTTP/1.1", b"Connection: Upgrade", b"Upgrade: \xff\xfe"
    ),
    "upgrade elsewhere": request(
        "GET /nope HTTP/1.1", b"Connection: Upgrade", b"Upgrade: websocket"
    ),
    "upgrade h2c": request("GET /health HTTP/1.1", b"Connection: Upgrade", b"Upgrade: h2c"),
    "upgrade without key": request(
        "GET /gateway HTTP/1.1",
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
    ),
    "upgrade with odd key": request(
        "GET /gateway HTTP/1.1",
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: \xff\xfe",
    ),
    "upgrade of another version": request(
        "GET /gateway HTTP/1.1",
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: \xff",
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ),
    "upgrade and garbage": request(
        "GET /nope HTTP/1.1", b"Connection: Upgrade", b"Upgrade: websocket", body=b"\xff" * 100
    ),
    "upgrade of a POST": request(
        "POST /gateway HTTP/1.1", b"Connection: Upgrade", b"Upgrade: websocket"
    ),
    "upgrade with odd connection": request(
        "GET /gateway HTTP/1.1", b"Connection: \xff, Upgrade", b"Upgrade: websocket"
    ),
    "upgrade of an odd connection": request(
        "GET /gateway HTTP/1.1", b"Connection: \xff", b"Upgrade: websocket"
    ),
    "upgrade to an odd protocol": request(
        "GET /gateway HTTP/1.1",
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Protocol: \xff",
        b"Sec-WebSocket-Extensions: \xff",
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ),
    "odd type": request("POST /auth/login HTTP/1.1", b"Content-Type: \xff", b"Content-Length: 0"),
    "odd cookie": request("GET /nope HTTP/1.1", b"Cookie: \xff;;=\0"[:-1]),
    "odd range": request(
        "GET /embed/avatars/0.png HTTP/1.1", b"Range: bytes=\xff", b"If-Range: \xff"
    ),
    "odd tags": request("GET /embed/avatars/0.png HTTP/1.1", b"If-None-Match: \xff"),
    "odd forwarding": request(
        "GET /nope HTTP/1.1", b"X-Forwarded-For: \xff,,[::", b"Forwarded: \xff"
    ),
    "odd origin": request(
        "OPTIONS /guilds HTTP/1.1", b"Origin: \xff", b"Access-Control-Request-Method: \xff"
    ),
}


@pytest.mark.parametrize("name", ODD)
async def test_malformed_request_gets_a_json_error(server: Server, name: str) -> None:
    answer = await answered(server, ODD[name])
    assert answer is not None
    assert_shaped(answer)


TARGETS = [
    f"{method} {path}"
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "BREW")
    for path in ("/nope", "/health", "/gateway", "/guilds", "/channels/1/messages", "/api/v9/nope")
]


@pytest.mark.parametrize("target", TARGETS)
async def test_unknown_expectation_is_ignored(server: Server, target: str) -> None:
    without = await answered(server, request(f"{target} HTTP/1.1"))
    assert without is not None
    for expected in (b"\xff\xfe", b"tea", b"100-continue", b"100-continue\r\nExpect: \xff"):
        answer = await answered(server, request(f"{target} HTTP/1.1", b"Expect: " + expected))
        assert answer is not None
        assert answer.status == without.status
        if not target.startswith("HEAD"):
            assert_shaped(answer)


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_slash_at_the_end_changes_nothing(world: World, prefix: str) -> None:
    alice = await world.person("alice")
    guild = await world.guild(owner="alice")
    for path in ("/users/@me", f"/guilds/{guild.id}", f"/guilds/{guild.id}/channels"):
        assert await alice.rest.get(f"{prefix}{path}/") == await alice.rest.get(prefix + path)
    found = await alice.rest.get(f"{prefix}/guilds/{guild.id}/messages/search/?content=x&limit=1")
    assert found["total_results"] == 0
    created = await alice.rest.call("POST", f"{prefix}/guilds/", {"name": "slash"})
    assert created.status == 201
    for path in ("/users/@me//", "/guilds//", "/users//@me", "//users/@me"):
        assert (await alice.rest.call("GET", prefix + path)).status == 404


async def test_expected_body_is_requested_once(server: Server) -> None:
    """Only on HTTP/1.1: HTTP/1.0 has no interim responses."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    for version, first in (("1.1", b"HTTP/1.1 100 Continue\r\n"), ("1.0", b"HTTP/1.0 400 ")):
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST /auth/login HTTP/{version}\r\nHost: x\r\nExpect: 100-continue\r\n"
        head += "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n"
        writer.write(head.encode())
        if version == "1.1":
            assert await reader.readline() == first
            assert await reader.readline() == LF
        writer.write(b"{}")
        line = await reader.readline()
        assert re.match(rb"HTTP/1.[01] 400 ", line)
        writer.close()


HOSTILE = st.one_of(
    st.binary(max_size=60).filter(lambda data: b"\n" not in data and b"\r" not in data),
    st.sampled_from([b"", b"*", b"/", b"//", b"http://", b"[", b"%", b"\xff", b"chunked", b"a:b"]),
)


@settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    method=st.sampled_from([b"GET", b"POST", b"HEAD", b"OPTIONS", b"CONNECT", b"PATCH", b"M"]),
    path=HOSTILE,
    name=st.sampled_from(
        [
            b"Expect",
            b"Upgrade",
            b"Content-Type",
            b"Content-Length",
            b"Transfer-Encoding",
            b"Connection",
            b"Authorization",
            b"Accept-Encoding",
            b"Accept",
            b"Host",
            b"X-Audit-Log-Reason",
            b"User-Agent",
            b"Content-Encoding",
            b"Cookie",
            b"Range",
        ]
    ),
    value=HOSTILE,
)
async def test_no_bytes_cause_a_server_error(
    server: Server, method: bytes, path: bytes, name: bytes, value: bytes
) -> None:
    target = b"/" + path if method != b"CONNECT" else path
    data = request(b"%b %b HTTP/1.1" % (method, target), b"%b: %b" % (name, value))
    answer = await answered(server, data)
    if answer is not None and method != b"HEAD":
        assert_shaped(answer)


async def test_endless_head_is_refused(server: Server) -> None:
    """aiohttp accepts 128 lines of 8 kB, which a client could keep in memory by not ending them."""
    line = b"X: " + b"x" * 8000 + LF
    refused = await answered(server, b"GET / HTTP/1.1" + LF + line * 20)
    assert refused is not None
    assert refused.status == 431
    assert_shaped(refused)
    taken = await answered(server, b"GET /health HTTP/1.1" + LF + b"Host: x" + LF + line * 5 + LF)
    assert taken is not None
    assert taken.status == 200
