"""Pending deletions: a background task deletes what is too much for one transaction, in batches.

Every instance runs the task. An instance takes a deletion for the time of a lease, so a crash
delays it by one lease at most. Each batch stores the progress of its deletion. Deletions alternate,
so that a large one does not delay the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

from chatd.context.dependencies import Dependencies
from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.models import MessageLocation
from chatd.db.cursor import Cursor
from chatd.events import messages as events
from chatd.queries import channels, messages
from chatd.queries import pending_deletions as queries
from chatd.queries.pending_deletions import AuthoredMessages, Details, PendingDeletion

log = logging.getLogger(__name__)

BATCH_MESSAGES = 200
"""Messages deleted in one transaction. Measured: 10 ms with the guild locked."""

_MAX_READ = 20_000  # messages read for a batch, without a lock. Measured: 15 ms
_SWEPT_ROWS = 2000  # deleted from a swept table, without a lock. Measured: 5 to 30 ms
_LEASE_S = 30.0  # three times the statement timeout
_INTERVAL_S = 5.0  # between two polls for the deletions that other instances have added
# Pause after a step, in durations of the step: half of the database's time is for clients.
_IDLE_FACTOR = 1.0
_REPORT_S = 30.0  # between two log lines about progress
HEAD_START_S = 5.0
"""Delay before the background task takes a deletion, so that the request can work on it first."""
REQUEST_TIME_S = 0.5
"""Time that a request works on its own deletion before it responds. Most are finished by then."""

Step = Callable[[Dependencies, PendingDeletion], Awaitable[Details | None]]
"""Runs one batch and stores its progress. Returns the progress, or None if nothing remains."""


STEPS: dict[str, Step] = {}
"""The function that runs a batch of each kind of deletion."""


def step_for(kind: str) -> Callable[[Step], Step]:
    """Register a function for the batches of a kind."""

    def add(do: Step) -> Step:
        STEPS[kind] = do
        return do

    return add


async def run(dependencies: Dependencies) -> None:
    """Run pending deletions until cancelled."""
    clock = asyncio.get_running_loop().time
    batches, reported = 0, clock()
    while True:
        began = clock()
        try:
            found_work = await run_next(dependencies)
        except ServiceUnavailable as error:
            log.info("pending deletions postponed: %s", error)
            found_work = False
        except Exception:  # a fault in one deletion must not stop the others
            log.exception("pending deletion failed; retrying in %d s", _LEASE_S)
            found_work = False
        batches += found_work
        if batches and (not found_work or clock() - reported > _REPORT_S):
            log.info("pending deletions: %d batches in %.0f s", batches, clock() - reported)
            batches, reported = 0, clock()
        if found_work:
            await asyncio.sleep((clock() - began) * _IDLE_FACTOR)
        else:
            await _wait_for_wakeup(dependencies.deletions_added)
            reported = clock() if not batches else reported


async def run_next(dependencies: Dependencies) -> bool:
    """Run one batch of the deletion that has waited longest. Return False if none is due."""
    async with dependencies.database.cursor() as cur:
        deletion = await queries.take(cur, STEPS, lease_s=_LEASE_S)
    if deletion is None:
        return False
    if await _run_step(dependencies, deletion) is not None:
        async with dependencies.database.cursor() as cur:
            await queries.release(cur, deletion.id)
    return True


async def add_messages(
    cur: Cursor, guild_id: GuildId, author_ids: Collection[UserId], *, since: int
) -> PendingDeletion:
    """Add the deletion of the messages that these authors have sent in a guild since an id.

    The guild must be locked. Later messages stay. The caller continues with `work_on`.
    """
    wanted = AuthoredMessages(
        guild_id=guild_id,
        author_ids=author_ids,
        after=since - 1,
        since=since - 1,
        until=await messages.last_of_stream(cur, StreamId(guild_id)),
    )
    return await queries.insert(cur, queries.MESSAGES, wanted.details(), wait_s=HEAD_START_S)


async def work_on(dependencies: Dependencies, deletion: PendingDeletion) -> None:
    """Run a deletion that the caller has just committed, for REQUEST_TIME_S at most.

    The background task continues it, also after a failure here.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + REQUEST_TIME_S
    try:
        while True:
            details = await _run_step(dependencies, deletion)
            if details is None:
                return
            deletion = replace(deletion, details=details)
            if clock() > deadline:
                break
        async with dependencies.database.cursor() as cur:
            await queries.release(cur, deletion.id)
        dependencies.deletions_added.set()
    except ServiceUnavailable as error:
        log.info("deletion left to the background task: %s", error)


async def _run_step(dependencies: Dependencies, deletion: PendingDeletion) -> Details | None:
    details = await STEPS[deletion.kind](dependencies, deletion)
    if details is None:
        async with dependencies.database.cursor() as cur:
            await queries.delete(cur, deletion)
    return details


async def _wait_for_wakeup(added: asyncio.Event) -> None:
    """Wait until this instance adds a deletion, but at most _INTERVAL_S."""
    try:
        async with asyncio.timeout(_INTERVAL_S):
            await added.wait()
    except TimeoutError:
        pass
    added.clear()


async def _sweep(dependencies: Dependencies, deletion: PendingDeletion) -> Details | None:
    async with dependencies.database.cursor() as cur:
        count = await queries.sweep(cur, deletion, limit=_SWEPT_ROWS)
    return deletion.details if count else None


@step_for(queries.MESSAGES)
async def _delete_messages(dependencies: Dependencies, deletion: PendingDeletion) -> Details | None:
    wanted = AuthoredMessages(**deletion.details)
    async with dependencies.database.cursor() as cur:
        batch = await queries.find(cur, wanted, read=_MAX_READ, limit=BATCH_MESSAGES)
    if batch is None:
        return None
    done = replace(wanted, channel_id=batch.channel_id, after=batch.read_to).details()
    if batch.message_ids:
        await _delete_batch(dependencies, deletion, wanted.guild_id, batch, done)
    else:
        async with dependencies.database.cursor() as cur:
            await queries.advance(cur, deletion, done)
    return done


async def _delete_batch(
    dependencies: Dependencies,
    deletion: PendingDeletion,
    guild_id: GuildId,
    batch: queries.Batch,
    done: Details,
) -> None:
    """Delete messages of a channel and emit their events, with the guild locked."""
    async with dependencies.begin() as work:
        if not await work.lock(guild_id):
            return
        if not await queries.is_pending(work.cur, deletion):
            return  # the lease has expired, and another instance has taken the deletion
        ids = await messages.delete_many(work.cur, batch.channel_id, batch.message_ids)
        await queries.advance(work.cur, deletion, done)
        if ids and await channels.exists(work.cur, guild_id, batch.channel_id):
            work.emit(*events.messages_deleted(ids, MessageLocation(batch.channel_id, guild_id)))


STEPS.update(dict.fromkeys(queries.SWEPT, _sweep))
