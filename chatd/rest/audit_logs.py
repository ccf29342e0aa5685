"""The audit log of a guild."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId
from chatd.core.permissions import Permissions as P
from chatd.keys import CONTEXT
from chatd.rest.parse import answer, path_id
from chatd.rest.routes import Routes
from chatd.services import audit
from chatd.wire import payloads, shapes
from chatd.wire.schemas import queries

routes = Routes()


@routes.get(
    "/guilds/{guild_id}/audit-logs",
    P.VIEW_AUDIT_LOG,
    query=queries.AuditPageSchema,
    answers=shapes.AUDIT_LOG,
)
async def page(request: web.Request, wanted: queries.AuditPage) -> web.Response:
    """A page of the audit log.

    Needs VIEW_AUDIT_LOG. Newest first; from `after` on, oldest first.
    """
    entries, users = await audit.page(
        request[CONTEXT],
        path_id(request, GuildId, "guild_id"),
        user_id=wanted.user_id,
        action=wanted.action_type or None,
        before=wanted.before,
        after=wanted.after,
        limit=wanted.limit,
    )
    return answer(payloads.audit_log(entries, users))
