"""Responses about second factors."""

from __future__ import annotations

from chatd.wire.json_schema import (
    BOOL,
    DATETIME,
    ID,
    INT,
    STRING,
    ResponseSchema,
    array_of,
    extended_schema,
    nullable,
    object_schema,
    one_of,
)
from chatd.wire.responses.accounts import NEW_LOGIN
from chatd.wire.responses.server import ERROR

MFA_CHALLENGE = object_schema(
    "MfaChallenge",
    "The password is right, and the account has a second factor. `POST /auth/mfa/totp`, `backup` or"
    " `webauthn` finishes the login within five minutes.",
    {
        "mfa": {**one_of(True), "description": "Always true."},
        "ticket": STRING,
        "login_instance_id": {"type": "string", "description": "Identifies the ticket."},
        "user_id": ID,
        "totp": {**BOOL, "description": "Whether the account has one-time codes."},
        "backup": {**BOOL, "description": "Whether it has recovery codes that are not used."},
        "sms": {**one_of(False), "description": "Always false."},
        "webauthn": {
            **nullable(STRING),
            "description": "The options to request a passkey with, as JSON; null without passkeys.",
        },
    },
)
LOGIN_OR_CHALLENGE = ResponseSchema({"anyOf": [NEW_LOGIN, MFA_CHALLENGE]})

MFA_REQUIRED = extended_schema(
    ERROR,
    "MfaRequired",
    "The token is invalid; or, with code 60003, the second factor is needed for this request.",
    {},
    {
        "mfa": object_schema(
            "MfaRequest",
            "A ticket for `POST /mfa/finish`. Repeat the request with the token that it answers in"
            " the header `X-Discord-MFA-Authorization`, or send a `code` in the body.",
            {
                "ticket": STRING,
                "methods": array_of(
                    object_schema(
                        "MfaMethod",
                        "A way to prove the second factor, or the password of an account without"
                        " one.",
                        {"type": one_of("webauthn", "totp", "backup", "password")},
                        {
                            "challenge": {
                                **STRING,
                                "description": "The options to request a passkey with, as JSON.",
                            },
                            "backup_codes_allowed": {
                                **BOOL,
                                "description": "Whether recovery codes are accepted, too.",
                            },
                        },
                    )
                ),
            },
        )
    },
)
MFA_TOKEN = object_schema(
    "MfaToken",
    "A confirmation for X-Discord-MFA-Authorization, valid for five minutes.",
    {"token": STRING},
)
_RECOVERY_CODE = object_schema(
    "RecoveryCode",
    "A recovery code, which can be used once.",
    {
        "user_id": ID,
        "code": {
            **STRING,
            "description": "The code; asterisks after it was shown once: only hashes are stored.",
        },
        "consumed": {**BOOL, "description": "Whether it was used."},
    },
)
RECOVERY_CODES = object_schema(
    "RecoveryCodes", "The recovery codes of the caller.", {"backup_codes": array_of(_RECOVERY_CODE)}
)
ENABLED_TOTP = object_schema(
    "EnabledTotp",
    "One-time codes are enabled.",
    {"token": STRING, "backup_codes": array_of(_RECOVERY_CODE)},
)
LOGIN_TOKEN = object_schema(
    "LoginToken",
    "The client token of the caller's login, which has not changed.",
    {"token": STRING},
)
_PASSKEY = {
    "id": ID,
    "type": {**INT, "description": "Always 1, for passkeys."},
    "name": STRING,
    "cred_id": {**STRING, "description": "The id of the credential, in Base64url."},
    "last_used": nullable(DATETIME),
}
PASSKEY = object_schema("Passkey", "A passkey of the caller.", _PASSKEY)
CREATED_PASSKEY = object_schema(
    "CreatedPasskey",
    "A new passkey. There are codes if it is the first factor of the account.",
    {**_PASSKEY, "backup_codes": array_of(_RECOVERY_CODE)},
)
PASSKEY_REGISTRATION = object_schema(
    "PasskeyRegistration",
    "What a browser needs to create a passkey.",
    {
        "ticket": STRING,
        "challenge": {**STRING, "description": "The options to create a passkey with, as JSON."},
    },
)
PASSKEY_OR_REGISTRATION = ResponseSchema({"anyOf": [PASSKEY_REGISTRATION, CREATED_PASSKEY]})
GUILD_MFA_LEVEL = object_schema(
    "GuildMfaLevel", "Whether moderation needs a second factor.", {"level": one_of(0, 1)}
)
