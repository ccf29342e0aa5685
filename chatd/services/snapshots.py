"""A guild as a whole, at one place in the order of its events: what READY and joining show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from chatd.core import permissions
from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.models import Channel, Guild, Member, Role
from chatd.core.permissions import Permissions
from chatd.db import Cursor
from chatd.queries import channels, guilds, members, roles, streams
from chatd.wire import payloads


@dataclass(frozen=True, slots=True)
class GuildOutline:
    """What decides who may see what in a guild, after its event number `seq`."""

    guild: Guild
    seq: int
    roles: Sequence[Role]
    channels: Sequence[Channel]


@dataclass(frozen=True, slots=True)
class GuildSnapshot(GuildOutline):
    """A guild as its member `own` has it."""

    own: Member
    members: Sequence[Member]
    member_count: int

    def state(self) -> payloads.Json:
        """The body of GUILD_CREATE: only the channels that `own` may see."""
        return payloads.guild_state(
            self.guild,
            self.roles,
            self.visible,
            self.members,
            member_count=self.member_count,
            own=self.own,
            large=self.member_count > len(self.members),
        )

    @property
    def visible(self) -> list[Channel]:
        """The channels that `own` may see."""
        return [channel for channel in self.channels if self._may_see(channel)]

    def _may_see(self, channel: Channel) -> bool:
        own_roles = {*self.own.roles, RoleId(self.guild.id)}
        granted = permissions.in_channel(
            permissions.in_guild(
                is_owner=self.guild.owner_id == self.own.user.id,
                roles=[
                    Permissions(role.permissions) for role in self.roles if role.id in own_roles
                ],
            ),
            channel.overwrites,
            guild_id=self.guild.id,
            user_id=self.own.user.id,
            roles=self.own.roles,
        )
        return Permissions.VIEW_CHANNEL in granted


async def of_user(cur: Cursor, user_id: UserId, *, large_threshold: int) -> list[GuildSnapshot]:
    """All guilds of a user. `cur` reads from one snapshot, or the guilds are locked.

    A guild of more than `large_threshold` members comes with the user's own member alone.
    """
    own = {member.guild_id: member for member in await members.all_of_user(cur, user_id)}
    return await _load(cur, own, large_threshold)


async def of_guild(
    cur: Cursor, guild_id: GuildId, user_id: UserId, *, large_threshold: int
) -> GuildSnapshot | None:
    """One guild of a user; None when it is not a member."""
    own = await members.get(cur, guild_id, user_id)
    if own is None:
        return None
    found = await _load(cur, {guild_id: own}, large_threshold)
    return found[0] if found else None


async def outline(cur: Cursor, guild_id: GuildId) -> GuildOutline | None:
    """A guild as nobody's in particular; None when there is none. `cur` reads from one snapshot."""
    found = await guilds.by_ids(cur, [guild_id])
    if not found:
        return None
    positions = await streams.positions(cur, [guild_id])
    return GuildOutline(
        found[0],
        positions[guild_id],
        await roles.of_guilds(cur, [guild_id]),
        await channels.of_guilds(cur, [guild_id]),
    )


async def _load(
    cur: Cursor, own: dict[GuildId, Member], large_threshold: int
) -> list[GuildSnapshot]:
    if not own:
        return []
    counts = await members.counts(cur, own)
    small = [guild_id for guild_id in own if counts.get(guild_id, 0) <= large_threshold]
    listed = _by_guild(await members.of_guilds(cur, small, limit=large_threshold))
    guild_roles = _by_guild(await roles.of_guilds(cur, own))
    guild_channels = _by_guild(await channels.of_guilds(cur, own))
    positions = await streams.positions(cur, own)
    return [
        GuildSnapshot(
            guild=guild,
            seq=positions[guild.id],
            own=own[guild.id],
            roles=guild_roles[guild.id],
            channels=guild_channels[guild.id],
            members=listed.get(guild.id) or [own[guild.id]],
            member_count=counts[guild.id],
        )
        for guild in await guilds.by_ids(cur, own)
    ]


class _InGuild(Protocol):
    @property
    def guild_id(self) -> GuildId: ...


T = TypeVar("T", bound=_InGuild)


def _by_guild(rows: Iterable[T]) -> defaultdict[GuildId, list[T]]:
    grouped: defaultdict[GuildId, list[T]] = defaultdict(list)
    for row in rows:
        grouped[row.guild_id].append(row)
    return grouped
