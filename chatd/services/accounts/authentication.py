"""Authentication: maps tokens to callers, through a cache with a short lifetime.

Verifying a token costs a database query, so its result is cached. An event that revokes a login or
changes an account invalidates the cached results of its user, on every instance. While Redis is
unavailable, events of other instances do not arrive. Then a revoked login is accepted for at most
`_CACHE_TTL_S` after the last query.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

from chatd.auth.login_tokens import BotTokens, ClientTokens, is_login_token
from chatd.auth.tokens import AccessTokens, Claims, InvalidToken
from chatd.core.errors import ServiceUnavailable, Unauthorized
from chatd.core.ids import LoginId, UserId
from chatd.core.models import Caller
from chatd.core.records import record
from chatd.db.pool import Database
from chatd.events.event import Event
from chatd.events.users import LOGIN_REVOKED
from chatd.queries import logins

_CACHE_TTL_S = 2.0  # bounds how long a revoked login is accepted while Redis is unavailable
_CACHE_SIZE = 20_000  # tokens, and users with a known last change
_SCHEMES = {"Bearer ": "bearer ", "Bot ": "bot "}
_INVALIDATING_EVENTS = frozenset({LOGIN_REVOKED, "USER_UPDATE"})


@record(frozen=True, slots=True)
class _CachedCaller:
    caller: Caller
    claims: Claims
    by_client_token: bool
    fresh_until: float
    """By the monotonic clock, so setting the system clock back does not prolong it."""

    def is_fresh(self) -> bool:
        """Return whether the result can be used without a query."""
        return time.monotonic() < self.fresh_until and not self.has_expired()

    def has_expired(self) -> bool:
        """Return whether the token has expired."""
        return time.time() >= self.claims.expires_at


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """The login that a token names, and whether the token is a client token.

    Postgres knows whether a client token has expired.
    """

    login_id: LoginId
    by_client_token: bool


class Authenticator:
    """Maps tokens to callers."""

    def __init__(
        self,
        database: Database,
        access_tokens: AccessTokens,
        bot_tokens: BotTokens,
        client_tokens: ClientTokens,
    ) -> None:
        self._database = database
        self._access_tokens = access_tokens
        self._bot_tokens = bot_tokens
        self._client_tokens = client_tokens
        self._cached: OrderedDict[str, _CachedCaller] = OrderedDict()
        self._tokens: dict[UserId, set[str]] = {}
        self._change_count = 0
        self._last_changes: OrderedDict[UserId, int] = OrderedDict()
        """The number of each user's last invalidation, in the order of these numbers.

        It prevents a query that began before an invalidation from filling the cache after it.
        """
        self._evicted_up_to = 0
        """Numbers up to this one were evicted from `_last_changes`. Any user may have had them."""

    def cached(self, authorization: str | None) -> Caller | None:
        """Return what `authenticate` would, if that needs no query; otherwise None."""
        known = self._cached.get(_strip_scheme(authorization or ""))
        return known.caller if known is not None and known.is_fresh() else None

    async def authenticate(self, authorization: str | None) -> Caller:
        """Return the caller of this `Authorization` header or bare token. Raises Unauthorized."""
        known = self.cached(authorization)
        return known or await self._verify(_strip_scheme(authorization or ""))

    def read(self, token: str) -> TokenClaims:
        """Return the login that a token names. It may have ended already.

        Raises Unauthorized when the token is malformed or, unless it is a client token, expired.
        """
        claims, by_client_token = self._read(_strip_scheme(token))
        return TokenClaims(claims.login_id, by_client_token=by_client_token)

    def on_event(self, event: Event) -> None:
        """Invalidate the results that an event makes stale."""
        if event.name in _INVALIDATING_EVENTS:
            self.invalidate(UserId(event.audience.id))

    def invalidate(self, user_id: UserId) -> None:
        """Query this user again at its next request."""
        self._change_count += 1
        self._last_changes[user_id] = self._change_count
        self._last_changes.move_to_end(user_id)
        while len(self._last_changes) > _CACHE_SIZE:
            _, self._evicted_up_to = self._last_changes.popitem(last=False)
        for token in self._tokens.pop(user_id, ()):
            self._cached.pop(token, None)

    async def _verify(self, token: str) -> Caller:
        claims, by_client_token = self._known_claims(token) or self._read(token)
        before = self._change_count
        lifetime_s = self._client_tokens.lifetime_s
        async with self._database.cursor() as cur:
            found = await logins.find_caller_of_token(
                cur,
                claims.login_id,
                claims.user_id,
                may_expire=by_client_token,
                lifetime_s=lifetime_s,
            )
            if found is None:
                raise Unauthorized
            caller, is_use_due = found
            if is_use_due:
                with suppress(ServiceUnavailable):  # reads need no write; the next use is due, too
                    await logins.record_uses(cur, [claims.login_id], lifetime_s=lifetime_s)
        # A user that changed after the query began may have a stale result.
        if self._last_changes.get(claims.user_id, self._evicted_up_to) <= before:
            self._add_to_cache(token, caller, claims, by_client_token=by_client_token)
        return caller

    def _known_claims(self, token: str) -> tuple[Claims, bool] | None:
        """Return what `_read` has returned for a token that has not expired; None if unknown.

        The same text has the same signature, so only the query has to be repeated. Most requests
        come minutes after the last one of their client, and verifying a signature takes 40 us.
        """
        known = self._cached.get(token)
        if known is None or known.has_expired():
            return None
        return known.claims, known.by_client_token

    def _read(self, token: str) -> tuple[Claims, bool]:
        """Return the claims of a token, and whether it is a client token. Raises Unauthorized."""
        try:
            if not is_login_token(token):
                return self._access_tokens.read(token), False
            with suppress(InvalidToken):
                return self._bot_tokens.read(token), False
            return self._client_tokens.read(token), True
        except InvalidToken:
            raise Unauthorized from None

    def _add_to_cache(
        self, token: str, caller: Caller, claims: Claims, *, by_client_token: bool
    ) -> None:
        fresh_until = time.monotonic() + _CACHE_TTL_S
        self._cached[token] = _CachedCaller(caller, claims, by_client_token, fresh_until)
        self._tokens.setdefault(caller.user.id, set()).add(token)
        while len(self._cached) > _CACHE_SIZE:
            oldest, known = self._cached.popitem(last=False)
            of_user = self._tokens[known.caller.user.id]
            of_user.discard(oldest)
            if not of_user:
                del self._tokens[known.caller.user.id]


def _strip_scheme(authorization: str) -> str:
    for scheme, lower in _SCHEMES.items():
        if authorization.startswith(scheme) or authorization[: len(scheme)].lower() == lower:
            return authorization[len(scheme) :].strip()
    return authorization.strip()
