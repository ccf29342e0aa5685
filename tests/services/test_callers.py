"""Whom a token stands for is looked up anew every few seconds, whatever the clock does."""

from __future__ import annotations

import asyncio
import time

import psycopg2
import pytest

from tests.conftest import Server
from tests.world import PATIENCE_S, World


def revoke(url: str, user_id: str) -> None:
    """Revoke every login of a user behind the back of the server, as when Redis is away."""
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cur:
        cur.execute("UPDATE logins SET revoked_at = now() WHERE user_id = %s", (int(user_id),))
    connection.close()


async def test_a_clock_that_steps_back_makes_nobody_trusted_for_longer(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await world.person("alice")
    await alice.rest.get("/users/@me")
    real = time.time
    monkeypatch.setattr("time.time", lambda: real() - 3600)
    await asyncio.to_thread(revoke, server.config.database_url, alice.id)
    async with asyncio.timeout(PATIENCE_S):
        while (await alice.rest.call("GET", "/users/@me")).status != 401:
            await asyncio.sleep(0.1)
