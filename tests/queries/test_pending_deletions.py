"""Sweeps of pending deletions delete all rows but those that count again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import TypeAlias, cast

import pytest

from chatd.context.dependencies import Dependencies
from chatd.core.commands import CommandOverwrite, CommandPermissions, PermissionTarget
from chatd.core.ids import ChannelId, GuildId, MessageId, UserId
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.queries import command_permissions, pending_deletions, reactions
from chatd.queries.pending_deletions import COMMAND_PERMISSIONS, PendingDeletion
from chatd.services.maintenance import pending_deletions as service
from tests.helpers.databases import NewDatabase
from tests.helpers.pending_deletions import count, rows
from tests.world import TIMEOUT_S

Change: TypeAlias = Callable[[Cursor], Awaitable[None]]

CHANNEL, MESSAGE = ChannelId(1), MessageId(2)
GUILD, BOT, COMMAND = GuildId(1), UserId(2), 3


@pytest.fixture
async def database(
    migrated_database: NewDatabase, request: pytest.FixtureRequest
) -> AsyncIterator[Database]:
    opened = Database(migrated_database(f"sweep_{request.node.callspec.id}"), size=3)
    await opened.open()
    yield opened
    await opened.close()


async def react(cur: Cursor) -> None:
    assert await reactions.insert(cur, CHANNEL, MESSAGE, "+", UserId(3))


async def permit(cur: Cursor) -> None:
    overwrite = CommandOverwrite(GUILD, PermissionTarget.ROLE, True)
    await command_permissions.save(cur, CommandPermissions(GUILD, BOT, COMMAND, (overwrite,)))


async def cleared_reactions(database: Database) -> PendingDeletion:
    """Return the deletion of four reactions, which their users may add again."""
    await rows(
        database,
        """
        WITH people AS (
            INSERT INTO users (id, username, username_key, bot)
            SELECT n, name, name, true
              FROM generate_series(3, 6) AS n, concat('user', n) AS name
            RETURNING id
        )
        INSERT INTO reactions (channel_id, message_id, emoji, user_id)
        SELECT 1, 2, '+', id FROM people RETURNING 1
        """,
    )
    [(until,)] = await rows(database, "SELECT clock_timestamp()::text")
    details = {"channel_id": 1, "message_id": 2, "until": until}
    async with database.cursor() as cur:
        return await pending_deletions.insert(cur, "reactions", details)


async def renamed_command(database: Database) -> PendingDeletion:
    """Return the deletion of permissions of a command from before it was renamed."""
    for statement in (
        "INSERT INTO users (id, username, username_key, bot) VALUES (2, 'bot', 'bot', true)",
        "INSERT INTO guilds (id, name, owner_id) VALUES (1, 'guild', 2)",
        "INSERT INTO applications (id, owner_id, name, description, public, flags)"
        " VALUES (2, 2, 'bot', '', true, 0)",
        "INSERT INTO application_commands (id, application_id, type, version, name, description,"
        " options, nsfw, integration_types) VALUES (3, 2, 1, 1, 'ping', '', '[]', false, '{0}')",
    ):
        await rows(database, f"{statement} RETURNING 1")
    async with database.cursor() as cur:
        await permit(cur)
    await rows(database, "UPDATE application_commands SET permissions_generation = 9 RETURNING 1")
    details = {"application_id": 2, "command_ids": [3]}
    async with database.cursor() as cur:
        return await pending_deletions.insert(cur, COMMAND_PERMISSIONS, details)


@pytest.mark.parametrize(
    ("prepare", "table", "again"),
    [
        (cleared_reactions, "reactions", react),
        (renamed_command, "application_command_permissions", permit),
    ],
    ids=["reactions", "permissions"],
)
async def test_row_that_counts_again_during_a_sweep_stays(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Database], Awaitable[PendingDeletion]],
    table: str,
    again: Change,
) -> None:
    """The first batch skips this row; the other rows are deleted nevertheless."""
    monkeypatch.setattr(service, "_SWEPT_ROWS", 2)
    dependencies = cast(Dependencies, SimpleNamespace(database=database))
    deletion = await prepare(database)
    step = service.STEPS[deletion.kind]
    transaction = await database.begin()
    await again(transaction.cur)
    batch = asyncio.ensure_future(step(dependencies, deletion))
    async with asyncio.timeout(TIMEOUT_S):
        while not await count(database, "pg_locks", granted=False):
            await asyncio.sleep(0.01)
    await transaction.commit()
    details = await batch
    while details is not None:
        details = await step(dependencies, deletion)
    assert await count(database, table) == 1
    assert await step(dependencies, deletion) is None
    assert await count(database, table) == 1
