"""The description of the API, for programs and for people."""

from __future__ import annotations

from aiohttp import web

from chatd.rest import pages
from chatd.rest.openapi import document as described
from chatd.rest.parse import answer
from chatd.rest.routes import ANYONE, Routes
from chatd.wire import shapes

routes = Routes()


@routes.get("/openapi.json", ANYONE, answers=shapes.DOCUMENT)
async def document(request: web.Request) -> web.Response:
    """The whole API as OpenAPI 3.1. Made from what the routes declare and use."""
    return answer(described())


@routes.get("/docs", ANYONE, answers=shapes.HTML)
async def page(request: web.Request) -> web.Response:
    """The same as a page to read. It needs no internet, and runs no scripts."""
    return web.Response(
        text=pages.page(described()),
        content_type="text/html",
        headers={
            "Content-Security-Policy": pages.POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        },
    )
