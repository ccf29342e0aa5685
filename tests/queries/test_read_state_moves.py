"""Read states that are moved together: a row whose user has just changed is skipped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import psycopg2
import pytest

from chatd.core.ids import ChannelId, GuildId, MessageId, UserId
from chatd.db.pool import Database
from chatd.queries import read_states
from chatd.queries.read_states import Move, MoveResult
from tests.helpers.databases import NewDatabase
from tests.helpers.paused import changed_in_the_pause, paused

GUILD, CHANNEL, DM, OTHER_DM = GuildId(1), ChannelId(3), ChannelId(4), ChannelId(5)
ALICE, BOB, WITHOUT_STREAM = UserId(11), UserId(12), UserId(13)
VERSION, SEQ = 7, 40
MESSAGE = MessageId(1000)

_FILL = f"""
    TRUNCATE users, streams, guilds, channels, read_states CASCADE;
    INSERT INTO users (id, username, username_key, email, email_key, password_hash)
    SELECT id, name, name, name, name, ''
      FROM unnest(ARRAY[{ALICE}, {BOB}, {WITHOUT_STREAM}]) AS id, concat('user', id) AS name;
    INSERT INTO streams (id, seq, version)
    VALUES ({GUILD}, 5, {VERSION}), ({ALICE}, {SEQ}, 0), ({BOB}, {SEQ}, 0);
    INSERT INTO guilds (id, name, owner_id) VALUES ({GUILD}, 'guild', {ALICE});
    INSERT INTO channels (id, guild_id, type, name) VALUES ({CHANNEL}, {GUILD}, 0, 'channel');
    INSERT INTO channels (id, type) VALUES ({DM}, 1), ({OTHER_DM}, 1);
    INSERT INTO dm_recipients (channel_id, user_id) VALUES ({DM}, {ALICE}), ({DM}, {BOB});
"""

MOVED, STALE, SKIPPED = (True, False, SEQ + 1), (False, True, None), (True, True, None)
UNCHANGED = (True, False, None)


@pytest.fixture(scope="module")
def url(migrated_database: NewDatabase) -> str:
    return migrated_database("moves")


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


def move(
    user_id: UserId,
    channel_id: ChannelId = CHANNEL,
    message_id: int = MESSAGE,
    version: int | None = VERSION,
) -> Move:
    guild_id = GUILD if channel_id == CHANNEL else None
    return Move(user_id, channel_id, MessageId(message_id), guild_id, version)


async def results(database: Database, *moves: Move) -> dict[int, tuple[object, ...]]:
    def flat(each: MoveResult) -> tuple[object, ...]:
        return each.is_authorized, each.is_skipped, each.seq

    async with database.cursor() as cur:
        return {each.user_id: flat(each) for each in await read_states.move_many(cur, moves)}


async def test_rows_are_moved_forward_only(
    database: Database, other: psycopg2.extensions.cursor
) -> None:
    assert await results(database, move(ALICE), move(BOB)) == {ALICE: MOVED, BOB: MOVED}
    found = await results(database, move(ALICE), move(BOB, message_id=MESSAGE - 1))
    assert found == {ALICE: UNCHANGED, BOB: UNCHANGED}
    other.execute("SELECT message_id FROM read_states")
    assert other.fetchall() == [(MESSAGE,)] * 2
    other.execute(f"SELECT seq FROM streams WHERE id IN ({ALICE}, {BOB})")
    assert other.fetchall() == [(SEQ + 1,)] * 2


async def test_row_without_access_is_not_moved(
    database: Database, other: psycopg2.extensions.cursor
) -> None:
    found = await results(database, move(ALICE, version=VERSION + 1), move(BOB))
    assert found == {ALICE: STALE, BOB: MOVED}
    assert await results(database, move(ALICE, DM), move(BOB, OTHER_DM)) == {
        ALICE: MOVED,
        BOB: STALE,
    }
    other.execute(
        "UPDATE users SET deleted_at = now(), email = NULL, email_key = NULL, password_hash = NULL"
        f" WHERE id = {ALICE}"
    )
    other.connection.commit()
    assert await results(database, move(ALICE, message_id=MESSAGE + 1)) == {ALICE: STALE}
    assert await results(database, move(WITHOUT_STREAM)) == {WITHOUT_STREAM: SKIPPED}


@pytest.mark.parametrize(
    "locked", [f"streams WHERE id = {ALICE}", f"channels WHERE id = {CHANNEL}"]
)
async def test_locked_row_is_skipped(
    database: Database, other: psycopg2.extensions.cursor, locked: str
) -> None:
    other.execute(f"SELECT FROM {locked} FOR UPDATE")
    found = await results(database, move(ALICE), move(BOB, DM))
    assert found == {ALICE: SKIPPED, BOB: MOVED}


@pytest.mark.parametrize("change", ["seq = seq + 1", "version = version + 1"])
async def test_row_of_a_stream_that_changed_after_the_snapshot_is_skipped(
    database: Database,
    other: psycopg2.extensions.cursor,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    slow = paused(read_states._MOVE_MANY, "json_to_recordset")
    monkeypatch.setattr(read_states, "_MOVE_MANY", slow)
    assert await results(database, move(ALICE), move(BOB)) == {ALICE: MOVED, BOB: MOVED}
    found = await changed_in_the_pause(
        other,
        results(database, *(move(each, message_id=MESSAGE + 1) for each in (ALICE, BOB))),
        f"UPDATE streams SET {change} WHERE id = {ALICE}",
    )
    assert found == {ALICE: SKIPPED, BOB: (True, False, SEQ + 2)}
