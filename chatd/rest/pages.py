"""The description of the API as one page for people: no scripts, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from html import escape
from typing import Any

from chatd.wire.shape import Json

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .5rem; border: 1px solid #8886; border-radius: .25rem; }
nav ul { columns: 4 9rem; padding: 0; list-style: none; }
details { border-top: 1px solid #8886; padding: .25rem 0 .25rem 1rem; }
summary { cursor: pointer; margin-left: -1rem; padding: .25rem 0; }
.method { display: inline-block; min-width: 4.5rem; font-weight: bold; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8886; padding: .25rem .5rem; text-align: left;
         vertical-align: top; }
h2 { margin-top: 2.5rem; } h4 { margin: 1rem 0 0; }
"""

POLICY = "; ".join(
    [
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
"""The Content-Security-Policy of the page: its own style, and nothing else at all."""


def page(document: Json) -> str:
    """The whole document, by resource; what it refers to stands at the end, and is linked."""
    by_tag: dict[str, list[tuple[str, str, Json]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            by_tag.setdefault(operation["tags"][0], []).append((method, path, operation))
    schemas = document["components"]["schemas"]
    info = document["info"]
    title = f"{info['title']} {info['version']}"
    return "".join(
        [
            f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
            '<meta name="viewport" content="width=device-width">'
            f"<style>{_STYLE}</style><body><h1>{escape(title)}</h1>",
            f"<p>{_prose(info['description'])}</p>",
            f"<p>It stands under {_listed(_code(each['url']) for each in document['servers'])}."
            ' For programs: <a href="openapi.json">openapi.json</a>.</p>',
            "<nav><ul>",
            *(f'<li><a href="#{tag["name"]}">{tag["name"]}</a>' for tag in document["tags"]),
            '<li><a href="#schemas">schemas</a></ul></nav>',
            *(_section(tag, by_tag[tag["name"]], document) for tag in document["tags"]),
            '<h2 id="schemas">schemas</h2>',
            *(_schema(name, schemas[name]) for name in sorted(schemas)),
            "</body></html>",
        ]
    )


def _section(tag: Json, operations: Iterable[tuple[str, str, Json]], document: Json) -> str:
    head = f'<h2 id="{tag["name"]}">{tag["name"]}</h2><p>{_prose(tag["description"])}</p>'
    return head + "".join(_operation(*each, document) for each in operations)


def _operation(method: str, path: str, operation: Json, document: Json) -> str:
    found = [
        f'<details id="{escape(operation["operationId"])}"><summary>',
        f'<code><span class="method">{method.upper()}</span> {escape(path)}</code> ',
        f"{_prose(operation['summary'])}</summary>",
        *(f"<p>{_prose(part)}</p>" for part in _more(operation).split("\n\n") if part),
        f"<p>Who may: {escape(operation['x-needs'])}.</p>",
    ]
    components = document["components"]
    parameters = [_resolved(each, components) for each in operation["parameters"]]
    if parameters:
        found.append("<h4>Parameters</h4><table>")
        for each in parameters:
            about = each.get("description", "")
            needed = "required" if each.get("required") else "optional"
            found.append(
                f"<tr><th><code>{escape(each['name'])}</code><td>{each['in']}, {needed}"
                f"<td>{_kind(each['schema'])} {_prose(about)}"
            )
        found.append("</table>")
    if body := operation.get("requestBody"):
        needed = "required" if body["required"] else "optional"
        for media, content in body["content"].items():
            found.append(f"<h4>Body</h4><p>{escape(media)}, {needed}: {_kind(content['schema'])}")
    found.append("<h4>Answers</h4><table>")
    for status, declared in operation["responses"].items():
        answer = _resolved(declared, components)
        kinds = [_kind(each["schema"]) for each in answer.get("content", {}).values()]
        found.append(
            f"<tr><th>{status}<td>{escape(answer['description'])}<td>{_listed(kinds) or 'no body'}"
        )
    return "".join([*found, "</table></details>"])


def _more(operation: Json) -> str:
    """What the description says beyond its first sentence, which is the summary."""
    description: str = operation["description"]
    words = operation["summary"].split()
    said = re.match(r"\s+".join(map(re.escape, words)), description)
    return description[said.end() :].strip() if said else description


def _schema(name: str, schema: Json) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><th><code>{escape(key)}</code><td>{'always' if key in required else 'optional'}"
        f"<td>{_kind(each)}"
        for key, each in schema.get("properties", {}).items()
    )
    about = _prose(schema.get("description", ""))
    return f'<h3 id="schema.{escape(name)}">{escape(name)}</h3><p>{about}</p><table>{rows}</table>'


def _kind(schema: Json) -> str:
    """A schema in a line; those with names as links."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#schema.{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if schema.get("type") == "array" and "items" in schema:
        limits = {key: each for key, each in schema.items() if key not in ("type", "items")}
        return f"array of {_kind(schema['items'])}{_limits(limits)}"
    if "enum" in schema:
        return "one of " + _listed(_code(json.dumps(each)) for each in schema["enum"])
    kinds = schema.get("type", "anything")
    shown = kinds if isinstance(kinds, str) else " or ".join(kinds)
    limits = {key: each for key, each in schema.items() if key not in ("type", "description")}
    return shown + _limits(limits)


def _limits(limits: Json) -> str:
    shown = (f"{key} {_code(json.dumps(each))}" for key, each in limits.items())
    return "".join(f", {each}" for each in shown)


def _resolved(part: Json, components: Json) -> Json:
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    found: Json = components[kind][name]
    return found


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _prose(text: str) -> str:
    """A paragraph, in which what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _listed(parts: Iterable[Any]) -> str:
    return ", ".join(parts)
