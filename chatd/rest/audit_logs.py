"""The audit log of a guild."""

from __future__ import annotations

from aiohttp import web
from orjson import Fragment

from chatd.core.ids import GuildId
from chatd.core.permissions import Permissions as P
from chatd.rest.request import path_id
from chatd.rest.response import json_response
from chatd.rest.routing import Routes
from chatd.services.guilds import audit_log as audit
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.schemas import query_strings

routes = Routes()


@routes.get(
    "/guilds/{guild_id}/audit-logs",
    P.VIEW_AUDIT_LOG,
    query=query_strings.AuditPageSchema,
    answers=responses.AUDIT_LOG,
)
async def page(request: web.Request, query: query_strings.AuditPage) -> web.Response:
    """List entries of the audit log.

    Needs VIEW_AUDIT_LOG. The order is newest first, or oldest first with `after`. Entries about
    channels that the caller may not see are left out.
    """
    found = await audit.page(
        request[CONTEXT],
        path_id(request, GuildId, "guild_id"),
        query,
    )
    return json_response(
        payloads.audit_log(
            Fragment(await payloads.encode_array(found.entries, payloads.audit_entry)),
            found.users,
            found.webhooks,
            found.integrations,
            commands=Fragment(await payloads.encode_array(found.commands, payloads.command)),
            rules=Fragment(await payloads.encode_array(found.rules, payloads.automod_rule)),
        )
    )
