"""Tokens in the links of mails.

A token is a random id and a signature of it, made with the secret of the server. The database has
the id only. So a stolen database, or a backup of one, contains no usable link, and a mail that is
sent a second time has the same link. The row of the id makes a token usable once, and says when it
expires.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from chatd.core.mail import TokenPurpose

_ID_BYTES, _PROOF_BYTES = 16, 24
_LENGTH = (_ID_BYTES + _PROOF_BYTES) // 3 * 4 + 2  # of base64 without its padding


class InvalidMailToken(Exception):
    """The token was not made here, or is for another purpose."""


class MailTokens:
    """Makes and reads tokens with one secret."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"chatd links of mails", hashlib.sha256)

    def token(self, purpose: TokenPurpose, token_id: bytes) -> str:
        """Return the token of an id."""
        packed = token_id + self._proof(purpose, token_id)
        return urlsafe_b64encode(packed).decode().rstrip("=")

    def read(self, purpose: TokenPurpose, token: str) -> bytes:
        """Return the id of a token. Raises InvalidMailToken."""
        if len(token) != _LENGTH or not token.isascii():
            raise InvalidMailToken
        try:
            packed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            raise InvalidMailToken from None
        token_id, proof = packed[:_ID_BYTES], packed[_ID_BYTES:]
        if not hmac.compare_digest(proof, self._proof(purpose, token_id)):
            raise InvalidMailToken
        return token_id

    def _proof(self, purpose: TokenPurpose, token_id: bytes) -> bytes:
        content = purpose.encode() + b"\0" + token_id
        return hmac.digest(self._key, content, hashlib.sha256)[:_PROOF_BYTES]


def new_id() -> bytes:
    """Return a random id for a token."""
    return secrets.token_bytes(_ID_BYTES)
