"""Following announcement channels: a channel gets the messages that are published in another one.

Rule: Discord docs, Channel resource, "Follow Announcement Channel".
"""

from __future__ import annotations

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.errors import UnknownChannel, WrongChannelType
from chatd.core.ids import ChannelId, StreamId, WebhookId
from chatd.core.models import ChannelType, Guild, MessageOrigin, MessageSource, MessageType
from chatd.core.webhooks import MAX_NAME_LENGTH, Webhook, WebhookType
from chatd.db.cursor import Cursor
from chatd.queries import webhooks as queries
from chatd.services.access import access
from chatd.services.access.access import ChannelAccess
from chatd.services.messages.drafts import Draft, insert_draft
from chatd.services.webhooks import webhooks


async def follow(ctx: Context, source_id: ChannelId, target_id: ChannelId) -> WebhookId:
    """Let a channel follow an announcement channel. Return the webhook that sends its messages.

    The caller needs MANAGE_WEBHOOKS in the channel that follows, and has to see the other one. A
    channel that follows it already keeps its webhook. Raises UnknownChannel, MissingAccess,
    MissingPermissions, NotInPrivate, WrongChannelType, TooManyWebhooks, TooManyGuildWebhooks.
    """
    async with ctx.database.cursor() as cur:
        found = await _both(cur, ctx, source_id, target_id)
    guild_ids = {StreamId(each.guild.id) for each in found}
    async with ctx.begin() as work:
        if await work.lock_all(guild_ids) != len(guild_ids):
            raise UnknownChannel
        source, target = await _both(work.cur, ctx, source_id, target_id)
        webhooks.require_usable(target)
        if source.channel.type != ChannelType.ANNOUNCEMENT or source_id == target_id:
            raise WrongChannelType
        known = await queries.follower_id(work.cur, source_id, target_id)
        if known is not None:
            return known
        webhook = await _new_webhook(ctx, work.cur, source, target)
        await webhooks.insert(ctx, work, webhook, source=source_id)
        await _post_message(ctx, work, webhook, source, target)
    return webhook.id


async def _both(
    cur: Cursor, ctx: Context, source_id: ChannelId, target_id: ChannelId
) -> tuple[ChannelAccess, ChannelAccess]:
    """Return the access of the caller to both channels.

    Raises UnknownChannel, MissingAccess, NotInPrivate.
    """
    source = await access.guild_channel(cur, ctx.user.id, source_id)
    return source, await access.guild_channel(cur, ctx.user.id, target_id)


async def _new_webhook(
    ctx: Context, cur: Cursor, source: ChannelAccess, target: ChannelAccess
) -> Webhook:
    """Return a webhook with the names of the source and with the icon of its guild."""
    webhook_id = ctx.new_id(WebhookId)
    return Webhook(
        id=webhook_id,
        type=WebhookType.CHANNEL_FOLLOWER,
        guild_id=target.guild.id,
        channel_id=target.channel.id,
        application_id=None,
        name=_name(source),
        avatar=await _avatar(ctx, cur, webhook_id, source.guild, target),
        creator=ctx.user,
    )


async def _avatar(
    ctx: Context, cur: Cursor, webhook_id: WebhookId, guild: Guild, target: ChannelAccess
) -> str | None:
    """Return the name of a picture that redirects to the icon of the source's guild."""
    if guild.icon is None:
        return None
    tokens = ctx.dependencies.webhook_tokens
    url = tokens.icon_url(guild.id, guild.icon)
    name = tokens.picture_name(webhook_id, url)
    await queries.insert_avatar(cur, webhook_id, target.guild.id, name=name, url=url)
    return name


def _name(source: ChannelAccess) -> str:
    """Return the name that copies show as their author: the guild and the channel."""
    return f"{source.guild.name} #{source.channel.name}"[:MAX_NAME_LENGTH].rstrip()


async def _post_message(
    ctx: Context,
    work: UnitOfWork,
    webhook: Webhook,
    source: ChannelAccess,
    target: ChannelAccess,
) -> None:
    """Post a message of the caller about the channel that is followed now."""
    await insert_draft(
        ctx,
        work,
        Draft(
            author=ctx.user,
            member=target.member,
            location=target.location,
            type=MessageType.CHANNEL_FOLLOW_ADD,
            content=_name(source),
            origin=MessageOrigin(
                webhook.id, source=MessageSource(source.guild.id, source.channel.id)
            ),
        ),
    )
