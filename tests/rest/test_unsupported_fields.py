"""Documented fields that the server does not support are refused by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from chatd.core.field_errors import NOT_SUPPORTED
from tests.documented.operations import (
    CALLBACK,
    COMMAND_LISTS,
    COMMANDS,
    DOCUMENTED,
    NEW_MEMBER,
    OPERATIONS,
    OWN_APPLICATION,
    RECIPIENT,
    SHARED,
    WITH_TOKEN,
)
from tests.documented.refused import LISTED, REFUSED_VALUES, Fields
from tests.helpers.automod import add_rule
from tests.helpers.interactions import ROW, Stage
from tests.helpers.shared_stages import SharedStages
from tests.world import Answer, Guild, World


async def scene(world: World) -> dict[str, str]:
    """Create a guild with one of everything; return the ids for paths."""
    guild = await world.guild(owner="alice", members=["bob"])
    world.shelf["scene"] = guild
    alice, bob, carol, dave = await world.people("alice", "bob", "carol", "dave")
    await guild.admit(carol, dave)
    message = await alice.rest.post(f"/channels/{guild.general.id}/messages", {"content": "x"})
    group = {"recipients": [bob.id, carol.id]}
    helper = await world.bot("helper", "alice", guild)
    command = {"name": "blep", "description": "x"}
    made = await helper.rest.post(f"/applications/{helper.id}/commands", command)
    bot = await world.bot("bot", "alice", guild)
    path = f"/channels/{guild.general.id}/webhooks"
    webhook = await alice.rest.post(path, {"name": "hook"})
    return {
        "webhook_id": webhook["id"],
        "webhook_token": webhook["token"],
        "guild_id": guild.id,
        "channel_id": guild.general.id,
        "message_id": message["id"],
        "user_id": bob.id,
        "role_id": (await alice.rest.post(f"/guilds/{guild.id}/roles", {}))["id"],
        "code": await guild.invite(),
        "group_id": (await alice.rest.post("/users/@me/channels", group))["id"],
        "other_id": dave.id,
        "application_id": bot.id,
        "command_id": made["id"],
        "rule_id": (await add_rule(guild))["id"],
    }


async def scene_for(world: World, operation: str) -> dict[str, str]:
    """Create a guild for an operation: for a response, with an interaction."""
    names = await scene(world)
    if operation in (CALLBACK, *WITH_TOKEN):
        names |= await interaction_names(world, world.shelf["scene"], operation)
    return names


@asynccontextmanager
async def scene_of_refusals(
    stages: SharedStages, world: World, operation: str
) -> AsyncIterator[tuple[World, dict[str, str]]]:
    """Provide a scene for calls that the server refuses: a shared one, or one with a response."""
    if operation in (CALLBACK, *WITH_TOKEN):
        yield world, await scene_for(world, operation)
        return
    async with stages.on(scene) as (there, names):
        yield there, names


async def interaction_names(world: World, guild: Guild, operation: str) -> dict[str, str]:
    """Use a button of the bot, and respond unless the operation does that."""
    bot = await world.person("bot")
    [client] = await world.online("bot")
    body = {"content": "x", "components": [ROW]}
    message = await bot.rest.post(f"/channels/{guild.general.id}/messages", body)
    stage = Stage(world, guild, bot, client, message)
    received = await stage.click(await world.person("alice"))
    if operation != CALLBACK:
        await received.respond(4, content="x")
    return {
        "interaction_id": received.id,
        "interaction_token": received.token,
        "webhook_id": bot.id,
        "webhook_token": received.token,
    }


def body_with(field: str, value: Any) -> Any:
    """Return the smallest body that contains a field. Components in it have their types."""
    parts = field.split(".")
    for depth, part in reversed([*enumerate(parts)]):
        if part in ("components[]", "accessory"):
            value = {"type": component_type(parts[depth + 1 :]), **value}
        value = [value] if part.endswith("[]") else value
        if name := part.removesuffix("[]"):
            value = {name: value}
    return value


def component_type(inside: list[str]) -> int:
    """Return the type of a component that contains these fields, each in the one before."""
    match inside:
        case ["accessory", *_]:
            return 9
        case ["components[]", _]:
            return 1
        case ["components[]", *_]:
            return 17
    return 2


def errors_of(errors: Any, field: str) -> list[dict[str, str]]:
    """Return the errors of a field."""
    for part in field.replace("[]", ".0").removeprefix(".").split("."):
        assert part in errors, (field, errors)
        errors = errors[part]
    while "_errors" not in errors:  # the error of an element of an array
        [errors] = errors.values()
    return list(errors["_errors"])


async def call(
    world: World, names: dict[str, str], operation: str, body: Any, query: Fields | None = None
) -> Answer:
    """Call an operation as the owner of all objects in its path."""
    method, _, path = operation.partition(" ")
    if operation == RECIPIENT:
        names = {**names, "channel_id": names["group_id"], "user_id": names["other_id"]}
    if operation == NEW_MEMBER:
        names = {**names, "user_id": names["application_id"]}
    caller = await world.person("alice")
    if operation in (*COMMANDS, *COMMAND_LISTS):
        caller = await world.person("helper")
        names = {**names, "application_id": caller.id}
    if operation == OWN_APPLICATION:
        caller = await world.person("helper")
    if operation == CALLBACK and isinstance(body, dict):
        body = {"type": 4, **body}
    url = path.format(**names) + (f"?{urlencode(query)}" if query else "")
    return await caller.rest.call(method, url, body)


async def refuse(
    world: World, names: dict[str, str], operation: str, field: str, value: Any
) -> list[dict[str, str]]:
    """Send one field; return its errors."""
    if field in OPERATIONS[SHARED[operation]][0]:
        body: Any = None if operation.startswith("GET") else {}
        answer = await call(world, names, operation, body, {field: value})
    else:
        answer = await call(world, names, operation, body_with(field, value))
    assert (answer.status, answer.code) == (400, 50035), (answer.status, answer.raw)
    return errors_of(answer.json["errors"], field)


@pytest.mark.parametrize("operation", sorted({operation for operation, _ in LISTED}))
async def test_unsupported_field_is_refused_by_name(
    stages: SharedStages, world: World, operation: str
) -> None:
    async with scene_of_refusals(stages, world, operation) as (there, names):
        for (listed, field), (value, _) in LISTED.items():
            if listed == operation:
                errors = await refuse(there, names, operation, field, value)
                assert [each["code"] for each in errors] == [NOT_SUPPORTED], field
                assert "does not support" in errors[0]["message"]


@pytest.mark.parametrize(("operation", "field"), REFUSED_VALUES)
async def test_unsupported_value_is_refused_by_name(
    stages: SharedStages, world: World, operation: str, field: str
) -> None:
    async with scene_of_refusals(stages, world, operation) as (there, names):
        for value in REFUSED_VALUES[operation, field]:
            [error] = await refuse(there, names, operation, field, value)
            assert error["code"] in (NOT_SUPPORTED, "BASE_TYPE_CHOICES")


NOTHING: list[Any] = [None, False, 0, "", [], {}]


@pytest.mark.parametrize("operation", sorted({op for op, _ in LISTED if not op.startswith("GET")}))
async def test_values_that_request_nothing_are_accepted(world: World, operation: str) -> None:
    names = await scene_for(world, operation)
    queries = DOCUMENTED[SHARED[operation]].get("query", {})
    fields = [
        field
        for listed, field in LISTED
        if listed == operation and "." not in field and field not in queries
    ]
    for value in NOTHING:
        answer = await call(world, names, operation, dict.fromkeys(fields, value))
        errors = answer.json.get("errors", {}) if answer.raw and answer.status == 400 else {}
        assert not errors.keys() & set(fields), (value, errors)
