"""Reading messages, as one user sees them. Writing them is in `messages`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatd.auth.links import Links
from chatd.core.ids import ChannelId, GuildId, MessageId, UserId
from chatd.core.models import Attachment, Message, MessageType, Reaction, User
from chatd.db import Cursor, Prepared, Row
from chatd.queries import attachments, users


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom messages are read: it sees which reactions are its own, and can open files."""

    user_id: UserId
    links: Links


_OWN = """
    {0}.id, {0}.channel_id, {0}.type, {0}.content, {0}.flags, {0}.tts, {0}.edited_at,
    {0}.reference_id, {0}.pinned_at IS NOT NULL, {0}.embeds, {0}.mentions, {0}.mention_roles,
    {0}.mention_everyone, {0}.attachment_count
"""
_OWN_COUNT = 14
_REACTIONS = """
    (SELECT jsonb_agg(jsonb_build_array(emoji, count, me) ORDER BY first, emoji)
       FROM (SELECT emoji, count(*) AS count, bool_or(user_id = %(viewer)s) AS me,
                    min(created_at) AS first
               FROM reactions
              WHERE reactions.channel_id = m.channel_id AND reactions.message_id = m.id
           GROUP BY emoji) AS reacted)
"""
_AUTHOR = "{0}.id, {0}.username, {0}.global_name, {0}.avatar, {0}.bot"
COLUMNS = f"""
    channels.guild_id, {_REACTIONS}, {_OWN.format("m")}, {_AUTHOR.format("author")},
           {_OWN.format("answered")}, {_AUTHOR.format("answered_author")}
"""
JOINS = """
    JOIN channels ON channels.id = m.channel_id
    JOIN users AS author ON author.id = m.author_id
    LEFT JOIN messages AS answered
           ON answered.channel_id = m.channel_id AND answered.id = m.reference_id
    LEFT JOIN users AS answered_author ON answered_author.id = answered.author_id
"""


_WIDTH = _OWN_COUNT + users.COLUMN_COUNT
_MENTIONS = 10
_ATTACHMENT_COUNT = 13

People = Mapping[UserId, User]
Files = Mapping[MessageId, Sequence[Attachment]]


async def read(cur: Cursor, viewer: Viewer) -> list[Message]:
    """The messages of the last statement, whose rows are those of COLUMNS.

    What only some messages have (mentions, files) is read with further statements, and only if
    one has it.
    """
    return await of_rows(cur, viewer, await cur.fetchall())


async def of_rows(cur: Cursor, viewer: Viewer, rows: Sequence[Row]) -> list[Message]:
    """The messages of rows of COLUMNS."""
    parts = [part for row in rows for part in _parts(row)]
    mentioned = {user_id for part in parts for user_id in part[_MENTIONS] or ()}
    people = {user.id: user for user in await users.by_ids(cur, mentioned)} if mentioned else {}
    with_files = [(part[1], part[0]) for part in parts if part[_ATTACHMENT_COUNT]]
    files = await attachments.of_messages(cur, viewer.links, with_files) if with_files else {}
    return [_make(people, files, *row) for row in rows]


def _parts(row: Row) -> Iterable[Row]:
    """The message of a row, and the one that it answers."""
    own, answered = row[2 : 2 + _OWN_COUNT], row[2 + _WIDTH : 2 + _WIDTH + _OWN_COUNT]
    return (own,) if answered[0] is None else (own, answered)


def _make(
    people: People, files: Files, guild_id: GuildId | None, reactions: Any, *row: Any
) -> Message:
    answered = row[_WIDTH:]
    reference = None if answered[0] is None else _message(people, files, guild_id, answered)
    found = tuple(Reaction(*each) for each in reactions or ())
    return _message(people, files, guild_id, row[:_WIDTH], reference=reference, reactions=found)


def _message(
    people: People,
    files: Files,
    guild_id: GuildId | None,
    row: Row,
    *,
    reference: Message | None = None,
    reactions: tuple[Reaction, ...] = (),
) -> Message:
    own, author = row[:_OWN_COUNT], row[_OWN_COUNT:]
    message_id, channel_id, kind, content, flags, tts, edited_at, reference_id, pinned = own[:9]
    embeds, mentions, mention_roles, mention_everyone, _ = own[9:]
    return Message(
        id=message_id,
        channel_id=channel_id,
        guild_id=guild_id,
        author=users.split(author)[0],
        type=MessageType(kind),
        content=content,
        flags=flags,
        tts=tts,
        edited_at=edited_at,
        reference_id=reference_id,
        reference=reference,
        pinned=pinned,
        reactions=reactions,
        mentions=tuple(people[user_id] for user_id in mentions or () if user_id in people),
        mention_roles=tuple(mention_roles or ()),
        mention_everyone=mention_everyone,
        embeds=tuple(embeds or ()),
        attachments=tuple(files.get(message_id, ())),
    )


_ONE = Prepared(
    f"""
    SELECT {COLUMNS} FROM messages AS m {JOINS}
     WHERE m.channel_id = %(channel_id)s AND m.id = %(id)s
    """,
    viewer="bigint",
    channel_id="bigint",
    id="bigint",
)


async def get(
    cur: Cursor, viewer: Viewer, channel_id: ChannelId, message_id: MessageId
) -> Message | None:
    """One message of a channel."""
    await cur.run(_ONE, {"viewer": viewer.user_id, "channel_id": channel_id, "id": message_id})
    found = await read(cur, viewer)
    return found[0] if found else None


_BEFORE = Prepared(
    f"""
    SELECT {COLUMNS}
      FROM (SELECT * FROM messages
             WHERE channel_id = %(channel_id)s AND id < %(before)s
          ORDER BY id DESC
             LIMIT %(limit)s) AS m {JOINS}
      ORDER BY m.id DESC
    """,
    viewer="bigint",
    channel_id="bigint",
    before="bigint",
    limit="bigint",
)


async def page_before(
    cur: Cursor, viewer: Viewer, channel_id: ChannelId, before: int, *, limit: int
) -> list[Message]:
    """The newest messages below an id, newest first."""
    # The page is cut first, inside: joining first would read the whole channel while Postgres
    # has no statistics of it yet.
    await cur.run(
        _BEFORE,
        {"viewer": viewer.user_id, "channel_id": channel_id, "before": before, "limit": limit},
    )
    return await read(cur, viewer)


_AFTER = Prepared(
    f"""
    SELECT {COLUMNS}
      FROM (SELECT * FROM messages
             WHERE channel_id = %(channel_id)s AND id > %(after)s
          ORDER BY id
             LIMIT %(limit)s) AS m {JOINS}
      ORDER BY m.id DESC
    """,
    viewer="bigint",
    channel_id="bigint",
    after="bigint",
    limit="bigint",
)


async def page_after(
    cur: Cursor, viewer: Viewer, channel_id: ChannelId, after: int, *, limit: int
) -> list[Message]:
    """The oldest messages above an id, newest first."""
    await cur.run(
        _AFTER, {"viewer": viewer.user_id, "channel_id": channel_id, "after": after, "limit": limit}
    )
    return await read(cur, viewer)
