"""The access of webhooks to their channels, for the messages that are sent through them."""

from __future__ import annotations

from chatd.context.unit_of_work import UnitOfWork
from chatd.core import permissions
from chatd.core.errors import UnknownChannel
from chatd.core.ids import ChannelId, GuildId, UserId
from chatd.core.permissions import Permissions
from chatd.db.cursor import Cursor
from chatd.queries import access as queries
from chatd.queries.access import AccessRow
from chatd.services.access.access import WebhookAccess


async def channel(
    cur: Cursor, guild_id: GuildId, channel_id: ChannelId, account_id: UserId
) -> WebhookAccess:
    """Return the access of a webhook, whose messages show this account as their author.

    The account need not see the channel. Raises UnknownChannel.
    """
    row = await queries.in_channel(cur, channel_id, account_id)
    if row is None or row.channel is None or row.guild.id != guild_id:
        raise UnknownChannel
    granted = permissions.OF_WEBHOOKS | (_of_everyone(row) & Permissions.MENTION_EVERYONE)
    return WebhookAccess(row.guild, row.channel, row.member, granted, row.version)


async def locked_channel(
    work: UnitOfWork, guild_id: GuildId, channel_id: ChannelId, account_id: UserId
) -> WebhookAccess:
    """Lock a guild, and return the access of a webhook to a channel, valid until the commit.

    Raises UnknownChannel.
    """
    if not await work.lock(guild_id):
        raise UnknownChannel
    return await channel(work.cur, guild_id, channel_id, account_id)


def _of_everyone(row: AccessRow) -> Permissions:
    """Return the permissions of @everyone in the channel, also if it cannot see the channel."""
    everyone = int(row.guild.id)
    granted = sum(role.permissions for role in row.roles if role.id == everyone)
    for overwrite in row.overwrites:
        if overwrite.target_id == everyone:
            granted = granted & ~overwrite.deny | overwrite.allow
    return Permissions(granted)
