"""The statement for a single text cannot be told from the one for many messages of all kinds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatd.core.ids import ChannelId, MessageId, RoleId, StreamId, UserId
from chatd.core.models import MessageType
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.queries import message_inserts
from chatd.queries.message_inserts import NewRow
from tests.helpers.databases import NewDatabase

STREAM, LOCKED, CHANNEL, USER = StreamId(1), StreamId(2), ChannelId(3), UserId(4)
VERSION, LAST = 7, 1000

_FILL = f"""
    INSERT INTO users (id, username, username_key, email, email_key, password_hash)
    VALUES ({USER}, 'alice', 'alice', 'alice', 'alice', '');
    INSERT INTO streams (id, seq, version, last_message_id)
    VALUES ({STREAM}, 40, {VERSION}, {LAST}), ({LOCKED}, 50, {VERSION}, {LAST});
    INSERT INTO guilds (id, name, owner_id) VALUES ({STREAM}, 'guild', {USER});
    INSERT INTO channels (id, guild_id, type, name) VALUES ({CHANNEL}, {STREAM}, 0, 'channel');
"""

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=2000
) | st.sampled_from(["%s %(id)s %%", "'; --", "\\x41 \\", "$1", '"}]'])


@pytest.fixture(scope="module")
async def database(migrated_database: NewDatabase) -> AsyncIterator[Database]:
    url = migrated_database("inserts")
    locking = psycopg2.connect(url)
    with locking.cursor() as cur:
        cur.execute(_FILL)
        locking.commit()
        cur.execute(f"SELECT FROM streams WHERE id = {LOCKED} FOR UPDATE")
    opened = Database(url, size=1)
    await opened.open()
    yield opened
    await opened.close()
    locking.close()


async def _outcome(
    database: Database, message_id: int, row: NewRow, *, as_text: bool, wait: bool
) -> tuple[object, ...]:
    """Insert a message, and return the result and all rows that are then stored."""
    work = await database.begin()
    try:
        found = await _insert(work.cur, MessageId(message_id), row, as_text=as_text, wait=wait)
        stored = []
        for table in ("messages", "streams"):
            await work.cur.execute(f"SELECT to_jsonb(t) FROM {table} AS t ORDER BY id")
            stored.append(await work.cur.fetchall())
        return found, stored
    finally:
        await work.rollback()


async def _insert(
    cur: Cursor, message_id: MessageId, row: NewRow, *, as_text: bool, wait: bool
) -> object:
    if as_text:
        return await message_inserts.insert_many(cur, [message_id], [row], wait=wait)
    # The general statement, because of a second row: of a stream that does not exist.
    rows = [row, replace(row, stream_id=StreamId(999))]
    ids = [message_id, MessageId(message_id + 1)]
    return (await message_inserts.insert_many(cur, ids, rows, wait=wait))[:1]


ROWS = st.builds(
    NewRow,
    stream_id=st.sampled_from([STREAM, STREAM, STREAM, LOCKED, StreamId(5)]),
    version=st.sampled_from([VERSION, VERSION, VERSION, VERSION + 1]),
    channel_id=st.just(CHANNEL),
    author_id=st.just(USER),
    type=st.sampled_from(list(MessageType)),
    content=TEXTS,
    flags=st.integers(0, 2**31 - 1),
    tts=st.booleans(),
)
IDS = st.integers(LAST - 1, LAST + 2) | st.integers(1, 2**62)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message_id=IDS, row=ROWS, wait=st.booleans())
async def test_single_text_is_inserted_like_others(
    database: Database, message_id: int, row: NewRow, wait: bool
) -> None:
    wait = wait and row.stream_id != LOCKED
    short = await _outcome(database, message_id, row, as_text=True, wait=wait)
    assert short == await _outcome(database, message_id, row, as_text=False, wait=wait)


def test_other_messages_are_no_texts() -> None:
    row = NewRow(STREAM, VERSION, CHANNEL, USER, MessageType.DEFAULT, "x")
    assert row.is_text
    assert not replace(row, reference_id=MessageId(1)).is_text
    assert not replace(row, embeds=[{}]).is_text
    assert not replace(row, mentions=[USER]).is_text
    assert not replace(row, mention_roles=[RoleId(1)]).is_text
    assert not replace(row, mention_everyone=True).is_text
