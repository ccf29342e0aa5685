"""Visibility: which channels each local member of a guild may see. It does no I/O.

A local member is a member with sessions on this instance.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime

import orjson

from chatd.core import permissions
from chatd.core.ids import ChannelId, GuildId, RoleId, UserId
from chatd.core.json import JsonObject
from chatd.core.models import Channel
from chatd.core.overwrites import Overwrite, OverwriteType
from chatd.core.permissions import NONE, OF_GUILDS, Permissions
from chatd.events.event import AudienceKind, Event
from chatd.events.guilds import JOINED
from chatd.gateway.fanout.channel_overwrites import ChannelOverwrites, ChannelSet, OverwriteChange
from chatd.gateway.fanout.guild_payloads import GuildPayloads
from chatd.gateway.fanout.local_members import LocalMembers, Roles
from chatd.services.guild_snapshot import GuildOutline
from chatd.wire import payloads

_clock = time.time
_VIEW = int(Permissions.VIEW_CHANNEL)
_ADMINISTRATOR = int(Permissions.ADMINISTRATOR)
_DECIDES_VISIBILITY = _VIEW | _ADMINISTRATOR
"""The permissions of a role that decide which channels its members see."""


class Visibility:
    """The owner, roles and channels of a guild, and the roles of its members with sessions here.

    A guild has up to 500 channels and 10,000 overwrites, and thousands of its members may have
    sessions here. So a set of channels is an integer with a bit for each channel. The channels
    that a member sees result from a few integer operations for each of its roles. Results are
    cached by member and by tuple of roles.
    """

    def __init__(self, guild_id: GuildId, owner_id: UserId) -> None:
        self.payloads = GuildPayloads(guild_id)
        """The encoded channels and roles."""
        self.owner_id = owner_id
        self.members = LocalMembers()
        self._guild_id = guild_id
        self._roles: dict[RoleId, int] = {}
        """The permissions of each role."""
        self._channels = ChannelOverwrites()
        self._invalidate_cache()

    @classmethod
    def of(cls, outline: GuildOutline) -> Visibility:
        """Build the visibility of a guild that was read from Postgres."""
        self = cls(outline.guild.id, outline.guild.owner_id)
        list(self.load(outline))
        return self

    def load(self, outline: GuildOutline) -> Iterator[None]:
        """Load a guild; each step of the iterator loads one channel or role."""
        for role in outline.roles:
            self._role_changed(payloads.role(role))
            yield
        for channel in outline.channels:
            self._add_channel(channel)
            yield

    @classmethod
    def restored(cls, state: JsonObject) -> Visibility:
        """Rebuild the visibility from its `state()`.

        Raises KeyError for the state of an incompatible version.
        """
        self = cls(GuildId(state["guild_id"]), UserId(state["owner_id"]))
        for role in state["shown_roles"]:
            self._role_changed(role)
        for channel in state["channels"]:
            self._channel_changed(ChannelId(int(channel["id"])), channel)
        # The state of the version before this one has no timeouts.
        self.members.restore(state["members"], state.get("timeouts", ()))
        return self

    def state(self) -> JsonObject:
        """Return the complete state, to be encoded as JSON.

        Another version may read it during a rolling upgrade: its form must not change.
        """
        return {
            "guild_id": self._guild_id,
            "owner_id": self.owner_id,
            "roles": [[role, bits] for role, bits in self._roles.items()],
            "shown_roles": self.payloads.roles(),
            "channels": self.payloads.all_channels(),
            **self.members.state(),
        }

    def rewind(self, state: JsonObject, since: Iterable[Event]) -> None:
        """Go back to a GUILD_JOINED with the body `state`; `since` are the events after it.

        How a channel was before it changed is unknown. If the joining user could see it then, all
        members see it, in its present form. Otherwise it is removed, until an event adds it again.
        """
        self.owner_id = UserId(int(state["owner_id"]))
        for role in state["roles"]:
            self._roles[RoleId(int(role["id"]))] = int(role["permissions"])
        seen = {ChannelId(int(each["id"])) for each in state["channels"]}
        for event in since:
            if event.name not in ("CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE"):
                continue
            channel_id = ChannelId(event.audience.id)
            if channel_id not in seen:
                self._remove_channel(channel_id)
            else:
                if channel_id not in self._channels:
                    self._channel_changed(channel_id, orjson.loads(event.body))
                everyone = Overwrite(int(self._guild_id), OverwriteType.ROLE, _VIEW, 0)
                self._set_overwrites(channel_id, [everyone])
        self._invalidate_cache()

    def add_member(self, user_id: UserId, roles: Roles, timeout_end: float) -> None:
        """Add a local member, or change its roles and timeout.

        `timeout_end` is when its timeout ends or ended, in seconds since 1970; 0 without one.
        """
        if self.members.set(user_id, roles, timeout_end):
            self._visible.pop(user_id, None)

    def retain_only(self, user_id: UserId) -> None:
        """Remove all members but this one."""
        self.members.retain_only(user_id)

    def roles_of(self, user_id: UserId) -> Roles | None:
        """Return the roles of a local member; None when the user is no member."""
        return self.members.roles.get(user_id)

    def timeout_end_of(self, user_id: UserId) -> float:
        """Return when the timeout of a local member ends, in seconds since 1970, or 0."""
        return self.members.timeout_end_of(user_id)

    def is_timed_out(self, user_id: UserId) -> bool:
        """Return whether a local member is timed out now.

        Such a member keeps only `permissions.TIMED_OUT`. Administrators are never timed out.
        """
        if self.members.timeout_end_of(user_id) <= _clock():
            return False
        own_roles = self.members.roles.get(user_id, ())
        return not self._guild_permissions(user_id, own_roles) & _ADMINISTRATOR

    def remove_member(self, user_id: UserId) -> None:
        """Remove a user that has left the guild, or has no session here any more."""
        self.members.remove(user_id)
        self._visible.pop(user_id, None)

    def has_permission(self, user_id: UserId, channel_id: ChannelId, needed: Permissions) -> bool:
        """Return whether a user has all of `needed` in a channel, regardless of its timeout."""
        if needed == Permissions.VIEW_CHANNEL:
            return bool(self.visible_channels(user_id) & self._channels.bits.get(channel_id, 0))
        of_guild = needed & OF_GUILDS
        if of_guild and not self.has_guild_permission(user_id, of_guild):
            return False
        return not needed & ~OF_GUILDS & ~self._channel_permissions(user_id, channel_id)

    def has_guild_permission(self, user_id: UserId, needed: Permissions) -> bool:
        """Return whether a user has all of `needed` in the guild, regardless of its timeout."""
        own_roles = self.members.roles.get(user_id)
        return own_roles is not None and not needed & ~self._guild_permissions(user_id, own_roles)

    def visible_channels(self, user_id: UserId) -> ChannelSet:
        """Return the channels that a user may see; none for a user that is no member."""
        visible = self._visible.get(user_id)
        if visible is None:
            visible = self._visible[user_id] = self._compute_visible(user_id)
        return visible

    def _compute_visible(self, user_id: UserId) -> ChannelSet:
        own_roles = self.members.roles.get(user_id)
        return 0 if own_roles is None else self.visible_with(user_id, own_roles)

    def visible_with(self, user_id: UserId, own_roles: Roles) -> ChannelSet:
        """Return the channels that a member with these roles may see, whether local or not."""
        if user_id == self.owner_id:
            return self._channels.all
        visible = self.visible_by(own_roles)
        if self._guild_permissions(user_id, own_roles) & _ADMINISTRATOR:
            return visible
        denied = self._channels.denied[OverwriteType.MEMBER]
        allowed = self._channels.allowed[OverwriteType.MEMBER]
        return visible & ~denied.get(user_id, 0) | allowed.get(user_id, 0)

    def visible_by(self, own_roles: Roles) -> ChannelSet:
        """Return what a member with these roles sees, without overwrites of its own."""
        visible = self._visible_by_roles.get(own_roles)
        if visible is None:
            visible = self._visible_by_roles[own_roles] = self._compute_visible_by(own_roles)
        return visible

    def _compute_visible_by(self, own_roles: Roles) -> ChannelSet:
        """Compute `visible_by`. The order is that of `permissions.in_channel`."""
        granted = self._guild_permissions(None, own_roles)
        if granted & _ADMINISTRATOR:
            return self._channels.all
        denied = self._channels.denied[OverwriteType.ROLE]
        allowed = self._channels.allowed[OverwriteType.ROLE]
        visible = self._channels.all if granted & _VIEW else 0
        visible = visible & ~denied.get(self._guild_id, 0) | allowed.get(self._guild_id, 0)
        deny = allow = 0
        for role_id in own_roles:
            deny |= denied.get(role_id, 0)
            allow |= allowed.get(role_id, 0)
        return visible & ~deny | allow

    def overwrites_of(self, channel_id: ChannelId) -> list[Overwrite]:
        """Return the overwrites of a channel; none for an unknown channel."""
        return list(self._channels.of(channel_id).values()) if self.bit(channel_id) else []

    def exceptions(self) -> set[UserId]:
        """Return the local members that may see other channels than their roles alone decide."""
        local, (denied, allowed) = self.members.roles, self._channels.of_members()
        return {UserId(each) for each in (self.owner_id, *denied, *allowed) if each in local}

    @property
    def is_open(self) -> bool:
        """Whether @everyone may view channels that have no overwrites."""
        return bool(self._roles.get(RoleId(self._guild_id), 0) & _VIEW)

    def bit(self, channel_id: ChannelId) -> ChannelSet:
        """Return the set that has only this channel; empty for an unknown one."""
        return self._channels.bits.get(channel_id, 0)

    def channels_in(self, channels: ChannelSet) -> list[ChannelId]:
        """Return the ids of the channels in a set, in ascending order."""
        return sorted(self._channels.ids_in(channels))

    def visible_payloads(self, user_id: UserId) -> list[orjson.Fragment]:
        """Return the channels that a user may see, as GUILD_CREATE lists them."""
        visible = self._channels.ids_in(self.visible_channels(user_id))
        return [orjson.Fragment(each) for each in self.payloads.in_guild_create(visible)]

    def apply(self, event: Event) -> bool:
        """Apply an event to the state; return whether it changes what a member may do.

        A new channel does not count, because no earlier event depends on it.
        """
        changed = True
        self.payloads.record(event)
        match event.name:
            case joined if joined in JOINED:
                self._member_joined(event)
            case "GUILD_DELETE" if event.audience.kind is AudienceKind.USER:
                changed = UserId(event.audience.id) in self.members.roles
                self.remove_member(UserId(event.audience.id))
            case "GUILD_UPDATE":
                changed = self._owner_changed(UserId(int(orjson.loads(event.body)["owner_id"])))
            case "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE":
                changed = self._role_changed(orjson.loads(event.body)["role"])
            case "GUILD_ROLE_DELETE":
                self._role_deleted(RoleId(int(orjson.loads(event.body)["role_id"])))
            case "GUILD_MEMBER_UPDATE":
                changed = self._member_changed(orjson.loads(event.body))
            case "CHANNEL_CREATE" | "CHANNEL_UPDATE":
                channel_id = ChannelId(event.audience.id)
                changed = self._channel_changed(channel_id, orjson.loads(event.body))
                changed = changed and event.name == "CHANNEL_UPDATE"
            case "CHANNEL_DELETE":
                self._remove_channel(ChannelId(event.audience.id))
            case _:
                changed = False
        return changed

    def may_be_changed_by(self, event: Event) -> bool:
        """Return whether a CHANNEL_UPDATE or GUILD_ROLE_UPDATE may show or hide channels."""
        body = orjson.loads(event.body)
        if event.name == "GUILD_ROLE_UPDATE":
            before = self._roles.get(RoleId(int(body["role"]["id"])), 0)
            return bool((before ^ int(body["role"]["permissions"])) & _DECIDES_VISIBILITY)
        channel_id, overwrites = ChannelId(event.audience.id), body["permission_overwrites"]
        after = {each.target_id: each for each in map(_overwrite, overwrites)}
        return channel_id not in self._channels or self._channels.of(channel_id) != after

    def _invalidate_cache(self) -> None:
        self._visible: dict[UserId, ChannelSet] = {}
        self._visible_by_roles: dict[Roles, ChannelSet] = {}

    def _guild_permissions(self, user_id: UserId | None, own_roles: Iterable[RoleId]) -> int:
        if user_id == self.owner_id:
            return int(permissions.ALL)
        granted = self._roles.get(RoleId(self._guild_id), 0)
        for role_id in own_roles:
            granted |= self._roles.get(role_id, 0)
        return int(permissions.ALL) if granted & _ADMINISTRATOR else granted

    def _channel_permissions(self, user_id: UserId, channel_id: ChannelId) -> Permissions:
        own_roles = self.members.roles.get(user_id)
        if own_roles is None or channel_id not in self._channels:
            return NONE
        overwrites = self._channels.of(channel_id)
        targets: Iterable[int] = (self._guild_id, user_id, *own_roles)
        return permissions.in_channel(
            Permissions(self._guild_permissions(user_id, own_roles)),
            [overwrites[target] for target in targets if target in overwrites],
            guild_id=self._guild_id,
            user_id=user_id,
            roles=own_roles,
        )

    def _member_joined(self, event: Event) -> None:
        user_id = UserId(event.audience.id)
        for member in orjson.loads(event.body)["members"]:
            if member["user"]["id"] == str(user_id):
                self.add_member(user_id, _role_ids(member), _timeout_end_of(member))

    def _owner_changed(self, owner_id: UserId) -> bool:
        if owner_id == self.owner_id:
            return False
        for each in (self.owner_id, owner_id):
            self._visible.pop(each, None)
        self.owner_id = owner_id
        return True

    def _member_changed(self, member: JsonObject) -> bool:
        user_id, roles = UserId(int(member["user"]["id"])), _role_ids(member)
        timeout_end = _timeout_end_of(member)
        if user_id not in self.members.roles:
            return False
        if self.roles_of(user_id) == roles and self.timeout_end_of(user_id) == timeout_end:
            return False
        self.add_member(user_id, roles, timeout_end)
        return True

    def _role_changed(self, role: JsonObject) -> bool:
        role_id, granted = RoleId(int(role["id"])), int(role["permissions"])
        self.payloads.set_role(role_id, role)
        before = self._roles.get(role_id)
        self._roles[role_id] = granted
        if ((before or 0) ^ granted) & _DECIDES_VISIBILITY:
            self._invalidate_cache()
        return before != granted

    def _role_deleted(self, role_id: RoleId) -> None:
        self._roles.pop(role_id, None)
        self.payloads.remove_role(role_id)
        for user_id in self.members.with_role(role_id):
            roles = tuple(role for role in self.members.roles[user_id] if role != role_id)
            self.add_member(user_id, roles, self.timeout_end_of(user_id))

    def _add_channel(self, channel: Channel) -> None:
        payload = payloads.encode(payloads.channel_to_encode(channel))
        self.payloads.set_channel(channel.id, channel.position, payload)
        self._add_to_set(channel.id)
        self._set_overwrites(channel.id, channel.overwrites)

    def _channel_changed(self, channel_id: ChannelId, channel: JsonObject) -> bool:
        channel.pop("guild_id", None)
        self.payloads.set_channel(channel_id, channel["position"], payloads.encode(channel))
        is_new = self._add_to_set(channel_id)
        overwrites = map(_overwrite, channel["permission_overwrites"])
        return self._set_overwrites(channel_id, overwrites) or is_new

    def _add_to_set(self, channel_id: ChannelId) -> bool:
        if is_new := self._channels.add(channel_id):
            self._invalidate_cache()
        return is_new

    def _remove_channel(self, channel_id: ChannelId) -> None:
        if channel_id not in self._channels:
            return
        self._channels.remove(channel_id)
        self.payloads.remove_channel(channel_id)
        self._invalidate_cache()

    def _set_overwrites(self, channel_id: ChannelId, overwrites: Iterable[Overwrite]) -> bool:
        """Replace the overwrites of a channel; return whether they differ."""
        change = self._channels.replace(channel_id, overwrites)
        if change is OverwriteChange.VISIBILITY:
            self._invalidate_cache()
        return change is not OverwriteChange.NONE


def _overwrite(payload: JsonObject) -> Overwrite:
    return Overwrite(
        int(payload["id"]),
        OverwriteType(payload["type"]),
        int(payload["allow"]),
        int(payload["deny"]),
    )


def _role_ids(member: JsonObject) -> Roles:
    return tuple(RoleId(int(role_id)) for role_id in member["roles"])


def _timeout_end_of(member: JsonObject) -> float:
    """Return when the timeout of a member ends, in seconds since 1970; 0 without one."""
    until = member["communication_disabled_until"]
    return 0.0 if until is None else datetime.fromisoformat(until).timestamp()
