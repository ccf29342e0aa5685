"""The records of a deleted message that any number of channels have copied."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from chatd.db.pool import Database
from chatd.services.webhooks import crossposts
from tests.helpers.announcements import following, next_in, publish, send
from tests.helpers.pending_deletions import count, rows
from tests.world import TIMEOUT_S, World


@pytest.fixture
async def deletions(database: Database) -> AsyncIterator[str]:
    """The table in which Postgres counts the copies that each statement deletes."""
    table = "deleted_copies"
    async with database.cursor() as cur:
        await cur.execute(
            f"""
            CREATE TABLE {table} (count bigint);
            CREATE FUNCTION count_copies() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO {table} SELECT count(*) FROM gone HAVING count(*) > 0;
                RETURN NULL;
            END $$;
            CREATE TRIGGER counted AFTER DELETE ON crosspost_copies
                REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_copies();
            """
        )
    yield table
    async with database.cursor() as cur:
        await cur.execute(f"DROP FUNCTION count_copies CASCADE; DROP TABLE {table}")


async def test_records_of_copies_are_deleted_in_batches(
    world: World, database: Database, deletions: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crossposts, "MAX_DELETED", 10)
    guild, follower, client = await following(world)
    sent = await send(guild, content="news")
    await publish(guild, sent["id"])
    await next_in(client, "MESSAGE_CREATE", follower.general.id)
    key = {"source_channel_id": int(guild.general.id), "source_message_id": int(sent["id"])}
    await rows(
        database,
        """
        INSERT INTO crosspost_copies (source_channel_id, source_message_id, webhook_id, channel_id,
                                      message_id, revision)
        SELECT %(source_channel_id)s, %(source_message_id)s, n, 1, n, 1
          FROM generate_series(1, 25) AS n RETURNING 1
        """,
        **key,
    )
    await guild.owner.rest.delete(f"/channels/{guild.general.id}/messages/{sent['id']}")
    async with asyncio.timeout(TIMEOUT_S):
        while await count(database, "crossposts", message_id=int(sent["id"])):
            await asyncio.sleep(0.01)
    assert await count(database, "crosspost_copies", **key) == 0
    counted = [number for (number,) in await rows(database, f"SELECT count FROM {deletions}")]
    assert counted == [10, 10, 6]
