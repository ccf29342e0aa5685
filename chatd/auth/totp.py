"""One-time codes of authenticator apps (TOTP, RFC 6238): six digits, SHA-1, steps of 30 seconds.

These are the parameters that every authenticator app supports.
"""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b32decode

import pyotp

STEP_S = 30
_WINDOW = (-1, 0, 1)
"""The accepted time steps around the current one, for clocks that differ (RFC 6238, 5.2)."""

_CODE = re.compile(r"[0-9]{6}", re.ASCII)
_SECRET = re.compile(r"[A-Z2-7]{16,128}", re.ASCII)
"""Clients choose the secret. At least 80 bits: Fermi's have 88, and attempts are throttled."""


class _Totp(pyotp.TOTP):
    min_secret_length_bits = 80


def normalize_secret(text: str) -> str | None:
    """Return a secret in Base32 without spaces and padding; None if it is not one."""
    secret = text.replace(" ", "").replace("-", "").rstrip("=").upper()
    if not _SECRET.fullmatch(secret):
        return None
    try:
        b32decode(secret + "=" * (-len(secret) % 8))
    except binascii.Error:
        return None
    return secret


def is_code(text: str) -> bool:
    """Return whether a text has the form of a one-time code."""
    return _CODE.fullmatch(text) is not None


def matching_step(secret: str, code: str, now: float) -> int | None:
    """Return the time step whose code this is, of those accepted at `now` (Unix seconds).

    All codes are compared, each in constant time. Of equal codes the newest step counts.
    """
    current = int(now) // STEP_S
    generator = _Totp(secret)
    found = None
    for offset in _WINDOW:
        expected = generator.generate_otp(current + offset)
        if hmac.compare_digest(expected.encode(), code.encode()):
            found = current + offset
    return found
