"""Read states: how far a user has read, and what it has not."""

from __future__ import annotations

from chatd.context import Context
from chatd.core import snowflake
from chatd.core.ids import ChannelId, MessageId, RoleId
from chatd.core.models import ChannelType, ReadState
from chatd.core.permissions import Permissions
from chatd.events import private_channels as events
from chatd.queries import private_channels, read_states
from chatd.services import access, snapshots
from chatd.services.sending import check_is_text


async def acknowledge(
    ctx: Context, channel_id: ChannelId, message_id: MessageId, *, back: bool
) -> None:
    """Say that one has read up to a message; with `back`, no further than that.

    Raises UnknownChannel, MissingAccess, NotATextChannel.
    """
    async with ctx.begin() as work:
        granted = await access.channel(work.cur, ctx.user.id, channel_id)
        check_is_text(granted)
        granted.require(Permissions.VIEW_CHANNEL)
        await work.open(ctx.user.id)
        await access.require_account(work.cur, ctx.user.id)  # nothing is kept of a deleted one
        moved = await read_states.move(work.cur, ctx.user.id, channel_id, message_id, back=back)
        if moved is not None:
            work.emit(events.read_state_changed(ctx.user.id, channel_id, moved))


async def of_caller(ctx: Context) -> list[ReadState]:
    """What the caller has read of every channel that it may see, and has not.

    In a guild, what was there before it joined counts as read.
    """
    user_id = ctx.user.id
    async with ctx.database.cursor() as cur:
        since: dict[ChannelId, int] = {}
        roles: list[RoleId] = []
        for guild in await snapshots.of_user(cur, user_id, large_threshold=0):
            roles += guild.own.roles
            joined = snowflake.at(guild.own.joined_at)
            text = (each for each in guild.visible if each.type != ChannelType.CATEGORY)
            since |= {channel.id: joined for channel in text}
        for private in await private_channels.open_of_user(cur, user_id):
            since[private.id] = 0
        return await read_states.of_user(cur, user_id, since, since=since, roles=roles)
