"""Password hashes."""

from __future__ import annotations

import pytest
from passlib.context import CryptContext

from chatd.auth import passwords

REAL_CONTEXT: CryptContext = passwords._context  # taken before any fixture replaces it


async def test_hash_has_the_cost_that_owasp_requires(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane."""
    monkeypatch.setattr(passwords, "_context", REAL_CONTEXT)
    hasher = passwords.PasswordHasher()
    try:
        hashed = await hasher.hash("Password123!")
        assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert await hasher.verify("Password123!", hashed)
        assert not await hasher.verify("Password124!", hashed)
        assert not await hasher.verify("Password123!", None)
    finally:
        hasher.close()
