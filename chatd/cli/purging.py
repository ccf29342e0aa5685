"""What `chatd purge` does: counts, deletes in batches, and vacuums."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from chatd.context.dependencies import CoreDependencies
from chatd.core import snowflake
from chatd.core.errors import UnknownChannel
from chatd.core.ids import ChannelId, GuildId, parse_id
from chatd.db.cursor import Cursor
from chatd.queries import retention as queries
from chatd.queries.retention import OldMessages, PurgedChannel
from chatd.services.accounts import administration
from chatd.services.maintenance import retention

Progress = Callable[[str, int, int | None], None]
"""Shows a step: its title, how much is done, and the total if that is known."""

_PAGE = 1000  # channels or guilds read at once

_IDLE_FACTOR = 1.0
"""Pause after a batch, in durations of the batch: half of the database's time is for clients."""

VACUUMED = (
    "messages",
    "attachments",
    "reactions",
    "audit_logs",
    "search_postings",
    "search_documents",
)
"""The large tables in which a purge deletes rows."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to delete: in a guild, in a channel, or with neither in the whole server."""

    guild_id: GuildId | None = None
    channel_id: ChannelId | None = None
    name: str = "the whole server"


@dataclass(frozen=True, slots=True)
class Purge:
    """What to delete."""

    place: Place
    old: OldMessages
    audit_log: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a purge deletes, or has deleted."""

    channels: int = 0
    messages: int = 0
    files: int = 0
    file_bytes: int = 0
    audit_log_entries: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to delete."""
        return not (self.messages or self.audit_log_entries)

    @property
    def sentence(self) -> str:
        """The numbers, for people."""
        return (
            f"{self.messages} messages with {self.files} files ({self.file_bytes / 2**20:.1f} MiB)"
            f" and {self.audit_log_entries} audit log entries"
        )


def bound(older_than_s: int | None) -> int:
    """Return the id below which everything is older than this number of seconds, or than now."""
    try:
        moment = datetime.now(UTC) - timedelta(seconds=older_than_s or 0)
    except OverflowError:
        return 0  # before the first snowflake
    return snowflake.at(moment)


async def resolve(cur: Cursor, guild_id: str | None, channel_id: str | None) -> Place:
    """Return the place with these ids. Raises UnknownGuild, UnknownChannel."""
    if guild_id is not None:
        guild = await administration.find_guild(cur, guild_id)
        return Place(guild_id=guild.id, name=f"the guild {guild.name!r}")
    if channel_id is not None:
        found = None
        with contextlib.suppress(ValueError):
            found = await queries.channel_name(cur, ChannelId(parse_id(channel_id)))
        if found is None:
            raise UnknownChannel(f"There is no channel {channel_id!r}.")
        return Place(channel_id=ChannelId(parse_id(channel_id)), name=f"the channel {found!r}")
    return Place()


async def count(cur: Cursor, purge: Purge, show: Progress) -> Found:
    """Count what a purge deletes."""
    found = Found()
    async for channel in _channels(cur, purge):
        part = await retention.count_all(cur, channel, purge.old)
        found = replace(
            found,
            channels=found.channels + bool(part.messages),
            messages=found.messages + part.messages,
            files=found.files + part.files,
            file_bytes=found.file_bytes + part.file_bytes,
        )
        show("Counting messages", found.messages, None)
    entries = 0
    async for _, number in _audit_logs(cur, purge):
        entries += number
    return replace(found, audit_log_entries=entries)


async def delete(
    dependencies: CoreDependencies, purge: Purge, expected: Found, show: Progress
) -> Found:
    """Delete in batches. Return what was deleted; files and their size are those counted."""
    deleted, channels = 0, 0
    async with dependencies.database.cursor() as cur:
        found = [each async for each in _channels(cur, purge)]
    for channel in found:
        before = deleted
        async for number in _deleting(dependencies, channel, purge.old):
            deleted += number
            show("Deleting messages", deleted, max(expected.messages, deleted))
        if deleted > before:
            channels += 1
            async with dependencies.database.cursor() as cur:
                await retention.trim_search_index(cur, channel, before=purge.old.before)
    entries = await _delete_audit_logs(dependencies, purge, expected, show)
    return replace(expected, channels=channels, messages=deleted, audit_log_entries=entries)


async def _deleting(
    dependencies: CoreDependencies, channel: PurgedChannel, old: OldMessages
) -> AsyncIterator[int]:
    """Delete the messages of a channel; yield the number of each batch."""
    after = 0
    while True:
        began = time.monotonic()
        batch = await retention.delete_batch(dependencies, channel, old, after=after)
        if batch is None:
            return
        number, after = batch
        yield number
        await asyncio.sleep((time.monotonic() - began) * _IDLE_FACTOR)


async def _delete_audit_logs(
    dependencies: CoreDependencies, purge: Purge, expected: Found, show: Progress
) -> int:
    deleted = 0
    async with dependencies.database.cursor() as cur:
        found = [guild_id async for guild_id, _ in _audit_logs(cur, purge)]
    for guild_id in found:
        while True:
            async with dependencies.database.cursor() as cur:
                number = await queries.delete_audit_logs(
                    cur, guild_id, before=purge.old.before, limit=retention.AUDIT_LOG_ROWS
                )
            deleted += number
            show("Deleting audit logs", deleted, max(expected.audit_log_entries, deleted))
            if number < retention.AUDIT_LOG_ROWS:
                break
    return deleted


async def _channels(cur: Cursor, purge: Purge) -> AsyncIterator[PurgedChannel]:
    after = 0
    while page := await queries.channels_with_old(
        cur,
        guild_id=purge.place.guild_id,
        channel_id=purge.place.channel_id,
        after=after,
        before=purge.old.before,
        limit=_PAGE,
    ):
        for each in page:
            yield each
        after = page[-1].id


async def _audit_logs(cur: Cursor, purge: Purge) -> AsyncIterator[tuple[GuildId, int]]:
    """Yield the guilds whose audit log has old entries, with their number."""
    if not purge.audit_log or purge.place.channel_id is not None:
        return
    after = 0
    while page := await queries.old_audit_logs(
        cur, purge.place.guild_id, after=after, before=purge.old.before, limit=_PAGE
    ):
        for each in page.items():
            yield each
        after = max(page)


def vacuum(*, full: bool) -> None:
    """Vacuum the tables that a purge deletes from. Ends the command on an error."""
    from chatd.cli import archives, dependencies
    from chatd.db.maintenance import maintenance_cursor
    from chatd.queries.statistics import COMMAND

    async def vacuuming(url: str) -> None:
        async with maintenance_cursor(url, name=COMMAND) as cur:
            for table in VACUUMED:
                await queries.vacuum(cur, table, full=full)

    with archives.one_line_errors(), dependencies.servers() as config:
        archives.run(vacuuming(config.database_url))
