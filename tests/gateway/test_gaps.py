"""Events that never arrive: the sessions that should have had them must identify again."""

from __future__ import annotations

import asyncio

import psycopg2
import pytest

from chatd.gateway.fanout import gap_monitor
from tests.conftest import Server
from tests.helpers.gateway import send_messages
from tests.world import TIMEOUT_S, Guild, World


def _skip_an_event(server: Server, guild: Guild) -> None:
    """Number an event of the guild that is never published."""
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute("UPDATE streams SET seq = seq + 1 WHERE id = %s", (guild.id,))
    connection.close()


@pytest.mark.parametrize("read_at_once", [1, 500])
async def test_session_is_invalidated_when_the_missing_event_is_the_newest(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch, read_at_once: int
) -> None:
    monkeypatch.setattr(gap_monitor, "_READ_AT_ONCE", read_at_once)
    guild = await world.guild(owner="alice", members=["bob"])
    await world.guild(owner="carol")
    [bob, carol] = await world.online("bob", "carol")
    _skip_an_event(server, guild)
    async with asyncio.timeout(TIMEOUT_S):
        assert (await bob.next_op(9))["d"] is False
    assert await carol.received_before_fence() == []  # her guild misses nothing


async def test_session_is_invalidated_when_later_events_have_arrived(
    world: World, server: Server
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    _skip_an_event(server, guild)
    await send_messages(world, guild, "the successor")
    async with asyncio.timeout(TIMEOUT_S):
        assert (await bob.next_op(9))["d"] is False
    again = await world.resumed("bob", bob)
    assert (await again.next_op(9))["d"] is False  # nor does a resume hide the gap
    await again.identify((await world.person("bob")).token)
    [sent] = await send_messages(world, guild, "received again")
    assert (await again.next("MESSAGE_CREATE")).d["id"] == sent
