"""Read states: for a user and a channel, the last message that the user has read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias

from chatd.context.context import Context
from chatd.core import snowflake
from chatd.core.errors import MissingAccess, UnknownGuild
from chatd.core.ids import ChannelId, GuildId, MessageId, UserId
from chatd.core.models import ChannelType, Member, ReadState
from chatd.core.notifications import (
    GuildNotifications,
    UnreadRule,
    suppressed_mentions,
    unread_rule,
)
from chatd.core.permissions import Permissions
from chatd.db.cursor import Cursor
from chatd.events import private_channels as events
from chatd.queries import (
    guilds,
    members,
    named_channels,
    notifications,
    private_channels,
    read_states,
)
from chatd.queries.channels import MemberOverwrites
from chatd.services import guild_snapshot
from chatd.services.access import access
from chatd.services.access.access import ChannelAccess
from chatd.services.access.access_cache import AccessCache
from chatd.services.messages.read_state_writer import MoveOutcome, ReadStateWriter
from chatd.services.messages.send import require_text_channel

# The caller's notification settings by guild, and under None those of private channels.
_Settings: TypeAlias = Mapping[GuildId | None, GuildNotifications]

_MAX_ATTEMPTS = 2
"""Attempts by group commit: with the cached access, then with access that is read again."""


class MessageAcknowledger:
    """Moves the read states of users to messages."""

    def __init__(self, writer: ReadStateWriter, access_cache: AccessCache) -> None:
        self._writer = writer
        self._access_cache = access_cache

    async def acknowledge(
        self, ctx: Context, channel_id: ChannelId, message_id: MessageId, *, back: bool
    ) -> None:
        """Move the caller's read state of a channel to a message; backward only with `back`.

        Raises UnknownChannel, MissingAccess, NotATextChannel, Unauthorized, ServiceUnavailable.
        """
        # A message after the present time may not exist, which the group commit does not check.
        is_usual = not back and message_id < snowflake.at(datetime.now(UTC))
        if not is_usual or not await self._move_forward(ctx, channel_id, message_id):
            await _acknowledge_in_transaction(ctx, channel_id, message_id, back=back)

    async def _move_forward(
        self, ctx: Context, channel_id: ChannelId, message_id: MessageId
    ) -> bool:
        """Move a read state forward by group commit. Returns False if nothing was changed."""
        for _ in range(_MAX_ATTEMPTS):
            granted = self._access_cache.get(ctx, channel_id) or await self._access_cache.load(
                ctx, channel_id
            )
            guild_id = version = None
            if isinstance(granted, ChannelAccess):
                guild_id, version = granted.guild.id, granted.version
                if granted.channel.type == ChannelType.CATEGORY:
                    return False
            outcome = await self._writer.move(
                read_states.Move(ctx.user.id, channel_id, message_id, guild_id, version)
            )
            if outcome is not MoveOutcome.STALE:
                return outcome is MoveOutcome.DONE
            self._access_cache.invalidate(ctx, channel_id)
        return False


async def _acknowledge_in_transaction(
    ctx: Context, channel_id: ChannelId, message_id: MessageId, *, back: bool
) -> None:
    """Move a read state as `acknowledge` does, but wait for locks, and read the access again."""
    async with ctx.begin() as work:
        granted = await access.channel(work.cur, ctx.user.id, channel_id)
        require_text_channel(granted)
        granted.require(Permissions.VIEW_CHANNEL)
        await work.ensure_and_lock(ctx.user.id)
        await access.require_account(work.cur, ctx.user.id)  # a deleted account keeps no rows
        now = snowflake.at(datetime.now(UTC))
        moved = await read_states.move(
            work.cur, ctx.user.id, channel_id, message_id, back=back, now=now
        )
        if moved is not None:
            work.emit(events.read_state_changed(ctx.user.id, channel_id, moved))


async def acknowledge_all(ctx: Context, positions: Mapping[ChannelId, MessageId]) -> None:
    """Move the caller's read states of several channels forward.

    Ignores channels that the caller cannot see, since clients may know deleted ones.
    """
    if not positions:
        return
    async with ctx.begin() as work:
        await work.ensure_and_lock(ctx.user.id)
        await access.require_account(work.cur, ctx.user.id)
        visible = await _visible(work.cur, ctx.user.id, positions)
        moved = await read_states.move_all(
            work.cur,
            ctx.user.id,
            {each: positions[each] for each in sorted(visible)},
            now=snowflake.at(datetime.now(UTC)),
        )
        work.emit(*(events.read_state_changed(ctx.user.id, *each) for each in moved))


async def _visible(
    cur: Cursor, user_id: UserId, channel_ids: Collection[ChannelId]
) -> set[ChannelId]:
    """Return those of these channels that a user can see. Reads no other channels."""
    granted: dict[GuildId, access.GuildAccess] = {}
    for guild_id in await named_channels.guilds_of(cur, channel_ids):
        with suppress(UnknownGuild, MissingAccess):
            granted[guild_id] = await access.guild(cur, user_id, guild_id)
    targets = {target for each in granted.values() for target in each.targets}
    found = await named_channels.existing(cur, channel_ids, guild_id=None, user_id=user_id)
    for channel in await named_channels.overwrites_of(cur, channel_ids, targets):
        own = granted.get(channel.guild_id)
        if own and channel.type != ChannelType.CATEGORY and own.can_see(channel):
            found.add(channel.id)
    return found


async def list_for_caller(ctx: Context) -> AsyncIterator[list[ReadState]]:
    """Yield the read states of all channels that the caller may see, in parts.

    200 guilds can have 100,000 channels, so other requests can run after each part. Messages from
    before the caller joined a guild count as read. The caller's notification settings decide what
    is unread (see `unread_rule`), and which mentions count. In private channels that are not muted,
    every unread message counts as a mention, as in Discord's clients.
    """
    now = datetime.now(UTC)
    async with ctx.database.cursor() as cur:
        own = {each.guild_id: each for each in await members.list_for_user(cur, ctx.user.id)}
        sizes = await guilds.sizes(cur, own)
        chosen = await notifications.list_for_user(cur, ctx.user.id)
    settings = {each.guild_id: each for each in chosen}
    for part in guild_snapshot.parts(sizes):
        yield await _list_in_guilds(ctx, {each: own[each] for each in part}, settings, now)
    yield await _list_in_private(ctx, settings.get(None), now)


async def _list_in_guilds(
    ctx: Context, own: Mapping[GuildId, Member], settings: _Settings, now: datetime
) -> list[ReadState]:
    """Return the read states in the guilds of the caller's memberships `own`."""
    async with ctx.database.cursor() as cur:
        levels = {
            each.id: each.default_message_notifications for each in await guilds.by_ids(cur, own)
        }
        visible = await guild_snapshot.visible(cur, own)
        channels = [each for each in visible if each.type != ChannelType.CATEGORY]
        since = {each.id: snowflake.at(own[each.guild_id].joined_at) for each in channels}
        suppressed = suppressed_mentions(settings.values())
        found = await read_states.list_for_user(
            cur,
            ctx.user.id,
            since,
            since=since,
            roles=[role_id for each in own.values() for role_id in each.roles],
            without_everyone=_channels_in(channels, suppressed.everyone),
            without_roles=_channels_in(channels, suppressed.roles),
        )
    rules = {
        each.id: unread_rule(
            settings.get(each.guild_id),
            each.id,
            each.parent_id,
            default_level=levels.get(each.guild_id, 0),
            now=now,
        )
        for each in channels
    }
    return [_counted(each, rules[each.channel_id]) for each in found]


async def _list_in_private(
    ctx: Context, settings: GuildNotifications | None, now: datetime
) -> list[ReadState]:
    """Return the read states of the caller's private channels."""
    async with ctx.database.cursor() as cur:
        opened = await private_channels.list_open_for_user(cur, ctx.user.id)
        since = {each.id: 0 for each in opened}
        found = await read_states.list_for_user(cur, ctx.user.id, since, since=since, roles=())
    return [_counted_in_private(each, settings, now) for each in found]


def _channels_in(
    channels: Iterable[MemberOverwrites], guild_ids: Container[GuildId | None]
) -> set[ChannelId]:
    return {each.id for each in channels if each.guild_id in guild_ids}


def _counted(state: ReadState, rule: UnreadRule) -> ReadState:
    """Return the read state of a channel in a guild, with the counts that its rule permits."""
    if rule.is_muted:
        return replace(state, unread_count=0)
    return replace(state, unread_count=state.mention_count) if rule.only_mentions else state


def _counted_in_private(
    state: ReadState, settings: GuildNotifications | None, now: datetime
) -> ReadState:
    """Return the read state of a private channel: unless it is muted, all messages are mentions."""
    rule = unread_rule(settings, state.channel_id, None, default_level=0, now=now)
    if rule.is_muted:
        return replace(state, unread_count=0)
    return replace(state, mention_count=state.unread_count)
