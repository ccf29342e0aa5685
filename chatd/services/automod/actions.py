"""What triggered rules do: block, alert, time out. Each action is reported and recorded.

All actions of a message are one transaction. A blocked message is checked against the permissions
of its guild again, as the insert of any other message is: rules may have changed since.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chatd.automod.rule_set import Triggered
from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.audit import AuditAction
from chatd.core.automod import Action, ActionType
from chatd.core.errors import ApiError, MessageBlocked
from chatd.core.ids import ChannelId, MessageId
from chatd.core.models import Embed, Member, MessageLocation, MessageType
from chatd.events import auto_moderation as events
from chatd.events import members as member_events
from chatd.queries import channels, members
from chatd.services.access import access
from chatd.services.access.access import ChannelAccess
from chatd.services.automod.screening import Verdict
from chatd.services.guilds import audit_log
from chatd.services.messages.batch_writer import StaleAuthorization
from chatd.services.messages.drafts import Draft, insert_draft
from chatd.wire.schemas.excerpts import cut

log = logging.getLogger(__name__)

_MAX_EXCERPT = 4096
"""Characters of a message that an alert shows: those of the description of an embed."""


async def block(ctx: Context, granted: ChannelAccess, verdict: Verdict) -> MessageBlocked:
    """Execute the actions of a new message that is not sent. Returns the error for its author.

    Raises StaleAuthorization if permissions or rules of the guild have changed since the check.
    """
    async with ctx.begin() as work:
        current = await access.locked_guild_channel(work, ctx.user.id, granted.channel.id)
        if current.version != granted.version:
            raise StaleAuthorization
        await execute(ctx, work, current, verdict)
    return blocked(verdict)


async def follow_up(
    ctx: Context, granted: ChannelAccess, verdict: Verdict, message_id: MessageId
) -> None:
    """Execute the actions of a message that was sent: no rule blocks it.

    The message is stored already, so what fails here does not fail the request.
    """
    try:
        async with ctx.begin() as work:
            current = await access.locked_guild_channel(work, ctx.user.id, granted.channel.id)
            await execute(ctx, work, current, verdict, message_id)
    except ApiError as error:  # its author has left, or Postgres is away
        log.warning("no actions of AutoModeration on message %d: %s", message_id, error)


def blocked(verdict: Verdict) -> MessageBlocked:
    """Return the error for a message that is not sent, with the text of the rule if it has one."""
    for each in verdict.triggered:
        for action in each.rule.actions:
            if action.type == ActionType.BLOCK_MESSAGE:
                return MessageBlocked(action.custom_message)
    return MessageBlocked()


async def execute(
    ctx: Context,
    work: UnitOfWork,
    granted: ChannelAccess,
    verdict: Verdict,
    message_id: MessageId | None = None,
) -> None:
    """Execute the actions of all triggered rules. The guild is locked.

    `message_id` is None for a message that is not sent.
    """
    ctx = replace(ctx, reason=None)  # that of the author of the message is no moderator's
    location, member = granted.location, granted.member
    for triggered in verdict.triggered:
        for action in triggered.rule.actions:
            alert_id: MessageId | None = None
            if action.type == ActionType.SEND_ALERT_MESSAGE:
                embed = _alert(ctx, granted, verdict, triggered, message_id)
                alert_id = await _send_alert(ctx, work, granted, action, embed)
                if alert_id is None:
                    continue
            if action.type == ActionType.TIMEOUT:
                member = await _time_out(work, member, action)
            await _record(ctx, work, location.channel_id, triggered, action)
            work.emit(
                events.action_executed(
                    triggered.rule,
                    action,
                    triggered.match,
                    ctx.user.id,
                    channel_id=location.channel_id,
                    message_id=message_id,
                    alert_id=alert_id,
                    content=verdict.text,
                )
            )


async def _send_alert(
    ctx: Context, work: UnitOfWork, granted: ChannelAccess, action: Action, embed: Embed
) -> MessageId | None:
    """Send an alert. Returns None if its channel does not exist any more."""
    guild_id = granted.guild.id
    assert action.channel_id is not None
    channel = await channels.get(work.cur, guild_id, action.channel_id)
    if channel is None:
        return None
    draft = Draft(
        author=ctx.user,
        member=granted.member,
        location=MessageLocation(channel.id, guild_id),
        type=MessageType.AUTO_MODERATION_ACTION,
        embeds=[embed],
    )
    return (await insert_draft(ctx, work, draft)).id


def _alert(
    ctx: Context,
    granted: ChannelAccess,
    verdict: Verdict,
    triggered: Triggered,
    message_id: MessageId | None,
) -> Embed:
    """Return the embed of an alert: the message, and in its fields what was found."""
    seconds = next((a.duration_s for a in triggered.rule.actions if a.duration_s is not None), None)
    fields: Mapping[str, str | None] = {
        "rule_name": triggered.rule.name,
        "channel_id": str(granted.channel.id),
        "decision_id": str(ctx.new_id(MessageId)),
        "decision_outcome": "blocked" if message_id is None else "flagged",
        "keyword": triggered.match.keyword,
        "keyword_matched_content": cut(triggered.match.content or "", 1024) or None,
        "flagged_message_id": None if message_id is None else str(message_id),
        "timeout_duration": None if seconds is None else str(seconds),
    }
    return {
        "type": "auto_moderation_message",
        "description": cut(verdict.text, _MAX_EXCERPT),
        "fields": [
            {"name": name, "value": value, "inline": False}
            for name, value in fields.items()
            if value is not None
        ],
    }


async def _time_out(work: UnitOfWork, member: Member, action: Action) -> Member:
    """Time a member out, unless it is already for longer. Returns the changed member."""
    assert action.duration_s is not None
    until = datetime.now(UTC) + timedelta(seconds=action.duration_s)
    if until.timestamp() <= member.timeout_end:
        return member
    guild_id, user_id = member.guild_id, member.user.id
    await members.update(
        work.cur, guild_id, user_id, nick=member.nick, communication_disabled_until=until
    )
    work.bump_version(guild_id)
    changed = replace(member, communication_disabled_until=until)
    work.emit(member_events.member_updated(changed))
    return changed


_RECORDED = {
    ActionType.BLOCK_MESSAGE: AuditAction.AUTO_MODERATION_BLOCK_MESSAGE,
    ActionType.SEND_ALERT_MESSAGE: AuditAction.AUTO_MODERATION_FLAG_TO_CHANNEL,
    ActionType.TIMEOUT: AuditAction.AUTO_MODERATION_USER_COMMUNICATION_DISABLED,
}


async def _record(
    ctx: Context, work: UnitOfWork, channel_id: ChannelId, triggered: Triggered, action: Action
) -> None:
    await audit_log.record(
        ctx,
        work,
        triggered.rule.guild_id,
        _RECORDED[action.type],
        ctx.user.id,
        options={
            "auto_moderation_rule_name": triggered.rule.name,
            "auto_moderation_rule_trigger_type": f"{triggered.rule.trigger_type:d}",
            "channel_id": str(channel_id),
        },
    )
