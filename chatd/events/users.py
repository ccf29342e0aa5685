"""Dispatches to the sessions of one user."""

from __future__ import annotations

import orjson

from chatd.core.ids import LoginId, StreamId, UserId
from chatd.core.models import Account
from chatd.events.event import Event, to_user
from chatd.wire import payloads

LOGIN_REVOKED = "LOGIN_REVOKED"
"""Not for clients: tells every instance to close what was opened through a login."""


def revoked_login(event: Event) -> LoginId | None:
    """The login that a LOGIN_REVOKED ends; None for every other event."""
    if event.name != LOGIN_REVOKED:
        return None
    return LoginId(int(orjson.loads(event.body)["login_id"]))


def user_updated(account: Account) -> Event:
    """USER_UPDATE."""
    user_id = account.user.id
    body = payloads.encode(payloads.own_user(account))
    return Event("USER_UPDATE", StreamId(user_id), to_user(user_id), body)


def login_revoked(user_id: UserId, login_id: LoginId) -> Event:
    """LOGIN_REVOKED: tokens of this login are worth nothing from now on."""
    body = payloads.encode({"login_id": str(login_id)})
    return Event(LOGIN_REVOKED, StreamId(user_id), to_user(user_id), body)
