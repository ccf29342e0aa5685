"""The web client: its page, and the files that the page loads.

The address of a file contains a hash of all files, so browsers keep it for a year, and a page never
mixes the files of two versions. The page itself is never kept.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

import zstandard
from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.rest import docs_page

PAGES: Final = ("/app", "/app/{rest:.*}", "/login", "/register", "/invite/{code}")
"""The addresses of the page. Its script reads the rest of the address."""

_POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",  # scripts send the forms
        "frame-ancestors 'none'",
    ]
)
_HEADERS: Final = {
    **docs_page.HEADERS,
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_MEDIA: Final = {
    "js": "text/javascript",
    "css": "text/css",
    "ftl": "text/plain",
    "svg": "image/svg+xml",
}
"""The media types of the files that are served, by the ends of their names."""


async def page(request: web.Request) -> web.Response:
    """Serve the page of the client."""
    headers = {**_HEADERS, "Cache-Control": "no-cache"}
    return web.Response(text=_page(), content_type="text/html", headers=headers)


async def file(request: web.Request) -> web.Response:
    """Serve a file of the client. Raises HTTPNotFound, also for a file of another version."""
    name = request.match_info["name"]
    if request.match_info["version"] != _version() or name not in _files():
        raise web.HTTPNotFound
    encoding, body = _encoded(name, request.headers.get("Accept-Encoding", "").lower())
    headers = {
        "Cache-Control": docs_page.CACHE_CONTROL,
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    if encoding:
        headers["Content-Encoding"] = encoding
    media = _MEDIA[name.rpartition(".")[2]]
    return web.Response(body=body, content_type=media, charset="utf-8", headers=headers)


def add_to(app: web.Application) -> frozenset[Handler]:
    """Add the addresses of the client to an application. Return their handlers: all are public."""
    for path in PAGES:
        app.router.add_get(path, page)
    app.router.add_get("/client/{version}/{name:.+}", file)
    return frozenset((page, file))


def _encoded(name: str, accepted: str) -> tuple[str, bytes]:
    """Return the best encoding that a browser accepts, and the content in it."""
    if "zstd" in accepted:
        return "zstd", _compressed(name, "zstd")
    if "gzip" in accepted:
        return "gzip", _compressed(name, "gzip")
    return "", _files()[name]


@cache
def _compressed(name: str, encoding: str) -> bytes:
    """Return a file, compressed. The largest takes about 3 ms, once."""
    content = _files()[name]
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=12).compress(content)
    return gzip.compress(content, mtime=0)


@cache
def _files() -> dict[str, bytes]:
    """Return the files of the client by their names, without the page."""
    found = dict(_walk(resources.files("chatd.webclient"), ""))
    return {name: each for name, each in found.items() if name.rpartition(".")[2] in _MEDIA}


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        else:
            found.append((prefix + entry.name, entry.read_bytes()))
    return found


@cache
def _version() -> str:
    """Return a hash of all files, with their names."""
    digest = hashlib.sha256()
    for name, content in _files().items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


@cache
def _page() -> str:
    """Return the page. It names all modules, so that the browser need not discover them in turn."""
    base = f"/client/{_version()}"
    modules = [name for name in _files() if name.endswith(".js") and name != "net/ticker.js"]
    preloads = "\n".join(f'<link rel="modulepreload" href="{base}/{name}">' for name in modules)
    template = (resources.files("chatd.webclient") / "page.html").read_text()
    return template.format(base=base, preloads=preloads)
