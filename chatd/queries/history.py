"""Reading messages, as one user sees them. Writing them is in `messages`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chatd.auth.links import Links
from chatd.core.ids import ChannelId, MessageId, UserId
from chatd.core.models import Attachment, Message, MessageType, Place, Reaction, User
from chatd.db import Cursor, Prepared, Row
from chatd.queries import attachments, reactions, users


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom messages are read: it sees which reactions are its own, and can open files."""

    user_id: UserId
    links: Links


COLUMNS = """
    EXISTS (SELECT FROM reactions
             WHERE reactions.channel_id = m.channel_id AND reactions.message_id = m.id),
    channels.guild_id, m.id, m.channel_id, m.type, m.content, m.flags, m.tts, m.edited_at,
    m.reference_id, m.pinned_at IS NOT NULL, m.embeds, m.mentions, m.mention_roles,
    m.mention_everyone, m.attachment_count,
    author.id, author.username, author.global_name, author.avatar, author.bot
"""
JOINS = """
    JOIN channels ON channels.id = m.channel_id
    JOIN users AS author ON author.id = m.author_id
"""
_HAS_REACTIONS, _ID, _CHANNEL_ID, _REFERENCE_ID, _MENTIONS, _ATTACHMENT_COUNT = 0, 2, 3, 9, 12, 15
_TYPES = {int(kind): kind for kind in MessageType}


@dataclass(frozen=True, slots=True)
class _Parts:
    """What only some messages have."""

    people: Mapping[UserId, User]
    files: Mapping[MessageId, Sequence[Attachment]]
    reactions: Mapping[MessageId, Sequence[Reaction]]


async def read(cur: Cursor, viewer: Viewer) -> list[Message]:
    """The messages of the last statement, whose rows are those of COLUMNS.

    What only some messages have (mentions, files, reactions, a message that they answer) is read
    with further statements, each only if one has it.
    """
    return await of_rows(cur, viewer, await cur.fetchall())


async def of_rows(cur: Cursor, viewer: Viewer, rows: Sequence[Row]) -> list[Message]:
    """The messages of rows of COLUMNS."""
    references = [(row[_CHANNEL_ID], row[_REFERENCE_ID]) for row in rows if row[_REFERENCE_ID]]
    answered_rows = await _rows_of(cur, references) if references else []
    parts = await _parts(cur, viewer, [*rows, *answered_rows])
    answered = {row[_ID]: _message(parts, None, row) for row in answered_rows}
    return [_message(parts, answered.get(row[_REFERENCE_ID]), row) for row in rows]


async def _parts(cur: Cursor, viewer: Viewer, rows: Sequence[Row]) -> _Parts:
    mentioned = {user_id for row in rows for user_id in row[_MENTIONS] or ()}
    people = {user.id: user for user in await users.by_ids(cur, mentioned)} if mentioned else {}
    with_files = [(row[_CHANNEL_ID], row[_ID]) for row in rows if row[_ATTACHMENT_COUNT]]
    files = await attachments.of_messages(cur, viewer.links, with_files) if with_files else {}
    reacted_to = [(row[_CHANNEL_ID], row[_ID]) for row in rows if row[_HAS_REACTIONS]]
    found = await reactions.of_messages(cur, viewer.user_id, reacted_to) if reacted_to else {}
    return _Parts(people, files, found)


def _message(parts: _Parts, reference: Message | None, row: Row) -> Message:
    (
        has_reactions, guild_id, message_id, channel_id, kind, content, flags, tts, edited_at,
        reference_id, pinned, embeds, mentions, mention_roles, mention_everyone, attachment_count,
        *author,
    ) = row  # fmt: skip
    people = parts.people
    return Message(
        message_id,
        channel_id,
        guild_id,
        User(*author),
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
        tuple(embeds) if embeds else (),
        tuple(parts.files.get(message_id, ())) if attachment_count else (),
    )


_BY_KEYS = Prepared(
    f"""
    SELECT {COLUMNS}
      FROM unnest(%(channel_ids)s, %(ids)s) AS wanted (channel_id, message_id)
           JOIN messages AS m ON m.channel_id = wanted.channel_id AND m.id = wanted.message_id
           {JOINS}
    """,
    channel_ids="bigint[]",
    ids="bigint[]",
)


async def _rows_of(cur: Cursor, keys: Iterable[tuple[ChannelId, MessageId]]) -> list[Row]:
    channel_ids, ids = zip(*set(keys), strict=True)
    await cur.run(_BY_KEYS, {"channel_ids": list(channel_ids), "ids": list(ids)})
    return await cur.fetchall()


_ONE = Prepared(
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
    """One message of a channel."""
    await cur.run(_ONE, {"channel_id": channel_id, "id": message_id})
    found = await read(cur, viewer)
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Part:
    """Which messages of a channel: the newest below `before`, or the oldest above `after`.

    `limit` is 100 at the most.
    """

    limit: int
    before: int = 0
    after: int | None = None


_MOST = 100  # messages in a part


def _page(chosen: str, order: str) -> Prepared:
    # The page is cut first, inside: joining first would read the whole channel while Postgres
    # has no statistics of it yet. And it is cut twice: Postgres plans for a tenth of what there is
    # when it does not know the limit, and would read all users to join so many messages.
    return Prepared(
        f"""
        SELECT {COLUMNS}
          FROM (SELECT *
                  FROM (SELECT * FROM messages
                         WHERE channel_id = %(channel_id)s AND {chosen}
                           AND (SELECT version FROM streams WHERE id = %(stream_id)s)
                               IS NOT DISTINCT FROM %(version)s
                      ORDER BY {order}
                         LIMIT {_MOST}) AS messages
              ORDER BY {order}
                 LIMIT %(limit)s) AS m {JOINS}
      ORDER BY m.id DESC
        """,
        channel_id="bigint",
        bound="bigint",
        stream_id="bigint",
        version="bigint",
        limit="bigint",
    )


_BEFORE = _page("id < %(bound)s", "id DESC")
_AFTER = _page("id > %(bound)s", "id")


async def page(
    cur: Cursor, viewer: Viewer, place: Place, part: Part, *, version: int | None = None
) -> list[Message]:
    """A part of a channel's messages, newest first.

    With a `version`, there are none when that is not the one that the channel's guild has now.
    """
    parameters = {
        "channel_id": place.channel_id,
        "bound": part.before if part.after is None else part.after,
        "stream_id": None if version is None else place.guild_id,
        "version": version,
        "limit": part.limit,
    }
    await cur.run(_BEFORE if part.after is None else _AFTER, parameters)
    return await read(cur, viewer)
