"""The web client: its page, and the files that the page loads.

The address of a file contains a hash of all files, so browsers keep it for a year, and a page never
mixes the files of two versions. The page itself is never kept.
"""

from __future__ import annotations

import gzip
import hashlib
import posixpath
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final
from urllib.parse import urlsplit

import zstandard
from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.rest import docs_page
from chatd.rest.encodings import accepted_encoding
from chatd.web.client_address import is_secure
from chatd.web.keys import PUBLIC_URL

MAIL_PAGES: Final = ("/forgot", "/reset", "/verify", "/undo")
"""The addresses of the page that links in mails lead to, and where users ask for one."""

PAGES: Final = ("/app", "/app/{rest:.*}", "/login", "/register", "/invite/{code}", *MAIL_PAGES)
"""The addresses of the page, other than `/`. Its script reads the rest of the address."""

_POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:{media}",
        "media-src 'self' blob:{media}",
        "connect-src 'self'{media}",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",  # scripts send the forms
        "frame-ancestors 'none'",
    ]
)
"""The Content-Security-Policy of the page. `media` is the origin of files, if it is another one."""

_HEADERS: Final = {
    **docs_page.HEADERS,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
    "Vary": "Accept, Accept-Encoding",
}

_MEDIA: Final = {
    "js": "text/javascript",
    "css": "text/css",
    "ftl": "text/plain",
    "svg": "image/svg+xml",
    "png": "image/png",
    "webmanifest": "application/manifest+json",
}
"""The media types of the files that are served, by the ends of their names."""

_HOST: Final = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+", re.ASCII)

_ENCODINGS: Final = ("zstd", "gzip")
"""Those in which files are served, the smallest first."""

_COMMENT_LINES: Final = re.compile(
    r"^[ \t]*(?://[^\n]*|/\*(?!!)(?:(?!\*/).)*\*/[ \t]*)\n", re.MULTILINE | re.DOTALL
)
"""Lines of a script that are comments; those that begin with `/*!` may be notices of a licence."""

_STATIC_IMPORT: Final = re.compile(r'\bfrom ?"(\.{1,2}/[^"]+)"')
"""An import or export at the top of a module: `import("…")`, at run time, has no `from`."""


async def page(request: web.Request) -> web.Response:
    """Serve the page of the client."""
    policy = _POLICY.format(media=_media_source(request))
    headers = {**_HEADERS, "Content-Security-Policy": policy}
    encoding = accepted_encoding(request, *_ENCODINGS)
    if encoding:
        headers["Content-Encoding"] = encoding
    body = _encoded_page(encoding)
    return web.Response(body=body, content_type="text/html", charset="utf-8", headers=headers)


def _media_source(request: web.Request) -> str:
    """Return the origin of links to files for the policy, empty if it is that of the page."""
    origin = _origin_of(request.app[PUBLIC_URL])
    own = f"{'https' if is_secure(request) else 'http'}://{request.host}"
    return "" if origin in ("", own) else f" {origin}"


@lru_cache(8)
def _origin_of(url: str) -> str:
    """Return the origin of a URL, or nothing if a policy cannot name it."""
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return ""
    host = parts.hostname or ""
    if not _HOST.fullmatch(host):
        return ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


async def file(request: web.Request) -> web.Response:
    """Serve a file of the client. Raises HTTPNotFound, also for a file of another version."""
    name = request.match_info["name"]
    if request.match_info["version"] != _version() or name not in _files():
        raise web.HTTPNotFound
    encoding = accepted_encoding(request, *_ENCODINGS)
    body = _compressed(name, encoding)
    headers = {
        "Cache-Control": docs_page.CACHE_CONTROL,
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    if encoding:
        headers["Content-Encoding"] = encoding
    media = _MEDIA[name.rpartition(".")[2]]
    charset = None if media == "image/png" else "utf-8"
    return web.Response(body=body, content_type=media, charset=charset, headers=headers)


async def service_worker(request: web.Request) -> web.Response:
    """Serve the script that keeps the page and its files for a start without a connection.

    It is served at the root, because it may only answer requests below its own address.
    """
    headers = {
        "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    body = _files()["service_worker.js"]
    return web.Response(body=body, content_type=_MEDIA["js"], charset="utf-8", headers=headers)


def add_to(app: web.Application, pages: Sequence[str] = PAGES) -> frozenset[Handler]:
    """Add the addresses of the client to an application. Return their handlers: all are public."""
    for path in pages:
        app.router.add_get(path, page)
    app.router.add_get("/client/{version}/{name:.+}", file)
    app.router.add_get("/service_worker.js", service_worker)
    return frozenset((page, file, service_worker))


@cache
def _compressed(name: str, encoding: str) -> bytes:
    """Return a file in an encoding. The largest takes about 3 ms, once."""
    return _compress(_files()[name], encoding)


@cache
def _encoded_page(encoding: str) -> bytes:
    return _compress(_page().encode(), encoding)


def _compress(content: bytes, encoding: str) -> bytes:
    """Return a content in an encoding; unchanged without one."""
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=12).compress(content)
    return gzip.compress(content, mtime=0) if encoding else content


@cache
def _files() -> dict[str, bytes]:
    """Return the files of the client by their names, without the page.

    Scripts have no lines of comments: these would be a fifth of what a browser loads.
    """
    found = dict(_walk(resources.files("chatd.webclient"), ""))
    return {
        name: without_comment_lines(each) if name.endswith(".js") else each
        for name, each in found.items()
        if name.rpartition(".")[2] in _MEDIA
    }


def without_comment_lines(script: bytes) -> bytes:
    """Return a script without those lines that are comments. Templates must have no such lines."""
    return _COMMENT_LINES.sub("", script.decode()).encode()


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
    """Return the page. It names its modules, so that the browser need not discover them in turn.

    It does not name those that views import when the user opens them.
    """
    base = f"/client/{_version()}"
    preloads = "\n".join(
        f'<link rel="modulepreload" href="{base}/{name}">' for name in sorted(_imported("main.js"))
    )
    template = (resources.files("chatd.webclient") / "page.html").read_text()
    return template.format(base=base, preloads=preloads)


def _imported(main: str) -> set[str]:
    """Return a module, and the modules that it and these import statically."""
    found: set[str] = set()
    waiting = [main]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        folder = posixpath.dirname(name)
        for each in _STATIC_IMPORT.findall(_files()[name].decode()):
            waiting.append(posixpath.normpath(posixpath.join(folder, each)))
    return found
