"""The audit log: every moderation action writes its entry in its own transaction.

Rule: Discord docs, Audit Log resource, "Audit Log Entry Object".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatd.context.context import Context, CoreContext
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.audit import AuditAction, AuditChange, AuditEntry
from chatd.core.automod import Rule
from chatd.core.commands import Command
from chatd.core.ids import AuditEntryId, ChannelId, GuildId, UserId
from chatd.core.integrations import Integration
from chatd.core.models import User
from chatd.core.permissions import Permissions
from chatd.core.webhooks import Webhook
from chatd.db.cursor import Cursor
from chatd.events import moderation as events
from chatd.queries import (
    application_commands,
    audit_logs,
    auto_moderation,
    channels,
    integrations,
    users,
    webhooks,
)
from chatd.queries.audit_logs import AuditFilter
from chatd.services.access import access
from chatd.services.access.access import GuildAccess
from chatd.wire.schemas.query_strings import AuditPage

_MAX_OVERWRITES = 50
"""The overwrites in one value of an entry. A page of 100 entries has two values for each."""


_MAX_QUERIES = 10  # for one page; only entries about hidden deleted channels need several

_ON_WEBHOOKS = (
    AuditAction.WEBHOOK_CREATE,
    AuditAction.WEBHOOK_UPDATE,
    AuditAction.WEBHOOK_DELETE,
)
_ON_INTEGRATIONS = (
    AuditAction.INTEGRATION_CREATE,
    AuditAction.INTEGRATION_UPDATE,
    AuditAction.INTEGRATION_DELETE,
)

_ON_RULES = (
    AuditAction.AUTO_MODERATION_RULE_CREATE,
    AuditAction.AUTO_MODERATION_RULE_UPDATE,
    AuditAction.AUTO_MODERATION_RULE_DELETE,
)


@dataclass(frozen=True, slots=True)
class AuditEntries:
    """Entries of the audit log, and what they name."""

    entries: Sequence[AuditEntry]
    users: Sequence[User]
    webhooks: Sequence[Webhook]
    """The webhooks that still exist."""
    integrations: Sequence[Integration]
    """The integrations that still exist."""
    commands: Sequence[Command]
    """The application commands that still exist."""
    rules: Sequence[Rule]
    """The rules of AutoModeration that still exist."""


async def record(
    ctx: CoreContext,
    work: UnitOfWork,
    guild_id: GuildId,
    action: AuditAction,
    target_id: int | None,
    *,
    changes: Sequence[AuditChange] = (),
    options: Mapping[str, str] | None = None,
    by_account: bool = True,
) -> None:
    """Record an action of the caller, with its reason. The guild is locked.

    `by_account` is false for a caller with the token of a webhook, which has no account.
    """
    entry = AuditEntry(
        id=ctx.new_id(AuditEntryId),
        guild_id=guild_id,
        user_id=ctx.user.id if by_account else None,
        target_id=target_id,
        action=action,
        reason=ctx.reason,
        changes=changes,
        options=options or {},
    )
    await audit_logs.insert(work.cur, entry)
    work.emit(events.entry_added(entry))


async def record_all(
    ctx: CoreContext,
    work: UnitOfWork,
    guild_id: GuildId,
    action: AuditAction,
    changed: Mapping[int, Sequence[AuditChange]],
) -> None:
    """Record an action of the caller on many targets, with one entry for each. The guild is locked.

    Reordering has up to 500 targets. One statement inserts their entries.
    """
    entries = [
        AuditEntry(
            id=ctx.new_id(AuditEntryId),
            guild_id=guild_id,
            user_id=ctx.user.id,
            target_id=target_id,
            action=action,
            reason=ctx.reason,
            changes=changes,
            options={},
        )
        for target_id, changes in changed.items()
    ]
    await audit_logs.insert(work.cur, *entries)
    work.emit(*map(events.entry_added, entries))


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[AuditChange]:
    """Return the changed keys of two payloads. None is for an object that does not exist."""
    old, new = before or {}, after or {}
    return [
        _change(key, old.get(key), new.get(key))
        for key in {**new, **old}
        if key not in ("id", "guild_id") and old.get(key) != new.get(key)
    ]


def _change(key: str, before: Any, after: Any) -> AuditChange:
    if key == "permission_overwrites":
        before, after = _differing(before, after), _differing(after, before)
    change: AuditChange = {"key": key}
    if before is not None:
        change["old_value"] = before
    if after is not None:
        change["new_value"] = after
    return change


def _differing(overwrites: Any, others: Any) -> Any:
    """Return the overwrites that the other side does not have.

    A channel has up to 1,000. A change of one must not store all of them twice.
    """
    if overwrites is None:
        return None
    known = {(each["id"], each["allow"], each["deny"]) for each in others or ()}
    differing = [
        each for each in overwrites if (each["id"], each["allow"], each["deny"]) not in known
    ]
    return differing[:_MAX_OVERWRITES]


async def page(ctx: Context, guild_id: GuildId, wanted: AuditPage) -> AuditEntries:
    """Return entries, and the objects that they name. Needs VIEW_AUDIT_LOG.

    Entries about channels that the caller cannot see, or could not have seen before their deletion,
    are omitted. Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        granted.require(Permissions.VIEW_AUDIT_LOG)
        entries = await _visible_entries(cur, granted, wanted)
        webhook_ids = _targets(entries, _ON_WEBHOOKS)
        application_ids = _targets(entries, _ON_INTEGRATIONS)
        return AuditEntries(
            entries,
            await users.by_ids(cur, _named(entries)),
            await webhooks.by_ids(cur, guild_id, webhook_ids) if webhook_ids else [],
            await integrations.by_ids(cur, guild_id, application_ids) if application_ids else [],
            await _commands(cur, guild_id, entries),
            await _rules(cur, guild_id, entries, granted),
        )


async def _visible_entries(
    cur: Cursor, granted: GuildAccess, wanted: AuditPage
) -> list[AuditEntry]:
    """Return the wanted entries but those about channels that the caller cannot see."""
    guild_id = granted.guild.id
    there = await channels.overwrites_for_member(cur, [guild_id], granted.targets)
    known = {channel.id: granted.can_see(channel) for channel in there}
    filter_ = AuditFilter(
        wanted.user_id, wanted.target_id, wanted.action_type or None, wanted.before, wanted.after
    )
    entries: list[AuditEntry] = []
    for _ in range(_MAX_QUERIES):
        hidden = [channel_id for channel_id, is_seen in known.items() if not is_seen]
        room = wanted.limit - len(entries)
        found = await audit_logs.page(cur, guild_id, filter_, hidden=hidden, limit=room)
        await _resolve_deleted(cur, granted, found, known)
        entries += _visible(found, known)
        if len(entries) == wanted.limit or len(found) < room:
            break
        filter_ = filter_.from_entry(found[-1])
    return entries


def _visible(entries: Iterable[AuditEntry], known: Mapping[ChannelId, bool]) -> list[AuditEntry]:
    return [each for each in entries if each.channel_id is None or known[each.channel_id]]


async def _commands(cur: Cursor, guild_id: GuildId, entries: Iterable[AuditEntry]) -> list[Command]:
    """Return the application commands in entries that still exist."""
    named = _targets(entries, (AuditAction.APPLICATION_COMMAND_PERMISSION_UPDATE,))
    found = await application_commands.by_ids(cur, named) if named else []
    return [each for each in found if each.guild_id in (None, guild_id)]


async def _rules(
    cur: Cursor, guild_id: GuildId, entries: Iterable[AuditEntry], granted: GuildAccess
) -> list[Rule]:
    """Return the rules of AutoModeration in entries that still exist, if the caller may read
    them."""
    named = _targets(entries, _ON_RULES)
    if not named or Permissions.MANAGE_GUILD not in granted.permissions:
        return []
    return await auto_moderation.by_ids(cur, guild_id, named)


async def _resolve_deleted(
    cur: Cursor,
    granted: GuildAccess,
    entries: Iterable[AuditEntry],
    known: dict[ChannelId, bool],
) -> None:
    """Determine which deleted channels the caller could have seen, with its current roles.

    If not all overwrites of a channel were stored, only administrators see its entries.
    """
    named = {each.channel_id for each in entries if each.channel_id is not None}
    deleted = named - known.keys()
    if not deleted:
        return
    at_deletion = await audit_logs.overwrites_at_deletion(cur, granted.guild.id, deleted)
    for channel_id in deleted:
        overwrites = at_deletion.get(channel_id)
        if overwrites is None or len(overwrites) >= _MAX_OVERWRITES:
            known[channel_id] = Permissions.ADMINISTRATOR in granted.permissions
        else:
            known[channel_id] = Permissions.VIEW_CHANNEL in granted.in_channel_with(overwrites)


def _targets(entries: Iterable[AuditEntry], actions: Collection[AuditAction]) -> list[int]:
    """Return the targets of those entries that are about one of these actions."""
    return [
        entry.target_id
        for entry in entries
        if entry.action in actions and entry.target_id is not None
    ]


def _named(entries: Iterable[AuditEntry]) -> set[UserId]:
    named = {entry.user_id for entry in entries if entry.user_id is not None}
    return named | {UserId(entry.target_id) for entry in entries if entry.target_id is not None}
