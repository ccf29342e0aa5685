"""Bad input: each kind is answered with its status, code and message, on every route."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatd.rest.request import MAX_IMAGE_BODY
from chatd.rest.routing import APPLICATION, BOT, PREFIXES
from chatd.rest.table import table
from tests.conftest import Server
from tests.helpers.accounts import administrator
from tests.helpers.raw_http import filled_path, raw_response
from tests.helpers.walk import walk
from tests.world import Answer, Person, World, world_on

ROUTES = [(each.method, each.path, each.is_open) for each in table()]
FOR_APPLICATIONS = {
    (each.method, each.path) for each in table() if each.needs in (APPLICATION, BOT)
}
WITHOUT_BODY = {
    ("PUT", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}"),
    ("PUT", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me"),
    ("PUT", "/channels/{channel_id}/messages/pins/{message_id}"),
    ("PUT", "/channels/{channel_id}/pins/{message_id}"),
    ("POST", "/auth/verify/resend"),
    ("POST", "/administration/accounts/{user_id}/logout"),
    ("POST", "/administration/registrations/{user_id}/approve"),
    ("POST", "/administration/registrations/{user_id}/refuse"),
    ("POST", "/channels/{channel_id}/typing"),
    ("POST", "/users/@me/export"),
    ("POST", "/channels/{channel_id}/messages/{message_id}/crosspost"),
    ("PUT", "/channels/{channel_id}/recipients/{user_id}"),
    ("PUT", "/uploads/{upload}"),  # takes the bytes of any file
    ("POST", "/auth/oidc/{provider}/backchannel-logout"),  # takes a form
}
UNKNOWN_TOKENS = {10015, 10062}
"""Errors of routes with a token in their path, which is checked before the body is read."""
MESSAGE_FORMS = {
    ("POST", "/channels/{channel_id}/messages"),
    ("PATCH", "/channels/{channel_id}/messages/{message_id}"),
}
"""Routes that also read forms, after they have authorized the sender."""
WITH_BODY = [
    route
    for route in ROUTES
    if route[0] in ("POST", "PATCH", "PUT") and route[:2] not in WITHOUT_BODY
]
VALID_BODIES: dict[tuple[str, str], object] = {
    ("POST", "/guilds/{guild_id}/auto-moderation/rules"): {
        "name": "x",
        "event_type": 1,
        "trigger_type": 3,
    },
    ("PATCH", "/guilds/{guild_id}/channels"): [],
    ("PATCH", "/guilds/{guild_id}/roles"): [],
    ("POST", "/channels/{channel_id}/attachments"): {"files": [{"filename": "x", "file_size": 1}]},
    ("PATCH", "/administration/accounts/{user_id}"): {"disabled": True},
    ("POST", "/administration/reports/{report_id}/resolve"): {"outcome": "no_action"},
    ("POST", "/channels/{channel_id}/followers"): {"webhook_channel_id": "1"},
    ("PUT", "/applications/{application_id}/commands"): [],
    ("PUT", "/applications/{application_id}/guilds/{guild_id}/commands"): [],
    ("PUT", "/channels/{channel_id}/permissions/{target_id}"): {"type": 0},
    ("POST", "/guilds/{guild_id}/bulk-ban"): {"user_ids": ["1"]},
    ("POST", "/guilds/{guild_id}/mfa"): {"level": 1},
    ("POST", "/channels/{channel_id}/messages/bulk-delete"): {
        "messages": ["9223372036854775806", "9223372036854775807"]
    },
}
QUERIES = {"/guilds/{guild_id}/members/search": "?query=a"}
WITH_IDS = [route for route in ROUTES if "_id}" in route[1]]
FOR_ANY_ID = {
    ("DELETE", "/users/@me/mentions/{message_id}"),  # its message may have been deleted
    ("GET", "/oauth2/applications/{application_id}/assets"),  # always empty
}
"""Routes that answer the same for an object that does not exist."""


class Callers:
    """A person and a bot whose requests change nothing, because the server refuses them."""

    def __init__(self, person: Person, bot: Person) -> None:
        self._person = person
        self._bot = bot

    async def call(self, method: str, path: str, value: str, **options: Any) -> Answer:
        """Call a route with this value for each id, as an account that it is for.

        An application is always that of the bot if the value is "1".
        """
        person = self._bot if (method, path) in FOR_APPLICATIONS else self._person
        if value == "1":
            path = path.replace("{application_id}", person.id)
        query = options.pop("query", "")
        return await person.rest.call(method, filled_path(path, value) + query, **options)


@pytest.fixture(scope="module")
async def callers(server: Server) -> AsyncIterator[Callers]:
    async with world_on(server.url, server.gateway_url) as world:
        alice = await administrator(server, world, "alice")
        yield Callers(alice, await world.bot("bot", "alice"))


def assert_refused(answer: Answer, *statuses: int) -> None:
    assert answer.status in statuses, (answer.status, answer.raw)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json.keys() >= {"code", "message"}


@walk("method, path, anyone", ROUTES)
async def test_only_public_routes_answer_without_a_token(
    world: World, method: str, path: str, anyone: bool
) -> None:
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic YTpi"}):
        answer = await world.anonymous.call(method, filled_path(path, "1"), headers=headers)
        if anyone:
            assert answer.status != 401 or path == "/auth/refresh"
        else:
            assert_refused(answer, 401)


@walk("method, path, _", WITH_IDS)
@walk("value", ["x", "-1", "1.5", "%EF%BC%91", "9223372036854775808", "%00", "1%20", "9" * 400])
async def test_malformed_id_is_refused(
    callers: Callers, method: str, path: str, _: bool, value: str
) -> None:
    body: dict[str, str] | None = {} if method in ("POST", "PATCH") else None
    answer = await callers.call(method, path, value, body=body)
    assert_refused(answer, 400)
    assert answer.code == 50035


@walk("method, path, _", WITH_IDS)
async def test_unknown_id_is_refused(callers: Callers, method: str, path: str, _: bool) -> None:
    body = VALID_BODIES.get((method, path), {"name": "name", "content": "x"})
    if method not in ("POST", "PATCH", "PUT"):
        body = None
    query = QUERIES.get(path, "")
    answer = await callers.call(method, path, "9223372036854775807", body=body, query=query)
    if (method, path) in FOR_ANY_ID:
        assert answer.status in (200, 204)
        return
    if (method, path) in FOR_APPLICATIONS:  # another application
        assert_refused(answer, 403)
        return
    assert_refused(answer, 404)
    assert answer.code // 1000 == 10


@walk("method, path, _", WITH_BODY)
@walk(
    "data, code",
    [
        (b"{", 50109),
        (b"nonsense", 50109),
        (b'{"a": NaN}', 50109),
        (b'{"a": "\xff"}', 50109),
        (b'{"name": "\\ud800"}', 50109),
        (b"[" * 16_000, 50109),
        (b'{"a":' * 3_000, 50109),
        (b"[]", 50035),
        (b"null", 50035),
        (b'"text"', 50035),
        (b"17", 50035),
    ],
)
async def test_body_that_is_not_an_object_is_refused(
    callers: Callers, method: str, path: str, _: bool, data: bytes, code: int
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await callers.call(method, path, "1", data=data, headers=headers)
    if data == b"[]" and VALID_BODIES.get((method, path)) == []:
        if "{guild_id}" not in path:
            assert answer.status == 200
            return
        code = 10004  # this route reads a list, and the object of its path does not exist
        assert_refused(answer, 404)
    elif "_token}" in path:
        assert_refused(answer, 400, 404)
        assert answer.code in {code, *UNKNOWN_TOKENS}
        return
    else:
        assert_refused(answer, 400)
    assert answer.code == code


@walk("method, path, _", WITH_BODY)
@walk("kind", ["text/plain", "application/x-www-form-urlencoded", "", "a/b"])
async def test_content_type_must_be_json(
    callers: Callers, method: str, path: str, _: bool, kind: str
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = await callers.call(method, path, "1", data=b'{"a":1}', headers=headers)
    if answer.code in UNKNOWN_TOKENS and "_token}" in path:
        return
    if kind.endswith("urlencoded") and (method, path) in MESSAGE_FORMS:
        assert_refused(answer, 404)
        return
    assert_refused(answer, 400)


async def test_content_type_may_have_a_charset(world: World) -> None:
    await world.person("alice")
    headers = {"Content-Type": "application/json; charset=utf-8"}
    data = '{"name": "ö ö"}'.encode()
    answer = await world.rest("alice").call("POST", "/guilds", data=data, headers=headers)
    assert answer.json["name"] == "ö ö"


async def test_large_body_is_refused(world: World) -> None:
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
async def test_compressed_body_is_refused(world: World, encoding: str, data: bytes) -> None:
    await world.person("alice")
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    rest = world.rest("alice")
    answer = await rest.call("POST", "/guilds", data=data, headers=headers)
    assert 400 <= answer.status < 500
    if encoding == "gzip":
        assert_refused(answer, 415)


@pytest.mark.parametrize("host", ["a\xff\xfe", "a b", "<script>", "[::1", "x:y"])
async def test_malformed_host_is_refused(server: Server, host: str) -> None:
    request = f"GET /gateway HTTP/1.1\r\nHost: {host}\r\n\r\n"
    assert (await raw_response(server, request.encode("latin-1"))).startswith(b"HTTP/1.1 400 ")


async def test_large_chunked_body_is_refused(world: World) -> None:
    await world.person("alice")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_IMAGE_BODY // 65_536 + 2):
            yield b"x" * 65_536

    headers = {"Content-Type": "application/json"}
    rest = world.rest("alice")
    answer = await rest.call("POST", "/guilds", data=chunks(), headers=headers)
    assert_refused(answer, 413)


async def test_announced_large_body_is_refused_before_it_is_sent(
    server: Server, world: World
) -> None:
    alice = await world.person("alice")
    request = (
        f"POST /guilds HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
    )
    assert (await raw_response(server, request.encode())).startswith(b"HTTP/1.1 413 ")


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
async def test_malformed_http_is_refused(server: Server, request_bytes: bytes) -> None:
    assert re.match(rb"HTTP/1.[01] 4\d\d ", await raw_response(server, request_bytes))


@pytest.mark.parametrize("target", ["POST /auth/login", "GET /gateway", "HEAD /health"])
@pytest.mark.parametrize("expected", [b"\xff", b"tea", b"100-continue"])
async def test_expect_header_is_answered(server: Server, target: str, expected: bytes) -> None:
    head = f"{target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
    answer = await raw_response(server, head.encode() + b"Expect: " + expected + b"\r\n\r\n")
    if expected == b"100-continue":
        assert answer == b"HTTP/1.1 100 Continue\r\n\r\n"
    else:
        assert re.match(rb"HTTP/1.1 (200|400|415) ", answer)
        assert b"X-Request-Id: " in answer


async def test_unknown_routes_and_methods_are_refused(world: World) -> None:
    await world.person("alice")
    for path in ("/nope", "/api/v10/nope", "/api/v2/users/@me", "/guilds/1/nope", "//nope", "/%00"):
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
async def test_literal_path_segment_is_not_an_id(
    world: World, method: str, path: str, allowed: set[str]
) -> None:
    await world.person("alice")
    answer = await world.rest("alice").call(method, path)
    assert_refused(answer, 405)
    assert set(answer.headers["Allow"].split(",")) == allowed


async def test_integral_float_is_an_integer(world: World) -> None:
    guild = await world.guild(owner="alice")
    path, field = f"/guilds/{guild.id}/channels", "rate_limit_per_user"
    assert (await guild.owner.rest.post(path, {"name": "x", field: 5.0}))[field] == 5
    for wrong in (5.5, "5", True, 1e300):
        answer = await guild.owner.rest.call("POST", path, {"name": "x", field: wrong})
        assert_refused(answer, 400)
        assert answer.json["errors"].keys() == {field}


@pytest.mark.parametrize("word", ["true", "1", "False", "0", "yes", "", "2"])
async def test_query_flag_values(world: World, word: str) -> None:
    guild = await world.guild(owner="alice")
    path = f"/guilds/{guild.id}?with_counts={word}"
    answer = await guild.owner.rest.call("GET", path)
    if word in ("yes", "", "2"):
        assert_refused(answer, 400)
        assert answer.json["errors"].keys() == {"with_counts"}
    else:
        assert ("approximate_member_count" in answer.json) == (word in ("true", "1"))


async def test_null_means_the_same_as_absent(world: World) -> None:
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


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_all_prefixes_serve_the_same(world: World, prefix: str) -> None:
    alice = await world.person("alice")
    assert (await alice.rest.get(f"{prefix}/users/@me"))["id"] == alice.id
    assert (await world.anonymous.get(f"{prefix}/health"))["status"] == "ok"


async def test_response_has_a_request_id(world: World) -> None:
    first, second = [await world.anonymous.call("GET", "/health") for _ in range(2)]
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
