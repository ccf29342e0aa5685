"""What the routes of logins answer."""

from __future__ import annotations

from uuid import UUID

from chatd.core.json import JsonObject
from chatd.services.accounts.accounts import LoginResult, NewLogin
from chatd.services.accounts.mfa.tickets import Challenge
from chatd.wire import payloads


def new_login(login: NewLogin) -> JsonObject:
    """A new login with its tokens."""
    return {
        **login_result(login.result),
        "token": login.client_token,
        "user_id": str(login.result.account.user.id),
        "user_settings": {"locale": "en-US", "theme": "dark"},
    }


def login_result(result: LoginResult) -> JsonObject:
    """A pair of tokens."""
    return {
        "access_token": result.access_token,
        "refresh_token": result.refresh_token,
        "token_type": "Bearer",
        "expires_in": result.expires_in_s,
        "user": payloads.own_user(result.account),
    }


def mfa_challenge(challenge: Challenge) -> JsonObject:
    """The request for a second factor. discord.js-selfbot-v13 takes a `token` for a login."""
    return {
        "mfa": True,
        "ticket": challenge.ticket,
        "login_instance_id": str(UUID(bytes=challenge.id)),
        "user_id": str(challenge.user_id),
        "totp": challenge.totp,
        "backup": challenge.backup,
        "sms": False,
        "webauthn": challenge.webauthn,
    }
