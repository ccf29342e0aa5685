"""What this server has none of, and libraries ask for all the same as they start."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import UserId
from chatd.keys import CONTEXT
from chatd.rest.parse import answer, path_id
from chatd.rest.routes import USER, Routes
from chatd.services import applications
from chatd.wire import shapes

routes = Routes()


@routes.get("/soundboard-default-sounds", USER, answers=shapes.NONE_YET)
async def sounds(request: web.Request) -> web.Response:
    """Sounds for voice channels, of which there are none."""
    return answer([])


@routes.get("/voice/regions", USER, answers=shapes.NONE_YET)
async def regions(request: web.Request) -> web.Response:
    """Where voice channels can be, of which there are none."""
    return answer([])


@routes.get("/applications/{application_id}/commands", USER, answers=shapes.NONE_YET)
async def commands(request: web.Request) -> web.Response:
    """The commands that a bot offers, of which there are none. It and its owner may ask."""
    application_id = path_id(request, UserId, "application_id")
    await applications.require_own(request[CONTEXT], application_id)
    return answer([])
