"""Reading pages of a channel's history, which clients do whenever a user opens it.

One statement returns the messages of a page with their authors, reactions and files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from chatd.core.ids import MessageId, UserId
from chatd.core.models import Attachment, Message, MessageLocation, Reaction, StoredText, User
from chatd.core.time_slices import TimeSlices
from chatd.db.cursor import Cursor, PreparedStatement, Row
from chatd.queries import attachments, history, users
from chatd.queries.history import Known, Viewer


@dataclass(frozen=True, slots=True)
class HistoryRange:
    """A range of a channel's messages: the newest below `before`, or the oldest above `after`.

    `limit` is at most 100.
    """

    limit: int
    before: int = 0
    after: int | None = None


_MAX_MESSAGES = 100
"""The largest `limit` of a range."""

_OWN_COUNT = 16
"""The number of columns of `history.OWN_COLUMNS`. The author's id, the authors, the reactions and
the files follow. One row has only authors and reactions, and each further one only the files of a
message: those of all messages can have 9 MB, and a row is parsed without a pause."""
_AUTHOR_ID, _AUTHORS, _REACTIONS, _FILES = 16, 17, 18, 19
_REFERENCE_ID = 7
_TEXT_ONLY = (None, False, None, None, None, False, 0, None, None)
"""The columns from `reference_id` up to the author's id, of a message that is only a text."""

_NO_AUTHOR = (None,) * len(User._fields)


def _page(chosen: str, order: str) -> PreparedStatement:
    # The rows are limited inside, before the authors are read: without statistics of the channel,
    # Postgres would join all its messages first. They are limited twice: for a limit that is a
    # parameter Postgres plans for a tenth of the rows, and would read all of the channel's.
    #
    # Authors, reactions and files are searched for all messages at once. A join would search for
    # each message: 20 % more for a page without reactions. A plan made while few reactions existed
    # scans all of them at each search, until autovacuum counts them again.
    return PreparedStatement(
        f"""
        WITH page AS MATERIALIZED (
            SELECT *
              FROM (SELECT * FROM messages
                     WHERE channel_id = %(channel_id)s AND {chosen}
                       AND (SELECT version FROM streams WHERE id = %(stream_id)s)
                           IS NOT DISTINCT FROM %(version)s
                  ORDER BY {order}
                     LIMIT {_MAX_MESSAGES}) AS messages
          ORDER BY {order}
             LIMIT %(limit)s)
        SELECT {history.OWN_COLUMNS}, m.author_id, NULL, NULL, NULL
          FROM page AS m
     UNION ALL
        SELECT {", ".join(["NULL"] * _OWN_COUNT)}, NULL,
               (SELECT jsonb_agg(jsonb_build_array({users.COLUMNS}))::text
                  FROM users WHERE id = ANY(ARRAY(SELECT author_id FROM page))),
               (SELECT jsonb_agg(jsonb_build_array(message_id, emoji, count, me)
                                 ORDER BY first, emoji)::text
                  FROM (SELECT message_id, emoji, count(*), bool_or(user_id = %(viewer)s) AS me,
                               min(created_at) AS first
                          FROM reactions
                         WHERE channel_id = %(channel_id)s
                           AND message_id = ANY(ARRAY(SELECT id FROM page))
                      GROUP BY message_id, emoji) AS reactions),
               NULL
     UNION ALL
        SELECT {", ".join(["NULL"] * _OWN_COUNT)}, NULL, NULL, NULL,
               (jsonb_agg(jsonb_build_array(message_id, {attachments.COLUMNS}) ORDER BY id))::text
          FROM attachments
         WHERE channel_id = %(channel_id)s
           AND message_id = ANY(ARRAY(SELECT id FROM page WHERE attachment_count > 0))
      GROUP BY message_id
        """,
        channel_id="bigint",
        bound="bigint",
        stream_id="bigint",
        version="bigint",
        limit="bigint",
        viewer="bigint",
    )


_BEFORE = _page("id < %(bound)s", "id DESC")
_AFTER = _page("id > %(bound)s", "id")


@dataclass(frozen=True, slots=True)
class _Page:
    """The rows of a page, newest first, with the authors, reactions and files of its messages."""

    rows: Sequence[Row]
    authors: Mapping[UserId, User]
    reactions: Mapping[MessageId, Sequence[Reaction]]
    files: Mapping[MessageId, Sequence[Attachment]]


async def page(
    cur: Cursor,
    viewer: Viewer,
    location: MessageLocation,
    part: HistoryRange,
    *,
    version: int | None = None,
) -> list[Message]:
    """Return a range of a channel's messages, newest first.

    With a `version`, return none unless it is the present permission version of the channel's
    guild.
    """
    found = await _read(cur, viewer, location, part, version)
    return await _messages(cur, viewer, location, found, found.rows)


async def shown_page(
    cur: Cursor,
    viewer: Viewer,
    location: MessageLocation,
    part: HistoryRange,
    *,
    version: int | None = None,
) -> list[Message | StoredText]:
    """Return the same as `page`; most messages are only a text, and are returned as such."""
    found = await _read(cur, viewer, location, part, version)
    texts = [_text(found, row) for row in found.rows]
    others = [row for row, text in zip(found.rows, texts, strict=True) if text is None]
    if not others:
        return [*filter(None, texts)]
    read = iter(await _messages(cur, viewer, location, found, others))
    return [next(read) if text is None else text for text in texts]


def _text(found: _Page, row: Row) -> StoredText | None:
    """Return a message if it is only a text of an account."""
    if row[_REFERENCE_ID:_AUTHOR_ID] != _TEXT_ONLY:
        return None
    message_id, channel_id, kind, content, flags, tts, edited_at, *_ = row
    author = found.authors.get(row[_AUTHOR_ID])
    if author is None:
        return None
    reactions = found.reactions.get(message_id, ())
    kinds = kind, flags, tts
    return StoredText(message_id, channel_id, content, kinds, author, edited_at, reactions)


async def _messages(
    cur: Cursor, viewer: Viewer, location: MessageLocation, found: _Page, rows: Sequence[Row]
) -> list[Message]:
    """Return the messages of some rows of a page."""
    answered = {row[_REFERENCE_ID] for row in rows}
    known = Known(
        {row[0]: _complete(found, location, row) for row in found.rows if row[0] in answered},
        found.authors,
        found.reactions,
        found.files,
    )
    complete = [_complete(found, location, row) for row in rows]
    return await history.of_rows(cur, viewer, complete, known)


def _complete(found: _Page, location: MessageLocation, row: Row) -> Row:
    """Return the row of a message with all of `history.COLUMNS`."""
    author = found.authors.get(row[_AUTHOR_ID], _NO_AUTHOR)
    return (row[0] in found.reactions, location.guild_id, *row[:_AUTHOR_ID], *author)


async def _read(
    cur: Cursor,
    viewer: Viewer,
    location: MessageLocation,
    part: HistoryRange,
    version: int | None,
) -> _Page:
    parameters = {
        "channel_id": location.channel_id,
        "bound": part.before if part.after is None else part.after,
        "stream_id": None if version is None else location.guild_id,
        "version": version,
        "limit": part.limit,
        "viewer": viewer.user_id,
    }
    await cur.run(_BEFORE if part.after is None else _AFTER, parameters)
    rows: list[Row] = []
    authors: dict[UserId, User] = {}
    reactions: dict[MessageId, list[Reaction]] = {}
    of_files: list[Row] = []
    slices: TimeSlices | None = None
    for row in await cur.fetchall():
        if row[0] is not None:
            rows.append(row)
        elif row[_FILES] is not None:
            of_files += ((location.channel_id, *file) for file in orjson.loads(row[_FILES]))
            slices = slices or TimeSlices()
            await slices.step()
        else:
            authors = {each[0]: User._make(each) for each in _parsed(row[_AUTHORS])}
            for message_id, *reaction in _parsed(row[_REACTIONS]):
                reactions.setdefault(message_id, []).append(Reaction(*reaction))
    files = await attachments.make_all(viewer.signed_urls, of_files) if of_files else {}
    rows.sort(key=_id, reverse=True)
    return _Page(rows, authors, reactions, files)


def _parsed(array: str | None) -> Sequence[Any]:
    return () if array is None else orjson.loads(array)


def _id(row: Row) -> int:
    message_id: int = row[0]
    return message_id
