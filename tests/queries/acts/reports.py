"""Reports and their resolution."""

from __future__ import annotations

from typing import Any

from chatd.core.ids import ReportId, UserId
from chatd.core.reports import Report, ReportKind, Subject
from chatd.db.cursor import Cursor
from chatd.queries import reports
from tests.queries.acts.act import act

_REPORT = Report(
    id=ReportId(6001),
    reporter_id=UserId(1),
    reporter="",
    subject=Subject(ReportKind.USER, 2),
    category="spam",
    comment="",
    evidence={},
    resolution=None,
    similar=1,
)


async def _resolve(cur: Cursor, *, similar: bool) -> Any:
    return await reports.resolve(
        cur, _REPORT, outcome="no_action", note="", resolver_id=None, similar=similar
    )


ACTS = [
    act(
        reports.claim,
        lambda cur: reports.claim(cur, ReportId(6001), lease_s=9),
        reports={"id": 6001},
    ),
    act(reports.claim, lambda cur: reports.claim(cur, ReportId(6005), lease_s=9)),  # resolved
    act(reports.claim, lambda cur: reports.claim(cur, ReportId(6006), lease_s=9)),  # claimed
    act(
        reports.release,
        lambda cur: reports.release(cur, ReportId(6006)),
        reports={"id": 6006},
    ),
    act(reports.resolve, lambda cur: _resolve(cur, similar=False), reports={"id": 6001}),
    act(
        reports.resolve,
        lambda cur: _resolve(cur, similar=True),
        reports=[{"id": 6001}, {"id": 6002}],
    ),
]
