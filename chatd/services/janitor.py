"""Housekeeping: what may be forgotten, in bites that hold no lock for long."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from chatd.core import snowflake
from chatd.core.errors import Busy, DatabaseAway
from chatd.db import Database
from chatd.queries import files, invitations, invites, logins, messages
from chatd.storage.storage import Storage, StorageAway

log = logging.getLogger(__name__)

_EVERY_S = 60.0
_BITE = 1000  # messages
_FILES = 100
_BETWEEN_BITES_S = 0.05
_NONCES_LAST = timedelta(minutes=10)  # as long as a client may try again
_SLOW_MODES_LAST = timedelta(hours=6)  # the longest slow mode there is


async def run(database: Database, storage: Storage) -> None:
    """Clean up for ever. Every instance may do so at once."""
    while True:
        try:
            await _sweep(database)
            async with database.cursor() as cur:
                await invites.delete_dead(cur)
                await invitations.delete_dead(cur)
                await logins.delete_expired(cur)
                await messages.delete_expired_guards(
                    cur,
                    nonces_before=_id_of(_NONCES_LAST),
                    slow_modes_before=_id_of(_SLOW_MODES_LAST),
                )
                await files.give_up_old(cur)
            await _delete_doomed(database, storage)
        except (Busy, DatabaseAway, StorageAway) as missed:
            log.info("housekeeping waits: %s", missed)
        await asyncio.sleep(_EVERY_S)


async def _delete_doomed(database: Database, storage: Storage) -> None:
    """Delete from storage what nobody refers to any more."""
    while True:
        async with database.cursor() as cur:
            keys = await files.doomed(cur, limit=_FILES)
        if not keys:
            return
        for key in keys:
            await storage.delete(key)
        async with database.cursor() as cur:
            await files.forget_doomed(cur, keys)


def _id_of(age: timedelta) -> int:
    """Ids below it are older than that."""
    return snowflake.at(datetime.now(UTC) - age)


async def _sweep(database: Database) -> None:
    """Delete the messages of deleted channels."""
    while True:
        async with database.cursor() as cur:
            if not await messages.sweep(cur, limit=_BITE):
                return
        await asyncio.sleep(_BETWEEN_BITES_S)
