"""Tokens of interactions: random, and stored as hashes."""

from __future__ import annotations

import hashlib
import secrets

_BYTES = 48  # random; 64 characters


def new_token() -> str:
    """Return a new token."""
    return secrets.token_urlsafe(_BYTES)


def hash_token(token: str) -> bytes:
    """Return the hash to store or to look up, of any text.

    The token is random, so a hash without salt is enough. The database compares hashes, so the time
    that this takes says nothing about the token.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
