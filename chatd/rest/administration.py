"""Accounts, guilds and figures of the whole server, for its administrators."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from aiohttp import web

from chatd.core.ids import UserId
from chatd.core.json import JsonObject
from chatd.core.snowflake import created_at
from chatd.ratelimit.window import Limit
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import json_array_response, json_response, no_content
from chatd.rest.routing import ADMINISTRATOR, Routes
from chatd.services.accounts import server_administration
from chatd.services.accounts.server_administration import AccountSummary, GuildSummary
from chatd.web.keys import CONTEXT, METRICS, WORKER_ID
from chatd.wire import responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import administration as schemas

routes = Routes()

_LISTS = Limit(20, 20.0)  # each counts the guilds and logins of up to 100 accounts
_STATISTICS = Limit(6, 60.0)  # counts whole tables


@routes.get(
    "/administration/accounts",
    ADMINISTRATOR,
    limit=_LISTS,
    query=schemas.AccountPageSchema,
    answers=array_of(responses.ADMINISTERED_ACCOUNT),
)
async def list_accounts(request: web.Request, page: schemas.AccountPage) -> web.Response:
    """List accounts by id, above `after`. Needs an administrator of the server.

    `query` is a part of the name or of the address. `kind` is all, administrators, disabled, bots
    or deleted; only the last includes deleted accounts.
    """
    found = await server_administration.list_accounts(request[CONTEXT], page)
    return await json_array_response(found, _account)


@routes.patch(
    "/administration/accounts/{user_id}",
    ADMINISTRATOR,
    body=JsonBody(schemas.AccountChangeSchema),
    answers=responses.ADMINISTERED_ACCOUNT,
)
async def change_account(request: web.Request, change: schemas.AccountChange) -> web.Response:
    """Disable or enable an account, or set its password. Needs an administrator of the server.

    Both end all logins of the account. Administrators cannot be changed here, but by the operator.
    """
    user_id = path_id(request, UserId, "user_id")
    changed = await server_administration.change_account(request[CONTEXT], user_id, change)
    return json_response(_account(changed))


@routes.post("/administration/accounts/{user_id}/logout", ADMINISTRATOR, answers=None)
async def log_out_account(request: web.Request) -> web.Response:
    """End all logins of an account. Needs an administrator of the server."""
    user_id = path_id(request, UserId, "user_id")
    await server_administration.log_out_account(request[CONTEXT], user_id)
    return no_content()


@routes.delete(
    "/administration/accounts/{user_id}",
    ADMINISTRATOR,
    body=JsonBody(schemas.AccountDeletionSchema, optional=True),
    answers=None,
)
async def delete_account(request: web.Request, wanted: schemas.AccountDeletion) -> web.Response:
    """Delete the account of a person. Needs an administrator of the server.

    If it owns guilds or applications, the body has to say that these are deleted, too. Emits
    GUILD_MEMBER_REMOVE, GUILD_DELETE.
    """
    user_id = path_id(request, UserId, "user_id")
    await server_administration.delete_account(request[CONTEXT], user_id, wanted)
    return no_content()


@routes.get(
    "/administration/guilds",
    ADMINISTRATOR,
    limit=_LISTS,
    query=schemas.AdministeredGuildPageSchema,
    answers=array_of(responses.ADMINISTERED_GUILD),
)
async def list_guilds(request: web.Request, page: schemas.AdministeredGuildPage) -> web.Response:
    """List guilds by id, above `after`. Needs an administrator of the server.

    `query` is a part of the name.
    """
    found = await server_administration.list_guilds(request[CONTEXT], page)
    return await json_array_response(found, _guild)


@routes.get(
    "/administration/statistics",
    ADMINISTRATOR,
    limit=_STATISTICS,
    answers=responses.SERVER_STATISTICS,
)
async def get_statistics(request: web.Request) -> web.Response:
    """Get the counts of the server and its running instances. Needs an administrator."""
    counts, instances = await server_administration.server_statistics(request[CONTEXT])
    shown = [
        {
            "worker_id": each.worker_id,
            "holder": each.holder,
            "host": each.host,
            "version": each.version,
        }
        for each in instances
    ]
    return json_response({"counts": asdict(counts), "instances": shown})


@routes.get("/administration/figures", ADMINISTRATOR, answers=responses.LIVE_FIGURES)
async def get_figures(request: web.Request) -> web.Response:
    """Get what the instance that answers does at present. Needs an administrator of the server."""
    await server_administration.require_administrator(request[CONTEXT])
    metrics = request.app[METRICS]
    gauges = {name: int(read()) for name, _, read in metrics.gauges if name in _GAUGES}
    requests = metrics.requests.items()
    return json_response(
        {
            "worker_id": request.app[WORKER_ID],
            "at": _text(datetime.now(UTC)),
            **{field: gauges[name] for name, field in _GAUGES.items()},
            "requests": sum(count for _, count in requests),
            "errors": sum(count for (_, _, status), count in requests if status >= 500),
            "messages": int(metrics.commit_rows.total),
            "dispatches": metrics.counters.dispatches,
            "deliveries": metrics.counters.deliveries,
        }
    )


_GAUGES = {
    "chatd_connections": "connections",
    "chatd_sessions": "sessions",
    "chatd_send_queue_bytes": "send_queue_bytes",
    "chatd_db_pool_in_use": "database_connections",
}
"""The gauges that are shown, and the names of their fields."""


def _account(account: AccountSummary) -> JsonObject:
    return {
        "id": str(account.id),
        "username": account.username,
        "email": account.email,
        "bot": account.bot,
        "administrator": account.is_administrator,
        "mfa_enabled": account.mfa_enabled,
        "created_at": _text(created_at(account.id)),
        "disabled_at": _text(account.disabled_at),
        "deleted_at": _text(account.deleted_at),
        "last_used_at": _text(account.last_used_at),
        "guilds": account.guilds,
        "guilds_owned": account.guilds_owned,
        "logins": account.logins,
    }


def _guild(guild: GuildSummary) -> JsonObject:
    return {
        "id": str(guild.id),
        "name": guild.name,
        "created_at": _text(created_at(guild.id)),
        "owner_id": str(guild.owner_id),
        "owner": guild.owner,
        "members": guild.members,
        "channels": guild.channels,
        "invites": guild.invites,
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
