"""Verification of second factors: each code and each assertion is accepted once.

The statements that use up a code decide it, so two instances cannot accept the same one. Rule: RFC
6238 section 5.2 ("one-time only").
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from chatd.auth import totp
from chatd.auth.passkey_answers import Assertion, InvalidPasskey
from chatd.context.dependencies import Dependencies
from chatd.core.ids import UserId
from chatd.db.cursor import Cursor
from chatd.queries import second_factors as queries

log = logging.getLogger(__name__)

_SEPARATORS = str.maketrans("", "", " -")


@dataclass(frozen=True, slots=True)
class CodeProof:
    """A one-time code, or a recovery code."""

    code: str = field(repr=False)
    is_recovery: bool | None = None
    """True accepts recovery codes only; None accepts both."""


@dataclass(frozen=True, slots=True)
class PasskeyProof:
    """An assertion of a passkey, and the challenge that it must sign."""

    assertion: Assertion = field(repr=False)
    challenge: bytes = field(repr=False)


Proof = CodeProof | PasskeyProof


def normalize_code(text: str) -> str:
    """Return a code without the spaces and dashes with which clients show it."""
    return text.translate(_SEPARATORS).lower()


async def use(dependencies: Dependencies, cur: Cursor, user_id: UserId, proof: Proof) -> bool:
    """Verify a factor of an account and use it up. Returns False if it is wrong or used.

    It is used up when the transaction of the cursor commits.
    """
    if isinstance(proof, PasskeyProof):
        return await _use_passkey(dependencies, cur, user_id, proof)
    code = normalize_code(proof.code)
    if totp.is_code(code) and not proof.is_recovery:
        return await _use_totp(dependencies, cur, user_id, code)
    code_hash = dependencies.mfa_keys.hash_recovery_code(user_id, code)
    return await queries.use_recovery_code(cur, user_id, code_hash)


async def _use_totp(dependencies: Dependencies, cur: Cursor, user_id: UserId, code: str) -> bool:
    encrypted = await queries.totp_secret(cur, user_id)
    if encrypted is None:
        return False
    secret = dependencies.mfa_keys.decrypt(user_id, encrypted)
    if secret is None:
        log.warning(
            "the second factor of account %d belongs to another JWT_SECRET; "
            "`chatd user reset-mfa` removes it",
            user_id,
        )
        return False
    step = totp.matching_step(secret, code, time.time())
    return step is not None and await queries.use_step(cur, user_id, step)


async def _use_passkey(
    dependencies: Dependencies, cur: Cursor, user_id: UserId, proof: PasskeyProof
) -> bool:
    passkey = await queries.passkey_secret(cur, user_id, proof.assertion.credential_id)
    if passkey is None:
        return False
    try:
        sign_count = dependencies.passkeys.verify(
            proof.assertion,
            proof.challenge,
            public_key=passkey.public_key,
            sign_count=passkey.sign_count,
        )
    except InvalidPasskey:
        return False
    await queries.record_passkey_use(cur, passkey.id, sign_count=sign_count)
    return True
