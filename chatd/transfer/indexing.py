"""Adding imported messages to the index of the message search."""

from __future__ import annotations

import asyncio

from chatd.core.ids import StreamId
from chatd.db.maintenance import maintenance_cursor
from chatd.queries import imports, search_index
from chatd.queries.imports import Import
from chatd.queries.statistics import COMMAND

_PAUSE_S = 0.2
"""Between two attempts, while an instance indexes. A step of it takes a second at most."""


async def index_guild(url: str, job: Import) -> None:
    """Index all messages of a guild again. Raises DatabaseUnavailable, StatementFailed.

    The last few thousand messages stay without index, as always: searches read them.
    """
    async with maintenance_cursor(url, name=COMMAND) as cur:
        is_restarted = False
        while True:
            await cur.execute("BEGIN")
            if not await search_index.try_lock(cur):
                await cur.execute("ROLLBACK")
                await asyncio.sleep(_PAUSE_S)
                continue
            if not is_restarted:
                await imports.restart_index(cur, job.id, job.guild_id)
                is_restarted = has_more = True
            else:
                has_more = await search_index.extend(cur, StreamId(job.guild_id))
            await cur.execute("COMMIT")
            if not has_more:
                return
