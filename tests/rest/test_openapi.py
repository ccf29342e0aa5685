"""The description of the API: complete, well formed, and made of what is used.

That answers are as described is proven by every test: see `tests/contract.py`.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import meta

import chatd.rest
from chatd.rest import openapi, parse, routes
from chatd.rest.routes import ANYONE, USER, Routes
from chatd.wire import shapes
from chatd.wire.fields import Schema, Text
from chatd.wire.shape import Shape
from tests.world import World

TABLE = routes.table()
NAMES = [f"{route.method} {route.path}" for route in TABLE]
OPENAPI = openapi.document()


def operation(name: str) -> Any:
    method, _, path = name.partition(" ")
    return OPENAPI["paths"][path][method.lower()]


@pytest.mark.parametrize("prefix", routes.PREFIXES)
async def test_anyone_may_read_the_document(world: World, prefix: str) -> None:
    assert await world.nobody.get(f"{prefix}/openapi.json") == OPENAPI


@pytest.mark.parametrize("route", TABLE, ids=NAMES)
def test_every_route_is_described(route: routes.Route) -> None:
    described = operation(f"{route.method} {route.path}")
    where = f"{route.declared.__module__}.{route.declared.__name__}"
    assert described["summary"].endswith("."), f"the docstring of {where} needs a first sentence"
    assert len(described["summary"]) <= 99, f"the first sentence of {where} is too long"
    assert any(status < 300 for status in route.answers), f"{where}: what if all goes well?"
    assert ("security" in described) == (route.needs is not ANYONE)


def test_a_refusal_is_not_described_as_a_success() -> None:
    for name in NAMES:
        answers = operation(name)["responses"]
        told = [answers[status] for status in answers if status >= "4"]
        assert all(each.get("description") != "Done." for each in told), name


def test_operations_have_names_of_their_own() -> None:
    ids = [operation(name)["operationId"] for name in NAMES]
    assert len(set(ids)) == len(NAMES) >= 60


def test_a_route_without_its_answers_is_refused() -> None:
    with pytest.raises(TypeError, match="answers"):
        Routes().get("/nowhere", USER)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted(Path(chatd.rest.__file__).parent.glob("*.py"))
        if path.stem not in ("parse", "uploads", "middlewares")
    ],
    ids=lambda path: path.stem,
)
def test_handlers_read_nothing_that_they_do_not_declare(path: Path) -> None:
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


def test_schemas_are_well_formed() -> None:
    for schema in OPENAPI["components"]["schemas"].values():
        meta.validate(schema)
    assert OPENAPI["openapi"] == "3.1.0"


def test_names_mean_one_thing() -> None:
    """What clients send and what they get has different names, but for none."""
    read = {
        kind.__name__.removesuffix("Schema").lstrip("_")
        for route in TABLE
        for kind in (route.body.media.values() if route.body else ())
        if isinstance(kind, type)
    }
    answered = {each.name for each in vars(shapes).values() if isinstance(each, Shape)}
    assert not read & answered


class Greeting:
    pass


class GreetingSchema(Schema[Greeting]):
    into = Greeting
    text = Text(required=True)


def test_a_body_is_described_by_what_reads_it() -> None:
    assert parse.Json(GreetingSchema).media == {"application/json": GreetingSchema}
    created = operation("POST /channels/{channel_id}/messages")["requestBody"]
    assert created["required"] is True
    assert created["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/NewMessage"
    }
    assert operation("POST /invites/{code}")["requestBody"]["required"] is False


@pytest.mark.parametrize(
    ("schema", "field", "wanted"),
    [
        ("NewChannel", "type", {"type": ["integer", "null"], "enum": [0, 4, None]}),
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
            {"type": ["integer", "null"], "maximum": 604800, "default": 86400},
        ),
        ("NewAccount", "password", {"minLength": 8, "maxLength": 128}),
    ],
)
def test_a_field_is_described_by_what_validates_it(
    schema: str, field: str, wanted: dict[str, Any]
) -> None:
    described = OPENAPI["components"]["schemas"][schema]["properties"][field]
    assert {**described, **wanted} == described


def test_a_query_is_described_by_what_validates_it() -> None:
    parameters = operation("GET /guilds/{guild_id}/members/search")["parameters"]
    by_name = {each["name"]: each for each in parameters}
    assert by_name["guild_id"]["in"] == "path"
    assert by_name["query"]["required"] is True
    limit = by_name["limit"]["schema"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 1000, 1)
