"""Dispatches about bans and the audit log, to members with the permission for them."""

from __future__ import annotations

from chatd.core.audit import AuditEntry
from chatd.core.ids import GuildId, StreamId
from chatd.core.intents import Intents
from chatd.core.models import User
from chatd.core.permissions import Permissions
from chatd.events.event import Event, to_channel, to_guild
from chatd.wire import payloads


def ban_added(guild_id: GuildId, user: User) -> Event:
    """GUILD_BAN_ADD, to members with BAN_MEMBERS."""
    return _about_ban("GUILD_BAN_ADD", guild_id, user)


def ban_removed(guild_id: GuildId, user: User) -> Event:
    """GUILD_BAN_REMOVE, to members with BAN_MEMBERS."""
    return _about_ban("GUILD_BAN_REMOVE", guild_id, user)


def entry_added(entry: AuditEntry) -> Event:
    """GUILD_AUDIT_LOG_ENTRY_CREATE, to members with VIEW_AUDIT_LOG.

    An entry about a channel goes only to those of them that can see the channel.
    """
    payload = {"guild_id": str(entry.guild_id), **payloads.audit_entry(entry)}
    return Event(
        "GUILD_AUDIT_LOG_ENTRY_CREATE",
        StreamId(entry.guild_id),
        to_guild(entry.guild_id, Permissions.VIEW_AUDIT_LOG)
        if entry.channel_id is None
        else to_channel(entry.channel_id, Permissions.VIEW_AUDIT_LOG | Permissions.VIEW_CHANNEL),
        payloads.encode(payload),
        Intents.GUILD_MODERATION,
    )


def _about_ban(name: str, guild_id: GuildId, user: User) -> Event:
    body = payloads.encode({"guild_id": str(guild_id), "user": payloads.user(user)})
    audience = to_guild(guild_id, Permissions.BAN_MEMBERS)
    return Event(name, StreamId(guild_id), audience, body, Intents.GUILD_MODERATION)
