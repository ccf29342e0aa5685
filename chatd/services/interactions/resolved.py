"""The users, roles, channels and messages that the data of an interaction names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from chatd.core import permissions
from chatd.core.components import ComponentType
from chatd.core.errors import InvalidForm
from chatd.core.ids import ChannelId, RoleId, UserId
from chatd.core.models import Component, Member, User
from chatd.core.permissions import Permissions
from chatd.db.cursor import Cursor
from chatd.queries import channels, members, roles, users
from chatd.services.access import access
from chatd.services.access.access import AnyAccess, ChannelAccess, PrivateAccess
from chatd.wire.payloads import Resolved


@dataclass(slots=True)
class Named:
    """Ids in the data of an interaction, by the kind of object that they name."""

    users: set[UserId] = field(default_factory=set)
    roles: set[RoleId] = field(default_factory=set)
    channels: set[ChannelId] = field(default_factory=set)
    users_or_roles: set[int] = field(default_factory=set)
    channel_types: dict[ChannelId, Collection[int]] = field(default_factory=dict)
    """The types that channels may have, where not all are permitted."""

    def add_values(self, component: Component, values: Iterable[str]) -> None:
        """Add the values that were chosen in a select."""
        ids = [int(each) for each in values] if component["type"] in _NAMES_OBJECTS else []
        match component["type"]:
            case ComponentType.USER_SELECT:
                self.users.update(map(UserId, ids))
            case ComponentType.ROLE_SELECT:
                self.roles.update(map(RoleId, ids))
            case ComponentType.CHANNEL_SELECT:
                self.channels.update(map(ChannelId, ids))
                if kinds := component.get("channel_types"):
                    self.channel_types |= {ChannelId(each): kinds for each in ids}
            case ComponentType.MENTIONABLE_SELECT:
                self.users_or_roles.update(ids)
            case _:
                pass


_NAMES_OBJECTS = {
    ComponentType.USER_SELECT,
    ComponentType.ROLE_SELECT,
    ComponentType.MENTIONABLE_SELECT,
    ComponentType.CHANNEL_SELECT,
}


async def resolve(cur: Cursor, granted: AnyAccess, named: Named) -> Resolved:
    """Return the objects of these ids, as far as a person can see them.

    Users have to exist. Roles and channels have to be of the guild; the person has to see the
    channels, which have one of the permitted types. Raises InvalidForm for other ids.
    """
    user_ids = named.users | set(map(UserId, named.users_or_roles))
    listed = await users.by_ids(cur, user_ids) if user_ids else []
    found_users = {user.id: user for user in listed}
    if isinstance(granted, PrivateAccess):
        found = Resolved(users=list(found_users.values()))
    else:
        found = await _in_guild(cur, granted, named, found_users)
    missing = _missing(named, found)
    if missing:
        text = f"There is no such object: {min(missing)}."
        raise InvalidForm({"data": {"_errors": [{"code": "INVALID_ENTITY", "message": text}]}})
    return found


async def _in_guild(
    cur: Cursor, granted: ChannelAccess, named: Named, found_users: Mapping[UserId, User]
) -> Resolved:
    guild_id = granted.guild.id
    role_ids = named.roles | set(map(RoleId, named.users_or_roles))
    all_roles = await roles.list_for_guilds(cur, [guild_id]) if role_ids else []
    found_channels = await channels.by_ids(cur, guild_id, named.channels) if named.channels else []
    return Resolved(
        users=list(found_users.values()),
        members=await _members(cur, granted, found_users),
        roles=[role for role in all_roles if role.id in role_ids],
        channels=[
            (channel, granted.in_channel(channel))
            for channel in found_channels
            if granted.can_see(channel)
            and channel.type in named.channel_types.get(channel.id, (channel.type,))
        ],
    )


async def _members(
    cur: Cursor, granted: ChannelAccess, user_ids: Collection[UserId]
) -> dict[UserId, tuple[Member, Permissions]]:
    """Return those of these users that are members, with their permissions in the channel."""
    found = {}
    for member in await members.by_ids(cur, granted.guild.id, user_ids) if user_ids else ():
        user_id = member.user.id
        may = await access.permissions_in_channel(cur, user_id, granted.channel.id)
        found[user_id] = member, may or permissions.NONE
    return found


def _missing(named: Named, found: Resolved) -> set[int]:
    """Return the ids that name no object."""
    user_ids = {int(user.id) for user in found.users}
    role_ids = {int(role.id) for role in found.roles}
    return (
        (set(map(int, named.users)) - user_ids)
        | (set(map(int, named.roles)) - role_ids)
        | (set(map(int, named.channels)) - {int(channel.id) for channel, _ in found.channels})
        | (named.users_or_roles - user_ids - role_ids)
    )
