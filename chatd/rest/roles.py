"""Roles of a guild, and assigning them to members."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.permissions import Permissions as P
from chatd.rest.request import JsonBody, JsonListBody, path_id
from chatd.rest.response import json_array_response, json_response, no_content
from chatd.rest.routing import MEMBER, Routes
from chatd.services.guilds import roles
from chatd.services.guilds.roles import MAX_ROLES
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import roles as schemas

routes = Routes()


@routes.get("/guilds/{guild_id}/roles", MEMBER, answers=array_of(responses.ROLE))
async def list_for_guild(request: web.Request) -> web.Response:
    """List the roles of a guild. Needs membership."""
    found = await roles.list_for_guild(request[CONTEXT], path_id(request, GuildId, "guild_id"))
    return await json_array_response(found, payloads.role)


@routes.post(
    "/guilds/{guild_id}/roles",
    P.MANAGE_ROLES,
    body=JsonBody(schemas.NewRoleSchema, optional=True),
    answers=responses.ROLE,
)
async def create(request: web.Request, body: schemas.NewRole) -> web.Response:
    """Create a role in a guild. Needs MANAGE_ROLES. Emits GUILD_ROLE_CREATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    return json_response(payloads.role(await roles.create(request[CONTEXT], guild_id, body)))


@routes.patch(
    "/guilds/{guild_id}/roles",
    P.MANAGE_ROLES,
    body=JsonListBody(schemas.RoleMoveSchema, max_items=MAX_ROLES, max_bytes=2**15),
    answers=array_of(responses.ROLE),
)
async def reorder(request: web.Request, moves: list[schemas.RoleMove]) -> web.Response:
    """Change the order of the roles of a guild.

    Needs MANAGE_ROLES. Emits GUILD_ROLE_UPDATE for each role that moves.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    found = await roles.reorder(request[CONTEXT], guild_id, moves)
    return await json_array_response(found, payloads.role)


@routes.get("/guilds/{guild_id}/roles/{role_id}", MEMBER, answers=responses.ROLE)
async def get(request: web.Request) -> web.Response:
    """Get a role. Needs membership."""
    guild_id = path_id(request, GuildId, "guild_id")
    role_id = path_id(request, RoleId, "role_id")
    return json_response(payloads.role(await roles.get(request[CONTEXT], guild_id, role_id)))


@routes.patch(
    "/guilds/{guild_id}/roles/{role_id}",
    P.MANAGE_ROLES,
    body=JsonBody(schemas.RoleChangeSchema),
    answers=responses.ROLE,
)
async def update(request: web.Request, change: schemas.RoleChange) -> web.Response:
    """Change a role. Needs MANAGE_ROLES and a higher role. Emits GUILD_ROLE_UPDATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    role_id = path_id(request, RoleId, "role_id")
    return json_response(
        payloads.role(await roles.update(request[CONTEXT], guild_id, role_id, change))
    )


@routes.delete("/guilds/{guild_id}/roles/{role_id}", P.MANAGE_ROLES, answers=None)
async def delete(request: web.Request) -> web.Response:
    """Delete a role. Needs MANAGE_ROLES and a higher role. Emits GUILD_ROLE_DELETE."""
    guild_id = path_id(request, GuildId, "guild_id")
    await roles.delete(request[CONTEXT], guild_id, path_id(request, RoleId, "role_id"))
    return no_content()


@routes.put("/guilds/{guild_id}/members/{user_id}/roles/{role_id}", P.MANAGE_ROLES, answers=None)
async def assign(request: web.Request) -> web.Response:
    """Assign a role to a member. Needs MANAGE_ROLES and a higher role. Emits
    GUILD_MEMBER_UPDATE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    await roles.assign(request[CONTEXT], guild_id, user_id, path_id(request, RoleId, "role_id"))
    return no_content()


@routes.delete("/guilds/{guild_id}/members/{user_id}/roles/{role_id}", P.MANAGE_ROLES, answers=None)
async def unassign(request: web.Request) -> web.Response:
    """Remove a role from a member.

    Needs MANAGE_ROLES and a higher role. Emits GUILD_MEMBER_UPDATE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    await roles.unassign(request[CONTEXT], guild_id, user_id, path_id(request, RoleId, "role_id"))
    return no_content()
