"""Webhooks of channels, and the pictures that their messages name by URL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chatd.core.ids import ChannelId, GuildId, UserId, WebhookId
from chatd.core.models import BareChannel, Guild
from chatd.core.webhooks import Webhook, WebhookSource, WebhookType
from chatd.db.cursor import Cursor, PreparedStatement, many, one
from chatd.queries import channels, guilds, users

_COLUMNS = f"""
    webhooks.id, webhooks.type, webhooks.guild_id, webhooks.channel_id, webhooks.application_id,
    webhooks.name, webhooks.avatar, {users.COLUMNS},
    source_guilds.id, source_guilds.name, source_guilds.icon,
    source_channels.id, source_channels.name
"""
_JOINS = """
    JOIN users ON users.id = webhooks.creator_id
    LEFT JOIN guild_members AS creators
           ON creators.user_id = webhooks.creator_id
          AND creators.guild_id = (SELECT guild_id FROM channels
                                    WHERE channels.id = webhooks.source_channel_id)
    LEFT JOIN channels AS source_channels
           ON source_channels.id = webhooks.source_channel_id
          AND source_channels.guild_id = creators.guild_id
    LEFT JOIN guilds AS source_guilds ON source_guilds.id = source_channels.guild_id
"""
"""A source is shown while the creator of the webhook is a member of its guild."""

_SELECT = f"SELECT {_COLUMNS} FROM webhooks {_JOINS}"


def _make(*row: Any) -> Webhook:
    webhook_id, kind, guild_id, channel_id, application_id, name, avatar = row[:7]
    creator, source = users.split_row(row[7:])
    return Webhook(
        webhook_id,
        WebhookType(kind),
        guild_id,
        channel_id,
        application_id,
        name,
        avatar,
        creator,
        None if source[0] is None else WebhookSource(*source),
    )


async def insert(
    cur: Cursor, webhook: Webhook, *, source_channel_id: ChannelId | None = None
) -> None:
    """Add a webhook to its channel."""
    await cur.execute(
        """
        INSERT INTO webhooks (id, type, guild_id, channel_id, creator_id, application_id, name,
                              avatar, source_channel_id)
        VALUES (%(id)s, %(type)s, %(guild_id)s, %(channel_id)s, %(creator_id)s,
                %(application_id)s, %(name)s, %(avatar)s, %(source_channel_id)s)
        """,
        {
            "id": webhook.id,
            "type": int(webhook.type),
            "guild_id": webhook.guild_id,
            "channel_id": webhook.channel_id,
            "creator_id": webhook.creator.id,
            "application_id": webhook.application_id,
            "name": webhook.name,
            "avatar": webhook.avatar,
            "source_channel_id": source_channel_id,
        },
    )


async def update(cur: Cursor, webhook: Webhook) -> None:
    """Write all columns of a webhook that can change."""
    await cur.execute(
        """
        UPDATE webhooks SET name = %(name)s, avatar = %(avatar)s, channel_id = %(channel_id)s
         WHERE id = %(id)s AND guild_id = %(guild_id)s
        """,
        {
            "id": webhook.id,
            "guild_id": webhook.guild_id,
            "name": webhook.name,
            "avatar": webhook.avatar,
            "channel_id": webhook.channel_id,
        },
    )


async def delete(cur: Cursor, webhook_id: WebhookId) -> None:
    """Delete a webhook. A trigger schedules the deletion of its picture."""
    await cur.execute("DELETE FROM webhooks WHERE id = %(id)s", {"id": webhook_id})


async def delete_for_application(
    cur: Cursor, guild_id: GuildId, application_id: UserId
) -> set[ChannelId]:
    """Delete the webhooks that a bot has created in a guild; return their channels."""
    await cur.execute(
        """
        DELETE FROM webhooks
         WHERE guild_id = %(guild_id)s AND application_id = %(application_id)s
        RETURNING channel_id
        """,
        {"guild_id": guild_id, "application_id": application_id},
    )
    return set(await many(cur, ChannelId))


async def get(cur: Cursor, webhook_id: WebhookId) -> Webhook | None:
    """Return one webhook."""
    await cur.execute(f"{_SELECT} WHERE webhooks.id = %(id)s", {"id": webhook_id})
    return await one(cur, _make)


async def by_ids(cur: Cursor, guild_id: GuildId, webhook_ids: Iterable[int]) -> list[Webhook]:
    """Return those of these webhooks that a guild has, in the order of ids."""
    await cur.execute(
        f"""
        {_SELECT}
         WHERE webhooks.guild_id = %(guild_id)s AND webhooks.id = ANY(%(ids)s::bigint[])
      ORDER BY webhooks.id
        """,
        {"guild_id": guild_id, "ids": list(webhook_ids)},
    )
    return await many(cur, _make)


async def list_for_channel(cur: Cursor, channel_id: ChannelId) -> list[Webhook]:
    """Return the webhooks of a channel, in the order of ids."""
    await cur.execute(
        f"{_SELECT} WHERE webhooks.channel_id = %(channel_id)s ORDER BY webhooks.id",
        {"channel_id": channel_id},
    )
    return await many(cur, _make)


async def list_for_guild(cur: Cursor, guild_id: GuildId) -> list[Webhook]:
    """Return the webhooks of all channels of a guild, in the order of ids."""
    await cur.execute(
        f"{_SELECT} WHERE webhooks.guild_id = %(guild_id)s ORDER BY webhooks.id",
        {"guild_id": guild_id},
    )
    return await many(cur, _make)


async def list_followers(
    cur: Cursor, source_channel_id: ChannelId, *, after: int, until: int, limit: int
) -> list[Webhook]:
    """Return webhooks that follow a channel, after one and up to another, in the order of ids."""
    await cur.execute(
        f"""
        {_SELECT}
         WHERE webhooks.source_channel_id = %(source_channel_id)s
           AND webhooks.id > %(after)s AND webhooks.id <= %(until)s
      ORDER BY webhooks.id
         LIMIT %(limit)s
        """,
        {
            "source_channel_id": source_channel_id,
            "after": after,
            "until": until,
            "limit": limit,
        },
    )
    return await many(cur, _make)


async def follower_id(
    cur: Cursor, source_channel_id: ChannelId, channel_id: ChannelId
) -> WebhookId | None:
    """Return the webhook by which one channel follows another; None without one."""
    await cur.execute(
        """
        SELECT id FROM webhooks
         WHERE source_channel_id = %(source_channel_id)s AND channel_id = %(channel_id)s
      ORDER BY id
         LIMIT 1
        """,
        {"source_channel_id": source_channel_id, "channel_id": channel_id},
    )
    return await one(cur, WebhookId)


async def counts(cur: Cursor, guild_id: GuildId, channel_id: ChannelId) -> tuple[int, int]:
    """Return the number of webhooks of a channel, and that of its guild."""
    await cur.execute(
        """
        SELECT count(*) FILTER (WHERE channel_id = %(channel_id)s), count(*)
          FROM webhooks WHERE guild_id = %(guild_id)s
        """,
        {"guild_id": guild_id, "channel_id": channel_id},
    )
    row = await cur.fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


@dataclass(frozen=True, slots=True)
class Sending:
    """What a message of a webhook is authorized with, as of one permission version of the guild."""

    webhook: Webhook
    guild: Guild
    channel: BareChannel
    version: int


_FOR_SENDING = PreparedStatement(
    f"""
    SELECT {_COLUMNS}, {guilds.COLUMNS}, streams.version, {channels.BARE_COLUMNS}
      FROM webhooks {_JOINS}
           JOIN guilds ON guilds.id = webhooks.guild_id
           JOIN channels ON channels.id = webhooks.channel_id
           JOIN streams ON streams.id = webhooks.guild_id
     WHERE webhooks.id = %(id)s
    """,
    id="bigint",
)
_COLUMN_COUNT = 7 + users.COLUMN_COUNT + 5


def _make_sending(*row: Any) -> Sending:
    webhook, rest = _make(*row[:_COLUMN_COUNT]), row[_COLUMN_COUNT:]
    guild, (version, *channel) = Guild(*rest[: guilds.COLUMN_COUNT]), rest[guilds.COLUMN_COUNT :]
    return Sending(webhook, guild, channels.make_bare(*channel), version)


async def for_sending(cur: Cursor, webhook_id: WebhookId) -> Sending | None:
    """Return a webhook with what its messages need; None if it does not exist."""
    await cur.run(_FOR_SENDING, {"id": webhook_id})
    return await one(cur, _make_sending)


async def insert_avatar(
    cur: Cursor, webhook_id: WebhookId, guild_id: GuildId, *, name: str, url: str
) -> None:
    """Record the URL of a picture that messages of a webhook show, under the hash `name`."""
    await cur.execute(
        """
        INSERT INTO webhook_avatars (webhook_id, hash, guild_id, url)
        VALUES (%(webhook_id)s, %(hash)s, %(guild_id)s, %(url)s)
        ON CONFLICT DO NOTHING
        """,
        {"webhook_id": webhook_id, "hash": name, "guild_id": guild_id, "url": url},
    )


async def avatar_url(cur: Cursor, webhook_id: int, name: str) -> str | None:
    """Return the URL of a picture that messages of a webhook show, by its hash."""
    await cur.execute(
        "SELECT url FROM webhook_avatars WHERE webhook_id = %(webhook_id)s AND hash = %(hash)s",
        {"webhook_id": webhook_id, "hash": name},
    )
    return await one(cur, str)
