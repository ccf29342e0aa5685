"""Bots: routes for people only, and data that needs privileged flags."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest

from chatd.core.intents import Intents
from chatd.core.models import ApplicationFlags
from chatd.rest.table import table
from chatd.wire.json_schema import ResponseSchema
from tests.conftest import repository
from tests.world import Guild, Person, Rest, World, like

TABLE = {f"{route.method} {route.path}": route for route in table()}

MEMBERS = (ApplicationFlags.GATEWAY_GUILD_MEMBERS, ApplicationFlags.GATEWAY_GUILD_MEMBERS_LIMITED)
CONTENT = (
    ApplicationFlags.GATEWAY_MESSAGE_CONTENT,
    ApplicationFlags.GATEWAY_MESSAGE_CONTENT_LIMITED,
)
MODEST = int(Intents.GUILDS | Intents.GUILD_MESSAGES)


async def with_flags(guild: Guild, bot: Person, *flags: ApplicationFlags) -> Person:
    await guild.owner.rest.patch(f"/applications/{bot.id}", {"flags": sum(map(int, flags))})
    return bot


async def test_bots_cannot_accept_invites(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice")
    code = await guild.invite(max_uses=1)
    answer = await bot.rest.call("POST", f"/invites/{code}")
    assert (answer.status, answer.code) == (403, 20001)
    assert (
        await guild.owner.rest.call("GET", f"/guilds/{guild.id}/members/{bot.id}")
    ).code == 10007
    bob = await world.person("bob")
    await bob.rest.post(f"/invites/{code}")  # no use was consumed
    # Neither a member without MANAGE_GUILD nor another bot can add it.
    path = f"/guilds/{guild.id}/members/{bot.id}"
    assert (await bob.rest.call("PUT", path)).code == 50013
    manager = await world.bot("manager", "alice", guild)
    role = await guild.owner.rest.post(
        f"/guilds/{guild.id}/roles", {"name": "all", "permissions": "8"}
    )
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{manager.id}/roles/{role['id']}")
    answer = await manager.rest.call("PUT", path)
    assert (answer.status, answer.code) == (403, 20001)
    await guild.owner.rest.put(path)
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=28")
    assert [each["target_id"] for each in log["audit_log_entries"]] == [bot.id, manager.id]
    # As at Discord, a bot may create invites.
    made = await manager.rest.post(f"/channels/{guild.general.id}/invites", {})
    await (await world.person("carol")).rest.post(f"/invites/{made['code']}")


async def test_bots_cannot_create_or_own_guilds(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    answer = await bot.rest.call("POST", "/guilds", {"name": "theirs"})
    assert (answer.status, answer.code) == (403, 20001)
    answer = await guild.owner.rest.call("PATCH", f"/guilds/{guild.id}", {"owner_id": bot.id})
    assert (answer.status, answer.code) == (400, 50035)
    assert (await guild.owner.rest.get(f"/guilds/{guild.id}"))["owner_id"] == guild.owner.id


async def test_bots_cannot_create_groups(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bot = await world.bot("bot", "alice", guild)
    bob, carol = await world.people("bob", "carol")
    body = {"recipients": [bob.id, carol.id]}
    answer = await bot.rest.call("POST", "/users/@me/channels", body)
    assert (answer.status, answer.code) == (403, 20001)


FOR_PEOPLE = [name for name, route in TABLE.items() if not route.bots]


def test_routes_for_people_are_declared() -> None:
    assert {
        "POST /guilds",
        "POST /invites/{code}",
        "PUT /guilds/{guild_id}/members/{user_id}",
        "GET /auth/sessions",
        "GET /users/@me/read-states",
        "GET /users/{user_id}/profile",
        "POST /channels/{channel_id}/messages/{message_id}/ack",
        "GET /applications",
        "DELETE /users/@me",
    } <= set(FOR_PEOPLE)


@pytest.mark.parametrize("flag", MEMBERS)
async def test_listing_members_requires_the_members_flag(
    world: World, flag: ApplicationFlags
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", "alice", guild)
    others = ApplicationFlags.PRIVILEGED & ~ApplicationFlags.MEMBERS
    bob = await world.person("bob")
    paths = (f"/guilds/{guild.id}/members?limit=9", f"/guilds/{guild.id}/members/search?query=b")
    await with_flags(guild, bot, others)
    for path in paths:
        answer = await bot.rest.call("GET", path)
        assert (answer.status, answer.code) == (403, 50001), path
        assert (await bob.rest.call("GET", path)).status == 200
    assert (await bot.rest.get(f"/guilds/{guild.id}/members/{bob.id}"))["user"]["id"] == bob.id
    assert (await bot.rest.get(f"/guilds/{guild.id}/members/@me"))["user"]["id"] == bot.id
    await with_flags(guild, bot, flag)
    assert len(await bot.rest.get(paths[0])) == 3


def holds_messages(shape: Any) -> bool:
    """Return whether responses of this schema contain messages."""
    match shape:
        case ResponseSchema():
            return holds_messages(shape.schema)
        case dict() if {"content", "author", "embeds"} <= shape.keys():
            return True
        case dict():
            return any(map(holds_messages, shape.values()))
        case list() | tuple():
            return any(map(holds_messages, shape))
        case _:
            return False


PATH = "/channels/{channel_id}/messages"
MESSAGE = PATH + "/{message_id}"

SHOWING: dict[str, tuple[Any, str]] = {
    f"GET {PATH}": (None, ""),
    f"POST {PATH}": ({"content": "mine", "message_reference": {"message_id": "{message_id}"}}, ""),
    f"GET {MESSAGE}": (None, ""),
    f"PATCH {MESSAGE}": ({"flags": 4}, ""),
    "GET /channels/{channel_id}/messages/pins": (None, ""),
    "GET /channels/{channel_id}/pins": (None, ""),
    "GET /guilds/{guild_id}/messages/search": (None, "?pinned=true"),
    "GET /channels/{channel_id}/messages/search": (None, "?author_id={owner_id}"),
}
"""Return a request for each route that returns messages."""

BY_TOKEN = {
    "POST /interactions/{interaction_id}/{interaction_token}/callback",
    "POST /webhooks/{webhook_id}/{webhook_token}",
    *(
        f"{method} /webhooks/{{webhook_id}}/{{webhook_token}}/messages/{each}"
        for method in ("GET", "PATCH")
        for each in ("{message_id}", "@original")
    ),
}
"""Routes that show a message to the holder of the token that sent it."""

PUBLISHING = {"POST /channels/{channel_id}/messages/{message_id}/crosspost"}
"""Only in announcement channels; `message_payloads` renders it, as the next test checks."""


def test_every_route_with_messages_is_tested() -> None:
    showing = {
        name
        for name, route in TABLE.items()
        if route.bots and any(map(holds_messages, route.answers.values()))
    }
    assert showing - BY_TOKEN - PUBLISHING == SHOWING.keys()


def test_routes_render_messages_with_one_function() -> None:
    """A payload of a message that is built elsewhere would bypass the flags."""
    for module in (repository() / "chatd" / "rest").glob("*.py"):
        found = re.findall(r"\bpayloads\.(?:messages?|search_results)\(", module.read_text())
        by_token = ("interactions.py", "webhook_messages.py")
        assert not found or module.name in ("message_payloads.py", *by_token), module


async def secrets(guild: Guild, rest: Rest) -> tuple[str, list[str]]:
    """Post a pinned reply with content, an embed and a file. Returns its id and the contents."""
    path = f"/channels/{guild.general.id}/messages"
    first = await rest.post(path, {"content": "hush-one"})
    body = {
        "content": "hush-two",
        "embeds": [{"title": "hush-three"}],
        "message_reference": {"message_id": first["id"]},
    }
    reply = await rest.post(path, body)
    await rest.put(f"{path}/pins/{reply['id']}")
    return str(reply["id"]), ["hush-one", "hush-two", "hush-three"]


def filled(wanted: Any, names: dict[str, str]) -> Any:
    if isinstance(wanted, dict):
        return {key: filled(value, names) for key, value in wanted.items()}
    return wanted.format(**names) if isinstance(wanted, str) else wanted


@pytest.mark.parametrize("name", SHOWING)
async def test_content_requires_the_content_flag(world: World, name: str) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    role = await guild.owner.rest.post(
        f"/guilds/{guild.id}/roles", {"name": "all", "permissions": "8"}
    )
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{bot.id}/roles/{role['id']}")
    message, said = await secrets(guild, guild.owner.rest)
    names = {
        "guild_id": guild.id,
        "channel_id": guild.general.id,
        "message_id": message,
        "owner_id": guild.owner.id,
    }
    body, query = SHOWING[name]
    path = filled(TABLE[name].path + query, names)
    everything = ApplicationFlags.PRIVILEGED & ~ApplicationFlags.MESSAGE_CONTENT
    await with_flags(guild, bot, everything)
    answer = await bot.rest.call(TABLE[name].method, path, filled(body, names))
    assert answer.status == 200, answer.raw
    assert message.encode() in answer.raw
    for secret in said:
        assert secret.encode() not in answer.raw, name
    for flag in CONTENT:
        await with_flags(guild, bot, flag)
        answer = await bot.rest.call(TABLE[name].method, path, filled(body, names))
        assert b"hush-" in answer.raw


async def test_content_for_the_bot_needs_no_flag(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await with_flags(guild, await world.bot("bot", "alice", guild))
    rest, path = guild.owner.rest, f"/channels/{guild.general.id}/messages"
    mine = await bot.rest.post(path, {"content": "mine"})
    mentioned = await rest.post(path, {"content": f"<@{bot.id}> listen"})
    hidden = await rest.post(path, {"content": "hidden"})
    answered = await bot.rest.post(
        path, {"content": "answer", "message_reference": {"message_id": hidden["id"]}}
    )
    shown = {each["id"]: each for each in await bot.rest.get(path)}
    assert shown[mine["id"]] == like(content="mine")
    assert shown[mentioned["id"]] == like(content=f"<@{bot.id}> listen")
    assert shown[hidden["id"]] == like(content="", embeds=[], attachments=[], components=[])
    assert shown[answered["id"]] == like(
        content="answer", referenced_message=like(id=hidden["id"], content="")
    )
    private = await rest.post("/users/@me/channels", {"recipient_id": bot.id})
    where = f"/channels/{private['id']}/messages"
    await rest.post(where, {"content": "between us"})
    assert [each["content"] for each in await bot.rest.get(where)] == ["between us"]
    found = await bot.rest.get(f"{where}/search?content=between")
    assert found["total_results"] == 1


async def test_searching_content_requires_the_content_flag(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await with_flags(guild, await world.bot("bot", "alice", guild))
    await guild.owner.rest.post(f"/channels/{guild.general.id}/messages", {"content": "secret"})
    for place in (f"/guilds/{guild.id}", f"/channels/{guild.general.id}"):
        for wanted in ("content=secret", "has=embed", "has=-file"):
            path = f"{place}/messages/search?{wanted}"
            answer = await bot.rest.call("GET", path)
            assert (answer.status, answer.code) == (403, 50001), path
            assert (await guild.owner.rest.call("GET", path)).status == 200
    await with_flags(guild, bot, CONTENT[0])
    found = await bot.rest.get(f"/guilds/{guild.id}/messages/search?content=secret")
    assert found["total_results"] == 1


async def test_gateway_omits_the_content_of_referenced_messages(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    path = f"/channels/{guild.general.id}/messages"
    hidden = await guild.owner.rest.post(path, {"content": "hidden"})
    [client, person] = await world.online("bot", "alice", intents=MODEST)
    body = {"content": "answer", "message_reference": {"message_id": hidden["id"]}}
    await bot.rest.post(path, body)
    event = (await client.next("MESSAGE_CREATE")).d
    assert event == like(content="answer", referenced_message=like(id=hidden["id"], content=""))
    event = (await person.next("MESSAGE_CREATE")).d
    assert event == like(content="answer", referenced_message=like(content="hidden"))
    own = await bot.rest.post(path, {"content": "own"})
    await client.next("MESSAGE_CREATE")
    reply = {"content": "reply", "message_reference": {"message_id": own["id"]}}
    await guild.owner.rest.post(path, reply)
    event = (await client.next("MESSAGE_CREATE")).d
    assert event == like(content="reply", referenced_message=like(content="own"))
    thumb = quote("👍")
    await bot.rest.put(f"{path}/{hidden['id']}/reactions/{thumb}/@me")
