"""Payloads of second factors."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import datetime

from chatd.core.ids import PasskeyId, UserId
from chatd.core.json import JsonObject
from chatd.wire.payloads._encoding import timestamp

_WEBAUTHN = 1
"""Discord's type of authenticators for passkeys."""


def recovery_code(user_id: UserId, code: str, *, is_used: bool) -> JsonObject:
    """A recovery code."""
    return {"user_id": str(user_id), "code": code, "consumed": is_used}


def passkey(
    passkey_id: PasskeyId, name: str, credential_id: bytes, last_used_at: datetime | None
) -> JsonObject:
    """A passkey of the caller."""
    return {
        "id": str(passkey_id),
        "type": _WEBAUTHN,
        "name": name,
        "cred_id": urlsafe_b64encode(credential_id).rstrip(b"=").decode(),
        "last_used": None if last_used_at is None else timestamp(last_used_at),
    }
