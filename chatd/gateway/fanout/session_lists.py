"""Lists of a user's sessions, for the clients of people that show where they are logged in.

Discord calls it SESSIONS_REPLACE. A list has the connected sessions of this instance.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from chatd.core.json import JsonObject
from chatd.core.presence import merged
from chatd.events import users as events
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.session.session import Session
from chatd.wire import payloads
from chatd.wire.payloads import client_ready

_INTERVAL_S = 0.25
"""How often in seconds changed lists are sent. Changes within an interval are one list."""

_MAX_LISTED = 15
"""Sessions in one list, the newest first. Rule: Discord's limit."""

_UNKNOWN = "unknown"


def shown(sessions: Iterable[Session]) -> list[JsonObject]:
    """Return the list of these sessions of one user.

    If there are several, it begins with their common presence, as a session with the id `all`.
    """
    newest = sorted(sessions, key=lambda each: each.presence_set_at, reverse=True)
    listed = [
        client_ready.session(
            each.id,
            each.presence,
            each.device,
            _UNKNOWN if each.user_client is None else each.user_client.os,
        )
        for each in newest[:_MAX_LISTED]
    ]
    if len(listed) > 1:
        common = merged([each.presence for each in reversed(newest)])
        listed.insert(0, client_ready.session("all", common, _UNKNOWN, _UNKNOWN))
    return listed


async def run(hub: Hub) -> None:
    """Send the lists that have changed until cancelled."""
    while True:
        await asyncio.sleep(_INTERVAL_S)
        for user_id in hub.take_session_lists_dirty():
            connected = [each for each in hub.sessions_of(user_id) if each.sink is not None]
            if any(each.user_client is not None for each in connected):
                _send(connected)
                await asyncio.sleep(0)


def _send(sessions: Iterable[Session]) -> None:
    """Send the list of these sessions to those of them that have not received it yet."""
    listed = payloads.encode(shown(sessions))
    for each in sessions:
        if each.user_client is not None and each.listed_sessions != listed:
            each.listed_sessions = listed
            each.send_event(events.sessions_replaced(each.user_id, listed))
