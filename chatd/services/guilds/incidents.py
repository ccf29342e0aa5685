"""Incidents: pausing invites and direct messages of a guild, and detecting raids.

A raid is many accounts that join within a short time (the settings RAID_JOINS and RAID_WINDOW). It
pauses the invites of the guild for RAID_PAUSE, as a moderator could, and a message in the system
channel says so. A moderator can end the pause.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.audit import AuditAction, AuditEntry
from chatd.core.errors import InvalidForm, InvitesPaused
from chatd.core.ids import AuditEntryId, GuildId
from chatd.core.models import Guild, MessageLocation, MessageType
from chatd.core.permissions import Permissions
from chatd.core.unset import UNSET, Maybe
from chatd.events import guilds as events
from chatd.events import moderation as moderation_events
from chatd.queries import audit_logs, guild_joins, guilds, members, roles
from chatd.services.access import access
from chatd.services.guilds import audit_log
from chatd.services.guilds.guilds import write
from chatd.services.messages.drafts import Draft, insert_draft
from chatd.wire import payloads
from chatd.wire.schemas.guilds import IncidentActions

log = logging.getLogger(__name__)

_LONGEST = timedelta(hours=24)
"""Rule: Discord docs, Guild resource, "Modify Guild Incident Actions"."""

_RAID_REASON = "Many accounts have joined in a short time"


async def set_actions(ctx: Context, guild_id: GuildId, wanted: IncidentActions) -> Guild:
    """Pause invites or direct messages of a guild for up to a day. Needs MANAGE_GUILD.

    Times in the past end the pause. Raises UnknownGuild, MissingAccess, MissingPermissions,
    MfaRequired, InvalidForm.
    """
    now = datetime.now(UTC)
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        guild = granted.guild
        invites = _end("invites_disabled_until", wanted.invites_disabled_until, now)
        dms = _end("dms_disabled_until", wanted.dms_disabled_until, now)
        changed = replace(
            guild,
            invites_disabled_until=guild.invites_disabled_until if invites is UNSET else invites,
            dms_disabled_until=guild.dms_disabled_until if dms is UNSET else dms,
        )
        if changed.invites_disabled_until is None:
            await guild_joins.reset(work.cur, guild_id)
        if changed != guild:
            guild_roles = await roles.list_for_guilds(work.cur, [guild_id])
            await write(ctx, work, guild, changed, guild_roles)
    return changed


def _end(field: str, until: Maybe[datetime | None], now: datetime) -> Maybe[datetime | None]:
    """Return the end of a pause; None for a time in the past. Raises InvalidForm."""
    if until is UNSET or until is None:
        return until
    if until > now + _LONGEST:
        text = "Must be within the next 24 hours."
        raise InvalidForm.of(field, "DATE_TIME_TYPE_TOO_LATE", text)
    return until if until > now else None


def pause_of(guild: Guild) -> InvitesPaused | None:
    """Return why invites of a guild do not work now; None if they do."""
    if guild.invites_disabled:
        return InvitesPaused()
    until = guild.invites_disabled_until
    if until is not None and (left := (until - datetime.now(UTC)).total_seconds()) > 0:
        return InvitesPaused(left)
    return None


async def admit(ctx: Context, work: UnitOfWork, guild_id: GuildId) -> InvitesPaused | None:
    """Count a join by an invite. Return why it is refused, or None. The guild is locked.

    A refusal is returned, not raised: the caller commits what a raid changes.
    """
    [guild] = await guilds.by_ids(work.cur, [guild_id])
    if (paused := pause_of(guild)) is not None:
        return paused
    limits = ctx.dependencies.raid_limits
    if not limits.joins:
        return None
    joins = await guild_joins.count_join(work.cur, guild_id, ctx.user.id, window_s=limits.window_s)
    if joins <= limits.joins:
        return None
    await _on_raid(ctx, work, guild, pause_s=limits.pause_s)
    log.warning("raid of guild %d: invites are paused for %d s", guild_id, limits.pause_s)
    return InvitesPaused(limits.pause_s)


async def _on_raid(ctx: Context, work: UnitOfWork, guild: Guild, *, pause_s: int) -> None:
    """Pause the invites of a guild, and notify its members."""
    now = datetime.now(UTC)
    until = now + timedelta(seconds=pause_s)
    changed = replace(guild, invites_disabled_until=until, raid_detected_at=now)
    await guilds.update(work.cur, changed)
    await guild_joins.reset(work.cur, guild.id)
    guild_roles = await roles.list_for_guilds(work.cur, [guild.id])
    work.emit(events.guild_updated(changed, guild_roles))
    entry = AuditEntry(
        id=ctx.new_id(AuditEntryId),
        guild_id=guild.id,
        user_id=None,  # the server itself
        target_id=guild.id,
        action=AuditAction.GUILD_UPDATE,
        reason=_RAID_REASON,
        changes=audit_log.changes(
            {"incidents_data": payloads.incidents_data(guild)},
            {"incidents_data": payloads.incidents_data(changed)},
        ),
        options={},
    )
    await audit_logs.insert(work.cur, entry)
    work.emit(moderation_events.entry_added(entry))
    await _post_alert(ctx, work, guild, until)


async def _post_alert(ctx: Context, work: UnitOfWork, guild: Guild, until: datetime) -> None:
    """Post a message in the system channel, in the name of the owner, as such messages have one."""
    owner = await members.get(work.cur, guild.id, guild.owner_id)
    if guild.system_channel_id is None or owner is None:
        return
    draft = Draft(
        author=owner.user,
        member=owner,
        location=MessageLocation(guild.system_channel_id, guild.id),
        type=MessageType.GUILD_INCIDENT_ALERT_MODE_ENABLED,
        content=payloads.timestamp(until),
    )
    await insert_draft(ctx, work, draft)
