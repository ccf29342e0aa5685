"""Checks every response that a test gets against the OpenAPI document of the server."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import orjson
from jsonschema_rs import Draft202012Validator, Registry

from chatd.rest import openapi
from chatd.rest.routing import PREFIXES
from chatd.rest.table import table

_BASE = "urn:openapi"


def check(method: str, path: str, status: int, media: str, raw: bytes) -> None:
    """Raise AssertionError when a response is not one that its route declares.

    The document must be complete: a key of the body that it lacks is an error, too.
    """
    if (status, media) == (400, "text/plain"):
        return  # from the HTTP parser, before any handler
    declared = _declared(method, path.partition("?")[0].removesuffix("/"))
    if declared is None or status == 405:
        return  # not a route of the API
    name, responses = declared
    where = f"{name} answered {status}, which chatd/rest/ declares"
    assert str(status) in responses, f"{where} nowhere: {raw[:200]!r}"
    content = _resolved(responses[str(status)]).get("content")
    if content is None:
        assert raw == b"", f"{where} without a body: {raw[:200]!r}"
        return
    if "*/*" in content:
        return  # a file
    assert media in content, f"{where} as {', '.join(content)}: {media}"
    if media == "application/json":
        problem = next(_validator(name, status).iter_errors(orjson.loads(raw)), None)
        assert problem is None, f"{where} otherwise: {problem}"


@cache
def document() -> Any:
    """Return the document with `additionalProperties: false` on every object."""
    return _closed(openapi.document(table()))


def _closed(schema: Any) -> Any:
    match schema:
        case dict():
            found = {key: _closed(each) for key, each in schema.items()}
            if "properties" in schema and schema.get("type") == "object":
                found.setdefault("additionalProperties", False)
            return found
        case list():
            return [_closed(each) for each in schema]
        case _:
            return schema


@cache
def _registry() -> Registry:
    return registry_of(document())


def registry_of(openapi_document: Any) -> Registry:
    """Return what `validator` needs: compiling all components for each schema takes 10 ms."""
    return Registry([(_BASE, openapi_document)])


def validator(schema: Any, registry: Registry) -> Draft202012Validator:
    """Return a validator for a part of the document."""
    return Draft202012Validator(_absolute(schema), validate_formats=True, registry=registry)


def _absolute(schema: Any) -> Any:
    """Return a schema whose references name the document in the registry."""
    match schema:
        case {"$ref": str(reference)}:
            return {**schema, "$ref": _BASE + reference}
        case dict():
            return {key: _absolute(each) for key, each in schema.items()}
        case list():
            return [_absolute(each) for each in schema]
        case _:
            return schema


@cache
def _validator(name: str, status: int) -> Draft202012Validator:
    method, _, path = name.partition(" ")
    response = _resolved(document()["paths"][path][method.lower()]["responses"][str(status)])
    return validator(response["content"]["application/json"]["schema"], _registry())


def _resolved(response: Any) -> Any:
    if "$ref" in response:
        return document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return response


@cache
def operations() -> dict[tuple[str, str, int], list[tuple[str, Any]]]:
    """Return the operations of the document by their method, first segment and length of path."""
    found: dict[tuple[str, str, int], list[tuple[str, Any]]] = {}
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            of_kind = found.setdefault((method.upper(), *_kind(path)), [])
            of_kind.append((f"{method.upper()} {path}", operation))
    for each in found.values():
        each.sort(key=lambda entry: entry[0].count("{"))  # fixed segments win over parameters
    return found


def _kind(path: str) -> tuple[str, int]:
    segments = path.split("/")
    return segments[1], len(segments)


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", name.partition(" ")[2]))


@cache
def _declared(method: str, path: str) -> tuple[str, Any] | None:
    for prefix in PREFIXES:
        if not path.startswith(f"{prefix}/"):
            continue
        within = path.removeprefix(prefix)
        for name, operation in operations().get((method, *_kind(within)), []):
            if _pattern(name).fullmatch(within):
                return name, operation["responses"]
    return None
