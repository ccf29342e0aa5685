"""Payloads of channels and of what users have read there."""

from __future__ import annotations

import orjson

from chatd.core.ids import UserId
from chatd.core.json import JsonObject
from chatd.core.models import Channel, ChannelType, PrivateChannel, ReadState
from chatd.core.overwrites import Overwrite, StoredOverwrites
from chatd.wire.payloads._encoding import id_or_none
from chatd.wire.payloads._users import user


def overwrite(overwrite: Overwrite) -> JsonObject:
    """ChannelPermissionOverwriteResponse."""
    return {
        "id": str(overwrite.target_id),
        "type": overwrite.type,
        "allow": str(overwrite.allow),
        "deny": str(overwrite.deny),
    }


def channel(channel: Channel) -> JsonObject:
    """GuildChannelResponse."""
    return {"guild_id": str(channel.guild_id), **channel_in_guild(channel)}


def listed_channel(channel: Channel) -> JsonObject:
    """A channel with its guild, for encoding: overwrites that Postgres has encoded stay so."""
    return {"guild_id": str(channel.guild_id), **channel_to_encode(channel)}


def channel_to_encode(channel: Channel) -> JsonObject:
    """Return a channel for encoding: overwrites that Postgres has encoded are not decoded."""
    if isinstance(channel.overwrites, StoredOverwrites):
        return _channel(channel, orjson.Fragment(channel.overwrites.json))
    return channel_in_guild(channel)


def channel_in_guild(channel: Channel) -> JsonObject:
    """A channel inside the GUILD_CREATE of its guild, without `guild_id`."""
    return _channel(channel, [overwrite(each) for each in channel.overwrites])


def _channel(channel: Channel, overwrites: list[JsonObject] | orjson.Fragment) -> JsonObject:
    payload: JsonObject = {
        "id": str(channel.id),
        "type": channel.type,
        "name": channel.name,
        "position": channel.position,
        "parent_id": id_or_none(channel.parent_id),
        "permission_overwrites": overwrites,
        "nsfw": channel.nsfw,
        "flags": 0,
    }
    if channel.type != ChannelType.CATEGORY:
        payload |= {
            "topic": channel.topic,
            "rate_limit_per_user": channel.rate_limit_per_user,
            "last_message_id": id_or_none(channel.last_message_id),
            "last_pin_timestamp": None,
        }
    return payload


def private_channel(channel: PrivateChannel, viewer: UserId) -> JsonObject:
    """A private channel as its recipient `viewer` sees it (PrivateChannelResponse and
    PrivateGroupChannelResponse)."""
    payload: JsonObject = {
        "id": str(channel.id),
        "type": channel.type,
        "recipients": [user(each) for each in channel.recipients_except(viewer)],
        "last_message_id": id_or_none(channel.last_message_id),
        "flags": 0,
    }
    if channel.type == ChannelType.GROUP_DM:
        payload |= {
            "name": channel.name,
            "icon": None,
            "owner_id": id_or_none(channel.owner_id),
            "managed": False,
        }
    return payload


def read_state(state: ReadState) -> JsonObject:
    """The last message that the caller has read in a channel, and how many it has not read."""
    return {
        "id": str(state.channel_id),
        "last_message_id": str(state.message_id),
        "unread_count": state.unread_count,
        "mention_count": state.mention_count,
    }
