"""The API as an OpenAPI 3.1 document, made of what the routes declare, and of nothing else.

Requests are described by the schemas that read them (`wire.schemas`), answers by `wire.shapes`,
which the tests hold against what is really answered.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections import Counter
from functools import cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

import chatd
from chatd.core.permissions import Permissions
from chatd.rest import routes
from chatd.rest.parse import MAX_REASON
from chatd.rest.routes import ADMINISTRATOR, ANYONE, BOT, PERSON, Route
from chatd.wire import shapes
from chatd.wire.shape import ID, Json, Shape

_ABOUT = """\
A chat server that speaks Discord's protocol. Ids are strings, times ISO 8601 in UTC. Unknown keys
in bodies and queries are ignored. What happens is told at the gateway, a WebSocket at `/gateway`.
"""

_REFUSALS = {
    400: "The request is not as described here, or asks for what cannot be.",
    401: "Who asks is not known: the token is missing, wrong, expired or revoked.",
    403: "Who asks is known, and may not.",
    404: "There is no such thing, or none that the caller may know of.",
    408: "The body did not arrive in time.",
    413: "The body is larger than 1 MiB.",
    415: "The body is packed; send it without a Content-Encoding.",
    429: "Too many requests, or too soon after the last message in a channel with slow mode.",
    503: "The server or its database is busy or away; try again in a moment.",
}

_SAID = {
    **_REFUSALS,
    304: "The client has it already.",
    416: "The part that is asked for lies beyond the end.",
}

_SECURITY: dict[str, Json] = {
    "Bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token from /auth/login; the bare token will do, too.",
    },
    "Bot": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Bot <token>`, as libraries for bots send it.",
    },
}

_PATH_PARAMETERS: dict[str, Json] = {
    "code": {"type": "string", "pattern": "^[0-9A-Za-z]{1,32}$"},
    "emoji": {"type": "string", "description": "A Unicode emoji.", "minLength": 1},
    "id_hash": {"type": "string", "description": "Which login.", "minLength": 1},
    "channel": ID,
    "file": ID,
    "filename": {"type": "string", "minLength": 1},
    "guild": ID,
    "user": ID,
    "name": {"type": "string", "description": "The hash, and .png", "minLength": 1},
}

_REASON: Json = {
    "name": "X-Audit-Log-Reason",
    "in": "header",
    "description": "Why, for the audit log; percent-encoded UTF-8.",
    "schema": {"type": "string", "maxLength": MAX_REASON},
}


def document() -> Json:
    """The document of all routes, made when it is first asked for."""
    return _made()


@cache
def _made() -> Json:
    return _Document().made()


class _Document:
    def __init__(self) -> None:
        marshmallow = MarshmallowPlugin(schema_name_resolver=_name)
        self._spec = APISpec(
            title="chatd",
            version=chatd.__version__,
            openapi_version="3.1.0",
            plugins=[marshmallow],
            info={"description": _ABOUT},
            servers=[{"url": prefix or "/"} for prefix in reversed(routes.PREFIXES)],
        )
        assert marshmallow.converter is not None  # there is one once the plugin has its spec
        self._converter = marshmallow.converter
        self._converter.add_attribute_function(_of_field)  # type: ignore[no-untyped-call]
        self._ids: Counter[str] = Counter()
        self._seen: set[str] = set()

    def made(self) -> Json:
        components = self._spec.components
        for name, scheme in _SECURITY.items():
            components.security_scheme(name, scheme)
        components.parameter("Reason", "header", _REASON)
        for status, about in _REFUSALS.items():
            shape = shapes.LIMITED if status == 429 else shapes.REFUSAL
            components.response(str(status), _response(about, self._resolved(shape)))
        table = routes.table()
        for module in dict.fromkeys(_module(route) for route in table):
            about = inspect.getdoc(sys.modules[module]) or ""
            self._spec.tag({"name": _tag(module), "description": " ".join(about.split())})
        for route in table:
            operation = self._operation(route)
            self._spec.path(route.path, operations={route.method.lower(): operation})
        return self._spec.to_dict()

    def _operation(self, route: Route) -> Json:
        about = inspect.getdoc(route.declared) or ""
        tag = _tag(_module(route))
        operation: Json = {
            "tags": [tag],
            "operationId": self._operation_id(f"{tag}.{route.declared.__name__}"),
            "summary": " ".join(re.split(r"(?<=\.)\s", about, maxsplit=1)[0].split()),
            "description": about,
            "x-needs": _needs(route),
            "parameters": [*self._parameters(route)],
            "responses": self._responses(route),
        }
        if route.needs is not ANYONE:
            operation["security"] = [{name: []} for name in _SECURITY]
        if route.body is not None:
            operation["requestBody"] = {
                "required": route.body.required,
                "content": {
                    media: {"schema": self._resolved(schema)}
                    for media, schema in route.body.media.items()
                },
            }
        return operation

    def _operation_id(self, wanted: str) -> str:
        """A handler may serve two paths."""
        self._ids[wanted] += 1
        count = self._ids[wanted]
        return wanted if count == 1 else f"{wanted}_{count}"

    def _parameters(self, route: Route) -> list[Json | str]:
        found: list[Json | str] = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": ID if name.endswith("_id") else _PATH_PARAMETERS[name],
            }
            for name in re.findall(r"\{(\w+)\}", route.path)
        ]
        if route.query is not None:
            found += self._converter.schema2parameters(route.query(), location="query")
        if route.method != "GET" and route.needs is not ANYONE:
            found.append("Reason")
        return found

    def _responses(self, route: Route) -> Json:
        found: Json = {}
        for status, shape in route.answers.items():
            content = None if shape is None else self._resolved(shape)
            media = "application/json" if shape is None else shape.media
            found[str(status)] = _response(_SAID.get(status, "Done."), content, media)
        for status in _refusals(route):
            found.setdefault(str(status), str(status))  # a reference to the component
        return dict(sorted(found.items()))

    def _resolved(self, schema: Any) -> Any:
        """A schema with references in the place of what has a name."""
        match schema:
            case Shape(name=str(name), schema=content):
                if name not in self._seen:
                    self._seen.add(name)
                    self._spec.components.schema(name, self._resolved(content))
                return {"$ref": f"#/components/schemas/{name}"}
            case Shape(schema=content):
                return self._resolved(content)
            case type():
                return self._converter.resolve_nested_schema(schema)  # type: ignore[no-untyped-call]
            case dict():
                return {key: self._resolved(each) for key, each in schema.items()}
            case list() | tuple():
                return [self._resolved(each) for each in schema]
            case _:
                return schema


def _response(about: str, schema: Any, media: str = "application/json") -> Json:
    if schema is None:
        return {"description": about}
    return {"description": about, "content": {media: {"schema": schema}}}


def _refusals(route: Route) -> list[int]:
    """The statuses with which a route may say no."""
    in_path = "{" in route.path
    found = [429, 503]
    if in_path or route.body or route.query:
        found.append(400)
    if route.needs is not ANYONE:
        found.append(401)
    if in_path or route.needs in (PERSON, BOT, ADMINISTRATOR):
        found.append(403)
    if in_path:
        found.append(404)
    if route.body:
        found += [408, 413, 415]
    return found


def _needs(route: Route) -> str:
    if isinstance(route.needs, Permissions):
        return " and ".join(each.name or "" for each in Permissions if each in route.needs)
    return route.needs.value


def _module(route: Route) -> str:
    return route.declared.__module__


def _tag(module: str) -> str:
    return module.rpartition(".")[2]


def _name(schema: Any) -> str:
    """NewMessageSchema reads what the document calls NewMessage."""
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema").lstrip("_")


def _of_field(_: Any, field: Any, ret: Json) -> Json:
    """What apispec cannot know of a field: our own kinds, and the defaults of the dataclasses."""
    found: Json = dict(getattr(field, "json", {}))
    if field.allow_none and "type" in found:
        kinds = found["type"]
        found["type"] = [*([kinds] if isinstance(kinds, str) else kinds), "null"]
    into = getattr(field.parent, "into", None)
    if into is not None:
        for each in dataclasses.fields(into):
            if each.name == field.name and type(each.default) in (bool, int, str):
                found["default"] = each.default
    return found
