"""A whole guild for its export, as JSON texts in the form of `chatd.transfer.guild`.

The caller reads from one database snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatd.core.ids import ChannelId, GuildId
from chatd.db.cursor import Cursor, many

MAX_REACTIONS = 5000
"""Reactions of one message, at most: a line has to fit into memory on both sides."""

_USER = """
    'id', users.id::text, 'username', users.username, 'global_name', users.global_name,
    'bot', users.bot
"""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as a line, and what the lines before it must have."""

    id: int
    line: str
    users: list[int]
    """The accounts that it names."""
    webhook_name: str | None
    """The author's name, if the author is a webhook."""
    author_id: int
    files: list[int]


async def begin(cur: Cursor) -> None:
    """Read from one database snapshot until `end`."""
    await cur.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")


async def end(cur: Cursor) -> None:
    """End `begin`."""
    await cur.execute("COMMIT")


async def guild(cur: Cursor, guild_id: GuildId) -> list[str]:
    """Return the line of a guild; none if there is no such guild."""
    return await _lines(
        cur,
        """
        SELECT json_build_object('type', 'guild', 'id', guilds.id::text, 'name', guilds.name,
                                 'description', guilds.description,
                                 'everyone', roles.permissions::text)
          FROM guilds JOIN roles ON roles.id = guilds.id
         WHERE guilds.id = %(guild_id)s
        """,
        guild_id,
    )


async def roles(cur: Cursor, guild_id: GuildId) -> list[str]:
    """Return the lines of the roles but @everyone."""
    return await _lines(
        cur,
        """
        SELECT json_build_object('type', 'role', 'id', id::text, 'name', name,
                                 'permissions', permissions::text, 'color', color, 'hoist', hoist,
                                 'mentionable', mentionable, 'position', position)
          FROM roles
         WHERE guild_id = %(guild_id)s AND id <> guild_id
      ORDER BY position, id
        """,
        guild_id,
    )


async def channels(cur: Cursor, guild_id: GuildId) -> list[str]:
    """Return the lines of the channels, categories first."""
    return await _lines(
        cur,
        """
        SELECT json_build_object(
                   'type', 'channel', 'id', id::text, 'channel_type', type, 'name', name,
                   'topic', topic, 'parent_id', parent_id::text, 'nsfw', nsfw,
                   'rate_limit_per_user', rate_limit_per_user,
                   'overwrites', coalesce(
                       (SELECT json_agg(json_build_object(
                                   'id', target_id::text, 'type', overwrites.type,
                                   'allow', allow::text, 'deny', deny::text))
                          FROM overwrites WHERE overwrites.channel_id = channels.id), '[]'))
          FROM channels
         WHERE guild_id = %(guild_id)s
      ORDER BY type <> 4, position, id
        """,
        guild_id,
    )


async def channel_ids(cur: Cursor, guild_id: GuildId) -> list[ChannelId]:
    """Return the ids of the channels that can have messages."""
    await cur.execute(
        "SELECT id FROM channels WHERE guild_id = %(guild_id)s AND type <> 4 ORDER BY id",
        {"guild_id": guild_id},
    )
    return await many(cur, ChannelId)


async def overwritten_users(cur: Cursor, guild_id: GuildId) -> list[int]:
    """Return the users whom channels of a guild permit or deny something."""
    await cur.execute(
        "SELECT DISTINCT target_id FROM overwrites WHERE guild_id = %(guild_id)s AND type = 1",
        {"guild_id": guild_id},
    )
    return await many(cur, int)


async def members(
    cur: Cursor, guild_id: GuildId, *, after: int, limit: int
) -> list[tuple[int, str]]:
    """Return the ids of members above an id, with their lines."""
    await cur.execute(
        f"""
        SELECT users.id,
               json_build_object(
                   'type', 'member', {_USER}, 'nick', nick, 'joined_at', joined_at,
                   'roles', ARRAY (SELECT role_id::text FROM member_roles
                                    WHERE member_roles.guild_id = guild_members.guild_id
                                      AND member_roles.user_id = users.id))::text
          FROM guild_members JOIN users ON users.id = guild_members.user_id
         WHERE guild_members.guild_id = %(guild_id)s AND users.id > %(after)s
      ORDER BY users.id
         LIMIT %(limit)s
        """,
        {"guild_id": guild_id, "after": after, "limit": limit},
    )
    return [(row[0], row[1]) for row in await cur.fetchall()]


async def users(cur: Cursor, user_ids: Iterable[int]) -> list[tuple[int, str]]:
    """Return those of these accounts that exist, with their lines."""
    await cur.execute(
        f"""
        SELECT id, json_build_object('type', 'user', {_USER})::text FROM users
         WHERE id = ANY(%(ids)s::bigint[])
        """,
        {"ids": list(user_ids)},
    )
    return [(row[0], row[1]) for row in await cur.fetchall()]


async def messages(
    cur: Cursor, channel_id: ChannelId, *, after: int, limit: int
) -> list[MessageRow]:
    """Return the messages of a channel above an id, the oldest first."""
    await cur.execute(
        """
        SELECT m.id,
               json_build_object(
                   'type', 'message', 'channel_id', m.channel_id::text, 'id', m.id::text,
                   'author_id', m.author_id::text, 'message_type', m.type, 'content', m.content,
                   'flags', m.flags, 'edited_at', m.edited_at,
                   'is_pinned', m.pinned_at IS NOT NULL, 'reference_id', m.reference_id::text,
                   'embeds', coalesce(m.embeds, '[]'),
                   'mentions', coalesce(m.mentions::text[], '{}'),
                   'mention_roles', coalesce(m.mention_roles::text[], '{}'),
                   'mention_everyone', m.mention_everyone,
                   'attachments', coalesce(a.attachments, '[]'),
                   'reactions', coalesce(r.reactions, '[]'))::text,
               array_cat(coalesce(m.mentions, '{}'),
                         array_append(coalesce(r.users, '{}'), m.author_id)),
               m.origin ->> 'name', m.author_id, coalesce(a.ids, '{}')
          FROM messages AS m
               LEFT JOIN LATERAL (
                   SELECT json_agg(json_build_object('id', id::text, 'filename', filename)
                                   ORDER BY id) AS attachments,
                          array_agg(id ORDER BY id) AS ids
                     FROM attachments
                    WHERE m.attachment_count > 0 AND attachments.channel_id = m.channel_id
                      AND attachments.message_id = m.id) AS a ON true
               LEFT JOIN LATERAL (
                   SELECT json_agg(json_build_object('emoji', emoji, 'users', user_ids))
                              AS reactions,
                          (SELECT array_agg(each.user_id)
                             FROM (SELECT user_id FROM reactions
                                    WHERE channel_id = m.channel_id AND message_id = m.id
                                 ORDER BY emoji, user_id
                                    LIMIT %(reactions)s) AS each) AS users
                     FROM (SELECT emoji, array_agg(user_id::text) AS user_ids
                             FROM (SELECT emoji, user_id FROM reactions
                                    WHERE channel_id = m.channel_id AND message_id = m.id
                                 ORDER BY emoji, user_id
                                    LIMIT %(reactions)s) AS few
                         GROUP BY emoji) AS grouped) AS r ON true
         WHERE m.channel_id = %(channel_id)s AND m.id > %(after)s
      ORDER BY m.id
         LIMIT %(limit)s
        """,
        {
            "channel_id": channel_id,
            "after": after,
            "limit": limit,
            "reactions": MAX_REACTIONS,
        },
    )
    return await many(cur, MessageRow)


async def _lines(cur: Cursor, sql: str, guild_id: GuildId) -> list[str]:
    await cur.execute(f"SELECT line::text FROM ({sql}) AS found (line)", {"guild_id": guild_id})
    return await many(cur, str)
