"""Reports of messages, users and guilds."""

from __future__ import annotations

from typing import Any

import orjson

from chatd.core.ids import ReportId, UserId
from chatd.core.reports import Report, ReportKind, ReportOutcome, Resolution, Subject
from chatd.db.cursor import Cursor, many, one

_SELECT = """
    SELECT reports.id, reporter_id, reporters.username, kind, subject_id, channel_id, guild_id,
           user_id, category, comment, evidence, resolved_at, outcome, note, resolver_id,
           resolvers.username,
           (SELECT count(*) FROM reports AS others
             WHERE others.kind = reports.kind AND others.subject_id = reports.subject_id
               AND others.resolved_at IS NULL AND others.id <> reports.id)
      FROM reports
           JOIN users AS reporters ON reporters.id = reporter_id
           LEFT JOIN users AS resolvers ON resolvers.id = resolver_id
"""
_STATES = {"open": "resolved_at IS NULL", "resolved": "resolved_at IS NOT NULL", "all": "true"}


def _make(*row: Any) -> Report:
    report_id, reporter_id, reporter, kind, *subject = row[:8]
    category, comment, evidence, resolved_at, outcome, note, *by, similar = row[8:]
    resolution = None
    if resolved_at is not None:
        resolution = Resolution(resolved_at, ReportOutcome(outcome), note or "", *by)
    return Report(
        id=report_id,
        reporter_id=reporter_id,
        reporter=reporter,
        subject=Subject(ReportKind(kind), *subject),
        category=category,
        comment=comment,
        evidence=evidence,
        resolution=resolution,
        similar=similar,
    )


async def count_open_of(cur: Cursor, reporter_id: UserId) -> int:
    """Return how many open reports a person has made."""
    await cur.execute(
        "SELECT count(*) FROM reports WHERE reporter_id = %(id)s AND resolved_at IS NULL",
        {"id": reporter_id},
    )
    row = await cur.fetchone()
    assert row is not None
    return int(row[0])


async def find_open(
    cur: Cursor, reporter_id: UserId, kind: str, subject_id: int
) -> ReportId | None:
    """Return the open report of a person about a subject; None without one."""
    await cur.execute(
        """
        SELECT id FROM reports
         WHERE reporter_id = %(reporter_id)s AND kind = %(kind)s AND subject_id = %(subject_id)s
           AND resolved_at IS NULL
        """,
        {"reporter_id": reporter_id, "kind": kind, "subject_id": subject_id},
    )
    row = await cur.fetchone()
    return ReportId(row[0]) if row else None


async def insert(
    cur: Cursor,
    report_id: ReportId,
    reporter_id: UserId,
    subject: Subject,
    *,
    category: str,
    comment: str,
    evidence: object,
) -> None:
    """Add an open report."""
    await cur.execute(
        """
        INSERT INTO reports (id, reporter_id, kind, subject_id, channel_id, guild_id, user_id,
                             category, comment, evidence)
        VALUES (%(id)s, %(reporter_id)s, %(kind)s, %(subject_id)s, %(channel_id)s, %(guild_id)s,
                %(user_id)s, %(category)s, %(comment)s, %(evidence)s)
        """,
        {
            "id": report_id,
            "reporter_id": reporter_id,
            "kind": str(subject.kind),
            "subject_id": subject.id,
            "channel_id": subject.channel_id,
            "guild_id": subject.guild_id,
            "user_id": subject.user_id,
            "category": category,
            "comment": comment,
            "evidence": orjson.dumps(evidence).decode(),
        },
    )


async def page(cur: Cursor, *, state: str, after: int, limit: int) -> list[Report]:
    """Return reports above an id, the oldest first: "open", "resolved" or "all"."""
    await cur.execute(
        f"""
        {_SELECT}
         WHERE reports.id > %(after)s AND {_STATES[state]}
      ORDER BY reports.id
         LIMIT %(limit)s
        """,
        {"after": after, "limit": limit},
    )
    return await many(cur, _make)


async def get(cur: Cursor, report_id: int) -> Report | None:
    """Return a report."""
    await cur.execute(f"{_SELECT} WHERE reports.id = %(id)s", {"id": report_id})
    return await one(cur, _make)


async def claim(cur: Cursor, report_id: ReportId, *, lease_s: float) -> bool:
    """Keep others from resolving an open report for `lease_s`. False if another one does so."""
    await cur.execute(
        """
        UPDATE reports SET claimed_until = now() + make_interval(secs => %(lease_s)s)
         WHERE id = %(id)s AND resolved_at IS NULL
           AND (claimed_until IS NULL OR claimed_until <= now())
        """,
        {"id": report_id, "lease_s": lease_s},
    )
    return cur.rowcount == 1


async def release(cur: Cursor, report_id: ReportId) -> None:
    """Let others resolve a report that could not be resolved."""
    await cur.execute(
        "UPDATE reports SET claimed_until = NULL WHERE id = %(id)s AND resolved_at IS NULL",
        {"id": report_id},
    )


async def resolve(
    cur: Cursor,
    report: Report,
    *,
    outcome: str,
    note: str,
    resolver_id: UserId | None,
    similar: bool,
) -> int:
    """Resolve an open report; with `similar`, also the others about its subject.

    Returns how many are resolved. Reports that are newer than the decision stay open.
    """
    await cur.execute(
        """
        UPDATE reports
           SET resolved_at = now(), outcome = %(outcome)s, note = %(note)s,
               resolver_id = %(resolver_id)s, claimed_until = NULL
         WHERE resolved_at IS NULL
           AND (id = %(id)s
                OR %(similar)s AND kind = %(kind)s AND subject_id = %(subject_id)s)
        """,
        {
            "id": report.id,
            "outcome": outcome,
            "note": note,
            "resolver_id": resolver_id,
            "similar": similar,
            "kind": str(report.subject.kind),
            "subject_id": report.subject.id,
        },
    )
    return cur.rowcount
