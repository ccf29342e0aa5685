"""A page of history has the bytes of its messages, each read alone with all that it has."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chatd.auth.signed_urls import SignedUrls
from chatd.core.ids import ChannelId, GuildId, MessageId, UserId
from chatd.core.models import Message, MessageLocation, MessageType, StoredText
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.queries import history, history_pages
from chatd.queries.history import Viewer
from chatd.queries.history_pages import HistoryRange
from chatd.wire import payloads
from tests.helpers.databases import NewDatabase
from tests.helpers.examples import examples

GUILD, CHANNEL, OTHER_CHANNEL = GuildId(1), ChannelId(3), ChannelId(2)
COPIED = MessageId(500)
"""A message of the other channel, with a file that its copies show."""
VERSION = 7
ALICE, BOB, DELETED, NOBODY = UserId(4), UserId(5), UserId(6), UserId(99)
FIRST = 1000
"""The id of the oldest message of a test."""

_FILL = f"""
    INSERT INTO users (id, username, username_key, email, email_key, password_hash, global_name)
    VALUES ({ALICE}, 'alice', 'alice', 'alice', 'alice', '', E'Alice "\\u2028" \\\\'),
           ({BOB}, 'bob', 'bob', 'bob', 'bob', '', NULL);
    INSERT INTO users (id, username, username_key, deleted_at)
    VALUES ({DELETED}, 'deleted_user', 'deleted_user', now());
    INSERT INTO streams (id, version) VALUES ({GUILD}, {VERSION});
    INSERT INTO guilds (id, name, owner_id) VALUES ({GUILD}, 'guild', {ALICE});
    INSERT INTO channels (id, guild_id, type, name)
    VALUES ({CHANNEL}, {GUILD}, 0, 'channel'), ({OTHER_CHANNEL}, {GUILD}, 0, 'other');
    INSERT INTO messages (channel_id, id, author_id, content, attachment_count)
    VALUES ({OTHER_CHANNEL}, {COPIED}, {ALICE}, '', 1);
    INSERT INTO attachments (channel_id, message_id, id, filename, content_type, size, width)
    VALUES ({OTHER_CHANNEL}, {COPIED}, {COPIED}, 'copied.png', 'image/png', 3000000000, 7);
"""


@pytest.fixture(scope="module")
async def database(migrated_database: NewDatabase) -> AsyncIterator[Database]:
    url = migrated_database("pages")
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cur:
        cur.execute(_FILL)
    connection.close()
    opened = Database(url, size=1)
    await opened.open()
    yield opened
    await opened.close()


_PEOPLE = st.sampled_from([ALICE, ALICE, BOB, DELETED, NOBODY])
_EMOJIS = st.sampled_from(["👍", "❤️", "🇦🇶", "1️⃣", "👩‍👩‍👧", "😀"])
_ORIGINS: list[dict[str, Any]] = [
    {"webhook_id": int(NOBODY), "name": "a webhook", "avatar": None},
    {
        "webhook_id": int(BOB),
        "application_id": int(BOB),
        "interaction": {
            "id": 8,
            "type": 2,
            "user_id": int(ALICE),
            "guild_id": int(GUILD),
            "name": "ask",
            "target_user_id": int(DELETED),
        },
    },
    {
        "webhook_id": int(NOBODY),
        "name": "news",
        "source": {
            "guild_id": int(GUILD),
            "channel_id": int(OTHER_CHANNEL),
            "message_id": int(COPIED),
        },
    },
]
_SPECIAL = st.fixed_dictionaries(
    {},
    optional={
        "edited_at": st.sampled_from(["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000006Z"]),
        "reference_id": st.integers(FIRST - 1, FIRST + 9),
        "pinned_at": st.just("2026-01-02T03:04:05Z"),
        "embeds": st.just([{"title": "an embed", "image": {"url": "attachment://0.txt"}}]),
        "mentions": st.lists(_PEOPLE, min_size=1, max_size=3),
        "mention_roles": st.just([10, 11]),
        "mention_everyone": st.just(True),
        "attachment_count": st.integers(1, 2),
        "components": st.just([{"type": 1, "id": 1, "components": []}]),
        "origin": st.sampled_from(_ORIGINS),
    },
)
_MESSAGES = st.fixed_dictionaries(
    {
        "author_id": _PEOPLE,
        "type": st.sampled_from(MessageType).map(int) | st.just(int(MessageType.REPLY)),
        "content": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
        "flags": st.integers(0, 2**31 - 1) | st.just(0),
        "tts": st.booleans(),
        "reactions": st.lists(
            st.tuples(_EMOJIS, st.sampled_from([ALICE, BOB, DELETED]), st.integers(1, 3)),
            max_size=8,
            unique_by=lambda each: each[:2],
        ),
        "special": st.just({}) | _SPECIAL,
    }
)
_RANGES = st.builds(
    HistoryRange,
    st.integers(1, 12),
    before=st.integers(FIRST - 1, FIRST + 12),
    after=st.none() | st.integers(FIRST - 2, FIRST + 9),
)
_TEXT = {
    "author_id": ALICE,
    "type": 0,
    "content": "a text",
    "flags": 0,
    "tts": False,
    "reactions": [],
    "special": {},
}
_REPLY = {**_TEXT, "type": int(MessageType.REPLY), "special": {"reference_id": FIRST}}
_COPY = {**_TEXT, "special": {"attachment_count": 1, "origin": _ORIGINS[2]}}
_FILE = {**_TEXT, "special": {"attachment_count": 2}}
_ANSWER = {
    **_REPLY,
    "special": {"reference_id": FIRST, "mentions": [ALICE], "attachment_count": 1},
}
_LIKED = {**_TEXT, "reactions": [("👍", BOB, 1), ("👍", ALICE, 3), ("😀", DELETED, 1)]}


async def _insert(cur: Cursor, made: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        {
            "mention_everyone": False,
            "attachment_count": 0,
            "channel_id": CHANNEL,
            "id": FIRST + number,
            **{name: value for name, value in each.items() if name not in ("special", "reactions")},
            **each["special"],
        }
        for number, each in enumerate(made)
    ]
    files = [
        (row["id"], row["id"] * 10 + number, f"{number}.txt")
        for row in rows
        for number in range(row["attachment_count"])
    ]
    reactions = [
        (FIRST + number, *each) for number, of in enumerate(made) for each in of["reactions"]
    ]
    names = (
        "channel_id, id, author_id, type, content, flags, tts, reference_id, edited_at, pinned_at,"
        " embeds, mentions, mention_roles, mention_everyone, attachment_count, components, origin"
    )
    await cur.execute(
        f"""
        INSERT INTO messages ({names})
        SELECT {names} FROM jsonb_populate_recordset(NULL::messages, %(rows)s::jsonb)
        """,
        {"rows": json.dumps(rows)},
    )
    for message_id, file_id, name in files:
        await cur.execute(
            """
            INSERT INTO attachments (channel_id, message_id, id, filename, content_type, size)
            VALUES (%(channel_id)s, %(message_id)s, %(id)s, %(name)s, 'text/plain', 1)
            """,
            {"channel_id": CHANNEL, "message_id": message_id, "id": file_id, "name": name},
        )
    for message_id, emoji, user_id, second in reactions:
        await cur.execute(
            """
            INSERT INTO reactions (channel_id, message_id, emoji, user_id, created_at)
            VALUES (%(channel_id)s, %(message_id)s, %(emoji)s, %(user_id)s,
                    to_timestamp(%(second)s))
            """,
            {
                "channel_id": CHANNEL,
                "message_id": message_id,
                "emoji": emoji,
                "user_id": user_id,
                "second": second,
            },
        )


def _encoded(shown: Message | StoredText) -> bytes:
    if isinstance(shown, StoredText):
        return payloads.encoded_stored_text(shown)
    return payloads.encode(payloads.message(shown))


@settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    made=st.lists(_MESSAGES, max_size=9),
    part=_RANGES,
    user_id=st.sampled_from([ALICE, BOB]),
    version=st.none() | st.just(VERSION),
)
@example([_TEXT, _LIKED, _REPLY], HistoryRange(9, before=2**63 - 1), ALICE, None)
@example([_LIKED, _TEXT, _REPLY], HistoryRange(1, before=2**63 - 1), BOB, VERSION)
@example([_LIKED, _TEXT, _REPLY], HistoryRange(2, after=FIRST), DELETED, None)
@example([_FILE, _COPY, _ANSWER, _COPY], HistoryRange(9, before=2**63 - 1), ALICE, None)
async def test_page_has_the_bytes_of_its_messages(
    database: Database,
    made: Sequence[Mapping[str, Any]],
    part: HistoryRange,
    user_id: UserId,
    version: int | None,
) -> None:
    viewer = Viewer(user_id, SignedUrls("secret" * 10, "http://chat.example"))
    location = MessageLocation(CHANNEL, GUILD)
    work = await database.begin()
    try:
        await _insert(work.cur, made)
        expected = [
            _encoded(found)
            for each in _chosen(len(made), part)
            if (found := await history.get(work.cur, viewer, CHANNEL, MessageId(each)))
        ]
        for read in (history_pages.page, history_pages.shown_page):
            shown = await read(work.cur, viewer, location, part, version=version)
            assert [*map(_encoded, shown)] == expected
        stale = await history_pages.shown_page(
            work.cur, viewer, location, part, version=VERSION - 1
        )
        assert stale == []
    finally:
        await work.rollback()


def _chosen(count: int, part: HistoryRange) -> Sequence[int]:
    """Return the ids of the messages of a range, newest first."""
    ids = range(FIRST, FIRST + count)
    if part.after is None:
        return [each for each in reversed(ids) if each < part.before][: part.limit]
    return [each for each in ids if each > part.after][: part.limit][::-1]


async def test_page_is_one_statement(database: Database, statements: list[str]) -> None:
    viewer = Viewer(ALICE, SignedUrls("secret" * 10, "http://chat.example"))
    work = await database.begin()
    try:
        await _insert(work.cur, [_LIKED, _FILE, _ANSWER])
        part = HistoryRange(3, before=2**63 - 1)
        location = MessageLocation(CHANNEL, GUILD)
        for _ in range(2):  # the first one may prepare it
            before = len(statements)
            answer, _, _ = await history_pages.page(work.cur, viewer, location, part)
        assert len(statements) - before == 1, statements[before:]
        assert answer.reference is not None
        assert answer.reference.reactions
        assert answer.mentions
        assert answer.attachments
    finally:
        await work.rollback()


async def test_page_of_a_private_channel_names_no_guild(database: Database) -> None:
    viewer = Viewer(ALICE, SignedUrls("secret" * 10, "http://chat.example"))
    work = await database.begin()
    try:
        await _insert(work.cur, [_TEXT, _REPLY])
        part = HistoryRange(2, before=2**63 - 1)
        location = MessageLocation(CHANNEL, None, (ALICE, BOB))
        newest, _ = await history_pages.page(work.cur, viewer, location, part)
        alone = await history.get(work.cur, viewer, CHANNEL, newest.id)
        assert alone is not None
        assert newest.reference is not None
        assert newest == replace(
            alone, guild_id=None, reference=replace(newest.reference, guild_id=None)
        )
    finally:
        await work.rollback()
