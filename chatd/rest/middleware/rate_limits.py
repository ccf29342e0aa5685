"""Rate limits: of each route, of all routes together, and of requests with invalid tokens.

Requests with a login are counted by account, and separately for each channel, guild or webhook in
the path. Requests with a token in the path are counted by this token, other requests by network
address.
Rule: Discord docs, Topics, "Rate Limits".
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass

from aiohttp import web

from chatd.context.context import Context
from chatd.core.ids import parse_id
from chatd.ratelimit import headers
from chatd.ratelimit.limiter import RateLimits
from chatd.ratelimit.window import Decision, Limit
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


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows in which the requests of one path are counted, one for each caller."""

    limit: Limit
    bucket_id: str
    key: str
    """The beginning of their keys, before the caller."""
    token: str
    """A digest of the token in the path, which then takes the place of the caller; or empty."""
    overall_limit: Limit
    overall: str
    """The beginning of the keys of the limit over all such routes."""


class RouteLimits:
    """The limits of all routes of a table that have one."""

    def __init__(self, limits: RateLimits, table: Iterable[Route]) -> None:
        self._limits = limits
        limited = [(route, route.limit) for route in table if route.limit is not None]
        self._buckets = {route.handler: _bucket(route, limit) for route, limit in limited}

    def windows_of(self, match: web.UrlMappingMatchInfo) -> Windows | None:
        """Return where the requests of a path are counted; None if its route has no limit."""
        bucket = self._buckets.get(match.handler)
        if bucket is None:
            return None
        token = _token(match, bucket) if bucket.token else ""
        return Windows(
            bucket.limit,
            bucket.id,
            f"{bucket.id}:{_id(match.get(bucket.major))}:",
            token,
            bucket.overall[0],
            f"{bucket.overall[1]}:",
        )

    def check(
        self, windows: Windows, request: web.Request, context: Context | None
    ) -> Awaitable[None] | None:
        """Count a request. Raises RateLimited.

        If Redis has to decide, this returns what the caller has to await, which raises the same.
        """
        limits = self._limits
        caller = client_network(request) if context is None else context.caller.user.id
        overall = f"{windows.overall}{caller}"
        key = f"{windows.key}{windows.token or caller}"
        if not limits.grant(windows.overall_limit, overall):
            return self._check_shared(windows, request, key, overall)
        decision = limits.hit(windows.limit, key)
        if decision is None:
            return self._check_shared(windows, request, key, None)
        _apply(windows, request, decision)
        return None

    async def _check_shared(
        self, windows: Windows, request: web.Request, key: str, overall: str | None
    ) -> None:
        """Count a request that Redis decides; `overall` is None if that limit has granted it."""
        if overall is not None:
            decision = await self._limits.hit_shared(windows.overall_limit, overall)
            if not decision.granted:
                raise headers.rate_limited_globally(decision)
        _apply(windows, request, await self._limits.hit_shared(windows.limit, key))

    async def count_invalid_token(self, request: web.Request) -> None:
        """Count a response with status 401. Raises RateLimited if its address has too many of them.

        Requests with valid tokens from this address are not affected.
        """
        key = f"invalid:{client_network(request)}"
        decision = await self._limits.hit_shared(INVALID_TOKENS, key)
        if not decision.granted:
            raise headers.rate_limited(decision, headers.bucket_id(INVALID_TOKENS.bucket)) from None


def _apply(windows: Windows, request: web.Request, decision: Decision) -> None:
    """Keep the decision for the headers of the response. Raises RateLimited."""
    if not decision.granted:
        raise headers.rate_limited(decision, windows.bucket_id)
    if windows.limit.announced:
        request[RATE_LIMIT] = decision, windows.bucket_id


def _bucket(route: Route, limit: Limit) -> _Bucket:
    major = next((name for name in _MAJOR if f"{{{name}}}" in route.path), "")
    token = next((name for name in TOKENS if f"{{{name}}}" in route.path), "")
    bucket_id = headers.bucket_id(limit.bucket or f"{route.method} {route.path}")
    overall = (GLOBAL_WITH_TOKENS, "tokens") if token else (GLOBAL, "global")
    return _Bucket(limit, bucket_id, major, token, overall)


def _token(match: web.UrlMappingMatchInfo, bucket: _Bucket) -> str:
    """Return a digest of the token in the path.

    All callers with a token share its windows. Keys are stored in Redis, so they must not contain
    the token.
    """
    token = match[bucket.token].encode("utf-8", "surrogatepass")
    return hashlib.sha256(token).hexdigest()[:32]


def _id(text: str | None) -> int:
    """Return one number for all spellings of an id; malformed ids share 0, and so a window."""
    try:
        return parse_id(text) if text else 0
    except ValueError:
        return 0
