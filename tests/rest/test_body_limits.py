"""Body limits: each route declares its limit, and refuses larger bodies before reading them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from chatd.core.errors import InvalidForm
from chatd.rest.request import MAX_BODY, MAX_IMAGE_BODY, parse_json
from chatd.rest.routing import ADMINISTRATOR, APPLICATION, BOT, PUBLIC
from chatd.rest.table import table
from chatd.wire.base_schema import Schema
from tests.conftest import Server
from tests.helpers.raw_http import filled_path, raw_response
from tests.helpers.walk import walk
from tests.world import Guild, Person, World

TABLE = {f"{route.method} {route.path}": route for route in table()}
LARGER = {
    "PATCH /users/@me": MAX_IMAGE_BODY,
    "POST /guilds": MAX_IMAGE_BODY,
    "PATCH /guilds/{guild_id}": MAX_IMAGE_BODY,
    "POST /channels/{channel_id}/messages": 2**17,
    "PATCH /channels/{channel_id}/messages/{message_id}": 2**17,
    "POST /guilds/{guild_id}/channels": 2**17,
    "PATCH /channels/{channel_id}": 2**17,
    "PATCH /guilds/{guild_id}/channels": 2**16,
    "PATCH /guilds/{guild_id}/roles": 2**15,
    "PATCH /applications/@me": MAX_IMAGE_BODY,
    "PATCH /applications/{application_id}": MAX_IMAGE_BODY,
    "PATCH /users/@me/settings-proto/{settings_type}": 360 * 2**10,
    "PATCH /users/@me/settings-proto/{settings_type}/json": 2**17,
    "PATCH /users/@me/guilds/settings": 2**16,
    "PATCH /users/@me/guilds/@me/settings": 2**16,
    "PATCH /users/@me/guilds/{guild_id}/settings": 2**16,
    "POST /read-states/ack-bulk": 2**16,
    "POST /attachments/refresh-urls": 112 * 2**10,
    "POST /guilds/{guild_id}/auto-moderation/rules": 2**20,
    "PATCH /guilds/{guild_id}/auto-moderation/rules/{rule_id}": 2**20,
    "POST /channels/{channel_id}/webhooks": MAX_IMAGE_BODY,
    "PATCH /webhooks/{webhook_id}": MAX_IMAGE_BODY,
    "PATCH /webhooks/{webhook_id}/{webhook_token}": MAX_IMAGE_BODY,
    "POST /webhooks/{webhook_id}/{webhook_token}": 2**17,
    "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}": 2**17,
    "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original": 2**17,
    "POST /webhooks/{webhook_id}/{webhook_token}/slack": 2**17,
    "POST /webhooks/{webhook_id}/{webhook_token}/github": 2**19,
    "POST /interactions": 2**17,
    "POST /interactions/{interaction_id}/{interaction_token}/callback": 2**17,
    **{
        f"{method} /applications/{{application_id}}{place}/commands{command}": size
        for place in ("", "/guilds/{guild_id}")
        for method, command, size in (
            ("POST", "", 2**19),
            ("PUT", "", 2**21),
            ("PATCH", "/{command_id}", 2**19),
        )
    },
}
"""Routes with limits above 16 KB; the reasons are next to their declarations."""

STREAMED = "PUT /uploads/{upload}"
"""Its body is a file. The limit is a setting, which `test_uploads.py` tests."""

FORM = "POST /auth/oidc/{provider}/backchannel-logout"
"""It reads a form, and refuses JSON before it reads it; `sign_on/` tests its limit."""

PLACED = [name for name in LARGER if " /guilds/{" in name or " /channels/{" in name]


def max_bytes(name: str) -> int:
    body = TABLE[name].body
    return MAX_BODY if body is None else body.max_bytes


def test_larger_limits_are_declared_by_few_routes() -> None:
    assert MAX_BODY == 16 * 1024
    assert {name: max_bytes(name) for name in TABLE if max_bytes(name) > MAX_BODY} == {
        **LARGER,
        STREAMED: 2**30,
    }


@walk("name", [name for name in TABLE if name != STREAMED])
async def test_announced_large_body_is_refused_without_waiting(
    server: Server, world: World, name: str
) -> None:
    alice = await world.person("alice")
    method, path = name.split()
    for over, status in ((1, b"413"), (0, b"")):
        head = (
            f"{method} {filled_path(path, '1')} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {alice.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {max_bytes(name) + over}\r\n"
        )
        body = b"" if over else b" " * max_bytes(name)
        answer = await raw_response(server, head.encode() + b"\r\n" + body)
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert (b" 413 " in answer) == bool(over)


@dataclass(frozen=True)
class Place:
    """What paths of routes name."""

    guild: Guild
    bot: Person
    webhook: Any


@pytest.fixture
async def place(world: World) -> Place:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    webhooks = f"/channels/{guild.general.id}/webhooks"
    return Place(guild, bot, await guild.owner.rest.post(webhooks, {"name": "news"}))


@walk(
    "name", [name for name, route in TABLE.items() if route.body and name not in (STREAMED, FORM)]
)
async def test_large_chunked_body_is_refused_while_it_arrives(place: Place, name: str) -> None:
    """The caller has access to the object of the path; other callers are refused earlier."""
    guild, bot, webhook = place.guild, place.bot, place.webhook
    caller = bot if TABLE[name].needs in (APPLICATION, BOT) else guild.owner
    method, path = name.split()
    path = path.format(
        webhook_id=webhook["id"],
        webhook_token=webhook["token"],
        interaction_id=1,
        interaction_token="a",
        provider="acme",
        settings_type=1,
        guild_id=guild.id,
        channel_id=guild.general.id,
        message_id=1,
        user_id=1,
        report_id=1,
        target_id=1,
        role_id=1,
        rule_id=1,
        application_id=bot.id,
        command_id=1,
        passkey_id=1,
        code="a",
    )

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(max_bytes(name) // 2**14 + 1):
            yield b" " * 2**14

    headers = {"Content-Type": "application/json"}
    answer = await caller.rest.call(method, path, data=chunks(), headers=headers)
    if TABLE[name].needs is PUBLIC and "_token}" in name:
        # An interaction has such a token only after a command; its body is not read without it.
        assert (answer.status, answer.code) in {(413, 40005), (404, 10015), (404, 10062)}
        return
    assert (answer.status, answer.code) in {(413, 40005), (403, 20001), (403, 0), (403, 50001)}
    if TABLE[name].needs is not ADMINISTRATOR:
        assert answer.status == 413


@pytest.mark.parametrize("name", PLACED)
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_large_body_of_a_non_member_is_not_read(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, is_chunked: bool
) -> None:
    guild = await world.guild(owner="alice")
    await world.person("mallory")
    method, path = name.split()
    read: list[object] = []
    monkeypatch.setattr(Schema, "read_part", lambda _, data: read.append(data))

    async def chunks() -> AsyncIterator[bytes]:
        yield b"[]"

    data = chunks() if is_chunked else b"[" + b" " * MAX_BODY + b"]"
    ids = {"guild_id": guild.id, "channel_id": guild.general.id, "message_id": 1, "rule_id": 1}
    nowhere = dict.fromkeys(ids, "1")
    for given, status in ((ids, 403), (nowhere, 404)):
        answer = await world.rest("mallory").call(
            method,
            path.format(**given),
            data=chunks() if is_chunked else data,
            headers={"Content-Type": "application/json"},
        )
        assert answer.status == status, answer.raw
    assert read == []


@pytest.mark.parametrize("name", [name for name in PLACED if "message" not in name])
async def test_large_body_without_permission_is_not_read(world: World, name: str) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    method, path = name.split()
    answer = await world.rest("bob").call(
        method,
        path.format(guild_id=guild.id, channel_id=guild.general.id, rule_id=1),
        data=b"nonsense" + b" " * MAX_BODY,
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status, answer.code) == (403, 50013)


def test_large_body_may_contain_few_values() -> None:
    image = b'{"name": "' + b"x" * 2**18 + b'"}'
    assert parse_json(image)["name"] == "x" * 2**18
    for many in (b"[" + b"[]," * 2**17 + b"0]", b'{"a":[' + b"0," * 2**17 + b"0]}"):
        with pytest.raises(InvalidForm):
            parse_json(many)
