"""Payloads of reports."""

from __future__ import annotations

from chatd.core.json import JsonObject
from chatd.core.reports import Report
from chatd.core.snowflake import created_at
from chatd.wire.payloads._encoding import id_or_none, timestamp


def report(report: Report) -> JsonObject:
    """A report, for administrators of the server."""
    subject, resolution = report.subject, report.resolution
    return {
        "id": str(report.id),
        "created_at": timestamp(created_at(report.id)),
        "reporter_id": str(report.reporter_id),
        "reporter": report.reporter,
        "type": subject.kind,
        "subject_id": str(subject.id),
        "channel_id": id_or_none(subject.channel_id),
        "guild_id": id_or_none(subject.guild_id),
        "user_id": id_or_none(subject.user_id),
        "category": report.category,
        "comment": report.comment,
        "evidence": report.evidence,
        "similar": report.similar,
        "resolved_at": None if resolution is None else timestamp(resolution.resolved_at),
        "resolver_id": None if resolution is None else id_or_none(resolution.resolver_id),
        "resolver": None if resolution is None else resolution.resolver,
        "outcome": None if resolution is None else resolution.outcome,
        "note": None if resolution is None else resolution.note,
    }
