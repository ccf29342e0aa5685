"""Adding descriptions and examples to the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from chatd.core.json import JsonObject
from chatd.rest.openapi import examples
from chatd.wire import descriptions


def add_descriptions(document: JsonObject) -> JsonObject:
    """Add the descriptions of schemas, fields and parameters; returns the document."""
    for name, schema in document["components"]["schemas"].items():
        if name in descriptions.SCHEMAS:
            schema["description"] = descriptions.SCHEMAS[name]
        _describe_fields(schema, name)
    for operation in _operations(document):
        _describe_fields([operation.get("requestBody"), operation["responses"]], "")
        for each in operation["parameters"]:
            if "$ref" not in each:
                name = each["name"]
                one = descriptions.PARAMETERS.get(f"{operation['operationId']}:{name}")
                about = one or descriptions.PARAMETERS.get(name)
                each.setdefault("description", each["schema"].get("description") or about or "")
    return document


def _describe_fields(schema: Any, owner: str) -> None:
    match schema:
        case {"properties": dict(fields)}:
            for name, field in fields.items():
                _describe_field(name, field, owner)
        case {"$ref": _}:
            pass
        case dict():
            for each in schema.values():
                _describe_fields(each, owner)
        case list():
            for each in schema:
                _describe_fields(each, owner)


def _describe_field(name: str, field: JsonObject, owner: str) -> None:
    one = descriptions.OF_SCHEMAS.get(owner, {}).get(name)
    if about := one or field.get("description") or _about_field(name, field):
        field["description"] = about
    _describe_fields(field, "")


def _about_field(name: str, field: JsonObject) -> str:
    if field.get("type") == "null":
        return descriptions.ALWAYS_NULL
    return descriptions.FIELDS.get(re.sub(r"\[\d+\]$", "[0]", name), "")


def add_examples(document: JsonObject) -> JsonObject:
    """Add an example of each parameter, body and response, and a curl command for each operation.

    Returns the document.
    """
    values = examples.Examples(document["components"]["schemas"])
    for status, response in document["components"]["responses"].items():
        response["content"]["application/json"]["example"] = examples.error(int(status))
    document["components"]["parameters"]["Reason"]["example"] = "Spam"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _add_values(operation, values)
            source = examples.curl(method, path, operation)
            operation["x-codeSamples"] = [{"lang": "Shell", "label": "curl", "source": source}]
    return document


def _add_values(operation: JsonObject, values: examples.Examples) -> None:
    """Add examples of what clients send to an operation, and of what it answers."""
    for each in operation["parameters"]:
        if "$ref" not in each:
            each["example"] = _example_of(each, values)
    for content in _json_contents(operation.get("requestBody", {})):
        content["example"] = values.body(content["schema"])
    for response in operation["responses"].values():
        for content in _json_contents(response) if isinstance(response, dict) else ():
            content["example"] = values.value(content["schema"])


def _example_of(parameter: JsonObject, values: examples.Examples) -> Any:
    name, schema = parameter["name"], parameter["schema"]
    if schema.get("type") == "array":
        return [values.value(schema["items"], name)]
    return values.value(schema, name)


def _json_contents(part: JsonObject) -> Iterator[JsonObject]:
    if (content := part.get("content", {}).get("application/json")) is not None:
        yield content


def _operations(document: JsonObject) -> Iterator[JsonObject]:
    for operations in document["paths"].values():
        yield from operations.values()
