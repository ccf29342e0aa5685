"""Health checks: liveness and readiness."""

from __future__ import annotations

from aiohttp import web

from chatd.rest.response import json_response
from chatd.rest.routing import PUBLIC, Routes
from chatd.web.keys import DEPENDENCIES
from chatd.wire import responses

_TIMEOUT_S = 1.0  # a load balancer does not wait longer for an answer

routes = Routes()


@routes.get("/health", PUBLIC, limit=None, answers=responses.HEALTH)
async def health(request: web.Request) -> web.Response:
    """Liveness: whether the process runs."""
    return json_response({"status": "ok"})


@routes.get(
    "/health/ready",
    PUBLIC,
    limit=None,
    answers={200: responses.READINESS, 503: responses.READINESS},
)
async def ready(request: web.Request) -> web.Response:
    """Readiness: whether the server can serve requests.

    503 if Postgres is unavailable, or if this instance may not create ids because it may have lost
    its WORKER_ID ("busy"). Without Redis the status is "degraded", with 200: this instance serves
    requests, but does not exchange events with other instances.
    """
    body = await readiness(request)
    return json_response(body, status=503 if body["status"] == "unavailable" else 200)


async def readiness(request: web.Request) -> dict[str, str]:
    """Return which services the server reaches, and in `status` whether that is enough."""
    dependencies = request.app[DEPENDENCIES]
    database = await dependencies.database.check(timeout_s=_TIMEOUT_S)
    if database == "ok" and not dependencies.snowflakes.is_leased:
        database = "busy"
    redis = "ok" if dependencies.bus.connected else "unavailable"
    if database != "ok":
        status = "unavailable"
    elif redis != "ok":
        status = "degraded"
    else:
        status = "ok"
    return {"status": status, "database": database, "redis": redis}
