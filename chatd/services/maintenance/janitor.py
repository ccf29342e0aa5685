"""Janitor: deletes expired and orphaned rows and files, in small batches to keep locks short."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from chatd.core import snowflake
from chatd.core.errors import DatabaseUnavailable, ServiceUnavailable
from chatd.core.interactions import MODAL_LIFETIME_S
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.queries import (
    account_claims,
    ephemeral_messages,
    files,
    interactions,
    invitations,
    invites,
    logins,
    mail_tokens,
    mails,
    members,
    mentions,
    message_guards,
    messages,
    oidc_logins,
    reserved_uploads,
    retention,
    second_factors,
    user_exports,
)
from chatd.services.messages import recent_mentions
from chatd.storage.base import Storage, StorageUnavailable, StoredFileMissing

log = logging.getLogger(__name__)

_INTERVAL_S = 60.0  # between two runs; what has expired occupies space until then
_BATCH_ROWS = 1000  # deleted in one transaction
_FILE_BATCH = 100  # files deleted between two statements
# Failures after which a run stops deleting files: with S3, each may take until a timeout.
_MAX_FAILURES = 10
_PAUSE_S = 0.05  # between two batches, for the transactions of clients
_NONCE_LIFETIME = timedelta(minutes=10)  # for the retries of a client
EPHEMERAL_LIFETIME = timedelta(days=1)
"""How long a message is kept that only one user sees. Clients forget it earlier, at their end, and
the links to its files work for a day."""
_UPLOAD_TIME = timedelta(hours=1)  # from the id of a file to that of the message that claims it
_SLOW_MODE_LIFETIME = timedelta(hours=6)  # the longest slow mode that a channel can have


async def run(database: Database, storage: Storage) -> None:
    """Clean up until cancelled. All instances may run this at the same time."""
    while True:
        try:
            await clean_up(database, storage)
        except (DatabaseUnavailable, StorageUnavailable) as error:
            log.info("janitor postponed: %s", error)
        await asyncio.sleep(_INTERVAL_S)


async def clean_up(database: Database, storage: Storage) -> None:
    """Delete once what has expired. Rows of one kind that are locked do not delay other kinds.

    Raises DatabaseUnavailable, StorageUnavailable.
    """
    kinds: list[Callable[[], Awaitable[None]]] = [
        partial(delete_orphaned_messages, database),
        *(partial(delete_expired, database, expired) for expired in EXPIRED),
        partial(delete_expired, database, retention.begin_due),  # adds pending deletions
        partial(_delete_pending_files, database, storage),
    ]
    for delete in kinds:
        try:
            await delete()
        except DatabaseUnavailable:
            raise
        except ServiceUnavailable as error:
            log.info("janitor postponed the deletion of one kind of rows: %s", error)


async def _delete_pending_files(database: Database, storage: Storage) -> None:
    """Delete from storage the files with a pending deletion that is due."""
    while True:
        async with database.cursor() as cur:
            keys = await files.due_deletions(cur, limit=_FILE_BATCH)
        if not keys:
            return
        deleted, failures = [], 0
        for key in keys:
            try:
                await storage.delete(key)
            except (StorageUnavailable, StoredFileMissing) as error:
                failures += 1
                log.warning("cannot delete a file; retrying later: %s", error)
                async with database.cursor() as cur:
                    await files.postpone_deletion(cur, key)
            else:
                deleted.append(key)
            if failures >= _MAX_FAILURES:
                break
        async with database.cursor() as cur:
            await files.mark_deleted(cur, deleted)
        if failures >= _MAX_FAILURES:
            return  # the storage fails, not single files


def _id_at_age(age: timedelta) -> int:
    """Return the snowflake of a moment: ids below it are older than `age`."""
    return snowflake.at(datetime.now(UTC) - age)


async def delete_orphaned_messages(database: Database) -> None:
    """Delete the messages of deleted channels."""
    while True:
        async with database.cursor() as cur:
            if not await messages.delete_orphaned(cur, limit=_BATCH_ROWS):
                return
        await asyncio.sleep(_PAUSE_S)


async def delete_expired(database: Database, expired: Callable[..., Awaitable[int]]) -> None:
    """Delete all expired rows of a kind, in batches. `expired` is one of EXPIRED."""
    while True:
        async with database.cursor() as cur:
            if await expired(cur, limit=_BATCH_ROWS) < _BATCH_ROWS:
                return
        await asyncio.sleep(_PAUSE_S)


async def _expired_nonces(cur: Cursor, *, limit: int) -> int:
    return await message_guards.delete_nonces(cur, before=_id_at_age(_NONCE_LIFETIME), limit=limit)


async def _expired_slow_modes(cur: Cursor, *, limit: int) -> int:
    return await message_guards.delete_slow_modes(
        cur, before=_id_at_age(_SLOW_MODE_LIFETIME), limit=limit
    )


async def _old_interactions(cur: Cursor, *, limit: int) -> int:
    lifetime = timedelta(seconds=MODAL_LIFETIME_S)
    return await interactions.delete_old(cur, before=_id_at_age(lifetime), limit=limit)


async def _old_ephemeral_messages(cur: Cursor, *, limit: int) -> int:
    before = _id_at_age(EPHEMERAL_LIFETIME)
    return await ephemeral_messages.delete_old(cur, before=before, limit=limit)


async def _old_ephemeral_files(cur: Cursor, *, limit: int) -> int:
    before = _id_at_age(EPHEMERAL_LIFETIME + _UPLOAD_TIME)
    return await ephemeral_messages.delete_old_files(cur, before=before, limit=limit)


async def _expired_removed_mentions(cur: Cursor, *, limit: int) -> int:
    before = _id_at_age(recent_mentions.LIFETIME)
    return await mentions.delete_removed(cur, before=before, limit=limit)


EXPIRED: Sequence[Callable[..., Awaitable[int]]] = (
    invites.delete_expired,
    invitations.delete_expired,
    account_claims.delete_expired,
    logins.delete_expired_tokens,
    logins.delete_expired,
    logins.delete_expired_without_client_token,
    _expired_nonces,
    _expired_slow_modes,
    _expired_removed_mentions,
    files.discard_old_uploads,
    reserved_uploads.delete_expired,
    second_factors.delete_expired_tickets,
    mail_tokens.delete_expired,
    mails.delete_abandoned,
    oidc_logins.delete_expired,
    user_exports.delete_expired,
    members.delete_ended_timeouts,
    _old_interactions,
    _old_ephemeral_messages,
    _old_ephemeral_files,
)
"""Functions that delete up to `limit` expired rows of a kind, and return how many they deleted."""
