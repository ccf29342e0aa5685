"""Dispatches to the sessions of one user."""

from __future__ import annotations

import orjson

from chatd.core.ids import GuildId, LoginId, StreamId, UserId
from chatd.core.json import JsonObject
from chatd.core.models import Account
from chatd.events.event import Event, to_user
from chatd.wire import payloads

LOGIN_REVOKED = "LOGIN_REVOKED"
"""Internal: every instance closes the sessions of a revoked login."""


MEMBERSHIP_CHANGED = "MEMBERSHIP_CHANGED"
"""Internal: numbers a join in the user's own stream. So an instance without a feed of the guild
detects a lost GUILD_CREATE as a gap in the user's stream."""

_SHOWN_TO_FRIENDS = (
    "id",
    "username",
    "discriminator",
    "global_name",
    "avatar",
    "bot",
    "public_flags",
    "banner",
    "accent_color",
    "avatar_decoration_data",
    "primary_guild",
    "bio",
)
"""The keys of a user without those that only the user itself sees, like its address."""

INTERNAL = frozenset({LOGIN_REVOKED, MEMBERSHIP_CHANGED})


def revoked_login(event: Event) -> LoginId | None:
    """Return the login that a LOGIN_REVOKED ends; None for every other event."""
    if event.name != LOGIN_REVOKED:
        return None
    return LoginId(int(orjson.loads(event.body)["login_id"]))


def user_updated(account: Account) -> Event:
    """USER_UPDATE."""
    user_id = account.user.id
    body = payloads.encode(payloads.own_user(account))
    return Event("USER_UPDATE", StreamId(user_id), to_user(user_id), body)


def read_shown(event: Event) -> JsonObject:
    """Return what the friends of a user see of its USER_UPDATE."""
    data = orjson.loads(event.body)
    shown = {key: data[key] for key in _SHOWN_TO_FRIENDS}
    return {**shown, "flags": data["public_flags"]}


def sessions_replaced(user_id: UserId, sessions: bytes) -> Event:
    """SESSIONS_REPLACE: the encoded sessions of the user, to one of them."""
    return Event("SESSIONS_REPLACE", StreamId(user_id), to_user(user_id), sessions)


def membership_changed(user_id: UserId, guild_id: GuildId) -> Event:
    """MEMBERSHIP_CHANGED: the user has joined this guild."""
    body = payloads.encode({"guild_id": str(guild_id)})
    return Event(MEMBERSHIP_CHANGED, StreamId(user_id), to_user(user_id), body)


def login_revoked(user_id: UserId, login_id: LoginId) -> Event:
    """LOGIN_REVOKED: the tokens of this login are invalid."""
    body = payloads.encode({"login_id": str(login_id)})
    return Event(LOGIN_REVOKED, StreamId(user_id), to_user(user_id), body)
