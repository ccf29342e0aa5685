"""Descriptions of the fields of single schemas, about accounts, applications and the server."""

from __future__ import annotations

from typing import Final

from chatd.wire.descriptions._always import ALWAYS_EMPTY

_USER: Final = {
    "id": "The id of the user.",
    "bot": "Whether the account belongs to an application.",
    "flags": "Flags of the user: 0; 1 in the own account of an administrator of the server.",
}

ACCOUNTS: Final[dict[str, dict[str, str]]] = {
    "Error": {
        "code": "Discord's error code, or 0 where Discord has none.",
        "message": "The error in words.",
    },
    "RateLimited": {
        "code": "20016 for the slow mode of a channel; otherwise absent.",
        "message": "The error in words.",
        "global": "Whether the limit applies to all routes together.",
    },
    "Health": {"status": "Always `ok`."},
    "Readiness": {
        "status": "`ok`; `degraded` without Redis; `unavailable` without Postgres.",
        "database": "`ok`, `unavailable`, or `busy` if it does not answer in time.",
        "redis": "`ok` or `unavailable`.",
    },
    "User": _USER,
    "UserWithBio": _USER,
    "OwnUser": {
        "id": "The id of the user.",
        "bot": "Whether the account belongs to an application.",
        "flags": "Flags of the account.",
    },
    "MutualGuild": {"id": "The id of the guild.", "nick": "The nickname of the user there."},
    "Profile": {
        "badges": ALWAYS_EMPTY,
        "guild_badges": ALWAYS_EMPTY,
        "connected_accounts": ALWAYS_EMPTY,
        "user": "The user.",
        "user_profile": "What the user says about itself.",
        "legacy_username": "Always null.",
        "mutual_guilds": "Guilds that both the caller and the user are members of.",
        "mutual_friends": "Friends of both the caller and the user, if they were requested.",
        "mutual_friends_count": "The number of these friends, if it was requested.",
        "guild_member": "The user as a member of the requested guild.",
        "guild_member_profile": "The profile of this member.",
        "application": "The application, if the user is a bot.",
    },
    "UserProfile": {"pronouns": "Always empty."},
    "MemberProfile": {
        "bio": "Always empty.",
        "pronouns": "Always empty.",
        "guild_id": "The guild.",
    },
    "ProfileApplication": {
        "id": "The id of the application.",
        "flags": "Always 0.",
        "verified": "Always false.",
        "storefront_available": "Always false.",
    },
    "Relationship": {
        "id": "The id of the other user.",
        "user": "The other user.",
        "since": "When the relationship began.",
    },
    "NewRelationship": {"type": "1 sends or accepts a friend request, 2 blocks the user."},
    "RelationshipChange": {"nickname": "A name for the friend that only the caller sees."},
    "FriendRequest": {
        "username": "The username of the person.",
        "discriminator": "For old clients; usernames have none, so only null and 0 are accepted.",
    },
    "FriendSources": {
        "all": "Everyone.",
        "mutual_friends": "Friends of the caller's friends.",
        "mutual_guilds": "Members of the caller's guilds.",
    },
    "FriendSourceFlags": {
        "all": "Everyone.",
        "mutual_friends": "Friends of the caller's friends.",
        "mutual_guilds": "Members of the caller's guilds.",
    },
    "Login": {
        "created_at": "When the login was created.",
        "last_seen": "The same as `approx_last_used_time`.",
    },
    "LoginResult": {
        "access_token": "The token for `Authorization: Bearer`.",
        "refresh_token": "The token for `POST /auth/refresh`; it works once.",
        "expires_in": "Lifetime of the access token in seconds.",
        "user": "The account that logged in.",
    },
    "NewLogin": {
        "access_token": "The token for `Authorization: Bearer`.",
        "refresh_token": "The token for `POST /auth/refresh`; it works once.",
        "expires_in": "Lifetime of the access token in seconds.",
        "user": "The account that logged in.",
        "user_settings": "What a client needs before it reads all settings.",
    },
    "LoginSettings": {"theme": "The colors of clients."},
    "NewAccount": {
        "password": "The password: 8 to 128 characters, and not a common one.",
        "invite": "An invite to a guild that the account joins, if it can; or an `invitation`.",
    },
    "LoginInput": {
        "login": "The email address, by the name that Discord's clients use.",
        "email": "The email address; `login` takes precedence.",
        "password": "The password of the account.",
    },
    "EndedLogins": {"password": "The caller's password; optional, but a wrong one is refused."},
    "ProfileChange": {
        "password": "The current password; required with `email` or `new_password`.",
        "avatar": "The picture as a data URI (`data:image/png;base64,...`); null removes it.",
        "email": "A new email address; requires `password`.",
        "code": "A code of the second factor. Not required, but a wrong one is refused.",
    },
    "Confirmation": {
        "password": "The caller's current password.",
        "code": "A code of the second factor, if the account has one.",
    },
    "Logout": {
        "refresh_token": "The login that ends; without it, the login of the caller's token."
    },
    "RefreshToken": {"refresh_token": "A refresh token that has not been used yet."},
    "Invitation": {
        "code": "The code to register with.",
        "created_by": "The administrator who created it; null if created on the command line.",
        "created_at": "When it was created.",
        "max_uses": "How many accounts can register with it; 0 means no limit.",
        "uses": "How many accounts have registered with it.",
        "expires_at": "When it expires; null means never.",
    },
    "NewInvitation": {
        "max_uses": "How many accounts can register with it; 0 means no limit.",
        "max_age": "Lifetime in seconds; 0 means no limit.",
    },
    "SessionStartLimit": {
        "total": "How many sessions can be started in a day.",
        "remaining": "How many sessions can still be started today.",
    },
    "Gateway": {"url": "The address of the gateway."},
    "GatewayOfBot": {"url": "The address of the gateway."},
}
