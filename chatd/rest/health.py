"""Health: whether the process lives, and whether it can serve."""

from __future__ import annotations

from aiohttp import web

from chatd.core.errors import Busy, DatabaseAway
from chatd.keys import RESOURCES
from chatd.rest.parse import answer
from chatd.rest.routes import ANYONE, Routes
from chatd.wire import shapes

routes = Routes()


@routes.get("/health", ANYONE, limit=None, answers=shapes.HEALTH)
async def health(request: web.Request) -> web.Response:
    """Whether the process lives. Anyone may ask."""
    return answer({"status": "ok"})


@routes.get(
    "/health/ready", ANYONE, limit=None, answers={200: shapes.READINESS, 503: shapes.READINESS}
)
async def ready(request: web.Request) -> web.Response:
    """Whether requests can be served. Anyone may ask. 503 while Postgres is away.

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
