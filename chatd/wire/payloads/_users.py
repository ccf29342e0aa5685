"""Payloads of users and of their own accounts."""

from __future__ import annotations

from datetime import UTC, datetime

from chatd.core import snowflake
from chatd.core.ids import UserId
from chatd.core.json import JsonObject
from chatd.core.models import Account, Login, User, UserExport
from chatd.core.presence import Presence
from chatd.core.relationships import AccountSettings, FriendSources, Relationship
from chatd.wire.payloads._encoding import timestamp, timestamp_or_none
from chatd.wire.protobuf import legacy
from chatd.wire.protobuf import settings as protos

_STAFF = 1
"""The flag of an administrator of the server, in its own account only. Rule: Discord docs, User
resource, "User Flags": STAFF."""


def user(user: User) -> JsonObject:
    """A user as other users see it (UserResponse)."""
    return {
        "id": str(user.id),
        "username": user.username,
        "discriminator": "0",
        "global_name": user.global_name,
        "avatar": user.avatar,
        "bot": user.bot,
        "flags": 0,
        "public_flags": 0,
        "banner": None,
        "accent_color": None,
        "avatar_decoration_data": None,
        "primary_guild": None,
    }


def presence(user_id: UserId, presence: Presence) -> JsonObject:
    """The presence of a user, without the id of a guild."""
    return {
        "user": {"id": str(user_id)},
        "status": presence.status,
        "activities": presence.activities,
        "client_status": dict(presence.clients),
    }


def own_user(account: Account) -> JsonObject:
    """The caller's own account (UserPIIResponse)."""
    return {
        **user(account.user),
        "flags": _STAFF if account.is_administrator else 0,
        "email": account.email,
        "bio": account.bio,
        "verified": account.email_verified,
        "mfa_enabled": account.mfa_enabled,
        "authenticator_types": _authenticators(account),
        "locale": "en-US",
        "premium_type": 0,
    }


def _authenticators(account: Account) -> list[int]:
    """Rule: the authenticator types of Discord's clients, 1 for passkeys and 2 for codes."""
    return [1] * account.has_passkey + [2] * account.has_totp


def relationship(relationship: Relationship) -> JsonObject:
    """A friend, friend request or block of the caller, as Discord's own clients expect it.

    Clients of Spacebar need the bio of the user; Discord's ignore it.
    """
    return {
        "id": str(relationship.user.id),
        "type": relationship.type,
        "nickname": relationship.nickname,
        "since": timestamp(relationship.since),
        "user": {**user(relationship.user), "bio": relationship.bio},
        "is_spam_request": False,
        "stranger_request": False,
        "user_ignored": False,
    }


def user_settings(settings: AccountSettings) -> JsonObject:
    """The settings of an account, as Discord's older API has them.

    `direct_messages` is chatd's own field.
    """
    effective = settings.effective
    sources = effective.friend_sources
    return {
        **legacy.show(settings.preloaded),
        "direct_messages": effective.direct_messages.name.lower(),
        "default_guilds_restricted": effective.default_guilds_restricted,
        "restricted_guilds": [str(guild_id) for guild_id in effective.restricted_guilds],
        "friend_source_flags": {
            source.name.lower(): source in sources for source in FriendSources if source.name
        },
        "activity_joining_restricted_guild_ids": [],
        "activity_restricted_guild_ids": [],
        "contact_sync_enabled": False,
        "explicit_content_filter": 0,
        "friend_discovery_flags": 0,
        "passwordless": False,
    }


def preloaded_settings(settings: AccountSettings) -> bytes:
    """The settings of an account, as a message of Protocol Buffers."""
    return protos.with_privacy(settings.preloaded or protos.empty(), settings.effective)


def login(login: Login, *, is_own: bool) -> JsonObject:
    """A login (AuthSession). `current` marks the login of the caller.

    `last_seen` is the name of `approx_last_used_time` at Spacebar, whose clients sort by it.
    """
    last_used = timestamp(login.last_used_at)
    return {
        "id_hash": login.hash,
        "approx_last_used_time": last_used,
        "last_seen": last_used,
        "created_at": timestamp(snowflake.created_at(login.id)),
        "client_info": {"os": None, "platform": login.user_agent, "location": None},
        "current": is_own,
    }


def user_export(export: UserExport, *, link: tuple[str, int] | None) -> JsonObject:
    """An archive of the caller's account. `link` is its URL, and its expiry in Unix seconds."""
    state = "pending" if export.is_pending else "failed" if export.size is None else "ready"
    url, expires = link or (None, None)
    return {
        "id": str(export.id),
        "state": state,
        "requested_at": timestamp(export.requested_at),
        "finished_at": timestamp_or_none(export.finished_at),
        "size": export.size,
        "url": url,
        "url_expires_at": None
        if expires is None
        else timestamp(datetime.fromtimestamp(expires, UTC)),
    }
