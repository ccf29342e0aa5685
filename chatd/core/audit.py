"""Entries of the audit log. Rule: Discord docs, Audit Log resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from chatd.core.ids import AuditEntryId, ChannelId, GuildId, UserId


class AuditAction(IntEnum):
    """Rule: Discord docs, Audit Log resource, "Audit Log Events"."""

    GUILD_UPDATE = 1
    CHANNEL_CREATE = 10
    CHANNEL_UPDATE = 11
    CHANNEL_DELETE = 12
    CHANNEL_OVERWRITE_CREATE = 13
    CHANNEL_OVERWRITE_UPDATE = 14
    CHANNEL_OVERWRITE_DELETE = 15
    MEMBER_KICK = 20
    MEMBER_PRUNE = 21
    MEMBER_BAN_ADD = 22
    MEMBER_BAN_REMOVE = 23
    MEMBER_UPDATE = 24
    MEMBER_ROLE_UPDATE = 25
    BOT_ADD = 28
    ROLE_CREATE = 30
    ROLE_UPDATE = 31
    ROLE_DELETE = 32
    INVITE_CREATE = 40
    INVITE_DELETE = 42
    WEBHOOK_CREATE = 50
    WEBHOOK_UPDATE = 51
    WEBHOOK_DELETE = 52
    MESSAGE_DELETE = 72
    MESSAGE_BULK_DELETE = 73
    MESSAGE_PIN = 74
    MESSAGE_UNPIN = 75
    INTEGRATION_CREATE = 80
    INTEGRATION_UPDATE = 81
    INTEGRATION_DELETE = 82
    APPLICATION_COMMAND_PERMISSION_UPDATE = 121
    AUTO_MODERATION_RULE_CREATE = 140
    AUTO_MODERATION_RULE_UPDATE = 141
    AUTO_MODERATION_RULE_DELETE = 142
    AUTO_MODERATION_BLOCK_MESSAGE = 143
    AUTO_MODERATION_FLAG_TO_CHANNEL = 144
    AUTO_MODERATION_USER_COMMUNICATION_DISABLED = 145


_ON_CHANNELS = frozenset(
    {
        AuditAction.CHANNEL_CREATE,
        AuditAction.CHANNEL_UPDATE,
        AuditAction.CHANNEL_DELETE,
        AuditAction.CHANNEL_OVERWRITE_CREATE,
        AuditAction.CHANNEL_OVERWRITE_UPDATE,
        AuditAction.CHANNEL_OVERWRITE_DELETE,
        AuditAction.MESSAGE_BULK_DELETE,
    }
)


AuditChange = dict[str, Any]
"""One changed key: {"key", "old_value", "new_value"}. A value that does not exist is omitted."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An action of a user on a target, with its reason."""

    id: AuditEntryId
    guild_id: GuildId
    user_id: UserId | None
    """None for an action that needs no account, like deleting a webhook by its token."""
    target_id: int | None
    action: AuditAction
    reason: str | None
    changes: Sequence[AuditChange]
    options: Mapping[str, str]

    @property
    def channel_id(self) -> ChannelId | None:
        """The channel of the entry, if any. Only members that can see the channel see the entry."""
        if self.action in _ON_CHANNELS and self.target_id is not None:
            return ChannelId(self.target_id)
        if (named := self.options.get("channel_id")) is not None:
            return ChannelId(int(named))
        for change in self.changes:
            if change["key"] == "channel_id":
                return ChannelId(int(change.get("new_value") or change["old_value"]))
        return None

    @classmethod
    def from_row(cls, *row: Any) -> AuditEntry:
        """Return an entry from a database row."""
        entry_id, guild_id, user_id, target_id, action, *rest = row
        return cls(entry_id, guild_id, user_id, target_id, AuditAction(action), *rest)
