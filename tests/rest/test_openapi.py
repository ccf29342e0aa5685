"""The OpenAPI document: complete, valid, and generated from what is used.

That responses match the document is checked in every test: see `tests/helpers/contract.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import meta

import chatd.rest
from chatd.rest import openapi
from chatd.rest.request import JsonBody
from chatd.rest.routing import AUTHENTICATED, PREFIXES, Route, Routes
from chatd.rest.table import table
from chatd.wire import responses
from chatd.wire.base_schema import Schema
from chatd.wire.json_schema import ResponseSchema
from chatd.wire.text_fields import Text
from tests.helpers.walk import walk
from tests.world import World

TABLE = table()
NAMES = [f"{route.method} {route.path}" for route in TABLE]
OPENAPI = openapi.document(table())


def operation(name: str) -> Any:
    method, _, path = name.partition(" ")
    return OPENAPI["paths"][path][method.lower()]


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_document_is_public(world: World, prefix: str) -> None:
    assert await world.anonymous.get(f"{prefix}/openapi.json") == OPENAPI


@walk("route", TABLE)
def test_every_route_is_described(route: Route) -> None:
    described = operation(f"{route.method} {route.path}")
    where = f"{route.declared.__module__}.{route.declared.__name__}"
    assert described["summary"].endswith("."), f"the docstring of {where} needs a first sentence"
    assert len(described["summary"]) <= 99, f"the first sentence of {where} is too long"
    is_refused = route.path == "/guilds/{guild_id}/widget.json"  # there are no widgets
    succeeds = any(status < 400 for status in route.answers)
    assert succeeds or is_refused, f"{where} declares no success"
    assert ("security" in described) != route.is_open


@walk("route", [route for route in TABLE if not route.is_open])
def test_too_long_reason_is_described(route: Route) -> None:
    assert "400" in operation(f"{route.method} {route.path}")["responses"]


def test_errors_are_not_described_as_success() -> None:
    for name in NAMES:
        answers = operation(name)["responses"]
        errors = [answers[status] for status in answers if status >= "4"]
        assert all(each.get("description") != "Done." for each in errors), name


def test_operation_ids_are_unique() -> None:
    ids = [operation(name)["operationId"] for name in NAMES]
    assert len(set(ids)) == len(NAMES) >= 60


@walk(
    "name, field",
    [
        ("POST /guilds/{guild_id}/auto-moderation/rules", "exempt_channels"),
        ("POST /guilds/{guild_id}/auto-moderation/rules", "exempt_roles"),
        ("PATCH /applications/@me", "tags"),
        ("POST /applications/{application_id}/commands", "contexts"),
    ],
)
def test_values_that_must_be_unique_are_described_so(name: str, field: str) -> None:
    [content] = {
        each["schema"]["$ref"] for each in operation(name)["requestBody"]["content"].values()
    }
    schema = OPENAPI["components"]["schemas"][content.rpartition("/")[2]]
    assert schema["properties"][field]["uniqueItems"] is True


def test_route_without_declared_responses_is_refused() -> None:
    with pytest.raises(TypeError, match="answers"):
        Routes().get("/nowhere", AUTHENTICATED)  # type: ignore[call-overload]


@walk(
    "path",
    [
        path
        for path in sorted(Path(chatd.rest.__file__).parent.rglob("*.py"))
        if path.stem not in ("request", "message_body")
    ],
)
def test_handlers_read_only_declared_input(path: Path) -> None:
    reading = {"query", "read", "json", "text", "post", "multipart", "content", "rel_url"}
    found = [
        f"{path.name}:{node.lineno} uses request.{node.attr}: declare `body=` or `query=`"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "request"
        and node.attr in reading
    ]
    assert found == []


def test_schemas_are_valid() -> None:
    for schema in OPENAPI["components"]["schemas"].values():
        meta.validate(schema)
    assert OPENAPI["openapi"] == "3.1.0"


def test_bounds_are_those_of_the_type() -> None:
    of_type = {"Length": "string", "Items": "array", "Properties": "object"}
    wrong = [
        (schema, keyword)
        for schema in parts(OPENAPI)
        for keyword in schema
        if keyword in {f"{end}{kind}" for end in ("min", "max") for kind in of_type}
        if of_type[keyword[3:]] not in str(schema.get("type"))
    ]
    assert wrong == []


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield each object in a part of the document."""
    if isinstance(schema, dict):
        yield schema
    for each in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(each, dict | list):
            yield from parts(each)


def test_request_and_response_schemas_have_different_names() -> None:
    read = {
        kind.__name__.removesuffix("Schema").lstrip("_")
        for route in TABLE
        for kind in (route.body.media.values() if route.body else ())
        if isinstance(kind, type)
    }
    answered = {each.name for each in vars(responses).values() if isinstance(each, ResponseSchema)}
    assert not read & answered


class Greeting:
    pass


class GreetingSchema(Schema[Greeting]):
    into = Greeting
    text = Text(required=True)


def test_body_is_described_by_its_schema() -> None:
    assert JsonBody(GreetingSchema).media == {"application/json": GreetingSchema}
    created = operation("POST /channels/{channel_id}/messages")["requestBody"]
    assert created["required"] is True
    assert created["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/NewMessage"
    }
    assert operation("POST /invites/{code}")["requestBody"]["required"] is False


@pytest.mark.parametrize(
    ("schema", "field", "wanted"),
    [
        ("NewChannel", "type", {"type": ["integer", "null"], "enum": [0, 4, 5, None]}),
        ("NewChannel", "topic", {"type": ["string", "null"], "maxLength": 1024}),
        ("NewChannel", "rate_limit_per_user", {"minimum": 0, "maximum": 21600, "default": 0}),
        ("NewMessage", "content", {"type": ["string", "null"], "maxLength": 2000}),
        ("NewMessage", "nonce", {"type": ["string", "integer", "null"]}),
        ("MemberChange", "communication_disabled_until", {"format": "date-time"}),
        ("Reference", "message_id", {"type": ["string", "integer"], "pattern": "^[0-9]{1,19}$"}),
        ("NewRole", "permissions", {"type": ["string", "integer", "null"]}),
        ("NewBans", "user_ids", {"type": "array", "minItems": 1, "maxItems": 200}),
        (
            "NewInvite",
            "max_age",
            {
                "type": ["integer", "string", "null"],
                "pattern": "^[0-9]{1,6}$",
                "maximum": 5184000,
                "default": 86400,
            },
        ),
        ("NewAccount", "password", {"minLength": 8, "maxLength": 128}),
    ],
)
def test_field_is_described_by_its_validators(
    schema: str, field: str, wanted: dict[str, Any]
) -> None:
    described = OPENAPI["components"]["schemas"][schema]["properties"][field]
    assert {**described, **wanted} == described


def test_query_is_described_by_its_validators() -> None:
    parameters = operation("GET /guilds/{guild_id}/members/search")["parameters"]
    by_name = {each["name"]: each for each in parameters}
    assert by_name["guild_id"]["in"] == "path"
    assert by_name["query"]["required"] is True
    limit = by_name["limit"]["schema"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 1000, 1)


@pytest.mark.parametrize("path", ["/gateway", "/gateway/bot"])
async def test_gateway_is_described(world: World, path: str) -> None:
    described = operation(f"GET {path}")
    assert ("security" in described) == (path == "/gateway/bot")
    assert described["responses"].keys() >= {"200", "429", "503"}
    guild = await world.guild(owner="alice")
    answer = await (await world.bot("bot", "alice", guild)).rest.get(
        path
    )  # checked by tests/helpers/contract.py
    assert answer["url"].startswith("ws://")
