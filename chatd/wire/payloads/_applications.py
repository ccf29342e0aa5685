"""Payloads of applications and of their integrations."""

from __future__ import annotations

from collections.abc import Iterable

from chatd.core.installation import COMMANDS_ONLY, InstallParams, IntegrationType
from chatd.core.integrations import Integration
from chatd.core.json import JsonObject
from chatd.core.models import Application, Guild, User
from chatd.core.permissions import Permissions
from chatd.wire.payloads._users import user


def application(
    application: Application, verify_key: str, *, guilds: int | None = None, users: int = 0
) -> JsonObject:
    """An application as its owner sees it (PrivateApplicationResponse).

    `guilds` and `users` are the numbers of its installations, where these have been counted.
    """
    payload: JsonObject = {
        **public_application(application, verify_key),
        "owner": user(application.owner),
        "team": None,
        "redirect_uris": [],
        "eligible_oauth2_scopes": [],
        "interactions_endpoint_url": application.interactions_endpoint_url,
        "role_connections_verification_url": None,
        "explicit_content_filter": 0,
    }
    if guilds is not None:
        payload |= {
            "approximate_guild_count": guilds,
            "approximate_user_install_count": users,
            "approximate_user_authorization_count": users,
        }
    return payload


def public_application(application: Application, verify_key: str) -> JsonObject:
    """An application as any account sees it (ApplicationResponse).

    `verify_key` verifies the requests to its interactions endpoint.
    """
    payload: JsonObject = {
        "id": str(application.bot.id),
        "name": application.name,
        "icon": application.icon,
        "description": application.description,
        "summary": "",  # no longer documented, but some libraries require it
        "type": None,
        "bot": user(application.bot),
        "bot_public": application.public,
        "bot_require_code_grant": False,
        "flags": application.flags,
        "flags_new": str(application.flags),
        "tags": list(application.tags),
        "verify_key": verify_key,
        "integration_types_config": {
            str(int(kind)): {} if each is None else {"oauth2_install_params": _params(each)}
            for kind, each in application.install_config.items()
        },
    }
    if application.install_params is not None:
        payload["install_params"] = _params(application.install_params)
    if application.custom_install_url is not None:
        payload["custom_install_url"] = application.custom_install_url
    return payload


def _params(params: InstallParams) -> JsonObject:
    return {"scopes": [*params.scopes], "permissions": str(params.permissions)}


def authorization_preview(
    application: Application,
    verify_key: str,
    caller: User,
    *,
    kind: IntegrationType,
    has_bot: bool,
    guild_count: int,
    guilds: Iterable[tuple[Guild, Permissions]],
    is_authorized: bool,
) -> JsonObject:
    """What an authorization would do. `guilds` are those of the caller, with its permissions."""
    payload: JsonObject = {
        "application": public_application(application, verify_key),
        "user": user(caller),
        "integration_type": kind,
        "authorized": is_authorized,
    }
    if has_bot:
        bot = {**user(application.bot), "approximate_guild_count": guild_count}
        payload["bot"] = bot
    if kind is IntegrationType.GUILD_INSTALL:
        payload["guilds"] = [
            {
                "id": str(guild.id),
                "name": guild.name,
                "icon": guild.icon,
                "mfa_level": guild.mfa_level,
                "permissions": str(int(permissions)),
            }
            for guild, permissions in guilds
        ]
    return payload


def authorization(application: Application, verify_key: str) -> JsonObject:
    """An application that the caller has added to its account."""
    return {
        "id": str(application.bot.id),
        "scopes": [*COMMANDS_ONLY],
        "application": public_application(application, verify_key),
    }


def integration(integration: Integration) -> JsonObject:
    """An integration as all members see it (DiscordIntegrationResponse)."""
    application = integration.application
    return {
        **_identity(application),
        "enabled": True,
        "scopes": [*integration.scopes],
        "application": {
            "id": str(application.bot.id),
            "name": application.name,
            "icon": application.icon,
            "description": application.description,
            "summary": "",
            "type": None,
            "bot": user(application.bot),
        },
    }


def integrations(found: Iterable[Integration]) -> list[JsonObject]:
    """The integrations of a guild, with the users that have added them."""
    return [
        {
            **integration(each),
            **({} if each.added_by is None else {"user": user(each.added_by)}),
        }
        for each in found
    ]


def partial_integration(integration: Integration) -> JsonObject:
    """An integration in the audit log (PartialDiscordIntegrationResponse)."""
    application = integration.application
    return {**_identity(application), "application_id": str(application.bot.id)}


def _identity(application: Application) -> JsonObject:
    """What identifies an integration: it has the id and the name of its application."""
    return {
        "id": str(application.bot.id),
        "type": "discord",
        "name": application.name,
        "account": {"id": str(application.bot.id), "name": application.name},
    }
