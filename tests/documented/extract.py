"""Generate `fields.json` and `components.json` from Discord's OpenAPI document.

The document is at github.com/discord/discord-api-spec.

Usage: python -m tests.documented.extract path/to/openapi.json

For each operation it contains the query parameters and the fields of the body with their paths,
with their possible values where these are limited. Fields of the body also have their JSON types.
`components.json` contains the schemas of the components in messages, as clients receive them.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from chatd.core.json import JsonObject

Schemas = dict[str, list[JsonObject]]
"""The schemas of each field; a field of a union can have several."""

FILE = Path(__file__).with_name("fields.json")
COMPONENTS_FILE = FILE.with_name("components.json")
_METHODS = ("get", "post", "put", "patch", "delete")
_MOST_LEVELS = 4


def bare(path: str) -> str:
    """Return a path without the names of its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", path)


class Document:
    """An OpenAPI document and the fields of its requests."""

    def __init__(self, document: JsonObject) -> None:
        self._document = document

    def operations(self) -> dict[str, tuple[Schemas, Schemas]]:
        """Return the parameters and the fields of every operation, by method and bare path."""
        return {
            f"{method.upper()} {bare(path)}": (
                self._parameters(item.get("parameters", []) + item[method].get("parameters", [])),
                self._body(item[method]),
            )
            for path, item in self._document["paths"].items()
            for method in _METHODS
            if method in item
        }

    def values(self, schemas: list[JsonObject]) -> list[Any]:
        """Return the possible values of a field if these are limited; otherwise nothing."""
        found: list[Any] = []
        for schema in map(self._resolved, schemas):
            if schema.get("type") == "null":
                continue
            values = self._values_of(schema)
            if not values:
                return []
            found += [each for each in values if each not in found]
        return found

    def types(self, schemas: list[JsonObject]) -> set[str]:
        """Return the JSON types of the values of a field; nothing if any type is allowed."""
        found = set()
        for schema in map(self._resolved, schemas):
            stated = schema.get("type", [])
            found |= {stated} if isinstance(stated, str) else {*stated}
            if not stated:
                values = [
                    *schema.get("enum", ()),
                    *([schema["const"]] if "const" in schema else ()),
                ]
                found |= {_type_of(each) for each in values}
            union = [each for key in ("allOf", "anyOf", "oneOf") for each in schema.get(key, ())]
            found |= self.types(union)
        return found

    def _values_of(self, schema: JsonObject) -> list[Any]:
        if "enum" in schema:
            return [each for each in schema["enum"] if each is not None]
        if "const" in schema:
            return [schema["const"]]
        if isinstance(items := schema.get("items"), dict):
            return self.values([items])
        union = [each for key in ("allOf", "anyOf", "oneOf") for each in schema.get(key, ())]
        return self.values(union)

    def _parameters(self, given: list[JsonObject]) -> Schemas:
        parameters = map(self._resolved, (each for each in given if isinstance(each, dict)))
        return {each["name"]: [each["schema"]] for each in parameters if each["in"] == "query"}

    def _body(self, operation: JsonObject) -> Schemas:
        found: Schemas = defaultdict(list)
        content = self._resolved(operation.get("requestBody", {})).get("content", {})
        for media in content.values():
            for path, schema in self._properties(media["schema"]):
                if schema not in found[path]:
                    found[path].append(schema)
        return dict(found)

    def _properties(
        self, schema: JsonObject, before: str = "", above: tuple[int, ...] = ()
    ) -> Iterator[tuple[str, JsonObject]]:
        schema = self._resolved(schema)
        if id(schema) in above or before.count(".") >= _MOST_LEVELS - 1:
            return
        above = (*above, id(schema))
        for key in ("allOf", "anyOf", "oneOf"):
            for each in schema.get(key, ()):
                yield from self._properties(each, before, above)
        if isinstance(items := schema.get("items"), dict):
            yield from self._properties(items, f"{before}[]", above)
        for name, each in schema.get("properties", {}).items():
            path = f"{before}.{name}" if before else name
            yield path, each
            yield from self._properties(each, path, above)

    def _resolved(self, schema: JsonObject) -> JsonObject:
        while "$ref" in schema:
            found: Any = self._document
            for key in schema["$ref"].removeprefix("#/").split("/"):
                found = found[key]
            schema = found
        return schema


def component_schemas(document: JsonObject) -> JsonObject:
    """Return the schema of the components of a message, and the schemas that it refers to."""
    schemas = document["components"]["schemas"]
    wanted = schemas["MessageResponse"]["properties"]["components"]
    found: JsonObject = {}
    waiting = [wanted]
    while waiting:
        for name in re.findall(r"#/components/schemas/(\w+)", orjson.dumps(waiting.pop()).decode()):
            if name not in found:
                found[name] = schemas[name]
                waiting.append(schemas[name])
    return {**wanted, "components": {"schemas": dict(sorted(found.items()))}}


def _type_of(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return "null" if value is None else names.get(type(value), "object")


def main() -> None:
    """Write the files."""
    read = orjson.loads(Path(sys.argv[1]).read_bytes())
    COMPONENTS_FILE.write_bytes(orjson.dumps(component_schemas(read)) + b"\n")
    document = Document(read)
    lines = []
    for name, (query, body) in sorted(document.operations().items()):
        fields: JsonObject = {
            kind: {path: document.values(schemas) for path, schemas in sorted(found.items())}
            for kind, found in (("query", query), ("body", body))
            if found
        }
        if body:
            fields["types"] = {
                path: sorted(document.types(schemas)) for path, schemas in sorted(body.items())
            }
        if fields:
            lines.append(f"  {orjson.dumps(name).decode()}: {orjson.dumps(fields).decode()}")
    source = f"{read['info']['title']}, version {read['info']['version']}"
    text = ",\n".join(lines)
    FILE.write_text(f'{{"source": "{source}", "operations": {{\n{text}\n}}}}\n')


if __name__ == "__main__":
    main()
