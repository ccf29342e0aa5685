"""Reactions that are added in one statement: it adds nothing to a guild that has just changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import psycopg2
import pytest

from chatd.core.ids import ChannelId, GuildId, MessageId, UserId
from chatd.db.pool import Database
from chatd.queries import reactions
from tests.helpers.databases import NewDatabase
from tests.helpers.paused import changed_in_the_pause, paused

GUILD, CHANNEL, MESSAGE = GuildId(1), ChannelId(3), MessageId(1000)
ALICE, BOB = UserId(11), UserId(12)
VERSION, SEQ = 7, 40

_FILL = f"""
    TRUNCATE users, streams, guilds, channels, messages, reactions, pending_deletions CASCADE;
    INSERT INTO users (id, username, username_key, email, email_key, password_hash)
    SELECT id, name, name, name, name, ''
      FROM unnest(ARRAY[{ALICE}, {BOB}]) AS id, concat('user', id) AS name;
    INSERT INTO streams (id, seq, version) VALUES ({GUILD}, {SEQ}, {VERSION});
    INSERT INTO guilds (id, name, owner_id) VALUES ({GUILD}, 'guild', {ALICE});
    INSERT INTO channels (id, guild_id, type, name) VALUES ({CHANNEL}, {GUILD}, 0, 'channel');
    INSERT INTO messages (channel_id, id, author_id, content)
    VALUES ({CHANNEL}, {MESSAGE}, {BOB}, '');
    INSERT INTO reactions (channel_id, message_id, emoji, user_id)
    VALUES ({CHANNEL}, {MESSAGE}, 'used', {BOB});
"""


@pytest.fixture(scope="module")
def url(migrated_database: NewDatabase) -> str:
    return migrated_database("additions")


@pytest.fixture
def other(url: str) -> Iterator[psycopg2.extensions.cursor]:
    """Fill the database, and provide a cursor of another connection."""
    connection = psycopg2.connect(url)
    with connection.cursor() as cur:
        cur.execute(_FILL)
        connection.commit()
        yield cur
    connection.close()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(url, size=1)
    await opened.open()
    yield opened
    await opened.close()


async def react(
    database: Database,
    emoji: str = "new",
    *,
    version: int = VERSION,
    message_id: int = MESSAGE,
    may_add: bool = True,
    max_emojis: int = 2,
) -> tuple[object, ...]:
    key = CHANNEL, MessageId(message_id), emoji, ALICE
    async with database.cursor() as cur:
        added = await reactions.add_at_version(
            cur, GUILD, version, key, may_add=may_add, max_emojis=max_emojis
        )
    return added.version, added.is_done, added.author_id, added.seq


DONE, REFUSED = (VERSION, True, BOB, SEQ + 1), (VERSION, False, None, None)


def stored(other: psycopg2.extensions.cursor) -> tuple[int, int]:
    """Return how many reactions alice has, and the newest event of the guild."""
    other.execute(f"SELECT count(*) FROM reactions WHERE user_id = {ALICE}")
    [(count,)] = other.fetchall()
    other.execute(f"SELECT seq FROM streams WHERE id = {GUILD}")
    [(seq,)] = other.fetchall()
    return count, seq


async def test_reaction_is_added_once(
    database: Database, other: psycopg2.extensions.cursor
) -> None:
    assert await react(database) == DONE
    assert await react(database) == (VERSION, True, BOB, None)
    assert stored(other) == (1, SEQ + 1)


async def test_reaction_that_is_not_allowed_is_not_added(
    database: Database, other: psycopg2.extensions.cursor
) -> None:
    assert await react(database, version=VERSION - 1) == REFUSED
    assert await react(database, message_id=MESSAGE + 1) == REFUSED
    assert await react(database, may_add=False) == REFUSED
    assert await react(database, max_emojis=1) == REFUSED
    assert stored(other) == (0, SEQ)
    assert await react(database, "used", may_add=False, max_emojis=1) == DONE
    assert stored(other) == (1, SEQ + 1)


async def test_reaction_that_was_cleared_and_is_not_yet_deleted_is_added_again(
    database: Database, other: psycopg2.extensions.cursor
) -> None:
    assert await react(database) == DONE
    async with database.cursor() as cur:
        await reactions.schedule_deletion(cur, CHANNEL, MESSAGE)
    assert await react(database) == (VERSION, True, BOB, SEQ + 2)
    assert stored(other) == (1, SEQ + 2)


async def test_locked_guild_is_not_waited_for(
    database: Database, other: psycopg2.extensions.cursor
) -> None:
    other.execute(f"SELECT FROM streams WHERE id = {GUILD} FOR UPDATE")
    assert await react(database) == (None, False, None, None)


async def test_nothing_is_added_to_a_guild_that_changed_after_the_snapshot(
    database: Database, other: psycopg2.extensions.cursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement would not see that the message was deleted."""
    monkeypatch.setattr(reactions, "_ADD_AT_VERSION", paused(reactions._ADD_AT_VERSION, "streams"))
    assert await react(database) == DONE
    found = await changed_in_the_pause(
        other,
        react(database, "used"),
        f"""
        DELETE FROM messages WHERE id = {MESSAGE};
        UPDATE streams SET seq = seq + 1 WHERE id = {GUILD}
        """,
    )
    assert found == REFUSED
    assert stored(other)[1] == SEQ + 2
