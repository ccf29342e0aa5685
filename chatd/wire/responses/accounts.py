"""Responses about users, their accounts and applications."""

from __future__ import annotations

from chatd.core.relationships import RelationshipType
from chatd.wire.json_schema import (
    BOOL,
    COUNT,
    DATETIME,
    ID,
    INT,
    NULL,
    STRING,
    array_of,
    extended_schema,
    nullable,
    object_schema,
    one_of,
)

USER = object_schema(
    "User",
    "A user as other users see it.",
    {
        "id": ID,
        "username": STRING,
        "discriminator": STRING,
        "global_name": nullable(STRING),
        "avatar": nullable(STRING),
        "bot": BOOL,
        "flags": INT,
        "public_flags": INT,
        "banner": NULL,
        "accent_color": NULL,
        "avatar_decoration_data": NULL,
        "primary_guild": NULL,
    },
)
OWN_USER = extended_schema(
    USER,
    "OwnUser",
    "The caller's own account.",
    {
        "email": nullable(STRING),
        "bio": STRING,
        "verified": BOOL,
        "mfa_enabled": BOOL,
        "authenticator_types": array_of(one_of(1, 2)),
        "locale": STRING,
        "premium_type": INT,
    },
)
USER_WITH_BIO = extended_schema(USER, "UserWithBio", "A user and its bio.", {"bio": STRING})
RELATIONSHIP = object_schema(
    "Relationship",
    "The relationship of another user to the caller.",
    {
        "id": ID,
        "type": {
            **one_of(*RelationshipType),
            "description": "1 friend, 2 blocked, 3 incoming request, 4 outgoing request.",
        },
        "nickname": {
            **nullable(STRING),
            "description": "The caller's own name for a friend; no other user sees it.",
        },
        "since": DATETIME,
        "user": USER_WITH_BIO,
        "is_spam_request": BOOL,
        "stranger_request": BOOL,
        "user_ignored": BOOL,
    },
)
LOGINS = object_schema(
    "Logins",
    "The logins of an account.",
    {
        "user_sessions": array_of(
            object_schema(
                "Login",
                "A login; `current` marks the login of the caller.",
                {
                    "id_hash": STRING,
                    "approx_last_used_time": DATETIME,
                    "last_seen": DATETIME,
                    "created_at": DATETIME,
                    "client_info": object_schema(
                        "ClientInfo",
                        "What the server knows about the client.",
                        {"os": NULL, "platform": nullable(STRING), "location": NULL},
                    ),
                    "current": BOOL,
                },
            )
        )
    },
)
LOGIN_RESULT = object_schema(
    "LoginResult",
    "A pair of tokens of a login, and its account.",
    {
        "access_token": STRING,
        "refresh_token": STRING,
        "token_type": one_of("Bearer"),
        "expires_in": {**COUNT, "description": "Seconds."},
        "user": OWN_USER,
    },
)
VERIFIED_ADDRESS = object_schema(
    "VerifiedAddress",
    "An account whose email address was verified.",
    {"user_id": ID, "token": NULL},
)
NEW_LOGIN = extended_schema(
    LOGIN_RESULT,
    "NewLogin",
    "The tokens of a new login, and its account.",
    {
        "token": {
            **STRING,
            "description": "A token for clients that never refresh. It is valid until the login"
            " ends, or is not used for the server's CLIENT_TOKEN_EXPIRY.",
        },
        "user_id": ID,
        "user_settings": object_schema(
            "LoginSettings", "What a client shows first.", {"locale": STRING, "theme": STRING}
        ),
    },
)
INVITATION = object_schema(
    "Invitation",
    "A registration code, for servers on which registration needs one.",
    {
        "code": STRING,
        "created_by": nullable(ID),
        "created_at": DATETIME,
        "max_uses": COUNT,
        "uses": COUNT,
        "expires_at": nullable(DATETIME),
    },
)
