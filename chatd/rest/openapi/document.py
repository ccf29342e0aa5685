"""Building the OpenAPI document from the table of routes."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

import chatd
from chatd.core.json import JsonObject
from chatd.core.permissions import Permissions
from chatd.rest import guide
from chatd.rest.openapi.details import add_descriptions, add_examples
from chatd.rest.openapi.texts import (
    ERRORS,
    GATEWAY,
    HEADERS,
    PATH_PARAMETERS,
    REASON,
    SECURITY,
    STATUSES,
    TAGS,
)
from chatd.rest.routing import (
    ADMINISTRATOR,
    AUTHENTICATED,
    BOT,
    HUMAN,
    PREFIXES,
    PUBLIC,
    TOKEN,
    Body,
    Route,
)
from chatd.wire import responses
from chatd.wire.json_schema import ID, ResponseSchema
from chatd.wire.validators import unique


@cache
def document(table: tuple[Route, ...]) -> JsonObject:
    """Return the document of all routes; it is built once for each table."""
    return _Document().build(table)


class _Document:
    def __init__(self) -> None:
        marshmallow = MarshmallowPlugin(schema_name_resolver=_name)
        self._spec = APISpec(
            title="chatd",
            version=chatd.__version__,
            openapi_version="3.1.0",
            plugins=[marshmallow],
            info={"description": guide.TEXT},
            servers=[{"url": prefix or "/"} for prefix in reversed(PREFIXES)],
        )
        assert marshmallow.converter is not None  # set once the plugin belongs to a spec
        self._converter = marshmallow.converter
        # `_resolved` returns copies. Fields that share an object would share their descriptions.
        self._converter.add_attribute_function(  # type: ignore[no-untyped-call]
            lambda converter, field, ret: self._resolved(_field_attributes(converter, field, ret))
        )
        self._ids: Counter[str] = Counter()
        self._seen: set[str] = set()

    def build(self, table: Iterable[Route]) -> JsonObject:
        components = self._spec.components
        for name, scheme in SECURITY.items():
            components.security_scheme(name, scheme)
        components.parameter("Reason", "header", REASON)
        for status, about in ERRORS.items():
            schema = responses.RATE_LIMITED if status == 429 else responses.ERROR
            components.response(str(status), _response(about, self._resolved(schema)))
        for name, about in TAGS.values():
            self._spec.tag({"name": name, "description": about})
        for route in table:
            operation = self._operation(route)
            self._spec.path(route.path, operations={route.method.lower(): operation})
        for path, needs_login, about, schema in GATEWAY:
            operation = self._gateway_operation(needs_login, about, schema)
            self._spec.path(path, operations={"get": operation})
        return add_examples(add_descriptions(self._spec.to_dict()))

    def _operation(self, route: Route) -> JsonObject:
        about = inspect.getdoc(route.declared) or ""
        module = _module(route)
        operation: JsonObject = {
            "tags": [TAGS[module][0]],
            "operationId": self._operation_id(f"{module}.{route.declared.__name__}"),
            "summary": " ".join(re.split(r"(?<=\.)\s", about, maxsplit=1)[0].split()),
            "description": about,
            "x-needs": _needs(route),
            "parameters": [*self._parameters(route)],
            "responses": self._responses(route),
        }
        if route.limit is not None:
            operation["x-rate-limit"] = {
                "requests": route.limit.requests,
                "seconds": route.limit.per_s,
            }
        if not route.is_open:
            operation["security"] = [{name: []} for name in SECURITY]
        if route.body is not None:
            operation["requestBody"] = {
                "required": route.body.required,
                "description": _size(route.body),
                "content": {
                    media: {"schema": self._resolved(schema)}
                    for media, schema in route.body.media.items()
                },
            }
        return operation

    def _gateway_operation(
        self, needs_login: bool, about: str, schema: ResponseSchema
    ) -> JsonObject:
        summary = about.partition(".")[0] + "."
        operation: JsonObject = {
            "tags": [TAGS["gateway"][0]],
            "operationId": self._operation_id("gateway.get"),
            "summary": summary,
            "description": about,
            "x-needs": (AUTHENTICATED if needs_login else PUBLIC).value,
            "parameters": [],
            "responses": {
                "200": _response(STATUSES.get(200, "Done."), self._resolved(schema)),
                **{str(status): str(status) for status in (400, 429, 503)},
            },
        }
        if needs_login:
            operation["security"] = [{name: []} for name in SECURITY]
            operation["responses"]["401"] = "401"
        return operation

    def _operation_id(self, name: str) -> str:
        """Return a unique name. A handler that serves two paths gives it to two operations."""
        self._ids[name] += 1
        count = self._ids[name]
        return name if count == 1 else f"{name}_{count}"

    def _parameters(self, route: Route) -> list[JsonObject | str]:
        found: list[JsonObject | str] = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": ID if name.endswith("_id") else PATH_PARAMETERS[name],
            }
            for name in re.findall(r"\{(\w+)\}", route.path)
        ]
        if route.query is not None:
            found += self._converter.schema2parameters(route.query(), location="query")
        if (header := HEADERS.get(f"{_module(route)}.{route.declared.__name__}")) is not None:
            found.append(dict(header))
        if _reads_reason(route):
            found.append("Reason")
        return found

    def _responses(self, route: Route) -> JsonObject:
        found: JsonObject = {}
        for status, schema in route.answers.items():
            content = None if schema is None else self._resolved(schema)
            media = "application/json" if schema is None else schema.media
            found[str(status)] = _response(STATUSES.get(status, "Done."), content, media)
            is_page = schema is not None and schema.has_page
            if is_page or (route.page is not None and status == 200):
                html = {"schema": self._resolved(responses.HTML)}
                found[str(status)]["content"][responses.HTML.media] = html
        for status in _error_statuses(route):
            found.setdefault(str(status), str(status))  # a reference to the component
        return dict(sorted(found.items()))

    def _resolved(self, schema: Any) -> Any:
        """Return the schema, with references in place of schemas that have a name."""
        match schema:
            case ResponseSchema(name=str(name), schema=content):
                if name not in self._seen:
                    self._seen.add(name)
                    self._spec.components.schema(name, self._resolved(content))
                return {"$ref": f"#/components/schemas/{name}"}
            case ResponseSchema(schema=content):
                return self._resolved(content)
            case type():
                return self._converter.resolve_nested_schema(schema)  # type: ignore[no-untyped-call]
            case dict():
                return {key: self._resolved(each) for key, each in schema.items()}
            case list() | tuple():
                return [self._resolved(each) for each in schema]
            case _:
                return schema


def _reads_reason(route: Route) -> bool:
    """Return whether the audit log may get an entry with the reason of the request."""
    if route.path == "/interactions":  # they change nothing that the log is about
        return False
    if route.needs is TOKEN:
        is_webhook = route.path.endswith("/{webhook_token}")
        return is_webhook and route.method in ("PATCH", "DELETE")
    return route.method != "GET" and route.needs is not PUBLIC


def _size(body: Body[Any]) -> str:
    if "application/octet-stream" in body.media:
        return "At most as many bytes as the server accepts in a file (UPLOAD_MAX_BYTES)."
    return f"At most {body.max_bytes // 1024} KiB of JSON."


def _response(about: str, schema: Any, media: str = "application/json") -> JsonObject:
    if schema is None:
        return {"description": about}
    return {"description": about, "content": {media: {"schema": schema}}}


def _error_statuses(route: Route) -> list[int]:
    """Return the statuses of the errors that a route can respond with."""
    in_path = "{" in route.path
    found = [429, 503]
    if in_path or route.body or route.query or not route.is_open:
        found.append(400)  # callers with a login may send a reason that is too long
    if route.needs is not PUBLIC:
        found.append(401)
    if in_path or route.needs in (HUMAN, BOT, ADMINISTRATOR):
        found.append(403)
    if in_path:
        found.append(404)
    if route.query:
        found.append(431)
    if route.body:
        found += [408, 413, 415]
    return found


def _needs(route: Route) -> str:
    if isinstance(route.needs, Permissions):
        needed = " and ".join(each.name or "" for each in Permissions if each in route.needs)
        return needed if route.bots else f"{needed}; bots cannot call it"
    return route.needs.value


def _module(route: Route) -> str:
    return route.declared.__module__.rpartition(".")[2]


def _name(schema: Any) -> str:
    """Return the name in the document: NewMessage for NewMessageSchema."""
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema").lstrip("_")


def _field_attributes(converter: Any, field: Any, ret: JsonObject) -> JsonObject:
    """Return what apispec does not know: our own kinds of fields, and defaults of dataclasses."""
    found: JsonObject = dict(getattr(field, "json", {}))
    for keyword in getattr(field, "underived", ()):  # that apispec has added
        ret.pop(keyword, None)
    if schemas := getattr(field, "schemas", ()):  # of a field that can be one of several objects
        found["anyOf"] = [converter.resolve_nested_schema(each) for each in schemas]
    if field.allow_none and "type" in found:
        kinds = found["type"]
        found["type"] = [*([kinds] if isinstance(kinds, str) else kinds), "null"]
    if unique in field.validators:
        found["uniqueItems"] = True
    if (default := _default(field)) is not None:
        in_query = found.get("type") == "string"  # values in a query string are text
        found["default"] = str(default).lower() if in_query else default
    return found


def _default(field: Any) -> Any:
    """Return the default of a field, if the dataclass that it is read into has one to show."""
    into = getattr(field.parent, "into", None)
    for each in dataclasses.fields(into) if into is not None else ():
        if each.name == field.name and type(each.default) in (bool, int, str):
            return each.default
    return None
