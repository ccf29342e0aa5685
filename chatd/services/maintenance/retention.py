"""Retention: deletes old messages and audit log entries, in batches that lock no guild for long.

The operator deletes by `chatd purge`. A guild may have a rule of its own, which the pending
deletions apply once a day. A rule keeps pinned messages: members have marked them to stay.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chatd.context.dependencies import CoreDependencies, Dependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import snowflake
from chatd.core.ids import ChannelId, GuildId, MessageId, StreamId
from chatd.core.models import MessageLocation
from chatd.db.cursor import Cursor
from chatd.events import messages as events
from chatd.queries import channels, private_channels
from chatd.queries import pending_deletions as pending
from chatd.queries import retention as queries
from chatd.queries.pending_deletions import Details, PendingDeletion
from chatd.queries.retention import Count, OldMessages, PurgedChannel
from chatd.services.maintenance.pending_deletions import BATCH_MESSAGES, step_for

GRACE_S = 3600.0
"""How long a new rule waits until it deletes for the first time. Deleted messages do not come back,
so this is the time to take back a mistake."""

AUDIT_LOG_ROWS = 2000
"""Entries deleted in one transaction, without a lock. Measured for members: 5 to 30 ms."""

COUNTED = 20_000
"""Messages counted in one statement. Measured for a search by author: 15 ms."""


async def reschedule(cur: Cursor, guild_id: GuildId, days: int | None) -> None:
    """Apply the new rule of a guild after GRACE_S, then once a day. The guild must be locked."""
    await queries.schedule(cur, guild_id, days=days, wait_s=GRACE_S)


async def count_all(cur: Cursor, channel: PurgedChannel, old: OldMessages) -> Count:
    """Count what a purge of a channel deletes."""
    total = Count(0, 0, 0, 0)
    while part := await queries.count(cur, channel.id, old, after=total.last_id, limit=COUNTED):
        total = Count(
            total.messages + part.messages,
            total.files + part.files,
            total.file_bytes + part.file_bytes,
            part.last_id,
        )
    return total


async def delete_batch(
    dependencies: CoreDependencies, channel: PurgedChannel, old: OldMessages, *, after: int
) -> tuple[int, int] | None:
    """Delete some messages of a channel above the id `after`, and emit their events.

    Returns how many are deleted, and the id that the next batch continues after; None if none is
    left. Their files are deleted from the storage by the janitor of a running instance.
    """
    async with dependencies.database.cursor() as cur:
        found = await queries.find(cur, channel.id, old, after=after, limit=BATCH_MESSAGES)
    if not found:
        return None
    async with dependencies.begin() as work:
        deleted = await _delete(work, channel, found, keep_pins=old.keep_pins)
    return len(deleted), found[-1]


async def _delete(
    work: UnitOfWork, channel: PurgedChannel, found: list[MessageId], *, keep_pins: bool
) -> list[MessageId]:
    """Delete messages and emit their events, with the stream of the channel locked."""
    if not await work.lock_of_channel(channel.id):
        return []  # the janitor deletes the messages of a deleted channel
    location = await locked_location(work, channel)
    deleted = await queries.delete(work.cur, channel.id, found, keep_pins=keep_pins)
    if deleted:
        work.emit(*events.messages_deleted(deleted, location))
    return deleted


async def locked_location(work: UnitOfWork, channel: PurgedChannel) -> MessageLocation:
    """Return the location of a locked channel; lock the recipients of a private one, too."""
    if channel.guild_id is not None:
        return MessageLocation(channel.id, channel.guild_id)
    private = await private_channels.get(work.cur, channel.id)
    recipients = () if private is None else tuple(user.id for user in private.recipients)
    await work.lock_all(StreamId(each) for each in recipients)
    return MessageLocation(channel.id, None, recipients)


async def trim_search_index(cur: Cursor, channel: PurgedChannel, *, before: int) -> None:
    """Schedule the deletion of deleted messages from the search index, by a running instance."""
    await pending.insert(
        cur,
        queries.SEARCH_SEGMENTS,
        {"stream_id": channel.stream_id, "after": -1, "before": before},
    )


@step_for(queries.PURGE)
async def _apply_rule(dependencies: Dependencies, deletion: PendingDeletion) -> Details | None:
    """Delete a batch of the messages that a rule does not keep."""
    guild_id = GuildId(deletion.details["guild_id"])
    old = OldMessages(deletion.details["before"], keep_pins=True)
    channel_id = deletion.details.get("channel_id", 0)
    after = deletion.details.get("after", 0)
    async with dependencies.database.cursor() as cur:
        place = await queries.next_channel(cur, guild_id, old, channel_id=channel_id, after=after)
        if place is None:
            guild = PurgedChannel(ChannelId(0), guild_id)
            await trim_search_index(cur, guild, before=old.before)
            return None
        channel, after = place
        found = await queries.find(cur, channel.id, old, after=after, limit=BATCH_MESSAGES)
    done = {**deletion.details, "channel_id": channel.id, "after": found[-1] if found else after}
    async with dependencies.begin() as work:
        if not await work.lock(guild_id):
            return None
        days = await queries.retention_days(work.cur, guild_id)
        if days is None or old.before > snowflake.at(datetime.now(UTC) - timedelta(days=days)):
            return None  # the rule has been removed or changed
        if not await pending.is_pending(work.cur, deletion):
            return done  # the lease has expired, and another instance has taken the deletion
        deleted = await queries.delete(work.cur, channel.id, found, keep_pins=True)
        await pending.advance(work.cur, deletion, done)
        if deleted and await channels.exists(work.cur, guild_id, channel.id):
            work.emit(*events.messages_deleted(deleted, MessageLocation(channel.id, guild_id)))
    return done


@step_for(queries.OLD_AUDIT_LOGS)
async def _delete_audit_logs(
    dependencies: Dependencies, deletion: PendingDeletion
) -> Details | None:
    """Delete some entries of an audit log."""
    guild_id, before = deletion.details["guild_id"], deletion.details["before"]
    async with dependencies.database.cursor() as cur:
        count = await queries.delete_audit_logs(cur, guild_id, before=before, limit=AUDIT_LOG_ROWS)
    return deletion.details if count == AUDIT_LOG_ROWS else None


@step_for(queries.SEARCH_SEGMENTS)
async def _trim_search_index(
    dependencies: Dependencies, deletion: PendingDeletion
) -> Details | None:
    """Delete a part of a segment of the search index whose messages are all deleted."""
    details = deletion.details
    async with dependencies.database.cursor() as cur:
        after = await queries.delete_search_segment(
            cur, details["stream_id"], after=details["after"], before=details["before"]
        )
        if after is None:
            return None
        done = {**details, "after": after}
        await pending.advance(cur, deletion, done)
    return done
