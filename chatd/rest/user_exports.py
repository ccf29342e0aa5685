"""Archives with everything of the caller's account."""

from __future__ import annotations

from aiohttp import web

from chatd.core.errors import UnknownFile
from chatd.core.ids import ExportId, parse_id
from chatd.ratelimit.window import Limit
from chatd.rest.file_response import content_disposition, file_response
from chatd.rest.response import json_response
from chatd.rest.routing import HUMAN, PUBLIC, Routes
from chatd.services.accounts import export_requests
from chatd.web.keys import CONTEXT, DEPENDENCIES
from chatd.wire import payloads, responses
from chatd.wire.schemas import query_strings

routes = Routes()

_DOWNLOADS = Limit(20, 3600.0, announced=False)
"""Of each address: an archive may be as large as all files of an account."""


@routes.post("/users/@me/export", HUMAN, answers={202: responses.USER_EXPORT})
async def create(request: web.Request) -> web.Response:
    """Request an archive with everything that the server stores about the caller.

    It is made in the background, and kept for a week. One may be requested each day, else the
    answer is 429; a failed one may be requested again at once.
    """
    created = await export_requests.request(request[CONTEXT])
    return json_response(payloads.user_export(created, link=None), status=202)


@routes.get("/users/@me/export", HUMAN, answers={200: responses.USER_EXPORT, 404: responses.ERROR})
async def get(request: web.Request) -> web.Response:
    """Get the state of the archive that the caller has requested last.

    When it is finished, the answer has a signed link to download it, which is valid for an hour and
    needs no token. 404 if there is none, or it is older than a week.
    """
    ctx = request[CONTEXT]
    found = await export_requests.get(ctx)
    if found is None:
        raise UnknownFile
    link = None if found.size is None else ctx.dependencies.signed_urls.export_url(found.id)
    return json_response(payloads.user_export(found, link=link))


@routes.get(
    "/exports/{export}",
    PUBLIC,
    limit=_DOWNLOADS,
    query=query_strings.SignatureSchema,
    answers=responses.FILE,
)
async def download(request: web.Request, signed: query_strings.Signature) -> web.StreamResponse:
    """Download an archive of an account. Needs a signed link that has not expired."""
    dependencies = request.app[DEPENDENCIES]
    path = f"/exports/{request.match_info['export']}"
    if not dependencies.signed_urls.is_valid(path, signed.expires, signed.made, signed.signature):
        raise UnknownFile
    export_id = ExportId(parse_id(request.match_info["export"]))
    found = await export_requests.file(dependencies, export_id)
    headers = {
        "Content-Type": found.content_type,
        "Content-Disposition": content_disposition("attachment", found.filename),
        "Cache-Control": "private, no-store",
    }
    return await file_response(request, found, headers)
