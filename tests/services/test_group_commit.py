"""Group commit: neighbours do not disturb each other, whatever is wrong with one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest

from chatd.events import messages as events
from tests.conftest import Server
from tests.world import World


@contextmanager
def locked(server: Server, *guild_ids: str) -> Iterator[None]:
    """Another process that holds these guilds, in the middle of a transaction."""
    connection = psycopg2.connect(server.config.database_url)
    try:
        with connection.cursor() as cur:
            for guild_id in guild_ids:
                cur.execute("SELECT FROM streams WHERE id = %s FOR UPDATE", (int(guild_id),))
        yield
    finally:
        connection.rollback()
        connection.close()


async def test_a_locked_guild_holds_up_only_itself(world: World, server: Server) -> None:
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


@pytest.mark.plants_a_bug
async def test_a_message_that_cannot_be_told_fails_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    [client] = await world.online("alice")
    whole = events.message_created

    def broken(message, *rest):  # type: ignore[no-untyped-def]
        if message.content == "bad":
            raise RuntimeError("cannot be told")
        return whole(message, *rest)

    monkeypatch.setattr(events, "message_created", broken)
    contents = [*(str(n) for n in range(10)), "bad", *(str(n) for n in range(10, 20))]

    async def post(content: str) -> int:
        url, headers = world.url + path, {"Authorization": f"Bearer {world.rest('alice').token}"}
        async with world.http.post(url, json={"content": content}, headers=headers) as answer:
            return answer.status

    statuses = await asyncio.gather(*(post(content) for content in contents))
    assert [status for status in statuses if status != 200] == [500]
    stored = [message["content"] for message in await world.rest("alice").get(path)]
    assert sorted(stored, key=int) == [str(n) for n in range(20)]
    heard = [each.d["content"] for each in await client.heard_before_fence()]
    assert sorted(heard, key=int) == [str(n) for n in range(20)]


async def test_rights_lost_while_the_message_is_under_way(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    path = f"/channels/{guild.general.id}/messages"
    bob = await world.person("bob")
    await bob.rest.post(path, {"content": "one"})
    with locked(server, guild.id):
        leaving = asyncio.create_task(bob.rest.delete(f"/users/@me/guilds/{guild.id}"))
        await asyncio.sleep(0.1)  # so that it stands first in the queue for the lock
        late = asyncio.create_task(bob.rest.call("POST", path, {"content": "two"}))
        await asyncio.sleep(0.1)
    await leaving
    answer = await late
    contents = [message["content"] for message in await guild.owner.rest.get(path)]
    if answer.status == 200:
        assert contents == ["two", "one"]  # it was first after all
    else:
        assert answer.code == 50001
        assert contents == ["one"]
