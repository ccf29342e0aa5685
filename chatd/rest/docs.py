"""The description of the API, for programs and for people."""

from __future__ import annotations

from aiohttp import web

from chatd.rest.openapi import document as described
from chatd.rest.parse import answer
from chatd.rest.routes import ANYONE, Routes
from chatd.wire import shapes

routes = Routes()


@routes.get("/openapi.json", ANYONE, answers=shapes.DOCUMENT)
async def document(request: web.Request) -> web.Response:
    """This document: the whole API as OpenAPI 3.1. Made from what the routes declare and use."""
    return answer(described())
