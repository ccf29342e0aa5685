"""Group commit: a fault or a lock of one message does not affect others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest

from chatd.config import Config
from chatd.events import messages as events
from tests.conftest import ServeMore, Server
from tests.world import World, world_on


@contextmanager
def locked(server: Server, *guild_ids: str) -> Iterator[None]:
    """Lock these guilds in a transaction of another connection."""
    connection = psycopg2.connect(server.config.database_url)
    try:
        with connection.cursor() as cur:
            for guild_id in guild_ids:
                cur.execute("SELECT FROM streams WHERE id = %s FOR UPDATE", (int(guild_id),))
        yield
    finally:
        connection.rollback()
        connection.close()


async def test_locked_guild_does_not_delay_other_guilds(world: World, server: Server) -> None:
    guilds = [await world.guild(owner="alice") for _ in range(4)]
    rest = world.rest("alice")
    paths = [f"/channels/{guild.general.id}/messages" for guild in guilds]
    with locked(server, *(guild.id for guild in guilds[:3])):
        stuck = [
            asyncio.create_task(rest.post(path, {"content": str(n)}))
            for path in paths[:3]
            for n in range(5)
        ]
        await asyncio.sleep(0)
        for n in range(20):
            await rest.post(paths[3], {"content": str(n)})
        assert not any(task.done() for task in stuck)
    await asyncio.gather(*stuck)
    for path in paths[:3]:
        contents = [message["content"] for message in await rest.get(path)]
        assert sorted(contents) == ["0", "1", "2", "3", "4"]


@pytest.mark.expects_error_log
async def test_failing_event_does_not_fail_other_messages_of_the_batch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    [client] = await world.online("alice")
    whole = events.message_created_in_guild

    def broken(encoded, *rest):  # type: ignore[no-untyped-def]
        if b'"content":"bad"' in encoded:
            raise RuntimeError("cannot be published")
        return whole(encoded, *rest)

    monkeypatch.setattr(events, "message_created_in_guild", broken)
    contents = [*(str(n) for n in range(10)), "bad", *(str(n) for n in range(10, 20))]

    async def post(content: str) -> int:
        url, headers = world.url + path, {"Authorization": f"Bearer {world.rest('alice').token}"}
        async with world.http.post(url, json={"content": content}, headers=headers) as answer:
            return answer.status

    statuses = await asyncio.gather(*(post(content) for content in contents))
    assert [status for status in statuses if status != 200] == [500]
    stored = [message["content"] for message in await world.rest("alice").get(path)]
    assert sorted(stored, key=int) == [str(n) for n in range(20)]
    received = [each.d["content"] for each in await client.received_before_fence()]
    assert sorted(received, key=int) == [str(n) for n in range(20)]


async def test_permission_lost_while_the_message_is_in_flight(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    path = f"/channels/{guild.general.id}/messages"
    bob = await world.person("bob")
    await bob.rest.post(path, {"content": "one"})
    with locked(server, guild.id):
        leaving = asyncio.create_task(bob.rest.delete(f"/users/@me/guilds/{guild.id}"))
        await asyncio.sleep(0.1)  # so that it is first in the queue for the lock
        late = asyncio.create_task(bob.rest.call("POST", path, {"content": "two"}))
        await asyncio.sleep(0.1)
    await leaving
    answer = await late
    contents = [message["content"] for message in await guild.owner.rest.get(path)]
    if answer.status == 200:
        assert contents == ["two", "one"]  # it was committed first
    else:
        assert answer.code == 50001
        assert contents == ["one"]


@pytest.mark.parametrize("ahead_s", [1, 3600])
async def test_id_is_above_that_of_an_instance_whose_clock_is_ahead(
    world: World, serve_more: ServeMore, config: Config, ahead_s: int
) -> None:
    """The next id is above the last one of a stream, which an instance with a fast clock wrote."""
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    async with (
        serve_more(worker_id=22) as server,
        world_on(server.url, server.gateway_url) as there,
    ):
        there.share_people(world)
        rest = there.rest("alice")
        ahead = (int((await rest.post(path, {"content": "x"}))["id"]) >> 22) + ahead_s * 1000 << 22

        def write_ahead() -> None:
            connection = psycopg2.connect(config.database_url)
            with connection, connection.cursor() as cur:
                cur.execute(
                    "UPDATE streams SET last_message_id = %s WHERE id = %s", (ahead, int(guild.id))
                )
            connection.close()

        await asyncio.to_thread(write_ahead)
        after = [int((await rest.post(path, {"content": str(n)}))["id"]) for n in range(3)]
        assert sorted(after) == after
        assert min(after) > ahead
