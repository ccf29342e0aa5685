"""Limits: of concurrent requests for the last slot, one succeeds, and others name the limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from chatd.db.pool import Database
from tests.helpers.reactions import create_message, reaction_path
from tests.world import Answer, Guild, World

Attempt = Callable[[int], Awaitable[Answer]]


async def filled(database: Database, statement: str, **parameters: object) -> None:
    """Insert rows up to just below the limit, directly into the database."""
    async with database.cursor() as cur:
        await cur.execute(statement, parameters)


async def assert_one_is_left(attempt: Attempt, code: int) -> None:
    """Require that one of several concurrent requests succeeds, and no later one."""
    answers = await asyncio.gather(*(attempt(number) for number in range(4)))
    refused = [answer for answer in answers if answer.status >= 400]
    assert len(refused) == 3, [answer.raw for answer in answers]
    late = await attempt(4)
    assert {(answer.status, answer.code) for answer in (*refused, late)} == {(400, code)}


async def test_guilds_of_a_user_are_bounded(world: World, database: Database) -> None:
    alice = await world.person("alice")
    await filled(
        database,
        """
        WITH made AS (
            INSERT INTO guilds (id, name, owner_id)
            SELECT %(user_id)s - number, 'bulk', %(user_id)s FROM generate_series(1, 198) AS number
            RETURNING id
        ), followed AS (INSERT INTO streams (id) SELECT id FROM made)
        INSERT INTO guild_members (guild_id, user_id) SELECT id, %(user_id)s FROM made
        """,
        user_id=int(alice.id),
    )
    await alice.rest.post("/guilds", {"name": "the one before the last"})
    open_ones = [await world.guild(owner=f"owner{number}") for number in range(5)]
    codes = [await guild.invite() for guild in open_ones]

    async def attempt(number: int) -> Answer:
        if number % 2:
            return await alice.rest.call("POST", f"/invites/{codes[number]}")
        return await alice.rest.call("POST", "/guilds", {"name": "one more"})

    await assert_one_is_left(attempt, 30001)


async def channels(database: Database, guild: Guild, count: int, parent: str | None = None) -> None:
    await filled(
        database,
        """
        INSERT INTO channels (id, guild_id, type, name, position, parent_id)
        SELECT %(guild_id)s - number, %(guild_id)s, 0, 'bulk', 1, %(parent)s
          FROM generate_series(1, %(count)s) AS number
        """,
        guild_id=int(guild.id),
        count=count,
        parent=None if parent is None else int(parent),
    )


@pytest.mark.parametrize("kind", [0, 4, 5])
async def test_channels_of_a_guild_are_bounded(world: World, database: Database, kind: int) -> None:
    guild = await world.guild(owner="alice")
    await channels(database, guild, 498)  # and general

    async def attempt(_: int) -> Answer:
        body = {"name": "one more", "type": kind}
        return await guild.owner.rest.call("POST", f"/guilds/{guild.id}/channels", body)

    await assert_one_is_left(attempt, 30013)


async def test_channels_of_a_category_are_bounded(world: World, database: Database) -> None:
    guild = await world.guild(owner="alice")
    rest = guild.owner.rest
    category = await guild.channel("category", type=4)
    await channels(database, guild, 49, parent=category.id)
    loose = [(await guild.channel(f"loose-{number}")).id for number in range(5)]

    async def attempt(number: int) -> Answer:
        inside = {"parent_id": category.id}
        base = f"/guilds/{guild.id}/channels"
        ways: Sequence[tuple[str, str, object]] = [
            ("POST", base, {"name": "new", **inside}),
            ("PATCH", f"/channels/{loose[number]}", inside),
            ("PATCH", base, [{"id": loose[number], **inside}]),
        ]
        return await rest.call(*ways[number % 3])

    await assert_one_is_left(attempt, 50035)
    late = await attempt(4)  # the channel of any other may be the one that moved in
    [problem] = late.json["errors"]["parent_id"]["_errors"]
    assert problem["code"] == "CHANNEL_PARENT_MAX_CHANNELS"


async def test_overwrites_of_a_channel_are_bounded(world: World, database: Database) -> None:
    guild = await world.guild(owner="alice")
    people = await world.people(*(f"p{number}" for number in range(5)))
    await filled(
        database,
        """
        INSERT INTO overwrites (guild_id, channel_id, target_id, type)
        SELECT %(guild_id)s, %(channel_id)s, number, 1 FROM generate_series(1, 999) AS number
        """,
        guild_id=int(guild.id),
        channel_id=int(guild.general.id),
    )

    async def attempt(number: int) -> Answer:
        where = f"/channels/{guild.general.id}/permissions/{people[number].id}"
        return await guild.owner.rest.call("PUT", where, {"type": 1})

    await assert_one_is_left(attempt, 30060)


async def test_invites_of_a_guild_are_bounded(world: World, database: Database) -> None:
    guild = await world.guild(owner="alice")
    await filled(
        database,
        """
        INSERT INTO invites (code, guild_id, channel_id, inviter_id, max_age, max_uses, expires_at)
        SELECT 'bulk' || %(guild_id)s || number, %(guild_id)s, %(channel_id)s, %(user_id)s, 60, 0,
               CASE WHEN number <= 999 THEN now() + interval '1 hour' ELSE now() END
          FROM generate_series(1, 1100) AS number  -- those that have expired do not count
        """,
        guild_id=int(guild.id),
        channel_id=int(guild.general.id),
        user_id=int(guild.owner.id),
    )

    async def attempt(_: int) -> Answer:
        where = f"/channels/{guild.general.id}/invites"
        return await guild.owner.rest.call("POST", where, {"unique": True})

    await assert_one_is_left(attempt, 30016)


async def test_roles_of_a_guild_are_bounded(world: World, database: Database) -> None:
    guild = await world.guild(owner="alice")
    await filled(
        database,
        """
        INSERT INTO roles (id, guild_id, name, permissions, position)
        SELECT %(guild_id)s - number, %(guild_id)s, 'bulk', 0, 1
          FROM generate_series(1, 248) AS number
        """,
        guild_id=int(guild.id),
    )

    async def attempt(_: int) -> Answer:
        return await guild.owner.rest.call("POST", f"/guilds/{guild.id}/roles", {})

    await assert_one_is_left(attempt, 30005)


async def test_emojis_of_a_message_are_bounded(world: World) -> None:
    guild = await world.guild(owner="alice")
    message = await create_message(guild)
    for number in range(19):
        await guild.owner.rest.put(reaction_path(guild, message, chr(0x1F600 + number), "@me"))

    async def attempt(number: int) -> Answer:
        emoji = chr(0x1F600 + 19 + number)
        return await guild.owner.rest.call("PUT", reaction_path(guild, message, emoji, "@me"))

    await assert_one_is_left(attempt, 30010)
    # Existing reactions can be joined.
    again = await guild.owner.rest.call("PUT", reaction_path(guild, message, chr(0x1F600), "@me"))
    assert again.status == 204
