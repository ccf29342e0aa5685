"""What protects second factors, derived from the secret of the server (JWT_SECRET).

Secrets of one-time codes are encrypted and recovery codes are hashed with keys that the database
does not contain. So a stolen database, or a backup of one, contains no usable factor. Passwords are
hashed slowly instead, because people choose them; these values are random, and the server must
recover the secrets. With another JWT_SECRET neither can be used: the operator removes the factors
of an account by `chatd user reset-mfa`. Passkeys do not depend on it.

A ticket names an account, a row of `mfa_tickets` and a time, and is bound by its signature to its
purpose, to the client, and to the password of the account. So a new password revokes all of them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from enum import Enum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chatd.core.ids import UserId, parse_id

TICKET_LIFETIME_S = 300
"""Seconds in which a client enters a code, and in which a confirmation is valid."""

_ID_BYTES, _TIME_BYTES, _VERSION_BYTES = 16, 5, 8
_PAYLOAD_BYTES = _ID_BYTES + _TIME_BYTES + _VERSION_BYTES
_IV_BYTES = 12
_MAX_LENGTH = 256
"""Characters of a ticket; one has fewer than 120."""


class Purpose(Enum):
    """What a ticket is for. One for another purpose is refused."""

    LOGIN = b"login"
    CONFIRM = b"confirm"
    """A caller proves its second factor for a sensitive action."""
    CONFIRMED = b"confirmed"
    """A caller has proved it."""
    CONFIRMED_BY_PASSWORD = b"confirmed by password"
    """A caller without a second factor has proved its password."""
    REGISTER = b"register"
    """A new passkey."""


class InvalidTicket(Exception):
    """The ticket was not issued here, is for something else, or has expired."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket whose signature is right and which has not expired."""

    user_id: UserId
    id: bytes = field(repr=False)
    password_version: bytes = field(repr=False)


class MfaKeys:
    """Signs tickets, encrypts secrets and hashes recovery codes, with one secret."""

    def __init__(self, secret: str) -> None:
        self._tickets = _derive(secret, b"chatd mfa tickets")
        self._versions = _derive(secret, b"chatd mfa password versions")
        self._codes = _derive(secret, b"chatd recovery codes")
        self._cipher = AESGCM(_derive(secret, b"chatd totp secrets"))

    def issue(self, purpose: Purpose, user_id: UserId, client: str, password_hash: str) -> str:
        """Return a ticket with a random id, valid for `TICKET_LIFETIME_S` seconds.

        `client` is what it is bound to: the User-Agent of a login, or the id of the login.
        """
        expires_at = int(time.time()) + TICKET_LIFETIME_S
        payload = (
            secrets.token_bytes(_ID_BYTES)
            + expires_at.to_bytes(_TIME_BYTES, "big")
            + self.password_version(password_hash)
        )
        head = f"{_encode(str(user_id).encode())}.{_encode(payload)}"
        return f"{head}.{self._proof(purpose, client, head)}"

    def read(self, ticket: str, purpose: Purpose, client: str) -> Ticket:
        """Return what a ticket says. Raises InvalidTicket.

        The caller compares the version of the password with that of the account.
        """
        if len(ticket) > _MAX_LENGTH or not ticket.isascii():
            raise InvalidTicket("too long")
        head, _, proof = ticket.rpartition(".")
        if not hmac.compare_digest(proof, self._proof(purpose, client, head)):
            raise InvalidTicket("not ours")
        user_id, _, packed = head.partition(".")
        payload = _decode(packed)
        if int.from_bytes(payload[_ID_BYTES:-_VERSION_BYTES], "big") <= time.time():
            raise InvalidTicket("expired")
        user = UserId(parse_id(_decode(user_id).decode()))
        return Ticket(user, payload[:_ID_BYTES], payload[-_VERSION_BYTES:])

    def password_version(self, password_hash: str) -> bytes:
        """Return what identifies a password in tickets; it does not reveal the hash."""
        return _digest(self._versions, password_hash.encode())[:_VERSION_BYTES]

    def encrypt(self, user_id: UserId, secret: str) -> bytes:
        """Encrypt the secret of a one-time code, so that it is valid for this account only."""
        iv = secrets.token_bytes(_IV_BYTES)
        return iv + self._cipher.encrypt(iv, secret.encode(), str(user_id).encode())

    def decrypt(self, user_id: UserId, encrypted: bytes) -> str | None:
        """Return the secret; None if it was encrypted with another JWT_SECRET."""
        iv, rest = encrypted[:_IV_BYTES], encrypted[_IV_BYTES:]
        try:
            return self._cipher.decrypt(iv, rest, str(user_id).encode()).decode()
        except (InvalidTag, ValueError):
            return None

    def hash_recovery_code(self, user_id: UserId, code: str) -> bytes:
        """Return the hash of a recovery code of an account, to store."""
        return _digest(self._codes, f"{user_id} {code}".encode())

    def _proof(self, purpose: Purpose, client: str, head: str) -> str:
        bound = hashlib.sha256(client.encode()).digest()
        return _encode(_digest(self._tickets, purpose.value + b"\0" + bound + head.encode()))


def _derive(secret: str, purpose: bytes) -> bytes:
    return _digest(secret.encode(), purpose)


def _digest(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, hashlib.sha256)


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
