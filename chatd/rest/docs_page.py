"""The documentation as one HTML page, complete without scripts and without other servers.

The page has no inline script or style, so its Content-Security-Policy allows neither. Style sheet
and script are separate files; their addresses contain a hash, so browsers can cache them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterable
from functools import cache
from html import escape
from importlib import resources
from typing import Any, Final

from markdown_it import MarkdownIt

from chatd.core.json import JsonObject
from chatd.rest import guide

POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
"""The Content-Security-Policy of pages: style sheets and scripts of this server only."""

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""Headers of every page and its files."""

CACHE_CONTROL: Final = "public, max-age=31536000, immutable"
"""Of the files of pages: their addresses contain a hash of their content."""

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_BASE = "http://127.0.0.1:8080/api/v10"  # the script replaces it with the address of the page


@cache
def asset(name: str) -> bytes:
    """Return a file of `static/`."""
    return (resources.files("chatd.rest") / "static" / name).read_bytes()


@cache
def _address(name: str) -> str:
    digest = hashlib.sha256(asset(name)).hexdigest()[:12]
    return f"docs/{name.removeprefix('docs.')}?v={digest}"


def framed(title: str, body: str) -> str:
    """Return a page without a script, with the same style sheet as the documentation."""
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<link rel="stylesheet" href="{_address("docs.css")}"></head>'
        f'<body class="plain">{body}</body></html>'
    )


def compressed(document: JsonObject) -> bytes:
    """Return the page, compressed with gzip. This takes 0.2 s: call it once, and in a thread."""
    return gzip.compress(page(document).encode(), mtime=0)


def page(document: JsonObject) -> str:
    """Return the whole document as HTML: the guide, the operations by section, the objects."""
    by_tag: dict[str, list[tuple[str, str, JsonObject]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            by_tag.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    tags = [tag for tag in document["tags"] if tag["name"] in by_tag]
    schemas = document["components"]["schemas"]
    version = escape(document["info"]["version"])
    return "".join(
        [
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
            "<title>chatd API</title>"
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="color-scheme" content="light dark">'
            f'<link rel="stylesheet" href="{_address("docs.css")}">'
            f'<script src="{_address("docs.js")}" defer></script></head>'
            '<body id="top"><a class="skip" href="#main">Skip to the content</a>'
            f'<header><a class="menu" href="#contents">Contents</a><strong>chatd</strong>'
            f'<span class="dim">{version}</span>'
            '<a class="push" href="openapi.json">openapi.json</a></header>',
            _contents(tags, by_tag, sorted(schemas)),
            '<main id="main"><h1>The chatd API</h1>',
            *_guide(),
            *(_section(tag, by_tag[tag["name"]], document) for tag in tags),
            '<section><h2 id="objects">Objects</h2><p class="about">The objects in requests'
            " and responses.</p>",
            *(_schema(name, schemas[name]) for name in sorted(schemas)),
            "</section></main></body></html>",
        ]
    )


def _contents(tags: list[JsonObject], by_tag: dict[str, Any], schemas: list[str]) -> str:
    _, *chapters = re.split(r"^## ", guide.TEXT, flags=re.MULTILINE)
    return "".join(
        [
            '<nav id="contents" aria-label="Contents"><a class="close" href="#top">Close</a>'
            '<div hidden><label class="dim" for="search">Search (press /)</label>'
            '<input id="search" type="search" autocomplete="off" spellcheck="false">'
            '<span id="found" class="dim" role="status"></span></div>'
            "<h2>Guide</h2><ul>",
            *(_chapter_entry(*each.split("\n", 1)) for each in chapters),
            "</ul><h2>Operations</h2>",
            *(_entries(tag["name"], by_tag[tag["name"]]) for tag in tags),
            "<h2>Objects</h2><details><summary>Objects</summary><ul>",
            *(f'<li><a href="#object-{each}">{each}</a></li>' for each in schemas),
            "</ul></details></nav>",
        ]
    )


def _chapter_entry(title: str, text: str) -> str:
    """Return the entry of a chapter of the guide. The search finds it by each word in it."""
    words = sorted({*re.findall(r"[a-z0-9_@./-]+", f"{title} {text}".lower())})
    link = f'<a href="#{_anchor(title)}">{escape(title)}</a>'
    return f'<li data-words="{escape(" ".join(words))}">{link}</li>'


def _entries(title: str, operations: Iterable[tuple[str, str, JsonObject]]) -> str:
    listed = []
    for method, path, operation in operations:
        words = escape(f"{method} {path} {operation['summary']} {title}".lower())
        name = escape(operation["operationId"])
        listed.append(
            f'<li data-words="{words}"><a class="operation" href="#{name}">'
            f'<span class="method {method}">{method}</span> {_title(operation)}</a></li>'
        )
    return f"<details><summary>{escape(title)}</summary><ul>{''.join(listed)}</ul></details>"


def _guide() -> Iterable[str]:
    """Yield the guide as HTML; each heading has an anchor."""
    html: str = _MARKDOWN.render(guide.TEXT)
    html = re.sub(
        r"<h([23])>(.*?)</h\1>", lambda found: _heading(found[1], found[2]), html, flags=re.DOTALL
    )
    html = html.replace("<pre>", '<div class="code"><pre tabindex="0">').replace(
        "</pre>", "</pre></div>"
    )
    html = html.replace(f"<code>API={_BASE}", f'<code data-base="{_BASE}">API={_BASE}')
    yield f'<section class="guide">{html}</section>'


def _heading(level: str, title: str) -> str:
    return f'<h{level} id="{_anchor(title)}">{title}</h{level}>'


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _section(
    tag: JsonObject, operations: Iterable[tuple[str, str, JsonObject]], document: JsonObject
) -> str:
    title = escape(tag["name"])
    head = f'<section><h2 id="section-{_anchor(title)}">{title}</h2>'
    about = f'<p class="about">{escape(tag["description"])}</p>'
    return head + about + "".join(_operation(*each, document) for each in operations) + "</section>"


def _operation(method: str, path: str, operation: JsonObject, document: JsonObject) -> str:
    components, name = document["components"], escape(operation["operationId"])
    return "".join(
        [
            f'<article class="operation" id="{name}"><div>'
            f'<h3><a href="#{name}">{_title(operation)}</a></h3><p class="route">'
            f'<code><span class="method {method}">{method}</span> {escape(path)}</code></p>',
            _MARKDOWN.render(_description_body(operation)),
            f'<ul class="facts"><li>Requires: {escape(operation["x-needs"])}</li>',
            *(f"<li>Limit: {each}</li>" for each in _rate_limit(operation)),
            "</ul>",
            *_parameters(operation, components),
            *_body(operation, components),
            *_responses(operation, components),
            '</div><div class="samples">',
            *_samples(operation),
            "</div></article>",
        ]
    )


def _title(operation: JsonObject) -> str:
    return _prose(operation["summary"].removesuffix("."))


def _rate_limit(operation: JsonObject) -> Iterable[str]:
    if limit := operation.get("x-rate-limit"):
        count, seconds = limit["requests"], f"{limit['seconds']:g}"
        yield f"{count} request{'s' * (count > 1)} in {seconds} s"


def _parameters(operation: JsonObject, components: JsonObject) -> Iterable[str]:
    parameters = [_resolved(each, components) for each in operation["parameters"]]
    for place, title in (("path", "Path"), ("query", "Query"), ("header", "Headers")):
        rows = [
            _field(each["name"], each["schema"], each["description"], each.get("required"))
            for each in parameters
            if each["in"] == place
        ]
        if rows:
            yield f"<h4>{title}</h4><dl>{''.join(rows)}</dl>"


def _body(operation: JsonObject, components: JsonObject) -> Iterable[str]:
    if body := operation.get("requestBody"):
        needed = "required" if body["required"] else "optional"
        media = " or ".join(_code(each) for each in body["content"])
        yield f"<h4>Body ({needed})</h4><p>{media}. {_prose(body['description'])}</p>"
        schema = body["content"].get("application/json", {}).get("schema", {})
        many = schema.get("type") == "array"
        item = schema["items"] if many else schema
        if "$ref" in item:
            yield f"<p>{'An array of ' if many else 'Object: '}{_schema_line(item)}</p>"
            yield _fields(_component(item, components))
        elif "anyOf" in item:
            yield f"<p>One of these objects:</p><dl>{''.join(_choices(item, components))}</dl>"


def _choices(schema: JsonObject, components: JsonObject) -> Iterable[str]:
    """Yield the objects that a body can be, each with what it is for."""
    for each in schema["anyOf"]:
        about = _prose(_component(each, components)["description"])
        yield f"<dt>{_schema_line(each)}</dt><dd>{about}</dd>"


def _responses(operation: JsonObject, components: JsonObject) -> Iterable[str]:
    yield "<h4>Responses</h4><dl>"
    for status, declared in operation["responses"].items():
        response = _resolved(declared, components)
        kinds = [_schema_line(each["schema"]) for each in response.get("content", {}).values()]
        shown = ", ".join(kinds) or "no body"
        yield f"<dt><code>{status}</code> <span>{shown}</span></dt>"
        yield f"<dd>{_prose(response['description'])}</dd>"
    yield "</dl>"


def _samples(operation: JsonObject) -> Iterable[str]:
    for sample in operation["x-codeSamples"]:
        yield f"<h4>Request</h4>{_block(sample['source'], 'code shell')}"
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body and body["example"]:
        yield f"<h4>Body</h4>{_block(_json(body['example']))}"
    for status, response in operation["responses"].items():
        if status < "3":
            content = response.get("content", {})
            if "application/json" in content:
                example = content["application/json"]["example"]
                yield f"<h4>Response {status}</h4>{_block(_json(example))}"
            else:
                yield f"<h4>Response {status}</h4><p>{'A file.' if content else 'No body.'}</p>"


def _description_body(operation: JsonObject) -> str:
    """Return the description without its first sentence, which is the title."""
    description: str = operation["description"]
    words = operation["summary"].split()
    said = re.match(r"\s+".join(map(re.escape, words)), description)
    return description[said.end() :].strip() if said else description


def _schema(name: str, schema: JsonObject) -> str:
    about = _prose(schema.get("description", ""))
    return (
        f'<article id="object-{escape(name)}"><h3>{escape(name)}</h3><p class="about">{about}</p>'
        f"{_fields(schema)}</article>"
    )


def _fields(schema: JsonObject) -> str:
    """Return the fields of an object; fields that are not supported are collapsed."""
    required = schema.get("required", ())
    shown: list[str] = []
    refused: list[str] = []
    for key, each in schema.get("properties", {}).items():
        kind = {key: value for key, value in each.items() if key != "description"}
        where = refused if "x-unsupported" in each else shown
        where.append(_field(key, kind, each.get("description", ""), key in required))
    found = f"<dl>{''.join(shown)}</dl>" if shown else ""
    if refused:
        found += (
            f'<details class="inside"><summary>Not supported: {len(refused)} fields</summary>'
            f"<dl>{''.join(refused)}</dl></details>"
        )
    return found


def _field(name: str, schema: JsonObject, about: str, required: Any) -> str:
    needed = "" if required else "optional, "
    return (
        f"<dt><code>{escape(name)}</code> <span>{needed}{_schema_line(schema)}</span></dt>"
        f"<dd>{_prose(about)}</dd>"
    )


_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "minimum": "from {}",
    "maximum": "up to {}",
    "default": "default {}",
    "format": "{}",
}
_ONE = {"minLength": "at least 1 character", "maxLength": "at most 1 character"}
_QUIET = {("minItems", 0), ("minLength", 0), ("maxItems", 0), ("default", "")}
_NO_LIMIT = 2**31 - 1  # limits from here on are technical, and are not shown


def _schema_line(schema: JsonObject) -> str:
    """Return a schema in one line; schemas with a name become links."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#object-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_schema_line(each) for each in schema["anyOf"])
    if schema.get("type") in ("array", ["array", "null"]) and "items" in schema:
        return _array_line(schema)
    if "enum" in schema:
        return _enum_line(schema)
    kinds = schema.get("type", "anything")
    if schema.get("format") == "snowflake":
        kinds, schema = _id_kind(kinds), {"default": schema.get("default")}
    shown = kinds if isinstance(kinds, str) else " or ".join(kinds)
    return shown + _limits(schema)


def _array_line(schema: JsonObject) -> str:
    limits = {key: each for key, each in schema.items() if key != "items"}
    null = " or null" if schema["type"] != "array" else ""
    return f"array of {_schema_line(schema['items'])}{null}{_limits(limits)}"


def _enum_line(schema: JsonObject) -> str:
    listed = ", ".join(_code(json.dumps(each)) for each in schema["enum"])
    limits = {"default": schema["default"]} if "default" in schema else {}
    return f"{'one of ' if len(schema['enum']) > 1 else ''}{listed}{_limits(limits)}"


def _id_kind(kinds: Any) -> str:
    return "id or null" if "null" in kinds and isinstance(kinds, list) else "id"


def _limits(schema: JsonObject) -> str:
    shown = []
    for key, each in schema.items():
        is_far = type(each) is int and abs(each) >= _NO_LIMIT
        if key in _LIMITS and each is not None and (key, each) not in _QUIET and not is_far:
            text = str(each) if key == "format" else json.dumps(each)
            limit = _ONE.get(key, _LIMITS[key]) if each == 1 else _LIMITS[key]
            shown.append(", " + escape(limit.format(text)))
    return "".join(shown)


def _resolved(part: JsonObject, components: JsonObject) -> JsonObject:
    return _component(part, components) if "$ref" in part else part


def _component(part: JsonObject, components: JsonObject) -> JsonObject:
    _, _, kind, name = part["$ref"].split("/")
    found: JsonObject = components[kind][name]
    return found


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _block(text: str, kind: str = "code") -> str:
    """Return a block of code, which can also be scrolled by keyboard."""
    return f'<div class="{kind}"><pre tabindex="0"><code>{escape(text)}</code></pre></div>'


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _prose(text: str) -> str:
    """Return a text as HTML, with code for what is between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
