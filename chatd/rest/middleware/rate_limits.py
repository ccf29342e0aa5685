"""Rate limits: of each route, of all routes together, and of requests with invalid tokens.

Requests with a login are counted by account, and separately for each channel, guild or webhook in
the path. Requests with a token in the path are counted by this token, other requests by network
address.
Rule: Discord docs, Topics, "Rate Limits".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

from chatd.context.context import Context
from chatd.core.ids import parse_id
from chatd.ratelimit import headers
from chatd.ratelimit.limiter import RateLimits
from chatd.ratelimit.window import Limit
from chatd.rest.routing import Route
from chatd.web.client_address import client_network
from chatd.web.keys import RATE_LIMIT

GLOBAL = Limit(50, 1.0)
"""All requests of an account, or of an address without a login. Rule: Discord's global limit."""

GLOBAL_WITH_TOKENS = Limit(500, 1.0)
"""For the requests of one address with a token in the path. Discord does not count these globally;
a program that answers many interactions sends them all from one address."""

INVALID_TOKENS = Limit(10_000, 600.0, "invalid tokens")
"""Responses with status 401 to one address; beyond them the status is 429. Discord's limit."""

# The path parameters that keep windows apart. Rule: Discord docs, "top-level dependencies".
_MAJOR = ("channel_id", "guild_id", "webhook_id")
TOKENS = ("interaction_token", "webhook_token")


@dataclass(frozen=True, slots=True)
class _Bucket:
    """Where the requests of a route are counted. Each id of the parameter `major` has a window, and
    so has each token in the parameter `token`."""

    limit: Limit
    id: str
    major: str
    token: str
    overall: tuple[Limit, str]
    """The limit over all such routes, and the name of its windows."""


class RouteLimits:
    """The limits of all routes of a table that have one."""

    def __init__(self, limits: RateLimits, table: Iterable[Route]) -> None:
        self._limits = limits
        limited = [(route, route.limit) for route in table if route.limit is not None]
        self._buckets = {route.handler: _bucket(route, limit) for route, limit in limited}

    async def check(self, request: web.Request, context: Context | None) -> None:
        """Count a request. Raises RateLimited."""
        match, limits = request.match_info, self._limits
        bucket = self._buckets.get(match.handler)
        if bucket is None:
            return
        caller = client_network(request) if context is None else context.user.id
        limit, key = bucket.overall
        key = f"{key}:{caller}"
        if not limits.grant(limit, key):
            decision = await limits.hit_shared(limit, key)
            if not decision.granted:
                raise headers.rate_limited_globally(decision)
        who = (bucket.token and _token(match, bucket)) or caller
        key = f"{bucket.id}:{_id(match.get(bucket.major))}:{who}"
        decision = limits.hit(bucket.limit, key) or await limits.hit_shared(bucket.limit, key)
        if not decision.granted:
            raise headers.rate_limited(decision, bucket.id)
        if bucket.limit.announced:
            request[RATE_LIMIT] = decision, bucket.id

    async def count_invalid_token(self, request: web.Request) -> None:
        """Slow down an address that keeps sending invalid tokens; valid ones still work from there.

        Raises RateLimited.
        """
        key = f"invalid:{client_network(request)}"
        decision = await self._limits.hit_shared(INVALID_TOKENS, key)
        if not decision.granted:
            raise headers.rate_limited(decision, headers.bucket_id(INVALID_TOKENS.bucket)) from None


def _bucket(route: Route, limit: Limit) -> _Bucket:
    major = next((name for name in _MAJOR if f"{{{name}}}" in route.path), "")
    token = next((name for name in TOKENS if f"{{{name}}}" in route.path), "")
    bucket_id = headers.bucket_id(limit.bucket or f"{route.method} {route.path}")
    overall = (GLOBAL_WITH_TOKENS, "tokens") if token else (GLOBAL, "global")
    return _Bucket(limit, bucket_id, major, token, overall)


def _token(match: web.UrlMappingMatchInfo, bucket: _Bucket) -> str:
    """Return a digest of the token in the path.

    All callers with a token share its windows. Keys are stored in Redis, so they
    must not contain the token.
    """
    token = match[bucket.token].encode("utf-8", "surrogatepass")
    return hashlib.sha256(token).hexdigest()[:32]


def _id(text: str | None) -> int:
    """Return one number for all spellings of an id; malformed ids share 0, and so a window."""
    try:
        return parse_id(text) if text else 0
    except ValueError:
        return 0
