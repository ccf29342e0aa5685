"""Rules of AutoModeration: creating, listing, changing and deleting them.

Each change raises the revision of the rules of the guild and its permission version. So every
instance reads the new rules with the next message, and no message is stored that was checked by the
old ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from chatd.automod.patterns import PatternError, require_bounded
from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.audit import AuditAction
from chatd.core.automod import MAX_RULES, Action, ActionType, EventType, Rule, TriggerType
from chatd.core.errors import InvalidForm, UnknownAutoModRule
from chatd.core.ids import AutoModRuleId, GuildId
from chatd.core.models import ChannelType
from chatd.core.permissions import Permissions
from chatd.core.unset import UNSET, Maybe
from chatd.db.cursor import Cursor
from chatd.events import auto_moderation as events
from chatd.queries import auto_moderation, channels, roles
from chatd.services.access import access
from chatd.services.access.access import GuildAccess
from chatd.services.automod import rule_audit, rule_input
from chatd.wire.schemas.auto_moderation import AutoModRuleChange, NewAutoModRule

T = TypeVar("T")

_BLOCK: tuple[Action, ...] = (Action(ActionType.BLOCK_MESSAGE),)
"""What a new rule does that names no action."""


async def list_for_guild(ctx: Context, guild_id: GuildId) -> list[Rule]:
    """Return the rules of a guild. Needs MANAGE_GUILD.

    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        return await auto_moderation.list_for_guild(cur, guild_id)


async def get(ctx: Context, guild_id: GuildId, rule_id: AutoModRuleId) -> Rule:
    """Return a rule of a guild. Needs MANAGE_GUILD.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownAutoModRule.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        return await _get_existing(cur, guild_id, rule_id)


async def create(ctx: Context, guild_id: GuildId, wanted: NewAutoModRule) -> Rule:
    """Add a rule to a guild. Needs MANAGE_GUILD, and MODERATE_MEMBERS for a rule that times out.

    Raises UnknownGuild, MissingAccess, MissingPermissions, InvalidForm.
    """
    trigger_type = TriggerType(wanted.trigger_type)
    metadata = rule_input.metadata(trigger_type, wanted.trigger_metadata)
    actions = _BLOCK
    if wanted.actions is not UNSET:
        actions = rule_input.actions(trigger_type, wanted.actions)
    await ctx.dependencies.automod.in_thread(rule_input.require_compilable, metadata)
    rule = Rule(
        id=ctx.new_id(AutoModRuleId),
        guild_id=guild_id,
        creator_id=ctx.user.id,
        name=wanted.name,
        event_type=EventType(wanted.event_type),
        trigger_type=trigger_type,
        metadata=metadata,
        actions=actions,
        enabled=wanted.enabled is True,
        exempt_roles=_ids(wanted.exempt_roles),
        exempt_channels=_ids(wanted.exempt_channels),
    )
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        others = await auto_moderation.list_for_guild(work.cur, guild_id)
        _require_slot(others, trigger_type)
        await _require_valid(ctx, work.cur, granted, rule, others)
        await auto_moderation.insert(work.cur, rule)
        await _publish(work, guild_id)
        work.emit(events.rule_created(rule))
        await rule_audit.record(ctx, work, AuditAction.AUTO_MODERATION_RULE_CREATE, None, rule)
    return rule


async def update(
    ctx: Context, guild_id: GuildId, rule_id: AutoModRuleId, change: AutoModRuleChange
) -> Rule:
    """Change a rule. Needs MANAGE_GUILD, and MODERATE_MEMBERS for a rule that times out.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownAutoModRule, InvalidForm.
    """
    # Compiled before the guild is locked; the rule may change before that, its type does not.
    found = await get(ctx, guild_id, rule_id)
    changed = _with_changes(found, change)
    await ctx.dependencies.automod.in_thread(rule_input.require_compilable, changed.metadata)
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        before = await _get_existing(work.cur, guild_id, rule_id)
        changed = _with_changes(before, change)
        if changed == before:
            return before
        others = [
            rule
            for rule in await auto_moderation.list_for_guild(work.cur, guild_id)
            if rule.id != rule_id
        ]
        await _require_valid(ctx, work.cur, granted, changed, others, before=before)
        await auto_moderation.update(work.cur, changed)
        await _publish(work, guild_id)
        work.emit(events.rule_updated(changed))
        action = AuditAction.AUTO_MODERATION_RULE_UPDATE
        await rule_audit.record(ctx, work, action, before, changed)
    return changed


async def delete(ctx: Context, guild_id: GuildId, rule_id: AutoModRuleId) -> None:
    """Delete a rule. Needs MANAGE_GUILD.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownAutoModRule.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        rule = await _get_existing(work.cur, guild_id, rule_id)
        await auto_moderation.delete(work.cur, guild_id, rule_id)
        await _publish(work, guild_id)
        work.emit(events.rule_deleted(rule))
        await rule_audit.record(ctx, work, AuditAction.AUTO_MODERATION_RULE_DELETE, rule, None)


async def _publish(work: UnitOfWork, guild_id: GuildId) -> None:
    """Make every instance read the rules of the guild again. The guild is locked."""
    await auto_moderation.raise_revision(work.cur, guild_id)
    work.bump_version(guild_id)


async def _get_existing(cur: Cursor, guild_id: GuildId, rule_id: AutoModRuleId) -> Rule:
    rule = await auto_moderation.get(cur, guild_id, rule_id)
    if rule is None:
        raise UnknownAutoModRule
    return rule


def _with_changes(rule: Rule, change: AutoModRuleChange) -> Rule:
    """Return the rule with the fields that a change gives. Raises InvalidForm."""
    if change.trigger_type not in (UNSET, rule.trigger_type):
        text = "The trigger of a rule cannot be changed."
        raise InvalidForm.of("trigger_type", "BASE_TYPE_INVALID", text)
    if change.name is not UNSET:
        rule = replace(rule, name=change.name)
    if change.actions is not UNSET:
        rule = replace(rule, actions=rule_input.actions(rule.trigger_type, change.actions))
    if change.enabled is not UNSET:
        rule = replace(rule, enabled=change.enabled)
    if change.exempt_roles is not UNSET:
        rule = replace(rule, exempt_roles=_ids(change.exempt_roles))
    if change.exempt_channels is not UNSET:
        rule = replace(rule, exempt_channels=_ids(change.exempt_channels))
    metadata = rule_input.metadata(rule.trigger_type, change.trigger_metadata, rule.metadata)
    return replace(rule, metadata=metadata)


def _ids(given: Maybe[Sequence[T] | None]) -> tuple[T, ...]:
    return () if given is UNSET or given is None else tuple(given)


def _require_slot(rules: Iterable[Rule], trigger_type: TriggerType) -> None:
    """Raise InvalidForm if a guild has the most rules of a type."""
    limit = MAX_RULES[trigger_type]
    if sum(rule.trigger_type == trigger_type for rule in rules) >= limit:
        text = f"Maximum number of rules with this trigger reached ({limit})"
        raise InvalidForm.of("trigger_type", "AUTO_MODERATION_MAX_RULES_OF_TYPE_EXCEEDED", text)


async def _require_valid(
    ctx: Context,
    cur: Cursor,
    granted: GuildAccess,
    rule: Rule,
    others: Iterable[Rule],
    *,
    before: Rule | None = None,
) -> None:
    """Require that what a rule names exists, and that the caller may do what it does.

    What it named before may have been deleted since. Raises MissingPermissions, InvalidForm.
    """
    if any(action.type == ActionType.TIMEOUT for action in rule.actions):
        granted.require(Permissions.MODERATE_MEMBERS)
    known = () if before is None else before.actions
    for number, action in enumerate(rule.actions):
        if action.channel_id is not None and action not in known:
            channel = await channels.get(cur, rule.guild_id, action.channel_id)
            if (
                channel is None
                or channel.type == ChannelType.CATEGORY
                or not granted.can_see(channel)
            ):
                raise rule_input.unknown_alert_channel(number)
    own_roles = {role.id for role in await roles.list_for_guilds(cur, [rule.guild_id])}
    named = await channels.by_ids(cur, rule.guild_id, rule.exempt_channels)
    own_channels = {channel.id for channel in named}
    old = before or replace(rule, exempt_roles=(), exempt_channels=())
    if set(rule.exempt_roles) - own_roles - set(old.exempt_roles):
        raise InvalidForm.of("exempt_roles", "BASE_TYPE_INVALID", "Unknown role")
    if set(rule.exempt_channels) - own_channels - set(old.exempt_channels):
        raise InvalidForm.of("exempt_channels", "BASE_TYPE_INVALID", "Unknown channel")
    if rule.metadata.regex_patterns and (before is None or rule.metadata != before.metadata):
        patterns = [text for each in (*others, rule) for text in each.metadata.regex_patterns]
        try:
            await ctx.dependencies.automod.in_thread(require_bounded, patterns)
        except PatternError as error:
            raise rule_input.invalid_patterns(str(error)) from None
