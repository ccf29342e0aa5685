"""Descriptions of the fields of single schemas, about guilds, channels and what belongs to them."""

from __future__ import annotations

from typing import Final

from chatd.wire.descriptions._always import ALWAYS_EMPTY, ALWAYS_NULL

GUILDS: Final[dict[str, dict[str, str]]] = {
    "GuildSummary": {
        "id": "The id of the guild.",
        "name": "The name of the guild.",
        "owner": "Whether the caller owns the guild.",
        "permissions": "The caller's permissions in the guild, as bits.",
    },
    "GuildPreview": {
        "id": "The id of the guild.",
        "name": "The name of the guild.",
        "description": "What the guild is about.",
    },
    "Threads": {"members": ALWAYS_EMPTY, "has_more": "Always false."},
    "VanityUrl": {"uses": "Always 0."},
    "Guild": {
        "id": "The id of the guild.",
        "name": "The name of the guild.",
        "description": "What the guild is about.",
        "roles": "The roles of the guild.",
        "owner_id": "The user who owns the guild.",
        "nsfw": "Always false.",
    },
    "NewGuild": {
        "name": "The name of the guild.",
        "description": "What the guild is about.",
        "icon": "The picture as a data URI (`data:image/png;base64,...`).",
    },
    "GuildChange": {
        "name": "The name of the guild.",
        "description": "What the guild is about; null removes it.",
        "icon": "The picture as a data URI (`data:image/png;base64,...`); null removes it.",
        "owner_id": "The member who becomes the owner. Only the owner can change it.",
        "code": "A code of the second factor, for a new owner.",
    },
    "InvitesPaused": {
        "code": "40006 if invites of the guild are paused.",
        "message": "The error in words.",
        "retry_after": "In how many seconds invites work again; absent if that is not known.",
    },
    "Prune": {
        "days": "The number of days for which a member has been offline.",
        "include_roles": "Members with only these roles are removed as well.",
    },
    "Pruned": {"pruned": "The number of members; null if `compute_prune_count` was false."},
    "Role": {
        "id": "The id of the role.",
        "name": "The name of the role.",
        "permissions": "What the role allows, as bits.",
        "managed": "Whether the role belongs to a bot.",
        "flags": "Flags of the role.",
    },
    "NewRole": {
        "name": "The name of the role.",
        "permissions": "What the role allows, as bits. Without it, what @everyone allows.",
        "color": "The color as an RGB number; `colors` is used instead if both are given.",
    },
    "RoleChange": {
        "name": "The name of the role.",
        "permissions": "What the role allows, as bits.",
        "color": "The color as an RGB number; `colors` is used instead if both are given.",
    },
    "RoleMove": {"id": "The role.", "position": "Its new position; 0 is @everyone's."},
    "Member": {
        "id": "The id of the user.",
        "user": "The user.",
        "roles": "The ids of the member's roles, without @everyone.",
        "flags": "Flags of the member.",
        "deaf": "Always false, since there are no voice channels.",
        "mute": "Always false, since there are no voice channels.",
        "communication_disabled_until": "When the member's timeout ends; null without a timeout.",
    },
    "MemberChange": {
        "nick": "The nickname; null removes it.",
        "roles": "The ids of all roles of the member; replaces the previous roles.",
        "communication_disabled_until": "When the member's timeout ends, at most 28 days ahead;"
        " null ends it.",
    },
    "OwnMemberChange": {"nick": "The caller's nickname; null removes it."},
    "Overwrite": {
        "id": "The id of the role or member.",
        "type": "0 for a role, 1 for a member.",
        "allow": "What the channel allows, as bits.",
        "deny": "What the channel denies, as bits.",
    },
    "OverwriteInput": {
        "id": "The id of the role or member.",
        "type": "0 for a role, 1 for a member.",
    },
    "OverwriteChange": {"type": "0 for a role, 1 for a member."},
    "Channel": {
        "id": "The id of the channel.",
        "type": "0 a text channel, 4 a category, 5 an announcement channel.",
        "name": "The name of the channel.",
        "flags": "Flags of the channel.",
        "guild_id": "The guild that the channel is in.",
        "rate_limit_per_user": "Slow mode: how long a member waits between two messages, in"
        " seconds.",
    },
    "NewChannel": {
        "name": "The name of the channel.",
        "type": "0 a text channel, 4 a category, 5 an announcement channel.",
        "position": "Where the channel is in the list; without it, at the end.",
        "parent_id": "The category that the channel is in.",
    },
    "ChannelChange": {
        "name": "The name of the channel, or of a group; null removes that of a group.",
        "type": "The type. Text channels (0) and announcement channels (5) can become each other.",
        "parent_id": "The category that the channel moves to; null removes it from its category.",
        "permission_overwrites": "All overwrites of the channel; replaces the previous ones.",
    },
    "ChannelMove": {
        "id": "The channel.",
        "position": "Its new position; null keeps it.",
        "parent_id": "The category that it moves to; null removes it from its category.",
    },
    "PrivateChannel": {
        "id": "The id of the channel.",
        "type": "1 a direct message, 3 a group.",
        "name": "The name of the group; null if it has none.",
        "recipients": "The other users in the channel.",
        "owner_id": "The user who owns the group.",
        "managed": "Always false.",
        "flags": "Flags of the channel.",
    },
    "NewPrivateChannel": {
        "recipients": "The other users of a new group.",
    },
    "ReadState": {
        "id": "The id of the channel.",
        "last_message_id": "The last message that the caller has read.",
    },
    "Acknowledgement": {
        "manual": "Whether the read position can also move back to an earlier message.",
    },
    "Acknowledged": {"token": ALWAYS_NULL},
    "Ban": {"user": "The user who is banned.", "reason": "The reason that the moderator gave."},
    "BulkBan": {
        "banned_users": "The users who are banned now.",
        "failed_users": "The users who could not be banned.",
    },
    "AuditLogEntry": {
        "id": "The id of the entry.",
        "user_id": "The user who did it.",
        "target_id": "The target: a user, channel, role, or other object.",
        "reason": "The reason that was given in `X-Audit-Log-Reason`.",
        "options": "More facts about the action, like a count or a channel.",
    },
    "AuditLog": {"users": "The users that the entries name."},
    "AuditLogChange": {
        "key": "The name of the field.",
        "old_value": "The value before.",
        "new_value": "The value after.",
    },
    "Invite": {
        "type": "Always 0: an invite to a guild.",
        "code": "The code of the invite.",
        "guild_id": "The guild that the invite leads to.",
        "guild": "The guild that the invite leads to.",
        "channel": "The channel that the invite opens.",
        "expires_at": "When the invite expires; null means never.",
    },
    "InviteWithUses": {
        "type": "Always 0: an invite to a guild.",
        "code": "The code of the invite.",
        "guild_id": "The guild that the invite leads to.",
        "guild": "The guild that the invite leads to.",
        "channel": "The channel that the invite opens.",
        "expires_at": "When the invite expires; null means never.",
        "created_at": "When the invite was created.",
        "max_age": "Lifetime of the invite in seconds; 0 means no limit.",
        "uses": "How many users have joined with it.",
    },
    "NewInvite": {
        "max_age": "Lifetime of the invite in seconds; 0 means no limit.",
    },
    "InviteGuild": {
        "id": "The id of the guild.",
        "name": "The name of the guild.",
        "description": "What the guild is about.",
        "nsfw": "Always false.",
    },
    "InviteChannel": {
        "id": "The id of the channel.",
        "name": "The name of the channel.",
        "type": "0 a text channel, 4 a category, 5 an announcement channel.",
    },
}
