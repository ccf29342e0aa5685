"""chatd clear-redis: deletes the keys of chatd, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import asyncio as aioredis

from chatd.bus.cleanup import PREFIX
from chatd.embedded.valkey import running_valkey
from tests.cli.conftest import Chatd
from tests.conftest import ServeMore, repository
from tests.world import world_on


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[str]:
    """A Redis that no other test uses."""
    with running_valkey(tmp_path) as server:
        yield server.url


async def test_clear_redis_deletes_only_keys_of_chatd(
    chatd: Chatd, own_valkey: str, serve_more: ServeMore
) -> None:
    client = aioredis.Redis.from_url(own_valkey)
    await client.mset({"other": "1", "chat": "2", "xchatd:events:0": "3"})
    await client.mset({f"chatd:limits:{number}": "1" for number in range(1200)})
    async with (
        serve_more(worker_id=1, redis_url=own_valkey, rate_limits=True) as running,
        world_on(running.url, running.gateway_url) as world,
    ):
        await world.guild(owner="ada", members=["bob"])
        await world.online("ada")  # suspended when the instance ends
    keys = {key.decode() async for key in client.scan_iter()}
    ours = {key for key in keys if key.startswith(PREFIX)}
    assert keys - ours == {"other", "chat", "xchatd:events:0"}
    assert {key.split(":")[1] for key in ours} >= {"events", "limits", "session"}

    chatd.environment["REDIS_URL"] = own_valkey
    assert "needs --yes" in await chatd.refused("clear-redis", code=2)
    deleted = (await chatd.json("clear-redis", "--yes"))["deleted"]
    assert 1200 < deleted <= len(ours)  # counts of rate limits expire by themselves
    assert {key.decode() async for key in client.scan_iter()} == keys - ours
    assert await chatd.json("clear-redis", "--yes") == {"deleted": 0}
    await client.aclose()


async def test_unreachable_redis_is_an_error(chatd: Chatd) -> None:
    chatd.environment["REDIS_URL"] = "redis://:hunter2@127.0.0.1:1"
    line = await chatd.refused("clear-redis", "--yes")
    assert "cannot reach Redis" in line
    assert "hunter2" not in line
    del chatd.environment["REDIS_URL"]
    assert "REDIS_URL is not set" in await chatd.refused("clear-redis", "--yes", code=2)


def test_all_redis_keys_have_the_prefix() -> None:
    """A key with another prefix would not be deleted."""
    found = []
    for path in (repository() / "chatd").rglob("*.py"):
        for line in path.read_text().splitlines():
            if match := re.match(r'_PREFIX = "|    return f"(?=[a-z]+:[a-z]+:)', line):
                found.append(line[match.end() :])
    assert len(found) >= 5
    assert all(each.startswith(PREFIX) for each in found), found
