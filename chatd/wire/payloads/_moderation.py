"""Payloads of invites, bans and the audit log."""

from __future__ import annotations

from collections.abc import Iterable

from orjson import Fragment

from chatd.core.audit import AuditEntry
from chatd.core.integrations import Integration
from chatd.core.json import JsonObject
from chatd.core.models import Ban, Invitation, Invite, User
from chatd.core.webhooks import Webhook
from chatd.wire.payloads._applications import partial_integration
from chatd.wire.payloads._encoding import id_or_none, timestamp, timestamp_or_none
from chatd.wire.payloads._users import user
from chatd.wire.payloads._webhooks import webhook


def invite(invite: Invite) -> JsonObject:
    """An invite as shown to any account that knows its code."""
    return {
        "type": 0,
        "code": invite.code,
        "guild_id": str(invite.guild.id),
        "guild": {
            "id": str(invite.guild.id),
            "name": invite.guild.name,
            "description": invite.guild.description,
            "icon": invite.guild.icon,
            "splash": None,
            "banner": None,
            "features": invite.guild.features,
            "verification_level": 0,
            "vanity_url_code": None,
            "nsfw_level": 0,
            "nsfw": False,
            "premium_subscription_count": 0,
            "premium_tier": 0,
        },
        "channel": {
            "id": str(invite.channel_id),
            "name": invite.channel_name,
            "type": invite.channel_type,
        },
        "inviter": user(invite.inviter),
        "expires_at": timestamp_or_none(invite.expires_at),
    }


def invite_with_uses(invite_: Invite) -> JsonObject:
    """An invite as shown to members who may manage it."""
    return {
        **invite(invite_),
        "uses": invite_.uses,
        "max_uses": invite_.max_uses,
        "max_age": invite_.max_age_s,
        "temporary": invite_.temporary,
        "created_at": timestamp(invite_.created_at),
    }


def invitation(invitation: Invitation) -> JsonObject:
    """A registration code, as administrators see it."""
    return {
        "code": invitation.code,
        "created_by": id_or_none(invitation.created_by),
        "created_at": timestamp(invitation.created_at),
        "max_uses": invitation.max_uses,
        "uses": invitation.uses,
        "expires_at": timestamp_or_none(invitation.expires_at),
    }


def ban(ban: Ban) -> JsonObject:
    """GuildBanResponse."""
    return {"reason": ban.reason, "user": user(ban.user)}


def audit_entry(entry: AuditEntry) -> JsonObject:
    """AuditLogEntryResponse."""
    payload: JsonObject = {
        "id": str(entry.id),
        "user_id": id_or_none(entry.user_id),
        "target_id": id_or_none(entry.target_id),
        "action_type": entry.action,
    }
    if entry.changes:
        payload["changes"] = entry.changes
    if entry.options:
        payload["options"] = entry.options
    if entry.reason is not None:
        payload["reason"] = entry.reason
    return payload


def audit_log(
    entries: Fragment,
    users: Iterable[User],
    webhooks: Iterable[Webhook],
    integrations: Iterable[Integration],
    *,
    commands: Fragment,
    rules: Fragment,
) -> JsonObject:
    """GuildAuditLogResponse. What can be large is an encoded array."""
    return {
        "audit_log_entries": entries,
        "users": [user(each) for each in users],
        "application_commands": commands,
        "auto_moderation_rules": rules,
        "guild_scheduled_events": [],
        "integrations": [partial_integration(each) for each in integrations],
        "threads": [],
        "webhooks": [webhook(each, None) for each in webhooks],
    }
