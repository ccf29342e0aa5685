"""The tokens of bots: they hold until they are replaced.

A token names an account and a login, and proves itself by a keyed hash (RFC 2104); nothing of it
is kept. Its shape is that of Discord's: libraries read the account's id from its first part.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode

from chatd.auth.tokens import Claims, InvalidToken
from chatd.core.ids import LoginId, UserId, parse_id

_MAX_LENGTH = 128
_PURPOSE = b"chatd bot tokens"  # what is signed here is good for nothing else


class BotTokens:
    """Issues and reads the tokens of bots under one secret."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)

    def issue(self, user_id: UserId, login_id: LoginId) -> str:
        """The token for a login of a bot."""
        head = f"{_packed(str(user_id).encode())}.{_packed(str(login_id).encode())}"
        return f"{head}.{self._proof(head)}"

    def read(self, token: str) -> Claims:
        """What the token says. Raises InvalidToken for all that `issue` did not make."""
        head, _, proof = token.rpartition(".")
        if len(token) > _MAX_LENGTH or not token.isascii():
            raise InvalidToken("too long")
        if not hmac.compare_digest(proof, self._proof(head)):
            raise InvalidToken("not ours")
        user_id, _, login_id = head.partition(".")
        return Claims(UserId(_id(user_id)), LoginId(_id(login_id)), math.inf)

    def _proof(self, head: str) -> str:
        return _packed(hmac.digest(self._key, head.encode(), hashlib.sha256))


def is_bot_token(token: str) -> bool:
    """Whether this looks like the token of a bot: access tokens begin with a packed object."""
    return not token.startswith("eyJ")


def _packed(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _id(packed: str) -> int:
    try:
        return parse_id(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode())
    except ValueError as wrong:
        raise InvalidToken("no id") from wrong
