"""From models to JSON: one function a shape, each as Discord's published OpenAPI names it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from chatd.core import snowflake
from chatd.core.ids import UserId
from chatd.core.models import (
    Account,
    Application,
    Attachment,
    AuditEntry,
    Ban,
    Channel,
    ChannelType,
    Counts,
    Guild,
    Invitation,
    Invite,
    Login,
    Member,
    MemberChunk,
    Message,
    MessageType,
    Overwrite,
    PrivateChannel,
    Profile,
    Reaction,
    ReadState,
    Role,
    User,
)
from chatd.core.presence import Presence

Json = dict[str, Any]

SUPPRESS_EMBEDS = 1 << 2
"""The flag of a message whose embeds are not shown."""


def encode(payload: Any) -> bytes:
    """The bytes of a payload. What it holds is ours, so that this cannot fail.

    They are copied: orjson keeps the whole of its buffer with them, 4 KiB for a payload of 150
    bytes, and events are remembered for minutes.
    """
    return bytes(memoryview(orjson.dumps(payload)))


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds and offset, as Discord's."""
    return moment.isoformat(timespec="microseconds")


def _optional(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)


def _id(number: int | None) -> str | None:
    return None if number is None else str(number)


def user(user: User) -> Json:
    """A user as everyone sees it (UserResponse)."""
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


def presence(user_id: UserId, presence: Presence) -> Json:
    """What a user shows, without the guild that it is shown to."""
    return {
        "user": {"id": str(user_id)},
        "status": presence.status,
        "activities": presence.activities,
        "client_status": dict(presence.clients),
    }


def members_chunk(chunk: MemberChunk) -> Json:
    """GUILD_MEMBERS_CHUNK."""
    payload: Json = {
        "guild_id": str(chunk.guild_id),
        "members": [member(each) for each in chunk.members],
        "chunk_index": chunk.index,
        "chunk_count": chunk.count,
    }
    if chunk.not_found:
        payload["not_found"] = [str(user_id) for user_id in chunk.not_found]
    if chunk.nonce is not None:
        payload["nonce"] = chunk.nonce
    return payload


def own_user(account: Account) -> Json:
    """A user as it sees itself (UserPIIResponse)."""
    return {
        **user(account.user),
        "email": account.email,
        "bio": account.bio,
        "verified": True,
        "mfa_enabled": False,
        "locale": "en-US",
        "premium_type": 0,
    }


def application(application: Application, *, guilds: int | None = None) -> Json:
    """An application; how many guilds it is in, only where that has been counted."""
    payload: Json = {
        "id": str(application.bot.id),
        "name": application.name,
        "icon": None,
        "description": application.description,
        "bot_public": application.public,
        "bot_require_code_grant": False,
        "flags": application.flags,
        "verify_key": "",  # of interactions, which come over the gateway or not at all
        "owner": user(application.owner),
        "bot": user(application.bot),
        "team": None,
        "type": None,
        "flags_new": str(application.flags),
        "redirect_uris": [],
        "eligible_oauth2_scopes": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "explicit_content_filter": 0,
    }
    if guilds is not None:
        payload |= {
            "approximate_guild_count": guilds,
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
        }
    return payload


def profile(profile: Profile) -> Json:
    """A user with what it tells of itself, and the guilds that it shares with who looks."""
    return {
        "user": {**user(profile.user), "bio": profile.bio},
        "user_profile": {"bio": profile.bio},
        "mutual_guilds": [
            {"id": str(each.guild_id), "nick": each.nick} for each in profile.mutual_guilds
        ],
    }


def login(login: Login, *, is_own: bool) -> Json:
    """AuthSession, as Discord's clients list them. `current` marks the one that asks."""
    return {
        "id_hash": login.hash,
        "approx_last_used_time": timestamp(login.last_used_at),
        "created_at": timestamp(snowflake.created_at(login.id)),
        "client_info": {"os": None, "platform": login.user_agent, "location": None},
        "current": is_own,
    }


def role(role: Role) -> Json:
    """GuildRoleResponse."""
    return {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(role.permissions),
        "position": role.position,
        "color": role.color,
        "colors": {
            "primary_color": role.color,
            "secondary_color": None,
            "tertiary_color": None,
        },
        "hoist": role.hoist,
        "managed": False,
        "mentionable": role.mentionable,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }


def partial_member(member: Member) -> Json:
    """A member without its user, as messages carry it beside their author."""
    return {
        "nick": member.nick,
        "avatar": None,
        "banner": None,
        "roles": [str(role_id) for role_id in member.roles],
        "joined_at": timestamp(member.joined_at),
        "premium_since": None,
        "communication_disabled_until": _optional(member.communication_disabled_until),
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
    }


def member(member: Member) -> Json:
    """GuildMemberResponse."""
    return {"user": user(member.user), **partial_member(member)}


def overwrite(overwrite: Overwrite) -> Json:
    """ChannelPermissionOverwriteResponse."""
    return {
        "id": str(overwrite.target_id),
        "type": overwrite.type,
        "allow": str(overwrite.allow),
        "deny": str(overwrite.deny),
    }


def channel(channel: Channel) -> Json:
    """GuildChannelResponse."""
    return {"guild_id": str(channel.guild_id), **channel_in_guild(channel)}


def channel_in_guild(channel: Channel) -> Json:
    """A channel inside the GUILD_CREATE of its guild: without the guild's id."""
    payload: Json = {
        "id": str(channel.id),
        "type": channel.type,
        "name": channel.name,
        "position": channel.position,
        "parent_id": _id(channel.parent_id),
        "permission_overwrites": [overwrite(each) for each in channel.overwrites],
        "nsfw": channel.nsfw,
        "flags": 0,
    }
    if channel.type != ChannelType.CATEGORY:
        payload |= {
            "topic": channel.topic,
            "rate_limit_per_user": channel.rate_limit_per_user,
            "last_message_id": _id(channel.last_message_id),
            "last_pin_timestamp": None,
        }
    return payload


def private_channel(channel: PrivateChannel, viewer: UserId) -> Json:
    """PrivateChannelResponse, or PrivateGroupChannelResponse, as one of those in it sees it."""
    payload: Json = {
        "id": str(channel.id),
        "type": channel.type,
        "recipients": [user(each) for each in channel.others(viewer)],
        "last_message_id": _id(channel.last_message_id),
        "flags": 0,
    }
    if channel.type == ChannelType.GROUP_DM:
        payload |= {
            "name": channel.name,
            "icon": None,
            "owner_id": _id(channel.owner_id),
            "managed": False,
        }
    return payload


def guild(guild: Guild, roles: Iterable[Role]) -> Json:
    """GuildResponse."""
    return {
        "id": str(guild.id),
        "name": guild.name,
        "description": guild.description,
        "icon": guild.icon,
        "owner_id": str(guild.owner_id),
        "system_channel_id": _id(guild.system_channel_id),
        "system_channel_flags": guild.system_channel_flags,
        "roles": [role(each) for each in roles],
        **_GUILD_CONSTANTS,
    }


def counts(counts: Counts) -> Json:
    """What `with_counts` adds to a guild or an invite."""
    return {
        "approximate_member_count": counts.members,
        "approximate_presence_count": counts.online,
    }


_counts = counts  # for functions with a parameter of that name

_GUILD_CONSTANTS: Json = {
    "afk_channel_id": None,
    "afk_timeout": 300,
    "application_id": None,
    "banner": None,
    "default_message_notifications": 0,
    "discovery_splash": None,
    "emojis": [],
    "explicit_content_filter": 0,
    "features": [],
    "home_header": None,
    "incidents_data": None,
    "max_members": 500_000,
    "max_presences": None,
    "max_stage_video_channel_users": 0,
    "max_video_channel_users": 0,
    "mfa_level": 0,
    "nsfw": False,
    "nsfw_level": 0,
    "preferred_locale": "en-US",
    "premium_progress_bar_enabled": False,
    "premium_subscription_count": 0,
    "premium_tier": 0,
    "public_updates_channel_id": None,
    "region": "deprecated",
    "rules_channel_id": None,
    "safety_alerts_channel_id": None,
    "splash": None,
    "stickers": [],
    "vanity_url_code": None,
    "verification_level": 0,
    "widget_channel_id": None,
    "widget_enabled": False,
}


def guild_state(
    guild_: Guild,
    roles: Iterable[Role],
    channels: Iterable[Channel],
    members: Iterable[Member],
    *,
    member_count: int,
    own: Member,
    large: bool,
) -> Json:
    """The body of GUILD_CREATE, as the member `own` may see the guild.

    `unavailable` is left to the caller: its presence tells a guild that became available from
    one that was joined.
    """
    return {
        **guild(guild_, roles),
        "joined_at": timestamp(own.joined_at),
        "large": large,
        "member_count": member_count,
        "members": [member(each) for each in members],
        "channels": [channel_in_guild(each) for each in channels],
        "threads": [],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def guild_summary(
    guild: Guild, *, is_owner: bool, permissions: int, counts: Counts | None = None
) -> Json:
    """A row of GET /users/@me/guilds."""
    return {
        **({} if counts is None else _counts(counts)),
        "id": str(guild.id),
        "name": guild.name,
        "icon": guild.icon,
        "banner": None,
        "owner": is_owner,
        "permissions": str(permissions),
        "features": [],
    }


def emoji(emoji: str) -> Json:
    """A Unicode emoji, as reactions carry it."""
    return {"id": None, "name": emoji, "animated": False}


def reaction(reaction: Reaction) -> Json:
    """MessageReactionResponse."""
    return {
        "emoji": emoji(reaction.emoji),
        "count": reaction.count,
        "count_details": {"burst": 0, "normal": reaction.count},
        "burst_colors": [],
        "me": reaction.me,
        "me_burst": False,
    }


def attachment(file: Attachment) -> Json:
    """MessageAttachmentResponse."""
    payload: Json = {
        "id": str(file.id),
        "filename": file.filename,
        "size": file.size,
        "url": file.url,
        "proxy_url": file.url,
        "content_type": file.content_type,
    }
    if file.width is not None:
        payload |= {"width": file.width, "height": file.height}
    if file.description is not None:
        payload["description"] = file.description
    return payload


def messages(found: Iterable[Message]) -> list[Json]:
    """Many at once: they have few authors, and each is made once."""
    authors: dict[UserId, Json] = {}
    payloads = []
    for each in found:
        author = authors.get(each.author.id)
        if author is None:
            author = authors[each.author.id] = user(each.author)
        payloads.append(_message(each, author))
    return payloads


def message(message: Message) -> Json:
    """MessageResponse. A reply holds what it answers, or null when that is gone."""
    return _message(message, user(message.author))


def _message(message: Message, author: Json) -> Json:
    payload: Json = {
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "author": author,
        "content": message.content,
        "timestamp": snowflake.written_at(message.id),
        "edited_timestamp": _optional(message.edited_at),
        "tts": message.tts,
        "mention_everyone": message.mention_everyone,
        "mentions": list(map(user, message.mentions)),
        "mention_roles": list(map(str, message.mention_roles)),
        "attachments": list(map(attachment, message.attachments)),
        "embeds": [] if message.flags & SUPPRESS_EMBEDS else list(message.embeds),
        "pinned": message.pinned,
        "type": message.type,
        "flags": message.flags,
        "components": [],
    }
    if message.reactions:
        payload["reactions"] = [reaction(each) for each in message.reactions]
    if message.reference_id is not None:
        payload["message_reference"] = _message_reference(message)
    if message.type == MessageType.REPLY:
        payload["referenced_message"] = (
            None if message.reference is None else _referenced(message.reference)
        )
    return payload


def _message_reference(message: Message) -> Json:
    reference = {
        "type": 0,
        "channel_id": str(message.channel_id),
        "message_id": str(message.reference_id),
    }
    if message.guild_id is not None:
        reference["guild_id"] = str(message.guild_id)
    return reference


def _referenced(answered: Message) -> Json:
    """The answered message, one level deep: it does not hold what it answers itself."""
    payload = message(answered)
    payload.pop("referenced_message", None)
    return payload


def search_results(found: Iterable[Message], total: int, *, is_cut: bool) -> Json:
    """GuildSearchResponse; `is_cut` says that there may be more than was looked through in time."""
    return {
        "messages": [[{**each, "hit": True}] for each in messages(found)],
        "total_results": total,
        "doing_deep_historical_index": is_cut,
        "threads": [],
        "members": [],
    }


def read_state(state: ReadState) -> Json:
    """How far the caller has read a channel."""
    return {
        "id": str(state.channel_id),
        "last_message_id": str(state.message_id),
        "unread_count": state.unread_count,
        "mention_count": state.mention_count,
    }


def invite(invite: Invite) -> Json:
    """What anyone who knows its code may see of an invite."""
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
            "features": [],
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
        "expires_at": _optional(invite.expires_at),
    }


def invite_with_uses(invite_: Invite) -> Json:
    """What those see who may manage the invite."""
    return {
        **invite(invite_),
        "uses": invite_.uses,
        "max_uses": invite_.max_uses,
        "max_age": invite_.max_age_s,
        "temporary": invite_.temporary,
        "created_at": timestamp(invite_.created_at),
    }


def invitation(invitation: Invitation) -> Json:
    """What administrators see of an invitation to register."""
    return {
        "code": invitation.code,
        "created_by": _id(invitation.created_by),
        "created_at": timestamp(invitation.created_at),
        "max_uses": invitation.max_uses,
        "uses": invitation.uses,
        "expires_at": _optional(invitation.expires_at),
    }


def ban(ban: Ban) -> Json:
    """GuildBanResponse."""
    return {"reason": ban.reason, "user": user(ban.user)}


def audit_entry(entry: AuditEntry) -> Json:
    """AuditLogEntryResponse."""
    payload: Json = {
        "id": str(entry.id),
        "user_id": _id(entry.user_id),
        "target_id": _id(entry.target_id),
        "action_type": entry.action,
    }
    if entry.changes:
        payload["changes"] = entry.changes
    if entry.options:
        payload["options"] = entry.options
    if entry.reason is not None:
        payload["reason"] = entry.reason
    return payload


def audit_log(entries: Iterable[AuditEntry], users: Iterable[User]) -> Json:
    """GuildAuditLogResponse."""
    return {
        "audit_log_entries": [audit_entry(entry) for entry in entries],
        "users": [user(each) for each in users],
        "application_commands": [],
        "auto_moderation_rules": [],
        "guild_scheduled_events": [],
        "integrations": [],
        "threads": [],
        "webhooks": [],
    }
