"""Relationships between users: friends, friend requests and blocks.

Also whether a user accepts messages of another, which depends on them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from chatd.core.ids import UserId
from chatd.core.models import User
from chatd.core.relationships import (
    DirectMessages,
    FriendSources,
    Relationship,
    RelationshipType,
    UserSettings,
)
from chatd.db.cursor import Cursor, PreparedStatement, Row, many, one
from chatd.queries import users

_FRIEND = int(RelationshipType.FRIEND)
_BLOCKED = int(RelationshipType.BLOCKED)
_DEFAULTS = UserSettings()


_DMS_ENABLED = "AND coalesce(guilds.dms_disabled_until <= now(), true)"


def allows_dms(sender: str, recipient: str) -> str:
    """Return SQL for whether the settings of `recipient` allow direct messages of `sender`.

    Ignores blocks. Both parameters are SQL expressions for the id of a user.
    """
    return f"""
    CASE coalesce((SELECT direct_messages FROM user_settings
                    WHERE user_settings.user_id = {recipient}), {_DEFAULTS.direct_messages:d})
         WHEN {DirectMessages.NOBODY:d} THEN false
         WHEN {DirectMessages.FRIENDS:d} THEN {_are_friends(sender, recipient)}
         ELSE {_are_friends(sender, recipient)}
              OR {_share_guild(sender, recipient, "AND NOT theirs.dms_restricted", _DMS_ENABLED)}
    END
    """


def accepts_messages(sender: str, recipient: str) -> str:
    """Return SQL for whether `recipient` accepts a message of `sender` now.

    Both parameters are SQL expressions for the id of a user. The result stays valid until the end
    of a transaction that has locked the streams of both, except for the guilds that they share.
    """
    return f"""
    (EXISTS (SELECT FROM users AS reached
              WHERE reached.id = {recipient} AND reached.deleted_at IS NULL)
     AND NOT EXISTS (SELECT FROM relationships AS block
                      WHERE block.type = {_BLOCKED}
                        AND (block.user_id, block.other_id)
                            IN (({recipient}, {sender}), ({sender}, {recipient})))
     AND {allows_dms(sender, recipient)})
    """


def _are_friends(sender: str, recipient: str) -> str:
    return f"""
    EXISTS (SELECT FROM relationships AS friend
             WHERE friend.user_id = {recipient} AND friend.other_id = {sender}
               AND friend.type = {_FRIEND})
    """


def _share_guild(
    sender: str, recipient: str, condition: str = "", guild_condition: str = ""
) -> str:
    return f"""
    EXISTS (SELECT FROM guild_members AS own JOIN guild_members AS theirs USING (guild_id)
             WHERE own.user_id = {sender} AND theirs.user_id = {recipient} {condition}
               AND EXISTS (SELECT FROM guilds
                            WHERE guilds.id = own.guild_id {guild_condition}))
    """  # the members of a deleted guild are deleted later


_ALLOWS_DMS = PreparedStatement(
    f"SELECT {allows_dms('%(sender_id)s', '%(recipient_id)s')}",
    sender_id="bigint",
    recipient_id="bigint",
)
_NOT_ACCEPTING = PreparedStatement(
    f"""
    SELECT wanted.id FROM unnest(%(recipient_ids)s) AS wanted (id)
     WHERE NOT {accepts_messages("%(sender_id)s", "wanted.id")}
    """,
    sender_id="bigint",
    recipient_ids="bigint[]",
)
_ACCEPTS_REQUESTS = PreparedStatement(
    f"""
    SELECT CASE
        WHEN sources & {FriendSources.ALL:d} <> 0 THEN true
        ELSE (sources & {FriendSources.MUTUAL_GUILDS:d} <> 0
              AND {_share_guild("%(sender_id)s", "%(recipient_id)s")})
             OR (sources & {FriendSources.MUTUAL_FRIENDS:d} <> 0
                 AND EXISTS (SELECT FROM relationships AS own
                               JOIN relationships AS theirs USING (other_id, type)
                              WHERE own.user_id = %(sender_id)s
                                AND theirs.user_id = %(recipient_id)s AND type = {_FRIEND}))
        END
      FROM (SELECT coalesce((SELECT friend_sources FROM user_settings
                              WHERE user_id = %(recipient_id)s),
                            {_DEFAULTS.friend_sources:d}) AS sources) AS set
    """,
    sender_id="bigint",
    recipient_id="bigint",
)


async def settings_allow_dms(cur: Cursor, sender_id: UserId, recipient_id: UserId) -> bool:
    """Return whether a user's settings allow direct messages of the sender. Ignores blocks."""
    await cur.run(_ALLOWS_DMS, {"sender_id": sender_id, "recipient_id": recipient_id})
    return bool(await one(cur, bool))


async def not_accepting_messages(
    cur: Cursor, sender_id: UserId, recipient_ids: Collection[UserId]
) -> list[UserId]:
    """Return those of the recipients that accept no message of the sender."""
    await cur.run(_NOT_ACCEPTING, {"sender_id": sender_id, "recipient_ids": list(recipient_ids)})
    return await many(cur, UserId)


async def accepts_requests(cur: Cursor, sender_id: UserId, recipient_id: UserId) -> bool:
    """Return whether a user's settings allow friend requests of the sender. Ignores blocks."""
    await cur.run(_ACCEPTS_REQUESTS, {"sender_id": sender_id, "recipient_id": recipient_id})
    return bool(await one(cur, bool))


def _make(*row: Any) -> Relationship:
    user, (kind, nickname, since, bio) = users.split_row(row)
    return Relationship(user, RelationshipType(kind), nickname, since, bio)


_SHOW_PROFILE = f"{_FRIEND}, {RelationshipType.INCOMING_REQUEST:d}"
_COLUMNS = f"""
    {users.COLUMNS}, relationships.type, relationships.nickname, relationships.since,
    CASE WHEN relationships.type IN ({_SHOW_PROFILE}) THEN users.bio ELSE '' END
"""


_FOR_USER = PreparedStatement(
    f"""
    SELECT {_COLUMNS}
      FROM relationships JOIN users ON users.id = relationships.other_id
     WHERE relationships.user_id = %(user_id)s
  ORDER BY relationships.other_id
    """,
    user_id="bigint",
)


async def list_for_user(cur: Cursor, user_id: UserId) -> list[Relationship]:
    """Return all relationships of a user, in the order of the other users' ids."""
    await cur.run(_FOR_USER, {"user_id": user_id})
    return await many(cur, _make)


_FRIENDS_OF = PreparedStatement(
    f"""
    SELECT user_id, array_agg(other_id) FROM relationships
     WHERE user_id = ANY(%(user_ids)s) AND type = {_FRIEND}
  GROUP BY user_id
    """,
    user_ids="bigint[]",
)


async def friends_of(cur: Cursor, user_ids: Iterable[UserId]) -> dict[UserId, list[UserId]]:
    """Return the friends of those of these users that have any."""
    await cur.run(_FRIENDS_OF, {"user_ids": list(user_ids)})
    rows: list[Row] = await cur.fetchall()
    return {UserId(row[0]): list(map(UserId, row[1])) for row in rows}


async def get(cur: Cursor, user_id: UserId, other_id: UserId) -> Relationship | None:
    """Return the relationship of a user to another; None without one."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS}
          FROM relationships JOIN users ON users.id = relationships.other_id
         WHERE relationships.user_id = %(user_id)s AND relationships.other_id = %(other_id)s
        """,
        {"user_id": user_id, "other_id": other_id},
    )
    return await one(cur, _make)


async def mutual_friends(cur: Cursor, viewer_id: UserId, user_id: UserId) -> list[User]:
    """Return the friends that two users share."""
    await cur.execute(
        f"""
        SELECT {users.COLUMNS}
          FROM relationships AS own
               JOIN relationships AS theirs USING (other_id, type)
               JOIN users ON users.id = own.other_id
         WHERE own.user_id = %(viewer_id)s AND theirs.user_id = %(user_id)s AND type = {_FRIEND}
      ORDER BY users.id
        """,
        {"viewer_id": viewer_id, "user_id": user_id},
    )
    return await many(cur, User)


async def counts(
    cur: Cursor, user_ids: Collection[UserId]
) -> Counter[tuple[UserId, RelationshipType]]:
    """Return the number of relationships of each user, by type."""
    await cur.execute(
        """
        SELECT user_id, type, count(*) FROM relationships
         WHERE user_id = ANY(%(user_ids)s::bigint[])
      GROUP BY user_id, type
        """,
        {"user_ids": list(user_ids)},
    )
    rows: list[Row] = await cur.fetchall()
    return Counter({(UserId(row[0]), RelationshipType(row[1])): int(row[2]) for row in rows})


async def put(cur: Cursor, user_id: UserId, other_id: UserId, kind: RelationshipType) -> None:
    """Set the relationship of a user to another."""
    await cur.execute(
        """
        INSERT INTO relationships (user_id, other_id, type)
        VALUES (%(user_id)s, %(other_id)s, %(type)s)
        ON CONFLICT (user_id, other_id)
        DO UPDATE SET type = EXCLUDED.type, since = EXCLUDED.since, nickname = NULL
        """,
        {"user_id": user_id, "other_id": other_id, "type": int(kind)},
    )


async def set_nickname(
    cur: Cursor, user_id: UserId, other_id: UserId, nickname: str | None
) -> None:
    """Set the nickname that a user gives a friend; None removes it."""
    await cur.execute(
        """
        UPDATE relationships SET nickname = %(nickname)s
         WHERE user_id = %(user_id)s AND other_id = %(other_id)s
        """,
        {"user_id": user_id, "other_id": other_id, "nickname": nickname},
    )


async def delete(cur: Cursor, user_id: UserId, other_id: UserId) -> None:
    """Delete the relationship of a user to another."""
    await cur.execute(
        "DELETE FROM relationships WHERE user_id = %(user_id)s AND other_id = %(other_id)s",
        {"user_id": user_id, "other_id": other_id},
    )


async def counterparts(cur: Cursor, user_id: UserId) -> list[UserId]:
    """Return the users that have a relationship to this one, other than a block."""
    await cur.execute(
        """
        SELECT user_id FROM relationships
         WHERE other_id = %(user_id)s AND type <> %(blocked)s
      ORDER BY user_id
        """,
        {"user_id": user_id, "blocked": _BLOCKED},
    )
    return await many(cur, UserId)


async def delete_of_deleted(cur: Cursor, user_id: UserId) -> list[tuple[UserId, RelationshipType]]:
    """Delete the relationships of a deleted account on both sides, except blocks by others.

    Return the other users whose relationship was deleted, with its type.
    """
    await cur.execute(
        """
        WITH own AS (DELETE FROM relationships WHERE user_id = %(user_id)s)
        DELETE FROM relationships WHERE other_id = %(user_id)s AND type <> %(blocked)s
        RETURNING user_id, type
        """,
        {"user_id": user_id, "blocked": _BLOCKED},
    )
    rows: list[Row] = await cur.fetchall()
    return sorted((UserId(row[0]), RelationshipType(row[1])) for row in rows)
