"""Tokens that are valid as long as their logins: those of bots, and of clients that never refresh.

A token contains the ids of an account and a login, and an HMAC of both (RFC 2104). It is not
stored. Its form is that of Discord's tokens: client libraries read the account's id from the first
part.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode

from chatd.auth.tokens import Claims, InvalidToken
from chatd.core.ids import LoginId, UserId, parse_id

_MAX_LENGTH = 128
"""Characters of a token. Two ids and an HMAC take fewer than 100."""


class LoginTokens:
    """Issues and verifies tokens of one kind with one secret. Base of the two kinds."""

    _PURPOSE: bytes
    """Separates the key of this kind from other keys that are derived from the same secret."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), self._PURPOSE, hashlib.sha256)

    def issue(self, user_id: UserId, login_id: LoginId) -> str:
        """Return the token for a login of an account."""
        head = f"{_encode(str(user_id).encode())}.{_encode(str(login_id).encode())}"
        return f"{head}.{self._proof(head)}"

    def read(self, token: str) -> Claims:
        """Return the claims of a token. Raises InvalidToken unless `issue` created it."""
        head, _, proof = token.rpartition(".")
        if len(token) > _MAX_LENGTH or not token.isascii():
            raise InvalidToken("too long")
        if not hmac.compare_digest(proof, self._proof(head)):
            raise InvalidToken("not ours")
        user_id, _, login_id = head.partition(".")
        return Claims(UserId(_id(user_id)), LoginId(_id(login_id)), math.inf)

    def _proof(self, head: str) -> str:
        return _encode(hmac.digest(self._key, head.encode(), hashlib.sha256))


class BotTokens(LoginTokens):
    """The tokens of bots, which are valid until they are replaced."""

    _PURPOSE = b"chatd bot tokens"


class ClientTokens(LoginTokens):
    """The tokens of Discord's clients for people, which know no refresh tokens.

    A token is valid until its login ends, or has not been used for `lifetime_s`.
    """

    _PURPOSE = b"chatd client tokens"

    def __init__(self, secret: str, *, lifetime_s: int) -> None:
        super().__init__(secret)
        self.lifetime_s = lifetime_s


def is_login_token(token: str) -> bool:
    """Return whether this is the token of a login by its form; a JWT begins with an object."""
    return not token.startswith("eyJ")


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _id(packed: str) -> int:
    try:
        return parse_id(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode())
    except ValueError as wrong:
        raise InvalidToken("no id") from wrong
