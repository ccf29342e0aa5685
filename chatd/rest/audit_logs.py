"""The audit log of a guild."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId
from chatd.core.permissions import Permissions as P
from chatd.keys import CONTEXT
from chatd.rest.parse import NEWEST, answer, path_id, query_id, query_int
from chatd.rest.routes import Routes
from chatd.services import audit
from chatd.wire import payloads

routes = Routes()


@routes.get("/guilds/{guild_id}/audit-logs", P.VIEW_AUDIT_LOG)
async def page(request: web.Request) -> web.Response:
    """Needs VIEW_AUDIT_LOG. Newest first; from `after` on, oldest first."""
    action = query_int(request, "action_type", 0, low=0, high=1000)
    before = query_id(request, "before")
    entries, users = await audit.page(
        request[CONTEXT],
        path_id(request, GuildId, "guild_id"),
        user_id=query_id(request, "user_id"),
        action=action or None,
        before=NEWEST if before is None else before,
        after=query_id(request, "after"),
        limit=query_int(request, "limit", 50, low=1, high=100),
    )
    return answer(payloads.audit_log(entries, users))
