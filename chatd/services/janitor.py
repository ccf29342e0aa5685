"""Housekeeping: what may be forgotten, in bites that hold no lock for long."""

from __future__ import annotations

import asyncio
import logging

from chatd.core.errors import Busy, DatabaseAway
from chatd.db import Database
from chatd.queries import invites, logins, messages

log = logging.getLogger(__name__)

_EVERY_S = 60.0
_BITE = 1000  # messages
_BETWEEN_BITES_S = 0.05


async def run(database: Database) -> None:
    """Clean up for ever. Every instance may do so at once."""
    while True:
        try:
            await _sweep(database)
            async with database.cursor() as cur:
                await invites.delete_dead(cur)
                await logins.delete_expired(cur)
        except (Busy, DatabaseAway) as missed:
            log.info("housekeeping waits: %s", missed)
        await asyncio.sleep(_EVERY_S)


async def _sweep(database: Database) -> None:
    """Delete the messages of deleted channels."""
    while True:
        async with database.cursor() as cur:
            if not await messages.sweep(cur, limit=_BITE):
                return
        await asyncio.sleep(_BETWEEN_BITES_S)
