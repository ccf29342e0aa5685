"""Who may see what in a guild, kept current by the guild's own events. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from chatd.core import permissions
from chatd.core.ids import ChannelId, GuildId, RoleId, UserId
from chatd.core.models import Member
from chatd.core.permissions import Permissions
from chatd.events.event import AudienceKind, Event
from chatd.services.snapshots import GuildSnapshot


class Visibility:
    """Roles, owner and channels of a guild, and the roles of the members who are here."""

    def __init__(self, snapshot: GuildSnapshot) -> None:
        guild = snapshot.guild
        self._guild_id: GuildId = guild.id
        self._owner_id: UserId = guild.owner_id
        self._roles = {role.id: Permissions(role.permissions) for role in snapshot.roles}
        self._channels = {channel.id for channel in snapshot.channels}
        self._members: dict[UserId, tuple[RoleId, ...]] = {}

    def admit(self, member: Member) -> None:
        """Keep what this member may see current from now on."""
        self._members[member.user.id] = member.roles

    def dismiss(self, user_id: UserId) -> None:
        """This user is no longer here, or no longer a member."""
        self._members.pop(user_id, None)

    def may(self, user_id: UserId, channel_id: ChannelId, needed: Permissions) -> bool:
        """Whether a user has all of `needed` in a channel."""
        own_roles = self._members.get(user_id)
        if own_roles is None or channel_id not in self._channels:
            return False
        everyone = RoleId(self._guild_id)
        in_guild = permissions.in_guild(
            is_owner=user_id == self._owner_id,
            roles=self._granted((everyone, *own_roles)),
        )
        return not needed & ~permissions.in_channel(in_guild)

    def apply(self, event: Event) -> bool:
        """Take in what an event changes. True when it changes who may see what."""
        match event.name:
            case "GUILD_CREATE" if event.audience.kind is AudienceKind.USER:
                self._joined(UserId(event.audience.id), orjson.loads(event.body))
            case "GUILD_DELETE" if event.audience.kind is AudienceKind.USER:
                self.dismiss(UserId(event.audience.id))
            case "GUILD_UPDATE":
                self._owner_id = UserId(int(orjson.loads(event.body)["owner_id"]))
            case "GUILD_MEMBER_UPDATE":
                self._member_changed(orjson.loads(event.body))
            case "CHANNEL_CREATE":
                self._channels.add(ChannelId(event.audience.id))
            case "CHANNEL_DELETE":
                self._channels.discard(ChannelId(event.audience.id))
            case _:
                return False
        return True

    def _granted(self, roles: Iterable[RoleId]) -> Iterable[Permissions]:
        return (self._roles[role] for role in roles if role in self._roles)

    def _joined(self, user_id: UserId, state: dict[str, Any]) -> None:
        for member in state["members"]:
            if member["user"]["id"] == str(user_id):
                self._members[user_id] = _role_ids(member)

    def _member_changed(self, member: dict[str, Any]) -> None:
        user_id = UserId(int(member["user"]["id"]))
        if user_id in self._members:
            self._members[user_id] = _role_ids(member)


def _role_ids(member: dict[str, Any]) -> tuple[RoleId, ...]:
    return tuple(RoleId(int(role_id)) for role_id in member["roles"])
