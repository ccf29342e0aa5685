"""Whom a token stands for is looked up anew every few seconds, whatever the clock does."""

from __future__ import annotations

import asyncio
import time

import psycopg2
import pytest

from chatd.core.ids import LoginId, UserId
from chatd.core.models import Caller, User
from chatd.services import callers
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


def test_of_those_who_are_forgotten_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "_REMEMBERED", 2)
    known = callers.Callers(None, None, None)  # type: ignore[arg-type]
    for number in (1, 2, 2, 3, 4):
        user = User(UserId(number), "name", None, None, False)
        known._remember(f"token {number}", Caller(user, LoginId(number)), time.time() + 60)
    assert known._verified.keys() == {"token 3", "token 4"}
    assert known._tokens == {3: {"token 3"}, 4: {"token 4"}}
