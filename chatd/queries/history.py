"""Reading messages, as one user sees them. `history_pages` reads ranges of a channel.

`messages` and `message_inserts` write them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from chatd.auth.signed_urls import SignedUrls
from chatd.core.ids import ChannelId, MessageId, UserId
from chatd.core.models import (
    Attachment,
    Component,
    Message,
    MessageOrigin,
    MessageType,
    Reaction,
    User,
)
from chatd.core.time_slices import TimeSlices
from chatd.db.cursor import Cursor, PreparedStatement, Row
from chatd.queries import attachments, reactions, users


@dataclass(frozen=True, slots=True)
class Viewer:
    """The user for whom messages are read: marks its own reactions, and signs attachment URLs."""

    user_id: UserId
    signed_urls: SignedUrls


OWN_COLUMNS = """
    m.id, m.channel_id, m.type, m.content, m.flags, m.tts, m.edited_at,
    m.reference_id, m.pinned_at IS NOT NULL, m.embeds::text, m.mentions, m.mention_roles,
    m.mention_everyone, m.attachment_count, m.components::text, m.origin::text
"""
"""The columns of `messages`. JSON is read as text, because most messages have none: psycopg2 calls
its parser for NULL, too."""
COLUMNS = f"""
    EXISTS (SELECT FROM reactions
             WHERE reactions.channel_id = m.channel_id AND reactions.message_id = m.id),
    channels.guild_id, {OWN_COLUMNS},
    author.id, author.username, author.global_name, author.avatar, author.bot
"""
JOINS = """
    JOIN channels ON channels.id = m.channel_id
    LEFT JOIN users AS author ON author.id = m.author_id
"""
"""A message of a webhook has no row in `users`."""
_HAS_REACTIONS, _ID, _CHANNEL_ID, _REFERENCE_ID, _MENTIONS, _ATTACHMENT_COUNT = 0, 2, 3, 9, 12, 15
_COMPONENTS, _ORIGIN = 16, 17

_PARSED_AT_ONCE = 2**20
"""Characters of components that are parsed without a pause, which takes 5 ms. A page can have
ten times as many."""

_TYPES = {int(kind): kind for kind in MessageType}


@dataclass(frozen=True, slots=True)
class Known:
    """What the statement of some messages has already read of other tables, for each of them."""

    rows: Mapping[MessageId, Row]
    """The messages themselves, which others of them may reply to."""
    people: Mapping[UserId, User]
    reactions: Mapping[MessageId, Sequence[Reaction]]
    files: Mapping[MessageId, Sequence[Attachment]]
    """Of messages that have files of their own."""


@dataclass(frozen=True, slots=True)
class _Related:
    """Rows of other tables that only some messages have."""

    people: Mapping[UserId, User]
    files: Mapping[MessageId, Sequence[Attachment]]
    reactions: Mapping[MessageId, Sequence[Reaction]]
    components: Mapping[MessageId, tuple[Component, ...]]


async def read(cur: Cursor, viewer: Viewer) -> list[Message]:
    """Return the messages of the last statement, whose rows are those of COLUMNS.

    Mentions, attachments, reactions and referenced messages are read with further statements, each
    only if a message has such rows.
    """
    return await of_rows(cur, viewer, await cur.fetchall())


async def of_rows(
    cur: Cursor, viewer: Viewer, rows: Sequence[Row], known: Known | None = None
) -> list[Message]:
    """Return the messages of rows of COLUMNS. What is `known` of them is not read again."""
    known = known or Known({}, {}, {}, {})
    references = {(row[_CHANNEL_ID], row[_REFERENCE_ID]) for row in rows if row[_REFERENCE_ID]}
    answered_rows = [known.rows[each] for _, each in references if each in known.rows]
    if len(answered_rows) < len(references):
        others = [key for key in references if key[1] not in known.rows]
        answered_rows += await _rows_by_keys(cur, others)
    parts = await _parts(cur, viewer, [*rows, *answered_rows], known)
    slices = TimeSlices()  # parsing embeds takes 0.1 ms at most
    answered: dict[MessageId, Message] = {}
    for row in answered_rows:
        answered[row[_ID]] = _message(parts, None, row)
        await slices.step()
    messages: list[Message] = []
    for row in rows:
        messages.append(_message(parts, answered.get(row[_REFERENCE_ID]), row))
        await slices.step()
    return messages


async def _parts(cur: Cursor, viewer: Viewer, rows: Sequence[Row], known: Known) -> _Related:
    people = await _people(cur, rows, known)
    with_files = {_files_key(row) for row in rows if row[_ATTACHMENT_COUNT]}
    unknown = {key for key in with_files if key[1] not in known.files}
    files = await attachments.by_message(cur, viewer.signed_urls, unknown) if unknown else {}
    # A message may be twice in the rows: in the page, and as one that others reply to.
    reacted_to = {
        (row[_CHANNEL_ID], row[_ID])
        for row in rows
        if row[_HAS_REACTIONS] and row[_ID] not in known.reactions
    }
    found = await reactions.by_message(cur, viewer.user_id, [*reacted_to]) if reacted_to else {}
    with_components = [row for row in rows if row[_COMPONENTS]]
    components = await _parsed_components(with_components) if with_components else {}
    return _Related(people, {**known.files, **files}, {**known.reactions, **found}, components)


async def _people(cur: Cursor, rows: Sequence[Row], known: Known) -> Mapping[UserId, User]:
    """Return the users that messages mention, and those of their interactions."""
    named = {user_id for row in rows for user_id in row[_MENTIONS] or ()}
    for row in rows:
        if row[_ORIGIN] is not None:
            named.update(_users_of(_origin(row[_ORIGIN])))
    unknown = named - known.people.keys()
    if not unknown:
        return known.people
    return {**known.people, **{user.id: user for user in await users.by_ids(cur, unknown)}}


async def _parsed_components(rows: Iterable[Row]) -> dict[MessageId, tuple[Component, ...]]:
    """Return the components by message. The event loop can serve others in between."""
    parsed, left = {}, _PARSED_AT_ONCE
    for row in rows:
        parsed[MessageId(row[_ID])] = tuple(orjson.loads(row[_COMPONENTS]))
        left -= len(row[_COMPONENTS])
        if left < 0:
            await asyncio.sleep(0)
            left = _PARSED_AT_ONCE
    return parsed


def _files_key(row: Row) -> tuple[ChannelId, MessageId]:
    """Return the message whose files a message shows: itself, or the one that it is a copy of."""
    source = None if row[_ORIGIN] is None else orjson.loads(row[_ORIGIN]).get("source")
    if source is None or source["message_id"] is None:
        return row[_CHANNEL_ID], row[_ID]
    return source["channel_id"], source["message_id"]


def _origin(stored: str) -> MessageOrigin:
    return MessageOrigin.stored(orjson.loads(stored))


def _users_of(origin: MessageOrigin) -> Iterable[UserId]:
    return () if origin.interaction is None else origin.interaction.user_ids()


def _message(parts: _Related, reference: Message | None, row: Row) -> Message:
    (
        has_reactions, guild_id, message_id, channel_id, kind, content, flags, tts, edited_at,
        reference_id, pinned, embeds, mentions, mention_roles, mention_everyone, attachment_count,
        components, origin, *author,
    ) = row  # fmt: skip
    people = parts.people
    sent_by = None if origin is None else _origin(origin)
    return Message(
        message_id,
        channel_id,
        guild_id,
        (sent_by and sent_by.author) or User(*author),
        _TYPES[kind],
        content,
        flags,
        tts,
        edited_at,
        reference_id,
        reference,
        pinned,
        tuple(parts.reactions.get(message_id, ())) if has_reactions else (),
        tuple(people[each] for each in mentions if each in people) if mentions else (),
        tuple(mention_roles) if mention_roles else (),
        mention_everyone,
        tuple(orjson.loads(embeds)) if embeds else (),
        tuple(parts.files.get(_files_key(row)[1], ())) if attachment_count else (),
        parts.components[message_id] if components else (),
        sent_by,
        tuple(people[each] for each in _users_of(sent_by) if each in people) if sent_by else (),
    )


_BY_KEYS = PreparedStatement(
    f"""
    SELECT {COLUMNS}
      FROM unnest(%(channel_ids)s, %(ids)s) AS wanted (channel_id, message_id)
           JOIN messages AS m ON m.channel_id = wanted.channel_id AND m.id = wanted.message_id
           {JOINS}
    """,
    channel_ids="bigint[]",
    ids="bigint[]",
)


async def _rows_by_keys(cur: Cursor, keys: Iterable[tuple[ChannelId, MessageId]]) -> list[Row]:
    channel_ids, ids = zip(*set(keys), strict=True)
    await cur.run(_BY_KEYS, {"channel_ids": list(channel_ids), "ids": list(ids)})
    return await cur.fetchall()


_ONE = PreparedStatement(
    f"""
    SELECT {COLUMNS} FROM messages AS m {JOINS}
     WHERE m.channel_id = %(channel_id)s AND m.id = %(id)s
    """,
    channel_id="bigint",
    id="bigint",
)


async def get(
    cur: Cursor, viewer: Viewer, channel_id: ChannelId, message_id: MessageId
) -> Message | None:
    """Return one message of a channel."""
    await cur.run(_ONE, {"channel_id": channel_id, "id": message_id})
    found = await read(cur, viewer)
    return found[0] if found else None


async def get_bare(
    cur: Cursor, viewer: Viewer, channel_id: ChannelId, message_id: MessageId
) -> Message | None:
    """Return one message without its reactions, whose number is unbounded."""
    await cur.run(_ONE, {"channel_id": channel_id, "id": message_id})
    rows = [(False, *row[1:]) for row in await cur.fetchall()]
    found = await of_rows(cur, viewer, rows)
    return found[0] if found else None
