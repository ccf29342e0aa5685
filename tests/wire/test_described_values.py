"""The API description allows the same values as the schemas that read requests."""

from __future__ import annotations

import json
from typing import Any

import orjson

from chatd.core.errors import InvalidForm
from chatd.rest import openapi
from chatd.rest.table import table
from chatd.wire.base_schema import Schema
from chatd.wire.schemas.application_commands import PermissionsChangeSchema
from chatd.wire.schemas.auto_moderation import AutoModRuleChangeSchema, NewAutoModRuleSchema
from chatd.wire.schemas.guilds import PruneSchema
from chatd.wire.schemas.query_strings import CommandSearchSchema
from chatd.wire.schemas.relationships import FriendRequestSchema
from chatd.wire.schemas.slack import SlackMessageSchema
from chatd.wire.schemas.user_settings import SettingsChangeSchema
from tests.helpers.contract import registry_of, validator
from tests.helpers.walk import walk

DOCUMENT = openapi.document(table())
REGISTRY = registry_of(DOCUMENT)
SEARCH = "/channels/{channel_id}/application-commands/search"
LONGEST_ID = "1" * 19
TARGET = '{"id": "1", "type": 1, "permission": true}'


def rule(**changed: int) -> str:
    return orjson.dumps({"name": "x", "event_type": 1, "trigger_type": 1, **changed}).decode()


def slack(key: str, value: str) -> str:
    return f'{{"attachments": [{{"{key}": {value}}}]}}'


def folder(number: str) -> str:
    return f'{{"guild_folders": [{{"id": {number}, "guild_ids": []}}]}}'


def roles(count: int) -> str:
    return orjson.dumps({"include_roles": ",".join([LONGEST_ID] * count)}).decode()


CASES: list[tuple[type[Schema[Any]], str, bool]] = [
    *((NewAutoModRuleSchema, rule(trigger_type=each), each in (1, 3, 4, 5)) for each in range(8)),
    *((NewAutoModRuleSchema, rule(event_type=each), each == 1) for each in range(4)),
    *((AutoModRuleChangeSchema, f'{{"trigger_type": {each}}}', each == 5) for each in (5, 6)),
    *((AutoModRuleChangeSchema, f'{{"event_type": {each}}}', each == 1) for each in (1, 2)),
    *(
        (AutoModRuleChangeSchema, f'{{"actions": [{{"type": {each}}}]}}', 0 < each < 4)
        for each in range(6)
    ),
    (PermissionsChangeSchema, f'{{"permissions": [{TARGET}]}}', True),
    (PermissionsChangeSchema, f'{{"permissions": [{TARGET}, {TARGET}]}}', False),
    (FriendRequestSchema, '{"username": "ada", "discriminator": 179.0}', True),
    (FriendRequestSchema, '{"username": "ada", "discriminator": 179.5}', False),
    (FriendRequestSchema, '{"username": "ada", "discriminator": 10000.0}', False),
    (FriendRequestSchema, '{"username": "ada", "discriminator": true}', False),
    (SlackMessageSchema, slack("ts", "1767225600.5"), True),
    (SlackMessageSchema, slack("ts", "253402300800"), False),
    (SlackMessageSchema, slack("ts", "-0.5"), False),
    (SlackMessageSchema, slack("ts", "true"), False),
    (SlackMessageSchema, slack("ts", '"1767225600.002768"'), True),
    (SlackMessageSchema, slack("ts", '"1767225600"'), True),
    *((SlackMessageSchema, slack("ts", each), False) for each in ('""', '"."', '"1.x"', '"-1"')),
    (SlackMessageSchema, slack("fields", f"[{','.join(['{}'] * 10_001)}]"), True),
    (SettingsChangeSchema, folder("-9223372036854775807"), True),
    (SettingsChangeSchema, folder("-9223372036854775809"), False),
    (SettingsChangeSchema, folder("9223372036854775807"), True),
    (SettingsChangeSchema, folder("9223372036854775808"), False),
    (PruneSchema, roles(250), True),
    (PruneSchema, roles(251), False),
]


@walk("schema, body, wanted", CASES)
def test_body_is_described_as_it_is_read(
    schema: type[Schema[Any]], body: str, wanted: bool
) -> None:
    name = schema.__name__.removesuffix("Schema")
    described = validator({"$ref": f"#/components/schemas/{name}"}, REGISTRY)
    assert described.is_valid(json.loads(body)) == is_read(schema, body) == wanted


@walk("count, wanted", [(0, True), (1, True), (100, True), (101, False)])
def test_list_of_ids_is_described_as_it_is_read(count: int, wanted: bool) -> None:
    parameters = DOCUMENT["paths"][SEARCH]["get"]["parameters"]
    [found] = [each["schema"] for each in parameters if each.get("name") == "command_ids"]
    for one in ("1", LONGEST_ID):
        given = ",".join([one] * count)
        body = orjson.dumps({"command_ids": given}).decode()
        described = validator(found, REGISTRY).is_valid(given)
        assert described == is_read(CommandSearchSchema, body) == wanted


def is_read(schema: type[Schema[Any]], body: str) -> bool:
    """Return whether a schema accepts a body, parsed as by the server."""
    try:
        schema().read(orjson.loads(body))
    except InvalidForm:
        return False
    return True
