"""A change to one of two objects does not change the other, as clients see them.

The statements themselves are checked in tests/queries/test_neighbors.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest

from chatd.core import snowflake
from tests.conftest import ServeMore, Server
from tests.world import World, like


async def _listed(world: World, name: str) -> set[str]:
    return {each["id"] for each in await world.rest(name).get("/users/@me/channels")}


async def test_leaving_a_group_keeps_other_private_channels(world: World) -> None:
    pair = await world.two_of_everything()
    first, second = pair.groups
    await world.rest("bob").delete(f"/channels/{first}")
    assert await _listed(world, "bob") == {second, *pair.dms}
    assert await _listed(world, "alice") >= {first, second}
    for channel in (second, *pair.dms):
        await world.rest("bob").post(f"/channels/{channel}/messages", {"content": "still here"})


async def test_closing_a_dm_keeps_other_dms(world: World) -> None:
    pair = await world.two_of_everything()
    first, second = pair.dms
    await world.rest("bob").delete(f"/channels/{first}")
    assert await _listed(world, "bob") == {second, *pair.groups}


async def test_lifting_a_ban_keeps_bans_in_other_guilds(world: World) -> None:
    pair = await world.two_of_everything()
    first, second = pair.guilds
    mallory = await world.person("mallory")
    alice = first.owner.rest
    await alice.delete(f"/guilds/{first.id}/bans/{mallory.id}")
    assert (await alice.call("GET", f"/guilds/{first.id}/bans/{mallory.id}")).code == 10026
    assert await alice.get(f"/guilds/{second.id}/bans/{mallory.id}") == like(reason=None)
    assert (await mallory.rest.call("POST", f"/invites/{await second.invite()}")).code == 40007
    await mallory.rest.post(f"/invites/{await first.invite()}")


async def test_ban_is_read_in_its_own_guild(world: World) -> None:
    pair = await world.two_of_everything()
    third = await world.guild(owner="alice")
    mallory = await world.person("mallory")
    assert (await third.owner.rest.call("GET", f"/guilds/{third.id}/bans/{mallory.id}")).code == (
        10026
    )
    assert await third.owner.rest.get(f"/guilds/{third.id}/bans") == []
    assert len(await third.owner.rest.get(f"/guilds/{pair.guilds[0].id}/bans")) == 1


async def test_leaving_a_guild_keeps_other_memberships(world: World) -> None:
    pair = await world.two_of_everything()
    first, second = pair.guilds
    await world.rest("bob").delete(f"/users/@me/guilds/{first.id}")
    assert [each["id"] for each in await world.rest("bob").get("/users/@me/guilds")] == [second.id]


async def test_deleting_an_invite_keeps_other_invites(world: World) -> None:
    pair = await world.two_of_everything()
    first, second = pair.invites
    await pair.guilds[0].owner.rest.delete(f"/invites/{first}")
    assert (await world.anonymous.call("GET", f"/invites/{first}")).code == 10006
    assert (await world.anonymous.get(f"/invites/{second}"))["code"] == second


@pytest.fixture
def database(server: Server) -> Iterator[psycopg2.extensions.cursor]:
    connection = psycopg2.connect(server.config.database_url)
    connection.autocommit = True
    with connection.cursor() as cur:
        yield cur
    connection.close()


async def test_janitor_deletes_nonces_after_minutes_and_slowmodes_after_hours(
    world: World, serve_more: ServeMore, database: psycopg2.extensions.cursor
) -> None:
    pair = await world.two_of_everything()
    guild, bob = pair.guilds[0], await world.person("bob")
    channel = guild.general.id
    path = f"/channels/{channel}/messages"
    await guild.owner.rest.patch(f"/channels/{channel}", {"rate_limit_per_user": 21600})
    sent = await bob.rest.post(path, {"content": "x", "nonce": "kept", "enforce_nonce": True})

    def aged(**age: float) -> int:
        return snowflake.at(datetime.now(UTC) - timedelta(**age))

    database.execute(
        "UPDATE slow_modes SET message_id = %s WHERE channel_id = %s", (aged(hours=5.5), channel)
    )
    for nonce, age in (("old", aged(minutes=11)), ("young", aged(minutes=9))):
        database.execute(
            "INSERT INTO nonces (channel_id, author_id, nonce, message_id) VALUES (%s, %s, %s, %s)",
            (channel, bob.id, nonce, age),
        )

    def nonces() -> set[str]:
        database.execute("SELECT nonce FROM nonces WHERE channel_id = %s", (channel,))
        return {nonce for (nonce,) in database.fetchall()}

    async with serve_more(worker_id=11), asyncio.timeout(60):  # cleans up when it starts
        while "old" in nonces():
            await asyncio.sleep(0.05)
    assert nonces() == {"young", "kept"}
    refused = await bob.rest.call("POST", path, {"content": "too soon"})
    assert (refused.status, refused.code) == (429, 20016)
    assert sent["id"]
