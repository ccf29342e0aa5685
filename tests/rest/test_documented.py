"""The OpenAPI document describes everything, and its examples are valid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import chatd.events
from chatd.core.capabilities import Capabilities
from chatd.core.intents import Intents
from chatd.gateway.protocol.commands import CloseCode, Opcode
from chatd.rest import guide, openapi
from chatd.rest.openapi import typical
from chatd.rest.table import table
from chatd.wire import descriptions
from tests.helpers.contract import registry_of, validator
from tests.helpers.walk import walk

INTERNAL_EVENTS = {
    "GUILD_JOINED",
    "HISTORY_IMPORTED",
    "LOGIN_REVOKED",
    "MEMBERSHIP_CHANGED",
    "PRESENCE_REPORT",
    "PRESENCE_ROLL",
    "SESSIONS_REPORT",
}
"""Events between instances, which no client receives."""

OPENAPI = openapi.document(table())
COMPONENTS = OPENAPI["components"]
REGISTRY = registry_of(OPENAPI)
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in OPENAPI["paths"].items()
    for method, operation in operations.items()
}
SCHEMAS = {
    kind.__name__.removesuffix("Schema").lstrip("_"): kind
    for route in table()
    for kind in (route.body.media.values() if route.body else ())
    if isinstance(kind, type)
}
"""The schemas of request bodies."""


def fields(schema: Any, owner: str) -> Iterator[tuple[str, str, Any]]:
    """Yield every property in a schema, with the schema that contains it."""
    match schema:
        case {"properties": dict(found)}:
            for name, field in found.items():
                yield owner, name, field
                yield from fields(field, f"{owner}.{name}")
        case dict():
            for key, each in schema.items():
                if key not in ("example", "examples"):
                    yield from fields(each, owner)
        case list():
            for each in schema:
                yield from fields(each, owner)


def every_field() -> Iterator[tuple[str, str, Any]]:
    for name, schema in COMPONENTS["schemas"].items():
        yield from fields(schema, name)
    for name, operation in OPERATIONS.items():
        yield from fields([operation.get("requestBody"), operation["responses"]], name)


def parameters() -> Iterator[tuple[str, Any]]:
    yield "", COMPONENTS["parameters"]["Reason"]
    for operation in OPERATIONS.values():
        for each in operation["parameters"]:
            if "$ref" not in each:
                yield operation["operationId"], each


def contents(operation: Any) -> Iterator[tuple[str, Any]]:
    """Yield the JSON bodies of a request and its responses."""
    for status, part in [("body", operation.get("requestBody")), *operation["responses"].items()]:
        resolved = part
        if part and "$ref" in part:
            resolved = COMPONENTS["responses"][part["$ref"].rpartition("/")[2]]
        if resolved and "application/json" in resolved.get("content", {}):
            yield status, resolved["content"]["application/json"]


def problem(schema: Any, value: Any) -> object:
    return next(validator(schema, REGISTRY).iter_errors(value), None)


@walk("name", OPERATIONS)
def test_operation_is_described_with_examples(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"] and operation["description"]
    [tag] = operation["tags"]
    assert tag in {each["name"] for each in OPENAPI["tags"]}
    [sample] = operation["x-codeSamples"]
    assert sample["source"].startswith("curl ") and "{" not in sample["source"].partition("'")[0]
    for status, content in contents(operation):
        assert problem(content["schema"], content["example"]) is None, status


def test_sections_have_titles_and_descriptions() -> None:
    for tag in OPENAPI["tags"]:
        assert re.fullmatch(r"[A-Z][a-z]+( [a-z]+)*", tag["name"]), tag
        assert tag["description"].endswith("."), tag


def test_all_fields_and_schemas_are_described() -> None:
    found = list(every_field())
    assert len(found) > 500
    assert [f"{owner}.{name}" for owner, name, each in found if not each.get("description")] == []
    schemas = COMPONENTS["schemas"].items()
    assert [name for name, schema in schemas if not schema.get("description")] == []


def test_fields_in_one_object_do_not_share_a_description() -> None:
    for owner, name, field in every_field():
        if name in descriptions.FIELDS and name not in descriptions.OF_SCHEMAS.get(owner, {}):
            about = field["description"]
            named = {key for key, text in descriptions.FIELDS.items() if text == about}
            assert name in named or not named or about.startswith("Always"), f"{owner}.{name}"


def test_all_parameters_are_described_with_examples() -> None:
    for where, each in parameters():
        assert each.get("description"), (where, each["name"])
        assert problem(each["schema"], each["example"]) is None, (where, each["name"])


def test_all_descriptions_are_used() -> None:
    named = {re.sub(r"\[\d\]$", "[0]", name) for _, name, _ in every_field()}
    assert descriptions.FIELDS.keys() - named == set()
    own = {(owner, name) for owner, name, _ in every_field()}
    wanted = {(owner, name) for owner, each in descriptions.OF_SCHEMAS.items() for name in each}
    assert wanted - own == set()
    assert descriptions.SCHEMAS.keys() - COMPONENTS["schemas"].keys() == set()
    known = {each["name"] for _, each in parameters()}
    known |= {f"{where}:{each['name']}" for where, each in parameters()}
    assert descriptions.PARAMETERS.keys() - known == set()


@pytest.mark.parametrize("name", typical.BODIES)
def test_example_bodies_are_accepted_by_the_server(name: str) -> None:
    if name in SCHEMAS:
        SCHEMAS[name]().load(typical.BODIES[name])
    assert problem({"$ref": f"#/components/schemas/{name}"}, typical.BODIES[name]) is None


def test_example_bodies_request_something() -> None:
    for name, operation in OPERATIONS.items():
        for where, content in contents(operation):
            if where == "body" and content["example"] == {}:
                kind = content["schema"]["$ref"].rpartition("/")[2]
                assert kind in ("Acknowledgement", "Empty", "NewMember"), name


def test_query_defaults_are_text() -> None:
    for where, each in parameters():
        if "default" in each["schema"] and each["schema"].get("type") == "string":
            assert isinstance(each["schema"]["default"], str), (where, each["name"])


def test_guide_lists_all_opcodes_close_codes_capabilities_intents_and_events() -> None:
    for code in CloseCode:
        assert f"| {code:d} | {code.name}" in guide.TEXT, code
    for opcode in Opcode:
        assert f"| {opcode:d} | {opcode.name}" in guide.TEXT, opcode
    for file in Path(chatd.events.__file__).parent.glob("*.py"):
        for name in re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', file.read_text()):
            assert name in guide.TEXT or name in INTERNAL_EVENTS, name
    for capability in Capabilities:
        bit = f"| `1 << {capability.bit_length() - 1}` | {capability.name} |"
        assert bit in guide.TEXT, capability
    for intent in Intents:
        assert f"| {intent.name} |" in guide.TEXT, intent
    for status in COMPONENTS["responses"]:
        assert f"| {status} |" in guide.TEXT, status
