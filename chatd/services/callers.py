"""Whose token it is: verified once, and looked up anew every few seconds.

What is remembered is never older than `_TRUSTED_S`, on any instance and with or without Redis: so
long may a revoked login still read. Writes and sockets are ended by the event of the revocation.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

from chatd.auth.tokens import AccessTokens, InvalidToken
from chatd.core.errors import Unauthorized
from chatd.core.ids import LoginId
from chatd.core.models import Caller
from chatd.db import Database
from chatd.queries import logins

_TRUSTED_S = 2.0
_REMEMBERED = 20_000
_SCHEMES = ("Bearer ", "Bot ")


@dataclass(frozen=True, slots=True)
class _Verified:
    caller: Caller
    expires_at: float
    trusted_until: float


class Callers:
    """Turns tokens into callers."""

    def __init__(self, database: Database, access_tokens: AccessTokens) -> None:
        self._database = database
        self._access_tokens = access_tokens
        self._verified: OrderedDict[str, _Verified] = OrderedDict()

    async def of_token(self, authorization: str | None) -> Caller:
        """Who presents this `Authorization` header, or bare token. Raises Unauthorized."""
        token = _bare(authorization or "")
        known = self._verified.get(token)
        if known is not None and time.time() < min(known.expires_at, known.trusted_until):
            return known.caller
        self._verified.pop(token, None)
        return await self._verify(token)

    def forget(self, login_id: LoginId) -> None:
        """Look this login up anew at its next request."""
        for token, known in list(self._verified.items()):
            if known.caller.login_id == login_id:
                del self._verified[token]

    async def _verify(self, token: str) -> Caller:
        try:
            claims = self._access_tokens.read(token)
        except InvalidToken:
            raise Unauthorized from None
        async with self._database.cursor() as cur:
            caller = await logins.caller(cur, claims.login_id, claims.user_id)
        if caller is None:
            raise Unauthorized
        self._verified[token] = _Verified(caller, claims.expires_at, time.time() + _TRUSTED_S)
        while len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)
        return caller


def _bare(authorization: str) -> str:
    for scheme in _SCHEMES:
        if authorization[: len(scheme)].lower() == scheme.lower():
            return authorization[len(scheme) :].strip()
    return authorization.strip()
