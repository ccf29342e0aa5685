"""Payloads of members and roles."""

from __future__ import annotations

from chatd.core.json import JsonObject
from chatd.core.models import (
    Member,
    MemberChunk,
    Role,
)
from chatd.wire.payloads._encoding import timestamp, timestamp_or_none
from chatd.wire.payloads._users import user


def members_chunk(chunk: MemberChunk) -> JsonObject:
    """GUILD_MEMBERS_CHUNK. The caller adds `members`."""
    payload: JsonObject = {
        "guild_id": str(chunk.guild_id),
        "chunk_index": chunk.index,
        "chunk_count": chunk.count,
    }
    if chunk.not_found:
        payload["not_found"] = [str(user_id) for user_id in chunk.not_found]
    if chunk.nonce is not None:
        payload["nonce"] = chunk.nonce
    return payload


def role(role: Role) -> JsonObject:
    """GuildRoleResponse. `tags` says which bot a managed role belongs to."""
    payload = {
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
        "managed": role.is_managed,
        "mentionable": role.mentionable,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }
    if role.bot_id is not None:
        payload["tags"] = {"bot_id": str(role.bot_id)}
    return payload


def partial_member(member: Member) -> JsonObject:
    """A member without its user, as events of messages carry it next to the author.

    Clients of Spacebar find the user by `id`; Discord has no such key, and its clients ignore it.
    """
    return {
        "id": str(member.user.id),
        "nick": member.nick,
        "avatar": None,
        "banner": None,
        "roles": [str(role_id) for role_id in member.roles],
        "joined_at": timestamp(member.joined_at),
        "premium_since": None,
        "communication_disabled_until": timestamp_or_none(member.communication_disabled_until),
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
    }


def member(member: Member) -> JsonObject:
    """GuildMemberResponse."""
    return {"user": user(member.user), **partial_member(member)}
