"""Decisions about reports: by administrators of the server, and by the operator.

A decision is carried out first, by the service that does it otherwise, and recorded then. A lease
of the report keeps a second administrator out for that time. If carrying it out fails, the report
stays open; each act can be repeated.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass

from chatd.context.context import Context
from chatd.context.dependencies import CoreDependencies
from chatd.core.audit import AuditAction, AuditEntry
from chatd.core.errors import (
    AlreadyResolved,
    InvalidForm,
    MissingPermissions,
    UnknownGuild,
    UnknownReport,
    UnknownUser,
)
from chatd.core.ids import AuditEntryId, ChannelId, MessageId, UserId
from chatd.core.reports import Report, ReportKind, ReportOutcome, Subject
from chatd.db.cursor import Cursor
from chatd.events import messages as message_events
from chatd.events import moderation as moderation_events
from chatd.queries import administration as account_queries
from chatd.queries import audit_logs, messages, reports
from chatd.queries.retention import PurgedChannel
from chatd.services.accounts import administration, administrators
from chatd.services.maintenance.retention import locked_location
from chatd.wire.schemas.reports import ReportDecision, ReportPage

log = logging.getLogger(__name__)

_LEASE_S = 60.0  # deleting a guild takes some statements, each of at most 10 s
_REASON = "By an administrator of the server, after a report"

_ALLOWED = {
    ReportOutcome.MESSAGE_DELETED: {ReportKind.MESSAGE},
    ReportOutcome.USER_DISABLED: {ReportKind.MESSAGE, ReportKind.USER},
    ReportOutcome.USER_WARNED: {ReportKind.MESSAGE, ReportKind.USER},
    ReportOutcome.GUILD_DELETED: {ReportKind.GUILD},
}
"""The kinds of reports that an outcome is for; the others are for all."""


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides: an administrator of the server, or the operator on the command line (None)."""

    user_id: UserId | None


async def page(ctx: Context, wanted: ReportPage) -> list[Report]:
    """Return a page of reports, the oldest first. Raises MissingPermissions, MfaRequired."""
    async with ctx.database.cursor() as cur:
        await administrators.require(ctx, cur)
        return await reports.page(cur, state=wanted.state, after=wanted.after, limit=wanted.limit)


async def get(ctx: Context, report_id: int) -> Report:
    """Return a report. Raises MissingPermissions, MfaRequired, UnknownReport."""
    async with ctx.database.cursor() as cur:
        await administrators.require(ctx, cur)
        return await existing(cur, report_id)


async def existing(cur: Cursor, report_id: int) -> Report:
    """Return a report. Raises UnknownReport."""
    found = await reports.get(cur, report_id)
    if found is None:
        raise UnknownReport
    return found


async def resolve_by_caller(ctx: Context, report_id: int, decision: ReportDecision) -> Report:
    """Resolve a report as an administrator of the server.

    Raises MissingPermissions, MfaRequired, UnknownReport, AlreadyResolved, InvalidForm,
    UnknownUser.
    """
    async with ctx.database.cursor() as cur:
        await administrators.require(ctx, cur)
    report = await resolve(ctx.dependencies, report_id, decision, Decider(ctx.user.id))
    log.warning("administrator %d resolved report %d: %s", ctx.user.id, report_id, decision.outcome)
    return report


async def resolve(
    dependencies: CoreDependencies, report_id: int, decision: ReportDecision, decider: Decider
) -> Report:
    """Carry out a decision about an open report, and record it with its decider.

    Raises UnknownReport, AlreadyResolved, InvalidForm, MissingPermissions, UnknownUser.
    """
    outcome = ReportOutcome(decision.outcome)
    async with dependencies.database.cursor() as cur:
        report = await existing(cur, report_id)
        if report.resolution is not None:
            raise AlreadyResolved
        _require_fitting(report.subject, outcome)
        if outcome is ReportOutcome.USER_DISABLED:
            await _require_can_disable(cur, report.subject, decider)
        if not await reports.claim(cur, report.id, lease_s=_LEASE_S):
            raise AlreadyResolved
    try:
        await _carry_out(dependencies, report.subject, outcome)
    except BaseException:
        async with dependencies.database.cursor() as cur:
            await reports.release(cur, report.id)
        raise
    async with dependencies.database.cursor() as cur:
        await reports.resolve(
            cur,
            report,
            outcome=outcome,
            note=decision.note,
            resolver_id=decider.user_id,
            similar=decision.similar,
        )
        return await existing(cur, report.id)


def _require_fitting(subject: Subject, outcome: ReportOutcome) -> None:
    if subject.kind not in _ALLOWED.get(outcome, set(ReportKind)):
        text = f"A report of a {subject.kind} cannot have this outcome."
        raise InvalidForm.of("outcome", "REPORT_OUTCOME_INVALID", text)


async def _require_can_disable(cur: Cursor, subject: Subject, decider: Decider) -> None:
    """Raise UnknownUser without an account, and MissingPermissions for an administrator's.

    A webhook, and a deleted account, has none to disable. Only the operator can disable
    administrators.
    """
    assert subject.user_id is not None
    found = await account_queries.get_account(cur, user_id=subject.user_id)
    if found is None or found.deleted_at is not None:
        raise UnknownUser
    if found.is_administrator and decider.user_id is not None:
        raise MissingPermissions


async def _carry_out(
    dependencies: CoreDependencies, subject: Subject, outcome: ReportOutcome
) -> None:
    """Do what an outcome says. What is gone already is no error."""
    match outcome:
        case ReportOutcome.MESSAGE_DELETED:
            await _delete_message(dependencies, subject)
        case ReportOutcome.USER_DISABLED:
            assert subject.user_id is not None
            await administration.disable(dependencies, subject.user_id)
        case ReportOutcome.GUILD_DELETED:
            with contextlib.suppress(UnknownGuild):
                async with dependencies.database.cursor() as cur:
                    guild = await administration.find_guild(cur, str(subject.id))
                await administration.delete_guild(dependencies, guild)


async def _delete_message(dependencies: CoreDependencies, subject: Subject) -> None:
    """Delete a message, with its event, and an entry in the audit log of its guild."""
    assert subject.channel_id is not None
    channel, message_id = ChannelId(subject.channel_id), MessageId(subject.id)
    async with dependencies.begin() as work:
        if not await work.lock_of_channel(channel):
            return
        location = await locked_location(work, PurgedChannel(channel, subject.guild_id))
        if not await messages.delete(work.cur, channel, message_id):
            return
        work.emit(*message_events.message_deleted(message_id, location))
        if subject.guild_id is not None:
            entry = AuditEntry(
                id=dependencies.new_id(AuditEntryId),
                guild_id=subject.guild_id,
                user_id=None,  # the members need not know which administrator it was
                target_id=subject.user_id,
                action=AuditAction.MESSAGE_DELETE,
                reason=_REASON,
                changes=(),
                options={"channel_id": str(channel), "count": "1"},
            )
            await audit_logs.insert(work.cur, entry)
            work.emit(moderation_events.entry_added(entry))
