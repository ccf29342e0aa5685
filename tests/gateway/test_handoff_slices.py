"""Reading a suspended session: it does not block the event loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.core import time_slices
from chatd.gateway.fanout.known_presences import KnownPresences
from chatd.gateway.fanout.visibility import Visibility
from tests.helpers.fleet import Fleet
from tests.world import World


async def test_guilds_of_a_suspended_session_are_read_in_time_slices(
    world: World, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large guild takes milliseconds, and a session may have 200 guilds."""
    there = await fleet.start(12)
    for _ in range(3):
        await world.guild(owner="alice", members=["bob"])
    [bob] = await there.online("bob")
    await fleet.stop(12, bob)
    monkeypatch.setattr(time_slices, "_SLICE_S", 0.0)
    turn, read = 0, dict[str, list[int]]()

    async def count_turns() -> None:
        nonlocal turn
        while True:
            await asyncio.sleep(0)
            turn += 1

    def note_turns(kind: type, method: str) -> None:
        original = getattr(kind, method)

        def noting(*args: Any) -> Any:
            read.setdefault(method, []).append(turn)
            return original(*args)

        monkeypatch.setattr(kind, method, noting)

    note_turns(KnownPresences, "decode")
    note_turns(Visibility, "restored")
    counting = asyncio.create_task(count_turns())
    bob = await world.resumed("bob", bob)
    await bob.next("RESUMED")
    counting.cancel()
    for turns in (read["decode"], read["restored"]):
        assert len(turns) >= 3
        assert sorted(set(turns)) == turns
