"""How background tasks wait for work: this instance wakes them, and they poll for the rest."""

from __future__ import annotations

import asyncio


async def wait_for_work(due: asyncio.Event, *, at_most_s: float) -> None:
    """Wait until `due` is set, but at most this long, because other instances cannot set it.

    Clears the event: the caller then does all the work that there is.
    """
    try:
        async with asyncio.timeout(at_most_s):
            await due.wait()
    except TimeoutError:
        pass
    due.clear()
