"""Who may see what in a guild, kept current by the guild's own events. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from chatd.core import permissions
from chatd.core.ids import ChannelId, GuildId, RoleId, UserId
from chatd.core.models import Overwrite, OverwriteType
from chatd.core.permissions import NONE, Permissions
from chatd.events.event import AudienceKind, Event
from chatd.services.snapshots import GuildOutline
from chatd.wire import payloads

Json = dict[str, Any]


class Visibility:
    """Roles, owner and channels of a guild, and the roles of the members who are here.

    Members with the same roles see the same channels, unless a channel has an overwrite for one
    of them; so what is seen is worked out once for each set of roles, until something changes.
    """

    def __init__(self, outline: GuildOutline) -> None:
        guild = outline.guild
        self._guild_id: GuildId = guild.id
        self._owner_id: UserId = guild.owner_id
        self._roles = {role.id: Permissions(role.permissions) for role in outline.roles}
        self._channels: dict[ChannelId, Json] = {
            channel.id: payloads.channel(channel) for channel in outline.channels
        }
        self._overwrites = {channel.id: channel.overwrites for channel in outline.channels}
        self._newest: dict[ChannelId, Event] = {}
        """The newest messages that the channels do not show yet."""
        self._members: dict[UserId, tuple[RoleId, ...]] = {}
        self._forget_seen()

    @classmethod
    def restored(cls, state: Json) -> Visibility:
        """As it was when `state()` was asked for."""
        self = cls.__new__(cls)
        self._guild_id = GuildId(state["guild_id"])
        self._owner_id = UserId(state["owner_id"])
        self._roles = {RoleId(role): Permissions(bits) for role, bits in state["roles"]}
        self._channels, self._overwrites, self._newest = {}, {}, {}
        for channel in state["channels"]:
            self._channel_changed(ChannelId(int(channel["id"])), channel)
        self._members = {
            UserId(user_id): tuple(RoleId(role) for role in roles)
            for user_id, roles in state["members"]
        }
        self._forget_seen()
        return self

    def state(self) -> Json:
        """All there is to it, as JSON."""
        return {
            "guild_id": self._guild_id,
            "owner_id": self._owner_id,
            "roles": [[role, int(bits)] for role, bits in self._roles.items()],
            "channels": [self.channel(channel_id) for channel_id in self._channels],
            "members": [[user_id, roles] for user_id, roles in self._members.items()],
        }

    def rewind(self, state: Json, since: Iterable[Event]) -> None:
        """Go back to where somebody was shown this state of the guild, before these events.

        What the channels were like that have changed since is not known; those that could be seen
        then come back with the GUILD_CREATE that shows them.
        """
        self._owner_id = UserId(int(state["owner_id"]))
        self._roles = {
            RoleId(int(role["id"])): Permissions(int(role["permissions"]))
            for role in state["roles"]
        }
        for event in since:
            if event.name in ("CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE"):
                self._channels.pop(ChannelId(event.audience.id), None)
                self._overwrites.pop(ChannelId(event.audience.id), None)
        self._forget_seen()

    def admit(self, user_id: UserId, roles: tuple[RoleId, ...]) -> None:
        """Keep what this member may see current from now on."""
        self._members[user_id] = roles

    def keep_only(self, user_id: UserId) -> None:
        """Nobody else is here."""
        roles = self._members.get(user_id)
        self._members = {} if roles is None else {user_id: roles}

    def roles_of(self, user_id: UserId) -> tuple[RoleId, ...] | None:
        """The roles of somebody who is here; None when it is no member."""
        return self._members.get(user_id)

    def dismiss(self, user_id: UserId) -> None:
        """This user is no longer here, or no longer a member."""
        self._members.pop(user_id, None)

    def may(self, user_id: UserId, channel_id: ChannelId, needed: Permissions) -> bool:
        """Whether a user has all of `needed` in a channel."""
        if needed == Permissions.VIEW_CHANNEL:
            return channel_id in self.seen_by(user_id)
        return not needed & ~self._in_channel(user_id, channel_id)

    def may_in_guild(self, user_id: UserId, needed: Permissions) -> bool:
        """Whether a user is a member and has all of `needed` in the guild."""
        own_roles = self._members.get(user_id)
        return own_roles is not None and not needed & ~self._in_guild(user_id, own_roles)

    def seen_by(self, user_id: UserId) -> frozenset[ChannelId]:
        """The channels that a user may see; none for somebody who is no member."""
        own_roles = self._members.get(user_id)
        if own_roles is None:
            return frozenset()
        stands_alone = user_id == self._owner_id or user_id in self._singled_out
        key = user_id if stands_alone else own_roles
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = frozenset(
                channel_id
                for channel_id in self._channels
                if Permissions.VIEW_CHANNEL in self._in_channel(user_id, channel_id)
            )
        return seen

    def channel(self, channel_id: ChannelId) -> Json:
        """A channel as clients are told of it."""
        channel = self._channels[channel_id]
        if (newest := self._newest.pop(channel_id, None)) is not None:
            channel["last_message_id"] = orjson.loads(newest.body)["id"]
        return channel

    def has_message(self, event: Event) -> None:
        """Keep in mind, for those to whom the channel opens later, that this is its newest."""
        self._newest[ChannelId(event.audience.id)] = event

    def apply(self, event: Event) -> bool:
        """Take in what an event changes. True when somebody may see less or more by it.

        A new channel is none of that: it was not there to be seen.
        """
        before = (self._owner_id, dict(self._roles), dict(self._overwrites), dict(self._members))
        match event.name:
            case "GUILD_CREATE" if event.audience.kind is AudienceKind.USER:
                self._joined(UserId(event.audience.id), orjson.loads(event.body))
            case "GUILD_DELETE" if event.audience.kind is AudienceKind.USER:
                self.dismiss(UserId(event.audience.id))
            case "GUILD_UPDATE":
                self._owner_id = UserId(int(orjson.loads(event.body)["owner_id"]))
            case "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE":
                role = orjson.loads(event.body)["role"]
                self._roles[RoleId(int(role["id"]))] = Permissions(int(role["permissions"]))
            case "GUILD_ROLE_DELETE":
                self._role_deleted(RoleId(int(orjson.loads(event.body)["role_id"])))
            case "GUILD_MEMBER_UPDATE":
                self._member_changed(orjson.loads(event.body))
            case "CHANNEL_CREATE" | "CHANNEL_UPDATE":
                self._channel_changed(ChannelId(event.audience.id), orjson.loads(event.body))
            case "CHANNEL_DELETE":
                self._channels.pop(ChannelId(event.audience.id), None)
                self._overwrites.pop(ChannelId(event.audience.id), None)
                self._newest.pop(ChannelId(event.audience.id), None)
            case _:
                return False
        if before == (self._owner_id, self._roles, self._overwrites, self._members):
            return False
        self._forget_seen()
        return event.name != "CHANNEL_CREATE"

    def _forget_seen(self) -> None:
        self._seen: dict[UserId | tuple[RoleId, ...], frozenset[ChannelId]] = {}
        self._singled_out = {
            overwrite.target_id
            for overwrites in self._overwrites.values()
            for overwrite in overwrites
            if overwrite.type == OverwriteType.MEMBER
        }

    def _in_guild(self, user_id: UserId, own_roles: Iterable[RoleId]) -> Permissions:
        everyone = RoleId(self._guild_id)
        held = (role for role in (everyone, *own_roles) if role in self._roles)
        return permissions.in_guild(
            is_owner=user_id == self._owner_id, roles=[self._roles[role] for role in held]
        )

    def _in_channel(self, user_id: UserId, channel_id: ChannelId) -> Permissions:
        own_roles = self._members.get(user_id)
        if own_roles is None or channel_id not in self._channels:
            return NONE
        return permissions.in_channel(
            self._in_guild(user_id, own_roles),
            self._overwrites[channel_id],
            guild_id=self._guild_id,
            user_id=user_id,
            roles=own_roles,
        )

    def _joined(self, user_id: UserId, state: Json) -> None:
        for member in state["members"]:
            if member["user"]["id"] == str(user_id):
                self._members[user_id] = _role_ids(member)
        for channel in state["channels"]:
            channel_id = ChannelId(int(channel["id"]))
            if channel_id not in self._channels:  # only where it was gone back in time
                self._channel_changed(channel_id, {"guild_id": state["id"], **channel})

    def _member_changed(self, member: Json) -> None:
        user_id = UserId(int(member["user"]["id"]))
        if user_id in self._members:
            self._members[user_id] = _role_ids(member)

    def _role_deleted(self, role_id: RoleId) -> None:
        self._roles.pop(role_id, None)
        for user_id, roles in self._members.items():
            if role_id in roles:
                self._members[user_id] = tuple(role for role in roles if role != role_id)

    def _channel_changed(self, channel_id: ChannelId, channel: Json) -> None:
        self._channels[channel_id] = channel
        self._overwrites[channel_id] = tuple(
            Overwrite(
                int(overwrite["id"]),
                OverwriteType(overwrite["type"]),
                int(overwrite["allow"]),
                int(overwrite["deny"]),
            )
            for overwrite in channel["permission_overwrites"]
        )


def _role_ids(member: Json) -> tuple[RoleId, ...]:
    return tuple(RoleId(int(role_id)) for role_id in member["roles"])
