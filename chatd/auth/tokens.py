"""Access tokens (JWT, HS256) and refresh tokens (random, stored as hashes).

Rule: RFC 7519; RFC 8725 ("JWT Best Current Practices") for the checks.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass

import orjson
from jose import jwt
from jose.exceptions import JOSEError

from chatd.core.ids import LoginId, UserId, parse_id

_ALGORITHM = "HS256"
_TYPE = "access"
# In characters; a token of chatd has about 300. python-jose parses a token before it checks the
# signature, so this bounds what a forged one costs.
_MAX_LENGTH = 4096
_HEADER_KEYS = {"alg", "typ", "kid"}
_REQUIRED = ("sub", "exp", "iat", "jti", "type", "login")


class InvalidToken(Exception):
    """The token was not issued here, or has expired. The reason is not sent to the client."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a verified access token."""

    user_id: UserId
    login_id: LoginId
    expires_at: float
    """Unix seconds."""


class AccessTokens:
    """Issues and verifies access tokens with one secret."""

    def __init__(self, secret: str, *, lifetime_s: int) -> None:
        if len(secret) < 32:
            raise ValueError("the secret is too short")
        self._secret = secret
        self.lifetime_s = lifetime_s

    def issue(self, user_id: UserId, login_id: LoginId) -> str:
        """Return a token for a login of a user, valid for `lifetime_s` from now."""
        now = int(time.time())
        claims = {
            "sub": str(user_id),
            "login": str(login_id),
            "iat": now,
            "exp": now + self.lifetime_s,
            "jti": secrets.token_urlsafe(12),
            "type": _TYPE,
        }
        return str(jwt.encode(claims, self._secret, algorithm=_ALGORITHM))

    def read(self, token: str) -> Claims:
        """Return the claims of a token. Raises InvalidToken unless `issue` created it."""
        _check_header(token)
        try:
            claims = jwt.decode(token, self._secret, algorithms=[_ALGORITHM])
            if any(name not in claims for name in _REQUIRED) or claims["type"] != _TYPE:
                raise InvalidToken("a claim is missing")
            return Claims(
                UserId(parse_id(claims["sub"])),
                LoginId(parse_id(claims["login"])),
                float(claims["exp"]),
            )
        except (JOSEError, ValueError, TypeError, OverflowError, RecursionError) as wrong:
            raise InvalidToken from wrong


def _check_header(token: str) -> None:
    """Check the header before python-jose, which would trust unexpected keys in it.

    Raises InvalidToken.
    """
    if len(token) > _MAX_LENGTH or not token.isascii():
        raise InvalidToken("too long")
    head = token.partition(".")[0]
    try:
        header = orjson.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError as wrong:
        raise InvalidToken("no header") from wrong
    if not isinstance(header, dict) or not header.keys() <= _HEADER_KEYS:
        raise InvalidToken("unknown header")


def new_refresh_token() -> str:
    """Return a new refresh token of 256 random bits."""
    return secrets.token_urlsafe(32)


def hash_refresh_token(token: str) -> bytes:
    """Return the hash to store. The token is random, so a hash without salt is enough."""
    return hashlib.sha256(token.encode()).digest()
