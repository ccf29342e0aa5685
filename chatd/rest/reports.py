"""Reports: made by people, resolved by administrators of the server."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ReportId
from chatd.ratelimit.window import Limit
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import json_array_response, json_response
from chatd.rest.routing import ADMINISTRATOR, HUMAN, Routes
from chatd.services.safety import decisions, reports
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import reports as schemas

routes = Routes()

_REPORTS = Limit(10, 60.0)  # each copies what is reported


@routes.post(
    "/reports",
    HUMAN,
    limit=_REPORTS,
    body=JsonBody(schemas.NewReportSchema),
    answers={200: responses.CREATED_REPORT, 201: responses.CREATED_REPORT},
)
async def create(request: web.Request, body: schemas.NewReport) -> web.Response:
    """Report a message, a user or a guild to the administrators of the server.

    A message needs `channel_id` and `message_id`, and VIEW_CHANNEL there; a user needs `user_id`;
    a guild needs `guild_id`, and membership. What is reported is copied, so it may be deleted
    afterwards. An account has one open report of a subject: while there is one, the answer is
    200 with its id, and nothing changes.
    """
    report_id, is_new = await reports.create(request[CONTEXT], body)
    return json_response({"report_id": str(report_id)}, status=201 if is_new else 200)


@routes.get(
    "/administration/reports",
    ADMINISTRATOR,
    query=schemas.ReportPageSchema,
    answers=array_of(responses.REPORT),
)
async def list_reports(request: web.Request, page: schemas.ReportPage) -> web.Response:
    """List reports by id, above `after`, the oldest first. Needs an administrator of the server.

    `state` is open, resolved or all.
    """
    found = await decisions.page(request[CONTEXT], page)
    return await json_array_response(found, payloads.report)


@routes.get("/administration/reports/{report_id}", ADMINISTRATOR, answers=responses.REPORT)
async def get(request: web.Request) -> web.Response:
    """Get a report with its evidence. Needs an administrator of the server."""
    report_id = path_id(request, ReportId, "report_id")
    return json_response(payloads.report(await decisions.get(request[CONTEXT], report_id)))


@routes.post(
    "/administration/reports/{report_id}/resolve",
    ADMINISTRATOR,
    body=JsonBody(schemas.ReportDecisionSchema),
    answers=responses.REPORT,
)
async def resolve(request: web.Request, body: schemas.ReportDecision) -> web.Response:
    """Resolve an open report, once. Needs an administrator of the server.

    The outcomes message_deleted, user_disabled (the author, or the user; no administrator) and
    guild_deleted do what they say. The others are recorded only. With `similar`, all open reports
    about the same subject get the outcome. Emits MESSAGE_DELETE, GUILD_DELETE.
    """
    report_id = path_id(request, ReportId, "report_id")
    changed = await decisions.resolve_by_caller(request[CONTEXT], report_id, body)
    return json_response(payloads.report(changed))
