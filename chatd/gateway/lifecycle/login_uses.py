"""Recording that connected clients use their logins, so that the tokens of idle clients stay valid.

A client token expires when its login is not used for CLIENT_TOKEN_EXPIRY. A request records a use,
and so does an IDENTIFY. A client may stay connected for longer than that and send no request.
"""

from __future__ import annotations

import asyncio
import logging

from chatd.core.errors import ServiceUnavailable
from chatd.db.pool import Database
from chatd.gateway.fanout.hub import Hub
from chatd.services.accounts import logins

log = logging.getLogger(__name__)

_MAX_INTERVAL_S = 3600.0
"""The longest time in seconds between two records of a login, the same as for requests."""

_BATCH = 500
"""Logins in one statement, which takes a few milliseconds."""

_PAUSE_S = 0.05
"""Seconds between two batches, in which the transactions of clients can run."""


async def run(database: Database, hub: Hub, *, lifetime_s: int) -> None:
    """Record the logins of connected sessions until cancelled.

    `lifetime_s` is that of client tokens.
    """
    while True:
        await asyncio.sleep(min(_MAX_INTERVAL_S, lifetime_s / 4))
        found = hub.connected_logins()
        for start in range(0, len(found), _BATCH):
            try:
                batch = found[start : start + _BATCH]
                await logins.record_uses(database, batch, lifetime_s=lifetime_s)
            except ServiceUnavailable as error:
                log.info("uses of logins not recorded: %s", error)
            await asyncio.sleep(_PAUSE_S)
