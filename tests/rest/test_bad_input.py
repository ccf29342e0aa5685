"""Bad input: every kind of it gets its 4xx with code and message, on every route."""

from __future__ import annotations

import asyncio
import gzip
import io
import re
from collections.abc import AsyncIterator

import pytest

from chatd.rest import routes
from chatd.rest.parse import MAX_IMAGE_BODY
from tests.conftest import Server
from tests.world import Answer, World

ROUTES = [(each.method, each.path, each.needs is routes.ANYONE) for each in routes.table()]
WITHOUT_BODY = {
    ("PUT", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}"),
    ("PUT", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me"),
    ("PUT", "/channels/{channel_id}/messages/pins/{message_id}"),
    ("PUT", "/channels/{channel_id}/pins/{message_id}"),
    ("POST", "/channels/{channel_id}/typing"),
    ("POST", "/applications/{application_id}/delete"),
    ("POST", "/applications/{application_id}/bot/reset"),
    ("PUT", "/channels/{channel_id}/recipients/{user_id}"),
}
WITH_BODY = [
    route
    for route in ROUTES
    if route[0] in ("POST", "PATCH", "PUT") and route[:2] not in WITHOUT_BODY
]
VALID_BODIES: dict[tuple[str, str], object] = {
    ("PATCH", "/guilds/{guild_id}/channels"): [],
    ("PATCH", "/guilds/{guild_id}/roles"): [],
    ("PUT", "/channels/{channel_id}/permissions/{target_id}"): {"type": 0},
    ("POST", "/guilds/{guild_id}/bulk-ban"): {"user_ids": ["1"]},
    ("POST", "/channels/{channel_id}/messages/bulk-delete"): {
        "messages": ["9223372036854775806", "9223372036854775807"]
    },
}
QUERIES = {"/guilds/{guild_id}/members/search": "?query=a"}
WITH_IDS = [route for route in ROUTES if "_id}" in route[1]]


def filled(path: str, value: str) -> str:
    return re.sub(r"\{\w+\}", value, path)


def assert_refused(answer: Answer, *statuses: int) -> None:
    assert answer.status in statuses, (answer.status, answer.raw)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json.keys() >= {"code", "message"}


@pytest.mark.parametrize(("method", "path", "anyone"), ROUTES)
async def test_without_a_token_only_open_routes_answer(
    world: World, method: str, path: str, anyone: bool
) -> None:
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic YTpi"}):
        answer = await world.nobody.call(method, filled(path, "1"), headers=headers)
        if anyone:
            assert answer.status != 401 or path == "/auth/refresh"
        else:
            assert_refused(answer, 401)


@pytest.mark.parametrize(("method", "path", "_"), WITH_IDS)
@pytest.mark.parametrize(
    "value", ["x", "-1", "1.5", "%EF%BC%91", "9223372036854775808", "%00", "1%20", "9" * 400]
)
async def test_an_id_that_is_no_snowflake(
    world: World, method: str, path: str, _: bool, value: str
) -> None:
    await world.person("alice")
    body: dict[str, str] | None = {} if method in ("POST", "PATCH") else None
    answer = await world.rest("alice").call(method, filled(path, value), body)
    assert_refused(answer, 400)
    assert answer.code == 50035


@pytest.mark.parametrize(("method", "path", "_"), WITH_IDS)
async def test_an_id_of_nothing(world: World, method: str, path: str, _: bool) -> None:
    await world.person("alice")
    body = VALID_BODIES.get((method, path), {"name": "name", "content": "x"})
    if method not in ("POST", "PATCH", "PUT"):
        body = None
    url = filled(path, "9223372036854775807") + QUERIES.get(path, "")
    answer = await world.rest("alice").call(method, url, body)
    assert_refused(answer, 404)
    assert answer.code // 1000 == 10


@pytest.mark.parametrize(("method", "path", "_"), WITH_BODY)
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{", 50109),
        (b"nonsense", 50109),
        (b'{"a": NaN}', 50109),
        (b'{"a": "\xff"}', 50109),
        (b'{"name": "\\ud800"}', 50109),
        (b"[" * 100_000, 50109),
        (b'{"a":' * 50_000, 50109),
        (b"[]", 50035),
        (b"null", 50035),
        (b'"text"', 50035),
        (b"17", 50035),
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_a_body_that_is_no_object(
    world: World, method: str, path: str, _: bool, data: bytes, code: int
) -> None:
    await world.person("alice")
    headers = {"Content-Type": "application/json"}
    rest = world.rest("alice")
    answer = await rest.call(method, filled(path, "1"), data=data, headers=headers)
    if data == b"[]" and VALID_BODIES.get((method, path)) == []:
        code = 10004  # here it is a list that is wanted, of something that does not exist
        assert_refused(answer, 404)
    else:
        assert_refused(answer, 400)
    assert answer.code == code


@pytest.mark.parametrize(("method", "path", "_"), WITH_BODY)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "a/b"])
async def test_a_content_type_that_is_not_json(
    world: World, method: str, path: str, _: bool, kind: str
) -> None:
    await world.person("alice")
    headers = {"Content-Type": kind} if kind else {}
    rest = world.rest("alice")
    answer = await rest.call(method, filled(path, "1"), data=b'{"a":1}', headers=headers)
    assert_refused(answer, 400)


async def test_json_may_say_its_charset(world: World) -> None:
    await world.person("alice")
    headers = {"Content-Type": "application/json; charset=utf-8"}
    data = '{"name": "ö ö"}'.encode()
    answer = await world.rest("alice").call("POST", "/guilds", data=data, headers=headers)
    assert answer.json["name"] == "ö ö"


async def test_a_body_over_the_limit(world: World) -> None:
    await world.person("alice")
    body = io.BytesIO(b'{"name": "' + b"x" * MAX_IMAGE_BODY + b'"}')
    headers = {"Content-Type": "application/json"}
    answer = await world.rest("alice").call("POST", "/guilds", data=body, headers=headers)
    assert_refused(answer, 413)
    assert answer.code == 40005


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "nonsense"])
@pytest.mark.parametrize(
    "data", [gzip.compress(b'{"name": "fine"}', mtime=0), b"not packed"], ids=["packed", "not"]
)
async def test_a_packed_body(world: World, encoding: str, data: bytes) -> None:
    await world.person("alice")
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    rest = world.rest("alice")
    answer = await rest.call("POST", "/guilds", data=data, headers=headers)
    assert 400 <= answer.status < 500
    if encoding == "gzip":
        assert_refused(answer, 415)


@pytest.mark.parametrize("host", ["a\xff\xfe", "a b", "<script>", "[::1", "x:y"])
async def test_a_bad_host(server: Server, host: str) -> None:
    request = f"GET /gateway HTTP/1.1\r\nHost: {host}\r\n\r\n"
    assert (await raw(server, request.encode("latin-1"))).startswith(b"HTTP/1.1 400 ")


async def test_a_chunked_body_over_the_limit(world: World) -> None:
    await world.person("alice")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_IMAGE_BODY // 65_536 + 2):
            yield b"x" * 65_536

    headers = {"Content-Type": "application/json"}
    rest = world.rest("alice")
    answer = await rest.call("POST", "/guilds", data=chunks(), headers=headers)
    assert_refused(answer, 413)


async def raw(server: Server, request: bytes) -> bytes:
    """What the server says to these bytes, until it closes or has said enough."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head


async def test_an_announced_body_over_the_limit_is_refused_before_it_is_sent(
    server: Server, world: World
) -> None:
    alice = await world.person("alice")
    request = (
        f"POST /guilds HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
    )
    assert (await raw(server, request.encode())).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"POST /guilds HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /guilds HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_what_is_no_http(server: Server, request_bytes: bytes) -> None:
    assert re.match(rb"HTTP/1.[01] 4\d\d ", await raw(server, request_bytes))


@pytest.mark.parametrize("target", ["POST /auth/login", "GET /gateway", "HEAD /health"])
@pytest.mark.parametrize("expected", [b"\xff", b"tea", b"100-continue"])
async def test_what_a_client_expects(server: Server, target: str, expected: bytes) -> None:
    head = f"{target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
    answer = await raw(server, head.encode() + b"Expect: " + expected + b"\r\n\r\n")
    if expected == b"100-continue":
        assert answer == b"HTTP/1.1 100 Continue\r\n\r\n"
    else:
        assert re.match(rb"HTTP/1.1 (200|400|415) ", answer)
        assert b"X-Request-Id: " in answer


async def test_unknown_routes_and_methods(world: World) -> None:
    await world.person("alice")
    for path in ("/nope", "/api/v10/nope", "/api/v2/users/@me", "/guilds/1/nope", "//", "/%00"):
        answer = await world.rest("alice").call("GET", path)
        assert_refused(answer, 404)
        assert answer.code == 0
    answer = await world.rest("alice").call("PUT", "/guilds")
    assert_refused(answer, 405)
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/guilds/1/members/search", {"GET", "HEAD"}),
        ("DELETE", "/guilds/1/members/@me", {"GET", "HEAD", "PATCH"}),
        ("GET", "/channels/1/messages/bulk-delete", {"POST"}),
        ("DELETE", "/channels/1/messages/pins", {"GET", "HEAD"}),
        ("PUT", "/users/%40me", {"DELETE", "GET", "HEAD", "PATCH"}),
    ],
)
async def test_a_word_in_the_path_is_no_id(
    world: World, method: str, path: str, allowed: set[str]
) -> None:
    await world.person("alice")
    answer = await world.rest("alice").call(method, path)
    assert_refused(answer, 405)
    assert set(answer.headers["Allow"].split(",")) == allowed


async def test_a_whole_number_may_have_a_point(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/invites"
    assert (await guild.owner.rest.post(path, {"max_uses": 5.0}))["max_uses"] == 5
    for wrong in (5.5, "5", True, 1e300):
        answer = await guild.owner.rest.call("POST", path, {"max_uses": wrong})
        assert_refused(answer, 400)
        assert answer.json["errors"].keys() == {"max_uses"}


@pytest.mark.parametrize("word", ["true", "1", "False", "0", "yes", "", "2"])
async def test_a_flag_in_a_query(world: World, word: str) -> None:
    guild = await world.guild(owner="alice")
    path = f"/guilds/{guild.id}?with_counts={word}"
    answer = await guild.owner.rest.call("GET", path)
    if word in ("yes", "", "2"):
        assert_refused(answer, 400)
        assert answer.json["errors"].keys() == {"with_counts"}
    else:
        assert ("approximate_member_count" in answer.json) == (word in ("true", "1"))


async def test_null_says_no_more_than_leaving_out(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    rest, bob = guild.owner.rest, await world.person("bob")
    made = [
        (f"/channels/{guild.general.id}/messages", {"content": "x"}, ["tts", "flags"]),
        (f"/channels/{guild.general.id}/messages", {"content": "x"}, ["enforce_nonce", "nonce"]),
        (f"/guilds/{guild.id}/channels", {"name": "x"}, ["type", "nsfw", "permission_overwrites"]),
        (f"/guilds/{guild.id}/channels", {"name": "x"}, ["rate_limit_per_user", "position"]),
        (f"/guilds/{guild.id}/roles", {}, ["name", "permissions", "color", "hoist", "mentionable"]),
        (f"/channels/{guild.general.id}/invites", {}, ["max_age", "max_uses", "temporary"]),
        (f"/channels/{guild.general.id}/invites", {}, ["unique"]),
        (f"/guilds/{guild.id}/prune", {}, ["days", "compute_prune_count", "include_roles"]),
    ]
    for path, body, nulls in made:
        await rest.post(path, {**body, **dict.fromkeys(nulls)})
    changed = [
        (f"/channels/{guild.general.id}", ["position", "nsfw", "rate_limit_per_user"]),
        (f"/guilds/{guild.id}", ["system_channel_flags"]),
        (f"/guilds/{guild.id}/members/{bob.id}", ["roles"]),
    ]
    for path, nulls in changed:
        before = await rest.get(path)
        await rest.patch(path, dict.fromkeys(nulls))
        assert await rest.get(path) == before
    await rest.put(f"/guilds/{guild.id}/bans/{bob.id}", {"delete_message_seconds": None})


@pytest.mark.parametrize("prefix", routes.PREFIXES)
async def test_every_prefix_serves_the_same(world: World, prefix: str) -> None:
    alice = await world.person("alice")
    assert (await alice.rest.get(f"{prefix}/users/@me"))["id"] == alice.id
    assert (await world.nobody.get(f"{prefix}/health"))["status"] == "ok"


async def test_an_answer_names_its_request(world: World) -> None:
    first, second = [await world.nobody.call("GET", "/health") for _ in range(2)]
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
