"""The payloads of a guild's channels and roles, encoded once for all members."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import orjson

from chatd.core.ids import ChannelId, GuildId, MessageId, RoleId
from chatd.core.json import JsonObject
from chatd.events.event import AudienceKind, Event
from chatd.events.guilds import HISTORY_IMPORTED
from chatd.events.messages import MESSAGE_CREATE
from chatd.gateway.fanout.channel_overwrites import ChannelSet
from chatd.gateway.fanout.encoded_guild import MAX_LISTED, EncodedGuild
from chatd.wire import payloads

_LAST_MESSAGE = b'"last_message_id":'
"""The key of an encoded channel. Categories have none."""

_MESSAGES_DELETED = frozenset({"MESSAGE_DELETE", "MESSAGE_DELETE_BULK"})

_BYTES_OF_CHANNEL = 300
"""The payload of a channel without overwrites has about this number of bytes."""

_MAX_JOINED = 8192
"""The maximum size in bytes of joined channels that are kept. For larger ones, joining them again
takes little time compared to copying them."""

RECORDED = frozenset(
    {
        MESSAGE_CREATE,
        *_MESSAGES_DELETED,
        HISTORY_IMPORTED,
        "GUILD_MEMBER_ADD",
        "GUILD_MEMBER_REMOVE",
    }
)
"""Events for `record` that do not change what a member may see or do."""


class GuildPayloads:
    """The encoded channels and roles of a guild.

    A guild has up to 500 channels, and each member that joins or connects receives their payloads.
    So this keeps the payloads as bytes, and does not encode them for each member.
    """

    def __init__(self, guild_id: GuildId) -> None:
        self._guild_id = guild_id
        self.encoded: EncodedGuild | None = None
        """The rest of the guild; None until a session has read it from Postgres."""
        self.stale: set[ChannelId] = set()
        """Channels whose last message was deleted: the one before it must be read from Postgres."""
        self._roles: dict[RoleId, tuple[int, bytes]] = {}
        """The position of each role, and its payload."""
        self._joined_roles: bytes | None = None
        """All roles as the elements of an array."""
        self._channels: dict[ChannelId, bytes] = {}
        """The payload of each channel, without `guild_id`, as GUILD_CREATE has it."""
        self._sort_keys: dict[ChannelId, tuple[int, int]] = {}
        """The position of each channel, and its id: the order in which clients list them."""
        self._joined_channels: tuple[ChannelSet, bytes] | None = None
        """The channels that a member saw, and their payloads as the elements of an array. Most
        members of a guild see the same channels."""
        self._size: int | None = None
        self._last_messages: dict[ChannelId, Event | MessageId | None] = {}
        """The last message, or its MESSAGE_CREATE, of channels whose payload has another
        `last_message_id`.

        A payload is updated only when it is needed: most channels get many messages before that.
        """

    @property
    def size(self) -> int:
        """The size by the measure of `guild_snapshot.parts`. Overwrites count more than there."""
        if self._size is None:
            roles = sum(len(body) for _, body in self._roles.values())
            channels = sum(map(len, self._channels.values()))
            self._size = 1 + (roles + channels) // _BYTES_OF_CHANNEL
        members = 0 if self.encoded is None else min(self.encoded.member_count, MAX_LISTED)
        return self._size + members

    def record(self, event: Event) -> None:
        """Apply an event that changes what GUILD_CREATE has of a guild."""
        if event.name == MESSAGE_CREATE:
            self._record_last_message(event)
        elif event.name in _MESSAGES_DELETED:
            self._messages_deleted(event)
        elif event.name == HISTORY_IMPORTED:
            self.stale.update(self._channels)
        elif self.encoded is not None:
            self.encoded.apply(event)

    def complete(
        self,
        encoded: EncodedGuild | None,
        last_messages: Mapping[ChannelId, MessageId | None],
        later: Iterable[Event],
    ) -> None:
        """Add what was read from Postgres; `later` are the events after it.

        `encoded` is None if only last messages were read.
        """
        if encoded is not None:
            self.encoded = encoded
        for channel_id, message_id in last_messages.items():
            payload = self._channels.get(channel_id, b"")  # it may have been deleted since
            self._forget_last_message(channel_id)
            if _LAST_MESSAGE in payload and _last_message(message_id) not in payload:
                self._last_messages[channel_id] = message_id
        for event in later:
            if event.name == MESSAGE_CREATE or event.name in _MESSAGES_DELETED:
                self.record(event)
            elif encoded is not None:
                encoded.apply(event)

    def set_role(self, role_id: RoleId, role: JsonObject) -> None:
        """Add or replace a role."""
        self._roles[role_id] = (role["position"], payloads.encode(role))
        self._joined_roles = self._size = None

    def remove_role(self, role_id: RoleId) -> None:
        """Remove a role, if it is there."""
        self._roles.pop(role_id, None)
        self._joined_roles = self._size = None

    def roles(self) -> list[orjson.Fragment]:
        """Return the payloads of all roles, in the order in which clients list them."""
        return [orjson.Fragment(payload) for payload in self._ordered_roles()]

    def joined_roles(self) -> bytes:
        """Return the payloads of all roles as the elements of an array."""
        if self._joined_roles is None:
            self._joined_roles = b",".join(self._ordered_roles())
        return self._joined_roles

    def _ordered_roles(self) -> list[bytes]:
        ordered = sorted(self._roles.items(), key=lambda each: (each[1][0], each[0]))
        return [payload for _, (_, payload) in ordered]

    def set_channel(self, channel_id: ChannelId, position: int, payload: bytes) -> None:
        """Add or replace a channel, by its payload without `guild_id`."""
        self._channels[channel_id] = payload
        self._sort_keys[channel_id] = (position, channel_id)
        self._forget_last_message(channel_id)  # the payload is newer

    def remove_channel(self, channel_id: ChannelId) -> None:
        """Remove a channel that is there."""
        del self._channels[channel_id], self._sort_keys[channel_id]
        self._forget_last_message(channel_id)

    def channel(self, channel_id: ChannelId) -> bytes:
        """Return the body of CHANNEL_CREATE for a channel."""
        return b'{"guild_id":"%d",' % self._guild_id + self._without_guild_id(channel_id)[1:]

    def all_channels(self) -> list[orjson.Fragment]:
        """Return the bodies of CHANNEL_CREATE for all channels."""
        return [orjson.Fragment(self.channel(each)) for each in self._channels]

    def in_guild_create(self, channel_ids: Iterable[ChannelId]) -> list[bytes]:
        """Return the payloads of these channels as GUILD_CREATE lists them."""
        return [
            self._without_guild_id(each)
            for each in sorted(channel_ids, key=self._sort_keys.__getitem__)
        ]

    def joined_channels(self, visible: ChannelSet, ids: Callable[[], list[ChannelId]]) -> bytes:
        """Return the payloads of the visible channels as the elements of an array.

        `ids` returns the ids of these channels.
        """
        if self._joined_channels is not None and self._joined_channels[0] == visible:
            return self._joined_channels[1]
        joined = b",".join(self.in_guild_create(ids()))
        if len(joined) <= _MAX_JOINED:
            self._joined_channels = visible, joined
        return joined

    def has_messages_after(self, channel_id: ChannelId, message_id: int) -> bool:
        """Return whether the last message of a channel, if it has one, is newer than this one."""
        if _LAST_MESSAGE not in self._channels.get(channel_id, b""):
            return False  # a category, or it has been deleted
        last = self._last_message_id(channel_id)
        return last is not None and int(last) > message_id

    def _record_last_message(self, event: Event) -> None:
        """Note the newest message of a channel, for members that see the channel later."""
        if (channel_id := ChannelId(event.audience.id)) in self._channels:
            self._last_messages[channel_id] = event
            self._joined_channels = None
            if self.stale:
                self.stale.discard(channel_id)

    def _messages_deleted(self, event: Event) -> None:
        """Note if the last message of a channel is one of the deleted ones."""
        channel_id = ChannelId(event.audience.id)
        if event.audience.kind is not AudienceKind.CHANNEL or channel_id not in self._channels:
            return
        body = orjson.loads(event.body)
        if self._last_message_id(channel_id) in body.get("ids", (body.get("id"),)):
            self.stale.add(channel_id)

    def _last_message_id(self, channel_id: ChannelId) -> str | None:
        if channel_id in self._last_messages:
            return _shown(self._last_messages[channel_id])
        payload = self._channels[channel_id]
        # Not in a topic, whose quotes are escaped.
        start = payload.rfind(_LAST_MESSAGE) + len(_LAST_MESSAGE)
        shown = payload[start : payload.find(b",", start)]
        return None if shown == b"null" else shown.strip(b'"').decode()

    def _forget_last_message(self, channel_id: ChannelId) -> None:
        self._last_messages.pop(channel_id, None)
        self.stale.discard(channel_id)
        self._joined_channels = self._size = None

    def _without_guild_id(self, channel_id: ChannelId) -> bytes:
        if channel_id in self._last_messages:
            newest = self._last_messages.pop(channel_id)
            payload = orjson.loads(self._channels[channel_id])
            payload["last_message_id"] = _shown(newest)
            self._channels[channel_id] = payloads.encode(payload)
        return self._channels[channel_id]


def _shown(newest: Event | MessageId | None) -> str | None:
    """Return the `last_message_id` of a channel."""
    if isinstance(newest, Event):
        return str(orjson.loads(newest.body)["id"])
    return None if newest is None else str(newest)


def _last_message(message_id: MessageId | None) -> bytes:
    """Return the key of an encoded channel that has this last message."""
    shown = b"null" if message_id is None else b'"%d"' % message_id
    return _LAST_MESSAGE + shown
