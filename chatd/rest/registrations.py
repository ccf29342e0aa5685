"""Accounts that wait for approval, for administrators of the server."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import UserId
from chatd.rest.request import path_id
from chatd.rest.response import json_response, no_content
from chatd.rest.routing import ADMINISTRATOR, Routes
from chatd.services.safety import approvals
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import administration as schemas

routes = Routes()


@routes.get(
    "/administration/registrations",
    ADMINISTRATOR,
    query=schemas.RegistrationPageSchema,
    answers=array_of(responses.WAITING_ACCOUNT),
)
async def list_waiting(request: web.Request, page: schemas.RegistrationPage) -> web.Response:
    """List accounts that wait for approval, by id. Needs an administrator of the server.

    New accounts wait if the setting REGISTRATION is `approval`.
    """
    found = await approvals.page(request[CONTEXT], page)
    return json_response(
        [
            {
                "id": str(each.id),
                "username": each.username,
                "email": each.email,
                "requested_at": payloads.timestamp(each.requested_at),
            }
            for each in found
        ]
    )


@routes.post("/administration/registrations/{user_id}/approve", ADMINISTRATOR, answers=None)
async def approve(request: web.Request) -> web.Response:
    """Approve a waiting account: its owner can log in. Needs an administrator of the server."""
    await approvals.approve_by_caller(request[CONTEXT], path_id(request, UserId, "user_id"))
    return no_content()


@routes.post("/administration/registrations/{user_id}/refuse", ADMINISTRATOR, answers=None)
async def refuse(request: web.Request) -> web.Response:
    """Refuse a waiting account, which is deleted. Needs an administrator of the server."""
    await approvals.refuse_by_caller(request[CONTEXT], path_id(request, UserId, "user_id"))
    return no_content()
