"""The documentation of the API: as an OpenAPI document, and as a page."""

from __future__ import annotations

import asyncio
import gzip
from functools import cache

import orjson
from aiohttp import web

from chatd.rest import docs_page
from chatd.rest.encodings import accepted_encoding
from chatd.rest.openapi import document as openapi_document
from chatd.rest.routing import PUBLIC, TABLE, Route, Routes
from chatd.wire import responses

routes = Routes()


@routes.get("/openapi.json", PUBLIC, answers=responses.DOCUMENT)
async def document(request: web.Request) -> web.Response:
    """Get the API as an OpenAPI 3.1 document. It is generated from what the routes declare."""
    return web.Response(
        body=await asyncio.to_thread(_document, request.app[TABLE]), content_type="application/json"
    )


@routes.get("/docs", PUBLIC, answers=responses.HTML)
async def page(request: web.Request) -> web.Response:
    """Get the documentation as a page. It works offline and without scripts."""
    compressed = await asyncio.to_thread(_page, request.app[TABLE])
    accepts_gzip = accepted_encoding(request, "gzip") != ""
    response = web.Response(
        body=compressed if accepts_gzip else await asyncio.to_thread(gzip.decompress, compressed),
        content_type="text/html",
        charset="utf-8",
        headers={**docs_page.HEADERS, "Vary": "Accept-Encoding"},
    )
    if accepts_gzip:
        response.headers["Content-Encoding"] = "gzip"
    return response


@routes.get("/docs/css", PUBLIC, answers=responses.STYLE)
async def style(request: web.Request) -> web.Response:
    """Get the style sheet of the page."""
    return _asset("docs.css", "text/css")


@routes.get("/docs/js", PUBLIC, answers=responses.SCRIPT)
async def script(request: web.Request) -> web.Response:
    """Get the script of the page, which adds a search."""
    return _asset("docs.js", "text/javascript")


def _asset(name: str, media: str) -> web.Response:
    return web.Response(
        body=docs_page.asset(name),
        content_type=media,
        charset="utf-8",
        headers={**docs_page.HEADERS, "Cache-Control": docs_page.CACHE_CONTROL},
    )


# Building the document takes 0.7 s: it is built once for each table, in a thread.


@cache
def _document(table: tuple[Route, ...]) -> bytes:
    return orjson.dumps(openapi_document(table))


@cache
def _page(table: tuple[Route, ...]) -> bytes:
    return docs_page.compressed(openapi_document(table))
