"""Examples of requests and responses, generated from the schemas of the document.

Fields with typical values take them from the tables of `typical`. All other values follow from the
schema. Tests check each example against its schema, and load each body with the schema of the
server.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from chatd.core.json import JsonObject
from chatd.rest.openapi.typical import BODIES, ERRORS, FIELDS, LATER, NOW, OF_SCHEMAS, ROLE_ID
from chatd.rest.routing import APPLICATION, APPLICATION_OWNER, BOT


def error(status: int) -> JsonObject:
    """Return a typical error with this status."""
    plain = {"code": 0, "message": f"{status}: {HTTPStatus(status).phrase}"}
    return ERRORS.get(status, plain)


class Examples:
    """Builds examples for the schemas of a document."""

    def __init__(self, schemas: JsonObject) -> None:
        self._schemas = schemas

    def body(self, schema: JsonObject) -> Any:
        """Return a typical body of a request."""
        if schema.get("type") == "array":
            return [self.body(schema["items"])]
        if "anyOf" in schema:
            return self.body(schema["anyOf"][0])
        name = _name(schema)
        return BODIES[name] if name in BODIES else self.value(schema)

    def value(self, schema: JsonObject, field: str = "", owner: str = "") -> Any:
        """Return a value that the schema allows; `field` is its name, in the schema `owner`."""
        for table in (OF_SCHEMAS.get(owner, {}), FIELDS):
            if field in table and _allows(schema, table[field]):
                return table[field]
        if name := _name(schema):
            return self._object(self._schemas[name], name)
        if "anyOf" in schema:
            return self.value(schema["anyOf"][0], field, owner)
        if "enum" in schema:
            return schema.get("default", schema["enum"][0])
        if "default" in schema:
            return schema["default"]
        kinds = schema.get("type", "string")
        return self._of_type(schema, kinds if isinstance(kinds, list) else [kinds], field)

    def _of_type(self, schema: JsonObject, kinds: list[str], field: str) -> Any:
        if "null" in kinds:
            return None  # there is no typical value
        if kinds[0] == "array":
            return [] if schema.get("maxItems") == 0 else self._array(schema, field)
        if kinds[0] == "object":
            return self._object(schema, "")
        if kinds[0] == "boolean":
            return False
        return schema.get("minimum", 0) if kinds[0] in ("integer", "number") else _text(schema)

    def _array(self, schema: JsonObject, field: str) -> list[Any]:
        items = schema["items"]
        if not _name(items) and "array" not in str(items.get("type")):
            return [_text(items)] if items.get("format") == "snowflake" else []
        return [self.value(items, field)]

    def _object(self, schema: JsonObject, name: str) -> JsonObject:
        required = schema.get("required", ())
        return {
            key: self.value(each, key, name)
            for key, each in schema.get("properties", {}).items()
            if key in required or key in OF_SCHEMAS.get(name, {})
        }


def _name(schema: JsonObject) -> str:
    reference: str = schema.get("$ref", "")
    return reference.rpartition("/")[2]


def _text(schema: JsonObject) -> str:
    match schema.get("format"):
        case "snowflake":
            return ROLE_ID
        case "date-time":
            return NOW
    if "[0-9]" in schema.get("pattern", ""):
        return "0"
    return "text" if schema.get("minLength") else ""


_KINDS = {
    type(None): "null",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
}


def _allows(schema: JsonObject, value: Any) -> bool:
    """Return whether the schema allows a typical value. Objects are for fields of their schema."""
    if "anyOf" in schema or "$ref" in schema:
        return isinstance(value, dict)
    if "enum" in schema:
        return value in schema["enum"]
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        return False
    if schema.get("format") == "date-time" and value not in (NOW, LATER):
        return False
    kinds = schema.get("type", [])
    return _KINDS[type(value)] in (kinds if isinstance(kinds, list) else [kinds])


_OF_BOTS = {each.value for each in (APPLICATION, APPLICATION_OWNER, BOT)}


def curl(method: str, path: str, operation: JsonObject) -> str:
    """Return a curl command for the operation; the reader sets `$API` and `$TOKEN`."""
    query, headers = [], []
    for each in operation["parameters"]:
        if "$ref" in each:
            continue
        value = quote(str(each["example"]), safe="")
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", value)
        elif each["in"] == "header":
            headers.append(f"-H '{each['name']}: {each['example']}'")
        elif each.get("required") or each["name"] in ("ex", "is", "hm"):  # of a signed link
            query.append(f"{each['name']}={value}")
    address = f'"$API{path}{"?" if query else ""}{"&".join(query)}"'
    parts = ["curl" if method == "get" else f"curl -X {method.upper()}", address]
    if "security" in operation:
        scheme = "Bot" if operation["x-needs"] in _OF_BOTS else "Bearer"
        parts.append(f'-H "Authorization: {scheme} $TOKEN"')
    parts += headers + _body_arguments(operation)
    return " \\\n  ".join([" ".join(parts[:2]), *parts[2:]])


def _body_arguments(operation: JsonObject) -> list[str]:
    """Return the arguments of curl that send the example of a body; none without a body."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/octet-stream" in content:
        return [f"--data-binary @{FIELDS['filename']}"]
    if "application/json" not in content:
        return []
    body = json.dumps(content["application/json"]["example"], ensure_ascii=False)
    return ["-H 'Content-Type: application/json'", "-d '" + body.replace("'", "'\\''") + "'"]
