"""Settings of accounts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from chatd.core.ids import GuildId, UserId
from chatd.core.relationships import (
    AccountSettings,
    DirectMessages,
    FriendSources,
    UserSettings,
)
from chatd.db.cursor import Cursor, PreparedStatement, one
from chatd.wire.protobuf.settings import SettingsType

_DEFAULTS = UserSettings()
_FOR_USER = PreparedStatement(
    f"""
    SELECT coalesce(direct_messages, {_DEFAULTS.direct_messages:d}),
           coalesce(friend_sources, {_DEFAULTS.friend_sources:d}),
           coalesce(default_guilds_restricted, {_DEFAULTS.default_guilds_restricted}),
           ARRAY(SELECT guild_id FROM guild_members JOIN guilds ON guilds.id = guild_id
                  WHERE guild_members.user_id = wanted.id AND dms_restricted
               ORDER BY guild_id),
           coalesce((SELECT settings FROM user_settings_protos AS protos
                      WHERE protos.user_id = wanted.id AND type = {SettingsType.PRELOADED:d}), '')
      FROM (VALUES (%(user_id)s)) AS wanted (id)
           LEFT JOIN user_settings ON user_settings.user_id = wanted.id
    """,
    user_id="bigint",
)


async def get(cur: Cursor, user_id: UserId) -> AccountSettings:
    """Return the settings of a user; the defaults if it has changed nothing."""
    await cur.run(_FOR_USER, {"user_id": user_id})
    found = await one(cur, _make)
    assert found is not None
    return found


def _make(*row: Any) -> AccountSettings:
    direct_messages, friend_sources, default_guilds_restricted, restricted, preloaded = row
    effective = UserSettings(
        DirectMessages(direct_messages),
        FriendSources(friend_sources),
        default_guilds_restricted,
        tuple(GuildId(each) for each in restricted),
    )
    return AccountSettings(effective, bytes(preloaded))


async def put(cur: Cursor, user_id: UserId, settings: UserSettings) -> None:
    """Write the settings of a user, except for the restricted guilds."""
    await cur.execute(
        """
        INSERT INTO user_settings (user_id, direct_messages, friend_sources,
                                   default_guilds_restricted)
        VALUES (%(user_id)s, %(direct_messages)s, %(friend_sources)s, %(restricted)s)
        ON CONFLICT (user_id) DO UPDATE
           SET direct_messages = EXCLUDED.direct_messages,
               friend_sources = EXCLUDED.friend_sources,
               default_guilds_restricted = EXCLUDED.default_guilds_restricted
        """,
        {
            "user_id": user_id,
            "direct_messages": int(settings.direct_messages),
            "friend_sources": int(settings.friend_sources),
            "restricted": settings.default_guilds_restricted,
        },
    )


async def restrict_guilds(cur: Cursor, user_id: UserId, guild_ids: Collection[GuildId]) -> None:
    """Restrict direct messages from members of exactly these guilds of a user."""
    await cur.execute(
        """
        UPDATE guild_members SET dms_restricted = NOT dms_restricted
         WHERE user_id = %(user_id)s
           AND dms_restricted <> (guild_id = ANY(%(guild_ids)s::bigint[]))
        """,
        {"user_id": user_id, "guild_ids": list(guild_ids)},
    )


async def get_proto(cur: Cursor, user_id: UserId, kind: SettingsType) -> tuple[int, bytes]:
    """Return how often a message of settings was changed, and the message; 0 and empty before."""
    await cur.execute(
        """
        SELECT data_version, settings FROM user_settings_protos
         WHERE user_id = %(user_id)s AND type = %(type)s
        """,
        {"user_id": user_id, "type": int(kind)},
    )
    row = await cur.fetchone()
    return (int(row[0]), bytes(row[1])) if row else (0, b"")


async def put_proto(
    cur: Cursor, user_id: UserId, kind: SettingsType, data_version: int, settings: bytes
) -> None:
    """Replace a message of settings of a user."""
    await cur.execute(
        """
        INSERT INTO user_settings_protos (user_id, type, data_version, settings)
        VALUES (%(user_id)s, %(type)s, %(data_version)s, %(settings)s)
        ON CONFLICT (user_id, type) DO UPDATE
           SET data_version = EXCLUDED.data_version, settings = EXCLUDED.settings
        """,
        {
            "user_id": user_id,
            "type": int(kind),
            "data_version": data_version,
            "settings": settings,
        },
    )


async def delete(cur: Cursor, user_id: UserId) -> None:
    """Delete the settings of a user."""
    await cur.execute(
        """
        WITH protos AS (DELETE FROM user_settings_protos WHERE user_id = %(user_id)s)
        DELETE FROM user_settings WHERE user_id = %(user_id)s
        """,
        {"user_id": user_id},
    )
