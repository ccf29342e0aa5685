"""Notification settings: about which messages a user is notified, in guilds and channels.

The server stores them for the user's clients, and counts unread messages and mentions by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.errors import InvalidForm, MissingAccess, UnknownChannel
from chatd.core.ids import ChannelId, GuildId
from chatd.core.notifications import (
    ChannelOverride,
    GuildNotifications,
    Mute,
    MuteConfig,
    NotificationLevel,
)
from chatd.core.unset import UNSET, Maybe
from chatd.db.cursor import ForeignKeyViolation
from chatd.events import notifications as events
from chatd.queries import members, named_channels, notifications
from chatd.services import guild_snapshot
from chatd.services.access import access
from chatd.wire.schemas.notifications import ChannelOverrideChange, NotificationsChange

MAX_OVERRIDES = 2000
"""Channels for which a user has settings, in all guilds together. READY contains all of them."""


async def update(
    ctx: Context, guild_id: GuildId | None, change: NotificationsChange
) -> GuildNotifications:
    """Change the caller's settings for a guild, or for its private channels when it is None.

    Raises UnknownGuild, MissingAccess, UnknownChannel, InvalidForm.
    """
    [changed] = await update_all(ctx, {guild_id: change})
    return changed


async def update_all(
    ctx: Context,
    changes: Mapping[GuildId | None, NotificationsChange],
) -> list[GuildNotifications]:
    """Change the caller's settings for several guilds, or for none of them if one is refused.

    Raises the errors of `update`.
    """
    changed = []
    async with ctx.begin() as work:
        await work.ensure_and_lock(ctx.user.id)
        await access.require_account(work.cur, ctx.user.id)
        for guild_id, change in changes.items():
            changed.append(await _update(ctx, work, guild_id, change))
        if await notifications.count_overrides(work.cur, ctx.user.id) > MAX_OVERRIDES:
            raise InvalidForm.of(
                "channel_overrides",
                "BASE_TYPE_MAX_LENGTH",
                f"You can have settings for {MAX_OVERRIDES} channels.",
            )
    return changed


async def _update(
    ctx: Context, work: UnitOfWork, guild_id: GuildId | None, change: NotificationsChange
) -> GuildNotifications:
    if guild_id is not None:
        await access.guild(work.cur, ctx.user.id, guild_id)
    before = await notifications.get(work.cur, ctx.user.id, guild_id)
    wanted = change.channel_overrides or {}
    await _require_visible(ctx, work, guild_id, wanted)
    after = _changed(before, change)
    if after == before:
        return before
    kept = await named_channels.existing(
        work.cur, after.overrides, guild_id=guild_id, user_id=ctx.user.id
    )
    after = replace(
        after,
        version=before.version + 1,
        overrides={key: each for key, each in after.overrides.items() if key in kept},
    )
    try:
        await notifications.put(work.cur, ctx.user.id, after)
    except ForeignKeyViolation:  # the caller has left the guild since the check
        raise MissingAccess from None
    work.emit(events.notifications_changed(ctx.user.id, after))
    return after


async def _require_visible(
    ctx: Context,
    work: UnitOfWork,
    guild_id: GuildId | None,
    wanted: Mapping[ChannelId, ChannelOverrideChange],
) -> None:
    """Raises UnknownChannel, also for a hidden channel, so that its existence stays hidden."""
    if not wanted:
        return
    if guild_id is None:
        found = await named_channels.existing(work.cur, wanted, guild_id=None, user_id=ctx.user.id)
    else:
        own = {each.guild_id: each for each in await members.list_for_user(work.cur, ctx.user.id)}
        memberships = {guild_id: own[guild_id]} if guild_id in own else {}
        found = {each.id for each in await guild_snapshot.visible(work.cur, memberships)}
    if not found.issuperset(wanted):
        raise UnknownChannel


def _changed(before: GuildNotifications, change: NotificationsChange) -> GuildNotifications:
    overrides = dict(before.overrides)
    for channel_id, each in (change.channel_overrides or {}).items():
        changed = _changed_override(overrides.pop(channel_id, ChannelOverride(channel_id)), each)
        if not changed.is_default:
            overrides[channel_id] = changed
    after = replace(
        before,
        mute=_changed_mute(before.mute, change.muted, change.mute_config),
        overrides=overrides,
    )
    if change.message_notifications is not UNSET:
        after = replace(after, level=NotificationLevel(change.message_notifications))
    simple = {
        name: getattr(change, name)
        for name in (
            "suppress_everyone",
            "suppress_roles",
            "mobile_push",
            "mute_scheduled_events",
            "hide_muted_channels",
            "notify_highlights",
            "flags",
        )
    }
    return replace(after, **{name: each for name, each in simple.items() if each is not UNSET})


def _changed_override(before: ChannelOverride, change: ChannelOverrideChange) -> ChannelOverride:
    after = replace(before, mute=_changed_mute(before.mute, change.muted, change.mute_config))
    if change.message_notifications is not UNSET:
        after = replace(after, level=NotificationLevel(change.message_notifications))
    if change.collapsed is not UNSET:
        after = replace(after, collapsed=change.collapsed)
    if change.flags is not UNSET:
        after = replace(after, flags=change.flags)
    return after


def _changed_mute(before: Mute, muted: Maybe[bool], config: Maybe[MuteConfig | None]) -> Mute:
    """Return the mute after a change. Without a mute, its duration means nothing and is dropped."""
    is_muted = before.muted if muted is UNSET else muted
    if not is_muted:
        return Mute()
    if config is UNSET:
        return Mute(True, before.config)
    return Mute(True, config and _with_end(config))


def _with_end(config: MuteConfig) -> MuteConfig:
    """Return the duration with an end, which some clients leave to the server."""
    if config.ends_at is not None or config.window_s is None or config.window_s <= 0:
        return config
    return replace(config, ends_at=datetime.now(UTC) + timedelta(seconds=config.window_s))
