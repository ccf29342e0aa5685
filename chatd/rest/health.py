"""Health: whether the process lives, and whether it can serve."""

from __future__ import annotations

from aiohttp import web

from chatd.core.errors import Busy, DatabaseAway
from chatd.keys import RESOURCES
from chatd.rest.parse import answer
from chatd.rest.routes import ANYONE, Routes

routes = Routes()


@routes.get("/health", ANYONE, limit=None)
async def health(request: web.Request) -> web.Response:
    """Anyone may ask whether the process lives."""
    return answer({"status": "ok"})


@routes.get("/health/ready", ANYONE, limit=None)
async def ready(request: web.Request) -> web.Response:
    """Anyone may ask whether requests can be served. 503 while Postgres is away.

    Without Redis this instance serves on, but does not hear the others: "degraded", with 200.
    """
    resources = request.app[RESOURCES]
    try:
        async with resources.database.cursor() as cur:
            await cur.execute("SELECT 1")
        database = "ok"
    except DatabaseAway:
        database = "away"
    except Busy:
        database = "busy"
    redis = "ok" if resources.bus.connected else "away"
    if database != "ok":
        status = "unavailable"
    elif redis != "ok":
        status = "degraded"
    else:
        status = "ok"
    body = {"status": status, "database": database, "redis": redis}
    return answer(body, status=503 if status == "unavailable" else 200)
