"""The background tasks of the gateway that serve user clients."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from chatd.core.retry import retried
from chatd.db.pool import Database
from chatd.gateway.gateway import Gateway
from chatd.gateway.lifecycle import login_uses


async def run(gateway: Gateway, database: Database, *, client_token_s: int) -> None:
    """Record uses of logins, and update member lists and presences of friends, until cancelled.

    `client_token_s` is the lifetime of client tokens.
    """
    record = partial(login_uses.run, database, gateway.hub, lifetime_s=client_token_s)
    works: dict[str, Callable[[], Awaitable[None]]] = {
        "login uses": record,
        "member lists": gateway.member_lists.run,
        "presences of friends": gateway.friend_presences.run,
    }
    async with asyncio.TaskGroup() as tasks:
        for name, work in works.items():
            tasks.create_task(retried(name, work), name=name)
