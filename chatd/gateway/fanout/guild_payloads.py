"""The payloads of a guild's channels and roles, encoded once for all members."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from chatd.core.ids import ChannelId, GuildId, RoleId
from chatd.core.json import JsonObject
from chatd.events.event import Event
from chatd.wire import payloads


class GuildPayloads:
    """The encoded channels and roles of a guild.

    A guild has up to 500 channels, and each member that joins receives their payloads. So this
    keeps the payloads as bytes, and does not encode them for each member.
    """

    def __init__(self, guild_id: GuildId) -> None:
        self._guild_id = guild_id
        self._roles: dict[RoleId, tuple[int, bytes]] = {}
        """The position of each role, and its payload."""
        self._channels: dict[ChannelId, bytes] = {}
        """The payload of each channel, without `guild_id`, as GUILD_CREATE has it."""
        self._sort_keys: dict[ChannelId, tuple[int, int]] = {}
        """The position of each channel, and its id: the order in which clients list them."""
        self._last_messages: dict[ChannelId, Event] = {}
        """The newest MESSAGE_CREATE of channels whose payload has an older `last_message_id`.

        A payload is updated only when it is needed: most channels get many messages before that.
        """

    def set_role(self, role_id: RoleId, role: JsonObject) -> None:
        """Add or replace a role."""
        self._roles[role_id] = (role["position"], payloads.encode(role))

    def remove_role(self, role_id: RoleId) -> None:
        """Remove a role, if it is there."""
        self._roles.pop(role_id, None)

    def roles(self) -> list[orjson.Fragment]:
        """Return the payloads of all roles, in the order in which clients list them."""
        ordered = sorted(self._roles.items(), key=lambda each: (each[1][0], each[0]))
        return [orjson.Fragment(payload) for _, (_, payload) in ordered]

    def set_channel(self, channel_id: ChannelId, position: int, payload: bytes) -> None:
        """Add or replace a channel, by its payload without `guild_id`."""
        self._channels[channel_id] = payload
        self._sort_keys[channel_id] = (position, channel_id)
        self._last_messages.pop(channel_id, None)  # the payload is newer

    def remove_channel(self, channel_id: ChannelId) -> None:
        """Remove a channel that is there."""
        del self._channels[channel_id], self._sort_keys[channel_id]
        self._last_messages.pop(channel_id, None)

    def record_last_message(self, event: Event) -> None:
        """Note the newest message of a channel, for members that see the channel later."""
        if (channel_id := ChannelId(event.audience.id)) in self._channels:
            self._last_messages[channel_id] = event

    def channel(self, channel_id: ChannelId) -> bytes:
        """Return the body of CHANNEL_CREATE for a channel."""
        return b'{"guild_id":"%d",' % self._guild_id + self._without_guild_id(channel_id)[1:]

    def all_channels(self) -> list[orjson.Fragment]:
        """Return the bodies of CHANNEL_CREATE for all channels."""
        return [orjson.Fragment(self.channel(each)) for each in self._channels]

    def in_guild_create(self, channel_ids: Iterable[ChannelId]) -> list[orjson.Fragment]:
        """Return the payloads of these channels as GUILD_CREATE lists them."""
        return [
            orjson.Fragment(self._without_guild_id(each))
            for each in sorted(channel_ids, key=self._sort_keys.__getitem__)
        ]

    def _without_guild_id(self, channel_id: ChannelId) -> bytes:
        if (newest := self._last_messages.pop(channel_id, None)) is not None:
            payload = orjson.loads(self._channels[channel_id])
            payload["last_message_id"] = orjson.loads(newest.body)["id"]
            self._channels[channel_id] = payloads.encode(payload)
        return self._channels[channel_id]
