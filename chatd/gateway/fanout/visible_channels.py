"""The channels that local members of a guild may see: before an event, and how it changes them.

Members with the same roles mostly see the same channels. So an event that can affect all members is
computed once for each group of members with the same roles, not for each member.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import orjson

from chatd.core.ids import ChannelId, RoleId, UserId
from chatd.core.json import JsonObject
from chatd.events.event import Event
from chatd.gateway.fanout.channel_overwrites import ChannelSet
from chatd.gateway.fanout.local_members import Roles
from chatd.gateway.fanout.visibility import Visibility


class VisibleChannels(NamedTuple):
    """The channels that members may see, for the members for which an event can change them."""

    of_members: Mapping[UserId, ChannelSet]
    """By member: for the exceptions (`Visibility.exceptions`), and if the event affects single
    members only."""
    of_groups: Mapping[Roles, ChannelSet]
    """By roles, for all other members. Empty if the event affects only single members."""


NONE_AFFECTED = VisibleChannels({}, {})
"""The result for an event that changes nothing for any member."""


class VisibilityChange(NamedTuple):
    """Members for which an event has changed the channels that they may see in the same way."""

    users: Collection[UserId]
    before: ChannelSet
    after: ChannelSet

    @property
    def lost(self) -> ChannelSet:
        """The channels that they cannot see any more."""
        return self.before & ~self.after

    @property
    def gained(self) -> ChannelSet:
        """The channels that they could not see before."""
        return self.after & ~self.before


def viewers(visibility: Visibility, channel_id: ChannelId) -> list[UserId]:
    """Return the local members that may see a channel."""
    bit, exceptions = visibility.bit(channel_id), visibility.exceptions()
    found = [user_id for user_id in exceptions if visibility.visible_channels(user_id) & bit]
    for roles, users in visibility.members.groups.items():
        if visibility.visible_by(roles) & bit:
            found += users if users.isdisjoint(exceptions) else users - exceptions
    return found


def before_event(visibility: Visibility, event: Event) -> VisibleChannels:
    """Return what local members may see now, for those members that an event can affect."""
    groups: dict[Roles, ChannelSet] = {}
    affected: Iterable[UserId]
    match event.name:
        case "GUILD_MEMBER_UPDATE":
            affected = [_id_in(orjson.loads(event.body)["user"])]
        case "GUILD_UPDATE":
            affected = [visibility.owner_id, UserId(int(orjson.loads(event.body)["owner_id"]))]
        case "GUILD_ROLE_DELETE":
            role_id = RoleId(int(orjson.loads(event.body)["role_id"]))
            affected = visibility.members.with_role(role_id)
        case "CHANNEL_UPDATE" | "GUILD_ROLE_UPDATE" if visibility.may_be_changed_by(event):
            affected = visibility.exceptions()
            groups = {each: visibility.visible_by(each) for each in visibility.members.groups}
        case _:
            return NONE_AFFECTED
    members = visibility.members.roles
    return VisibleChannels(
        {each: visibility.visible_channels(each) for each in affected if each in members}, groups
    )


def changes(visibility: Visibility, before: VisibleChannels) -> list[VisibilityChange]:
    """Return what has changed since `before`."""
    single = dict(before.of_members)
    if before.of_groups:
        for user_id in visibility.exceptions() - single.keys():
            single[user_id] = before.of_groups[visibility.members.roles[user_id]]
    found = [
        VisibilityChange([user_id], seen, visibility.visible_channels(user_id))
        for user_id, seen in single.items()
    ]
    for roles, seen in before.of_groups.items():
        if (now := visibility.visible_by(roles)) != seen:
            users = visibility.members.groups[roles] - single.keys()
            found.append(VisibilityChange(users, seen, now))
    return [each for each in found if each.before != each.after]


def _id_in(user: JsonObject) -> UserId:
    return UserId(int(user["id"]))
