"""Errors about second factors."""

from __future__ import annotations

from typing import Any

from chatd.core.errors._base import ApiError
from chatd.core.json import JsonObject


class MfaAlreadyEnabled(ApiError):
    code, message = 60001, "This account is already enrolled in two-factor authentication"


class MfaNotEnabled(ApiError):
    code, message = 60002, "This account is not enrolled in two-factor authentication"


class MfaRequired(ApiError):
    """The account has no second factor, and the guild or the server requires one."""

    status, code, message = 403, 60003, "Two factor is required for this operation"


class ConfirmationRequired(ApiError):
    """The caller has to prove its second factor: `mfa` has a ticket for `POST /mfa/finish`."""

    status, code, message = 401, 60003, "Two factor is required for this operation"

    def __init__(self, mfa: JsonObject) -> None:
        super().__init__()
        self._mfa = mfa

    def body(self) -> dict[str, Any]:
        return {**super().body(), "mfa": self._mfa}


class InvalidMfaSecret(ApiError):
    code, message = 60005, "Invalid two-factor secret"


class InvalidMfaTicket(ApiError):
    """The ticket is forged, expired, used up, or of another client or password."""

    code, message = 60006, "Invalid two-factor auth ticket"


class InvalidMfaCode(ApiError):
    """The code, or the answer of the passkey, is wrong or was used before."""

    code, message = 60008, "Invalid two-factor code"


class UnknownPasskey(ApiError):
    """The code is that of unknown tokens; Discord documents none for passkeys."""

    status, code, message = 404, 10012, "Unknown passkey"


class TooManyPasskeys(ApiError):
    """Discord has no code for it."""

    message = "Maximum number of passkeys reached (20)"


class PasskeysUnavailable(ApiError):
    """Browsers refuse passkeys for addresses. Discord has no code for it."""

    message = "Passkeys need a server whose PUBLIC_URL names a host, not an address."
