"""The guild of an import: finding it, or creating it with its roles and channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from chatd.context.dependencies import CoreDependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import permissions
from chatd.core.errors import UnknownGuild
from chatd.core.ids import ChannelId, GuildId, RoleId, UserId
from chatd.core.models import Channel, ChannelType, Guild, Role
from chatd.core.overwrites import Overwrite, OverwriteType
from chatd.core.permissions import Permissions
from chatd.db.cursor import Cursor
from chatd.events import channels as channel_events
from chatd.events import guilds as guild_events
from chatd.events import users as user_events
from chatd.queries import channels, guilds, imports, members, roles
from chatd.queries.imports import Import
from chatd.services import guild_snapshot
from chatd.services.access import access, overwrites
from chatd.services.guilds.channels import MAX_CHANNELS
from chatd.services.guilds.guilds import MAX_GUILDS
from chatd.services.guilds.roles import MAX_ROLES
from chatd.transfer.errors import TransferError
from chatd.transfer.ids import free_ids
from chatd.transfer.names import display_name

MAX_TOPIC = 1024
"""Characters of the topic of a channel."""


@dataclass(frozen=True, slots=True)
class PlannedRole:
    """A role to create, by the id of the source."""

    source_id: int
    name: str
    permissions: int
    color: int
    hoist: bool
    mentionable: bool
    position: int


@dataclass(frozen=True, slots=True)
class PlannedChannel:
    """A channel or category to create, by the ids of the source."""

    source_id: int
    type: ChannelType
    name: str
    topic: str | None
    parent_id: int | None
    is_hidden: bool = False
    """Whether it is hidden from @everyone."""
    nsfw: bool = False
    rate_limit_per_user: int = 0
    overwrites: tuple[Overwrite, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedGuild:
    """A guild to create, by the id of the source."""

    source_id: int
    name: str
    description: str | None = None
    everyone: int = int(permissions.EVERYONE)
    """The permissions of @everyone."""
    roles: Sequence[PlannedRole] = ()
    channels: Sequence[PlannedChannel] = ()


@dataclass(frozen=True, slots=True)
class Structure:
    """What the import has to write into."""

    job: Import
    channels: Mapping[int, ChannelId]
    """The channels by the ids of the source."""
    created_channels: int


async def ensure(
    deps: CoreDependencies, source: str, guild: PlannedGuild, owner_id: UserId | None
) -> Structure:
    """Create the guild and its channels, or the channels that an earlier import has not created.

    An archive chooses its ids itself. So one that claims to be of an imported guild is added to it
    only if the named owner, if any, owns that guild. Raises TransferError.
    """
    async with deps.database.cursor() as cur:
        job = await imports.find(cur, source, guild.source_id)
        existing = [] if job is None else await guilds.by_ids(cur, [job.guild_id])
    if job is not None:
        for each in existing:
            if owner_id not in (None, each.owner_id):
                raise TransferError(
                    f"it was imported into guild {each.id} ({each.name}), which has another owner:"
                    " leave out --owner to add to that guild"
                )
        return await ensure_channels(deps, job, guild.channels)
    if owner_id is None:
        raise TransferError("name the owner of the new guild with --owner")
    return await _create(deps, source, guild, owner_id)


async def ensure_channels(
    deps: CoreDependencies, job: Import, planned: Sequence[PlannedChannel]
) -> Structure:
    """Create the channels that the import has not created before. Raises TransferError."""
    async with deps.begin() as work:
        if not await work.lock(job.guild_id):
            raise UnknownGuild
        known = await imports.objects(work.cur, job.id, "channel")
        missing = [each for each in planned if each.source_id not in known]
        created = await _insert_channels(work, job, missing, known)
        for channel in created.values():
            work.emit(channel_events.channel_created(channel))
        if created:
            work.bump_version(job.guild_id)
    return _structure(job, known, created)


async def _create(
    deps: CoreDependencies, source: str, planned: PlannedGuild, owner_id: UserId
) -> Structure:
    async with deps.begin() as work:
        ids = await free_ids(
            [planned.source_id], lambda wanted: imports.taken_guild_ids(work.cur, wanted)
        )
        guild_id = GuildId(ids[planned.source_id])
        await work.ensure_and_lock(guild_id)
        await work.ensure_and_lock(owner_id)
        await access.require_account(work.cur, owner_id)
        if await guilds.count_for_user(work.cur, owner_id) >= MAX_GUILDS:
            raise TransferError(f"the owner is in {MAX_GUILDS} guilds already")
        name = display_name(planned.name, "Imported guild")
        name = name if len(name) > 1 else f"{name} guild"
        description = planned.description
        await guilds.insert(work.cur, Guild(guild_id, name, description, None, owner_id, None))
        job = await imports.insert(work.cur, source, planned.source_id, guild_id)
        await _insert_roles(work, job, planned)
        await members.insert(work.cur, guild_id, owner_id)
        created = await _insert_channels(work, job, planned.channels, {})
        snapshot = await guild_snapshot.get(work.cur, guild_id, owner_id, large_threshold=50)
        assert snapshot is not None
        work.emit(user_events.membership_changed(owner_id, guild_id))
        work.emit(guild_events.guild_joined(owner_id, guild_id, snapshot.joined()))
    return _structure(job, {}, created)


async def _insert_roles(work: UnitOfWork, job: Import, guild: PlannedGuild) -> None:
    everyone = RoleId(job.guild_id)
    await roles.insert(
        work.cur,
        Role(everyone, job.guild_id, "@everyone", guild.everyone, 0, False, False, 0),
    )
    planned = guild.roles[: MAX_ROLES - 1]
    ids = await free_ids(
        [each.source_id for each in planned],
        lambda wanted: imports.taken_guild_ids(work.cur, wanted),
    )
    for each in planned:
        role = Role(
            id=RoleId(ids[each.source_id]),
            guild_id=job.guild_id,
            name=each.name,
            permissions=each.permissions,
            color=each.color,
            hoist=each.hoist,
            mentionable=each.mentionable,
            position=each.position,
        )
        await roles.insert(work.cur, role)
    await imports.add_objects(work.cur, job.id, "role", ids)


def _structure(job: Import, known: Mapping[int, int], created: Mapping[int, Channel]) -> Structure:
    found = {key: ChannelId(channel_id) for key, channel_id in known.items()}
    found |= {key: channel.id for key, channel in created.items()}
    return Structure(job, found, len(created))


async def _insert_channels(
    work: UnitOfWork,
    job: Import,
    planned: Sequence[PlannedChannel],
    known: Mapping[int, int],
) -> dict[int, Channel]:
    """Add channels. The guild is locked. Raises TransferError."""
    siblings = await channels.list_for_guild(work.cur, job.guild_id)
    total = len(siblings) + len(planned)
    if total > MAX_CHANNELS:
        raise TransferError(
            f"the guild would have {total} channels, and {MAX_CHANNELS} is the most: leave out"
            " threads that you do not need, by moving their files out of the folder"
        )
    ids = await free_ids(
        [each.source_id for each in planned],
        lambda wanted: imports.taken_channel_ids(work.cur, wanted),
    )
    last = max((each.position for each in siblings), default=-1)
    categories = {each.id for each in siblings if each.type == ChannelType.CATEGORY}
    created: dict[int, Channel] = {}
    for number, each in enumerate(planned, last + 1):
        parent = created.get(each.parent_id or 0)
        parent_id = parent.id if parent is not None else known.get(each.parent_id or 0)
        # The category may have been deleted since the first import.
        is_there = parent is not None or parent_id in categories
        channel = _channel(job.guild_id, ChannelId(ids[each.source_id]), each, number)
        channel = replace(
            channel, parent_id=ChannelId(parent_id) if is_there and parent_id else None
        )
        await overwrites.insert_channel(work, channel)
        created[each.source_id] = channel
    made = {key: int(channel.id) for key, channel in created.items()}
    await imports.add_objects(work.cur, job.id, "channel", made)
    return created


def _channel(
    guild_id: GuildId, channel_id: ChannelId, each: PlannedChannel, position: int
) -> Channel:
    hidden = Overwrite(guild_id, OverwriteType.ROLE, 0, int(Permissions.VIEW_CHANNEL))
    return Channel(
        id=channel_id,
        guild_id=guild_id,
        type=each.type,
        name=each.name,
        topic=each.topic,
        position=position,
        parent_id=None,
        nsfw=each.nsfw,
        rate_limit_per_user=each.rate_limit_per_user,
        overwrites=(hidden,) if each.is_hidden else each.overwrites,
        last_message_id=None,
    )


async def existing_channels(cur: Cursor, guild_id: GuildId) -> set[ChannelId]:
    """Return the channels that the guild still has."""
    return {each.id for each in await channels.list_for_guild(cur, guild_id)}
