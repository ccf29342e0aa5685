"""Lock queues: requests for a locked stream wait, and do not delay other requests."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from tests.conftest import ServeMore, Server
from tests.helpers.locks import held_stream
from tests.world import TIMEOUT_S, World, world_on

MANY = 40  # far more than there are connections


async def test_long_lock_does_not_delay_other_guilds(world: World, server: Server) -> None:
    busy, other = await world.guild(owner="alice"), await world.guild(owner="bob")
    rest = busy.owner.rest
    path = f"/channels/{busy.general.id}/messages"
    message = await rest.post(path, {"content": "x"})
    emoji = [
        f"{path}/{message['id']}/reactions/%F0%9F%91%{number:02X}/@me"
        for number in range(0x80, 0x80 + 5)
    ]
    with held_stream(server, busy.id) as held:
        async with asyncio.TaskGroup() as tasks:
            waiting = [
                tasks.create_task(rest.call("PUT", emoji[number % 5]))
                for number in range(MANY // 2)
            ] + [
                tasks.create_task(
                    rest.call("POST", f"/guilds/{busy.id}/channels", {"name": f"c{number}"})
                )
                for number in range(MANY // 2)
            ]
            await held.waited_for_by(1)
            async with asyncio.timeout(TIMEOUT_S):
                for number in range(5):
                    await other.channel(f"c{number}")
                    await other.owner.rest.get(f"/guilds/{other.id}")
            assert not any(each.done() for each in waiting)
            held.release()
    assert {each.result().status for each in waiting} == {201, 204}
    reactions = (await rest.get(f"{path}/{message['id']}"))["reactions"]
    assert len(reactions) == 5
    assert len(await rest.get(f"/guilds/{busy.id}/channels")) == 1 + MANY // 2


async def test_many_long_locks_do_not_exhaust_the_pool(world: World, server: Server) -> None:
    guilds = [await world.guild(owner="alice") for _ in range(12)]
    other = await world.guild(owner="bob")
    with ExitStack() as stack:
        held = [stack.enter_context(held_stream(server, guild.id)) for guild in guilds]
        async with asyncio.TaskGroup() as tasks:
            waiting = [
                tasks.create_task(
                    guild.owner.rest.call("POST", f"/guilds/{guild.id}/channels", {"name": "new"})
                )
                for guild in guilds
            ]
            await held[0].waited_for_by(1)
            for number in range(5):
                await other.channel(f"c{number}")
            assert not any(each.done() for each in waiting)
            for each in held:
                each.release()
    assert {each.result().status for each in waiting} == {201}


@pytest.mark.usefixtures("real_lock_timeouts")
async def test_lock_waiter_times_out_with_503(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=20) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        guild = await world.guild(owner="alice")
        with held_stream(server, guild.id):
            path = f"/guilds/{guild.id}/channels"
            answers = await asyncio.gather(
                *(guild.owner.rest.call("POST", path, {"name": "new"}) for _ in range(MANY))
            )
        assert {each.status for each in answers} == {503}
        await guild.channel("and now")
