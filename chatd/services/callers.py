"""Whose token it is: verified once, and looked up anew every few seconds.

What is remembered is forgotten with the event that a login is revoked or an account changed. Where
that event does not arrive, because Redis is away, it lasts for `_TRUSTED_S` at the most.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

from chatd.auth.bot_tokens import BotTokens, is_bot_token
from chatd.auth.tokens import AccessTokens, Claims, InvalidToken
from chatd.core.errors import Unauthorized
from chatd.core.ids import LoginId, UserId
from chatd.core.models import Caller
from chatd.db import Database
from chatd.events.event import Event
from chatd.events.users import LOGIN_REVOKED
from chatd.queries import logins

_TRUSTED_S = 2.0
_REMEMBERED = 20_000
_SCHEMES = ("Bearer ", "Bot ")
_OUTDATING = frozenset({LOGIN_REVOKED, "USER_UPDATE"})


@dataclass(frozen=True, slots=True)
class _Verified:
    caller: Caller
    expires_at: float
    trusted_until: float
    """By the monotonic clock: one that is set back makes nobody trusted for longer."""

    def is_good(self) -> bool:
        """Whether nobody has to be asked."""
        return time.time() < self.expires_at and time.monotonic() < self.trusted_until


class Callers:
    """Turns tokens into callers."""

    def __init__(
        self, database: Database, access_tokens: AccessTokens, bot_tokens: BotTokens
    ) -> None:
        self._database = database
        self._access_tokens = access_tokens
        self._bot_tokens = bot_tokens
        self._verified: OrderedDict[str, _Verified] = OrderedDict()
        self._tokens: dict[UserId, set[str]] = {}
        self._forgotten: dict[UserId, int] = {}

    async def of_token(self, authorization: str | None) -> Caller:
        """Who presents this `Authorization` header, or bare token. Raises Unauthorized."""
        token = _bare(authorization or "")
        known = self._verified.get(token)
        if known is not None and known.is_good():
            return known.caller
        return await self._verify(token)

    def login_of(self, token: str) -> LoginId:
        """The login that a valid token names, which may have been revoked since.

        Raises Unauthorized.
        """
        try:
            return self._claims(_bare(token)).login_id
        except InvalidToken:
            raise Unauthorized from None

    def heed(self, event: Event) -> None:
        """Forget what an event has made untrue."""
        if event.name in _OUTDATING:
            self.forget(UserId(event.audience.id))

    def forget(self, user_id: UserId) -> None:
        """Look this user up anew at its next request."""
        self._forgotten[user_id] = self._forgotten.get(user_id, 0) + 1
        for token in self._tokens.pop(user_id, ()):
            self._verified.pop(token, None)

    async def _verify(self, token: str) -> Caller:
        try:
            claims = self._claims(token)
        except InvalidToken:
            raise Unauthorized from None
        forgotten = self._forgotten.get(claims.user_id)
        async with self._database.cursor() as cur:
            caller = await logins.use(cur, claims.login_id, claims.user_id)
        if caller is None:
            raise Unauthorized
        if self._forgotten.get(claims.user_id) == forgotten:  # else it may be outdated already
            self._remember(token, caller, claims.expires_at)
        return caller

    def _claims(self, token: str) -> Claims:
        tokens = self._bot_tokens if is_bot_token(token) else self._access_tokens
        return tokens.read(token)

    def _remember(self, token: str, caller: Caller, expires_at: float) -> None:
        self._verified[token] = _Verified(caller, expires_at, time.monotonic() + _TRUSTED_S)
        self._tokens.setdefault(caller.user.id, set()).add(token)
        while len(self._verified) > _REMEMBERED:
            oldest, known = self._verified.popitem(last=False)
            of_user = self._tokens[known.caller.user.id]
            of_user.discard(oldest)
            if not of_user:
                del self._tokens[known.caller.user.id]
        while len(self._forgotten) > _REMEMBERED:
            self._forgotten.pop(next(iter(self._forgotten)))


def _bare(authorization: str) -> str:
    for scheme in _SCHEMES:
        if authorization[: len(scheme)].lower() == scheme.lower():
            return authorization[len(scheme) :].strip()
    return authorization.strip()
