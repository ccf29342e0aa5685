"""A long READY is made in time slices: each turn of the loop does a part."""

from __future__ import annotations

import time

import pytest

from chatd.core import time_slices
from chatd.db.pool import Database
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers import loop_time
from tests.world import World

_CHANNELS = 3000
_LARGEST_SHARE = 0.25
"""The largest part of the CPU time of an IDENTIFY that one turn of the loop may take."""

_FILL = """
    INSERT INTO users (id, username, username_key, global_name, email, email_key, password_hash)
    SELECT n, 'dm' || n, 'dm' || n, repeat(chr(128512), 32), 'dm' || n, 'dm' || n, ''
      FROM generate_series(%(first)s, %(last)s) AS n;
    INSERT INTO channels (id, type)
    SELECT n + 100000, 1 FROM generate_series(%(first)s, %(last)s) AS n;
    INSERT INTO dm_recipients (channel_id, user_id)
    SELECT n + 100000, user_id
      FROM generate_series(%(first)s, %(last)s) AS n, unnest(ARRAY[n, %(me)s::bigint]) AS user_id
"""


async def _fill(database: Database, user_id: int) -> None:
    """Open direct messages of a user with many others."""
    first = user_id + 1_000_000
    async with database.cursor() as cur:
        await cur.execute(_FILL, {"me": user_id, "first": first, "last": first + _CHANNELS - 1})


async def test_ready_with_many_private_channels_is_made_in_parts(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_slices, "_SLICE_S", 0.0)  # so that each step is a slice
    alice = await world.person("alice")
    await _fill(server.runner.app[DEPENDENCIES].database, int(alice.id))
    for capabilities in (None, 0, 2**15 - 1):
        client = {} if capabilities is None else {"capabilities": capabilities}
        shares = []
        for _ in range(loop_time.TRIES):
            socket = await world.socket()
            began = time.thread_time()
            with loop_time.no_collection(), loop_time.turns() as measured:
                await socket.send(
                    2, {"token": alice.token, "properties": {}, "intents": 1} | client
                )
                ready = (await socket.next("READY")).d
            shares.append(measured.longest_s / (time.thread_time() - began))
            assert len(ready["private_channels"]) == _CHANNELS
            await socket.leave()
        assert min(shares) < _LARGEST_SHARE, (capabilities, shares)
