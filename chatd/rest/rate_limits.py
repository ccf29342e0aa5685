"""How often a route may be called: the route's own limit, and one over all routes.

Those who are logged in are counted by their account, and separately for each channel, guild or
webhook in the path; all others by their address. Rule: Discord docs, Topics, "Rate Limits".
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.clients import client_network
from chatd.core.errors import Unauthorized
from chatd.core.ids import parse_id
from chatd.ephemeral import headers
from chatd.ephemeral.windows import Limit, Verdict
from chatd.keys import CONTEXT, RESOURCES
from chatd.rest import middlewares, routes
from chatd.rest.routes import Route

GLOBAL = Limit(50, 1.0)
INVALID_TOKENS = Limit(10_000, 600.0, "invalid tokens")
"""Answers of 401 to one address; beyond them it is told 429."""

_MAJOR = ("channel_id", "guild_id", "webhook_id")


@dataclass(frozen=True, slots=True)
class _Bucket:
    """Where the hits of a route are counted; `major` names the id that keeps them apart."""

    limit: Limit
    id: str
    major: str


_BUCKETS: web.AppKey[dict[Handler, _Bucket]] = web.AppKey("_BUCKETS")
_TOLD: web.RequestKey[tuple[Verdict, str]] = web.RequestKey("_TOLD")


def add_to(app: web.Application) -> None:
    """Limit every route of the table that has a limit. Goes after what finds out who asks."""
    limited = [(route, route.limit) for route in routes.table() if route.limit is not None]
    app[_BUCKETS] = {route.handler: _bucket(route, limit) for route, limit in limited}
    app.middlewares.insert(app.middlewares.index(middlewares.errors) + 1, _invalid_tokens)
    app.middlewares.append(_by_route)
    app.on_response_prepare.append(_tell)


@web.middleware
async def _by_route(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Raises RateLimited."""
    match = request.match_info
    bucket = request.app[_BUCKETS].get(match.handler)
    if bucket is None:
        return await handler(request)
    context = request.get(CONTEXT)
    who = client_network(request) if context is None else context.user.id
    limits = request.app[RESOURCES].rate_limits
    key = f"global:{who}"
    verdict = limits.hit(GLOBAL, key) or await limits.wait_for_hit(GLOBAL, key)
    if not verdict.granted:
        raise headers.global_refusal(verdict)
    key = f"{bucket.id}:{_id(match.get(bucket.major))}:{who}"
    verdict = limits.hit(bucket.limit, key) or await limits.wait_for_hit(bucket.limit, key)
    if not verdict.granted:
        raise headers.refusal(verdict, bucket.id)
    request[_TOLD] = verdict, bucket.id
    return await handler(request)


@web.middleware
async def _invalid_tokens(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell an address that keeps sending invalid tokens to wait; valid ones go on from there.

    Raises RateLimited.
    """
    try:
        return await handler(request)
    except Unauthorized:
        limits = request.app[RESOURCES].rate_limits
        key = f"invalid:{client_network(request)}"
        verdict = await limits.wait_for_hit(INVALID_TOKENS, key)
        if not verdict.granted:
            raise headers.refusal(verdict, headers.bucket_id(INVALID_TOKENS.bucket)) from None
        raise


async def _tell(request: web.Request, response: web.StreamResponse) -> None:
    """Say in every answer what is left, refusals included; but for those of other limits."""
    told = request.get(_TOLD)
    if told is not None and "X-RateLimit-Limit" not in response.headers:
        response.headers.update(headers.of_verdict(*told))


def _bucket(route: Route, limit: Limit) -> _Bucket:
    major = next((name for name in _MAJOR if f"{{{name}}}" in route.path), "")
    return _Bucket(limit, headers.bucket_id(limit.bucket or f"{route.method} {route.path}"), major)


def _id(text: str | None) -> int:
    """One number for all spellings of an id; what is none shares a window."""
    try:
        return parse_id(text) if text else 0
    except ValueError:
        return 0
