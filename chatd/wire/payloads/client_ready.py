"""READY and its guilds, in the forms that user clients request by capabilities.

These forms contain more than they must, where a client of Spacebar needs it and Discord's clients
ignore it: `user_settings` beside its Protocol Buffers, and users beside their ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from chatd.core.capabilities import Capabilities, UserClient
from chatd.core.ids import GuildId, UserId
from chatd.core.json import JsonObject
from chatd.core.models import Member, PrivateChannel, ReadState
from chatd.core.presence import Presence
from chatd.core.records import record
from chatd.core.relationships import Relationship
from chatd.wire import payloads

_OUTSIDE_PROPERTIES: Final = frozenset(
    {
        "activity_instances",
        "channels",
        "emojis",
        "guild_scheduled_events",
        "joined_at",
        "large",
        "member_count",
        "members",
        "premium_subscription_count",
        "presences",
        "roles",
        "soundboard_sounds",
        "stage_instances",
        "stickers",
        "threads",
        "unavailable",
        "voice_states",
    }
)
"""The keys of a guild that are no settings of its own."""

_AFTER_CHANNELS: Final = b'],"threads":[],"stage_instances":[],"guild_scheduled_events":[]'
"""The keys of a guild that are the same in all forms."""

LARGE = 250
"""The members above which a guild is large. Rule: the default of Discord for people."""


def guild_created(state: JsonObject, *, with_properties: bool) -> JsonObject:
    """Return the body of GUILD_CREATE for a user client.

    `with_properties` is whether it wants the guild's own settings under `properties`.
    """
    shown = {**state, "large": state["member_count"] > LARGE}
    return _with_properties(shown) if with_properties else shown


def _with_properties(state: JsonObject) -> JsonObject:
    """Return a guild with its own settings under `properties`."""
    outside = {key: each for key, each in state.items() if key in _OUTSIDE_PROPERTIES}
    outside.pop("soundboard_sounds", None)  # such clients request them
    inside = {key: each for key, each in state.items() if key not in _OUTSIDE_PROPERTIES}
    return {"id": state["id"], "data_mode": "full", "lazy": True, **outside, "properties": inside}


def split_settings(settings: bytes) -> tuple[bytes, bytes]:
    """Divide the result of `payloads.guild_settings`, for clients that request `properties`.

    Returns the keys of the guild beside `properties`, and those in it.
    """
    beside = _with_properties(orjson.loads(b"{%b}" % settings))
    inside = beside.pop("properties")
    return payloads.encode(beside)[1:-1], payloads.encode(inside)[1:-1]


@record(frozen=True, slots=True)
class EncodedParts:
    """The parts of a guild as one of its members sees it, encoded."""

    settings: bytes
    """The result of `payloads.guild_settings`."""
    split_settings: tuple[bytes, bytes]
    roles: bytes
    """The elements of an array, like `channels` and `members`."""
    channels: bytes
    members: bytes
    member_count: int
    own: Member


def joined_guild(parts: EncodedParts, client: UserClient) -> bytes:
    """Join the body of a guild inside READY.

    It has the keys of GUILD_CREATE, except those that the client requests elsewhere.
    """
    more = []
    if not client.dedupes:
        more += [b',"members":[', parts.members, b'],"presences":[]']
    if not client.awaits_supplement:
        more.append(b',"voice_states":[],"activity_instances":[]')
    return _joined(parts, client, more)


def joined_guild_created(parts: EncodedParts, client: UserClient, presences: bytes) -> bytes:
    """Join the result of `guild_created` for a guild that became available.

    `presences` is an array.
    """
    members = b',"members":[', parts.members, b'],"presences":', presences
    return _joined(parts, client, [*members, b',"voice_states":[],"unavailable":false'])


def _joined(parts: EncodedParts, client: UserClient, more: Iterable[bytes]) -> bytes:
    if client.wants_properties:  # such clients request the sounds
        start, inside = parts.split_settings
        end = b',"properties":{%b}}' % inside
    else:
        start, end = parts.settings, b',"soundboard_sounds":[]}'
    counts = b',"joined_at":"%b","large":%b,"member_count":%d,"roles":[' % (
        payloads.timestamp(parts.own.joined_at).encode(),
        b"true" if parts.member_count > LARGE else b"false",
        parts.member_count,
    )
    lists = counts, parts.roles, b'],"channels":[', parts.channels, _AFTER_CHANNELS
    return b"".join((b"{", start, *lists, *more, end))


def merged_member(member: Member) -> JsonObject:
    """A member of a guild in `merged_members`, whose user is in `users`."""
    user_id = str(member.user.id)
    return {"user_id": user_id, "guild_id": str(member.guild_id), **payloads.partial_member(member)}


def relationship(relation: Relationship) -> JsonObject:
    """A relationship in READY, whose user is in `users`."""
    return {**payloads.relationship(relation), "user_id": str(relation.user.id)}


def private_channel(channel: PrivateChannel, viewer: UserId) -> JsonObject:
    """A private channel in READY, whose recipients are in `users`."""
    ids = [str(each.id) for each in channel.recipients_except(viewer)]
    return {**payloads.private_channel(channel, viewer), "recipient_ids": ids}


def users_of(
    relations: Iterable[Relationship], channels: Iterable[PrivateChannel], viewer: UserId
) -> Iterator[JsonObject]:
    """Every other user of these relationships and private channels, once."""
    found = {each.user.id: each.user for each in relations}
    for channel in channels:
        found |= {each.id: each for each in channel.recipients_except(viewer)}
    return (payloads.user(each) for each in found.values())


def read_state(state: ReadState, capabilities: Capabilities) -> JsonObject:
    """A read state in READY."""
    channel_id = str(state.channel_id)
    shown: JsonObject = {
        "id": channel_id,
        "channel_id": channel_id,
        "last_message_id": str(state.message_id),
        "mention_count": state.mention_count,
        "last_pin_timestamp": None,
        "last_viewed": None,
        "flags": 0,
    }
    if Capabilities.NON_CHANNEL_READ_STATES in capabilities:
        shown["read_state_type"] = 0
    return shown


def versioned(entries: Sequence[Any], *, is_versioned: bool) -> Any:
    """Return entries as clients cache them, or as an array. The server sends all entries."""
    return {"entries": entries, "version": 0, "partial": False} if is_versioned else entries


def merged_presence(user_id: UserId, presence: Presence) -> JsonObject:
    """The presence of a user in `presences` and `merged_presences`."""
    return {"user_id": str(user_id), **payloads.presence(user_id, presence)}


def guild_supplement(guild_id: GuildId) -> JsonObject:
    """What READY_SUPPLEMENTAL adds to a guild: nothing, since there is no voice."""
    return {"id": str(guild_id), "voice_states": [], "activity_instances": []}


def session(session_id: str, presence: Presence, client: str, os: str) -> JsonObject:
    """A session of a user, as the user's clients list them."""
    return {
        "session_id": session_id,
        "status": presence.status,
        "activities": presence.activities,
        "hidden_activities": [],
        "client_info": {"client": client, "os": os, "version": 0},
    }


EMPTY: Final[Mapping[str, Any]] = {
    "session_type": "normal",
    "auth": {"authenticator_types": []},
    "connected_accounts": [],
    "consents": {"personalization": {"consented": False}},
    "experiments": [],
    "explicit_content_scan_version": 0,
    "friend_suggestion_count": 0,
    "game_relationships": [],
    "geo_ordered_rtc_regions": [],
    "guild_experiments": [],
    "guild_join_requests": [],
    "api_code_version": 0,
    "linked_users": [],
    "notification_settings": {"flags": 0},
    "tutorial": None,
    "_trace": [],
}
"""The keys of READY about what does not exist here. Clients read them without a default."""
