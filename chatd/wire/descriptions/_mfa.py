"""Descriptions of the fields of single schemas, about second factors."""

from __future__ import annotations

from typing import Final

_TICKET: Final = "The ticket of the answer to `POST /auth/login`."
_INSTANCE: Final = "Has no effect: the ticket identifies the login."
_ORIGIN: Final = "Has no effect: it only says where the client came from."
_CODE: Final = "A one-time code or a recovery code, if the account has a second factor."
_PASSKEY: Final = {
    "id": "The id of the passkey.",
    "name": "The name that the user gave it.",
    "last_used": "When it was last used; null if never.",
}
_CODES: Final = "The recovery codes; they are shown only here. Empty if there were codes before."

SCHEMAS_OF_MFA: Final[dict[str, str]] = {
    "MfaCode": "A code of the caller's second factor.",
    "MfaCodeLogin": "The second step of a login, with a code.",
    "MfaPasskeyLogin": "The second step of a login, with a passkey.",
    "MfaProof": "A second factor for a request that needs it.",
    "NewTotp": "A secret for one-time codes, and the proof that an app has it.",
    "RecoveryCodesRequest": "What to do with the recovery codes.",
    "NewPasskey": "A new passkey: without `ticket` it begins, with `ticket` it ends.",
    "PasskeyChange": "A new name for a passkey.",
    "MfaLevel": "Whether moderation needs a second factor.",
}

MFA: Final[dict[str, dict[str, str]]] = {
    "MfaChallenge": {
        "ticket": "For the second step, within five minutes and with the same User-Agent.",
        "user_id": "The id of the account.",
    },
    "MfaCodeLogin": {
        "ticket": _TICKET,
        "code": "A one-time code of an app, or a recovery code.",
        "login_instance_id": _INSTANCE,
        "login_source": _ORIGIN,
    },
    "MfaPasskeyLogin": {
        "ticket": _TICKET,
        "code": "The credential of the browser, as JSON (`PublicKeyCredential.toJSON()`).",
        "login_instance_id": _INSTANCE,
        "login_source": _ORIGIN,
    },
    "MfaRequired": {
        "code": "0, or 60003 if the second factor is needed.",
        "message": "The error in words.",
        "mfa": "How to prove the second factor.",
    },
    "MfaRequest": {
        "ticket": "The ticket for `POST /mfa/finish`.",
        "methods": "The factors that the caller has.",
    },
    "MfaMethod": {"type": "The `mfa_type` for `POST /mfa/finish`."},
    "MfaProof": {
        "ticket": "The ticket of an answer with code 60003.",
        "mfa_type": "One of the types in `methods` of that answer.",
        "data": "The code, the credential of the browser as JSON, or the password.",
    },
    "MfaToken": {"token": "The confirmation."},
    "NewTotp": {
        "password": "The caller's password.",
        "secret": "The secret in Base32, which the client chooses: at least 16 characters.",
        "code": "The current code of this secret.",
    },
    "EnabledTotp": {
        "token": "The client token of the caller's login, which has not changed.",
        "backup_codes": _CODES,
    },
    "LoginToken": {"token": "The token."},
    "MfaCode": {"code": _CODE},
    "RecoveryCodesRequest": {
        "password": "The caller's password.",
        "regenerate": "Whether all codes are replaced by new ones.",
        "code": _CODE,
    },
    "RecoveryCodes": {"backup_codes": "The recovery codes."},
    "RecoveryCode": {"user_id": "The id of the caller."},
    "NewPasskey": {
        "password": "The caller's password, if the account has no second factor.",
        "code": _CODE,
        "ticket": "The ticket of the first answer.",
        "credential": "The credential of the browser, as JSON (`PublicKeyCredential.toJSON()`).",
        "name": "A name for the passkey.",
    },
    "Passkey": _PASSKEY,
    "CreatedPasskey": {**_PASSKEY, "backup_codes": _CODES},
    "PasskeyRegistration": {"ticket": "For the second request, within five minutes."},
    "PasskeyChange": {"name": "The new name."},
    "MfaLevel": {"level": "1 if moderation needs a second factor, else 0."},
    "GuildMfaLevel": {"level": "The level."},
}
