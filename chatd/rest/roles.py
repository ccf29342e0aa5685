"""Roles of a guild, and giving them to members."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.permissions import Permissions as P
from chatd.keys import CONTEXT
from chatd.rest.parse import answer, body, body_list, no_content, optional_body, path_id
from chatd.rest.routes import MEMBER, Routes
from chatd.services import roles
from chatd.services.roles import MAX_ROLES
from chatd.wire import payloads
from chatd.wire.schemas import roles as schemas

routes = Routes()


@routes.get("/guilds/{guild_id}/roles", MEMBER)
async def of_guild(request: web.Request) -> web.Response:
    """Needs membership."""
    found = await roles.of_guild(request[CONTEXT], path_id(request, GuildId, "guild_id"))
    return answer([payloads.role(role) for role in found])


@routes.post("/guilds/{guild_id}/roles", P.MANAGE_ROLES)
async def create(request: web.Request) -> web.Response:
    """Needs MANAGE_ROLES. Emits GUILD_ROLE_CREATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    wanted = await optional_body(request, schemas.NewRoleSchema)
    return answer(payloads.role(await roles.create(request[CONTEXT], guild_id, wanted)))


@routes.patch("/guilds/{guild_id}/roles", P.MANAGE_ROLES)
async def reorder(request: web.Request) -> web.Response:
    """Needs MANAGE_ROLES. Emits GUILD_ROLE_UPDATE for each role that moves."""
    guild_id = path_id(request, GuildId, "guild_id")
    moves = await body_list(request, schemas.RoleMoveSchema, longest=MAX_ROLES)
    found = await roles.reorder(request[CONTEXT], guild_id, moves)
    return answer([payloads.role(role) for role in found])


@routes.get("/guilds/{guild_id}/roles/{role_id}", MEMBER)
async def get(request: web.Request) -> web.Response:
    """Needs membership."""
    guild_id = path_id(request, GuildId, "guild_id")
    role_id = path_id(request, RoleId, "role_id")
    return answer(payloads.role(await roles.get(request[CONTEXT], guild_id, role_id)))


@routes.patch("/guilds/{guild_id}/roles/{role_id}", P.MANAGE_ROLES)
async def update(request: web.Request) -> web.Response:
    """Needs MANAGE_ROLES and a higher role. Emits GUILD_ROLE_UPDATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    role_id = path_id(request, RoleId, "role_id")
    change = await body(request, schemas.RoleChangeSchema)
    return answer(payloads.role(await roles.update(request[CONTEXT], guild_id, role_id, change)))


@routes.delete("/guilds/{guild_id}/roles/{role_id}", P.MANAGE_ROLES)
async def delete(request: web.Request) -> web.Response:
    """Needs MANAGE_ROLES and a higher role. Emits GUILD_ROLE_DELETE."""
    guild_id = path_id(request, GuildId, "guild_id")
    await roles.delete(request[CONTEXT], guild_id, path_id(request, RoleId, "role_id"))
    return no_content()


@routes.put("/guilds/{guild_id}/members/{user_id}/roles/{role_id}", P.MANAGE_ROLES)
async def assign(request: web.Request) -> web.Response:
    """Needs MANAGE_ROLES and a higher role. Emits GUILD_MEMBER_UPDATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    await roles.assign(request[CONTEXT], guild_id, user_id, path_id(request, RoleId, "role_id"))
    return no_content()


@routes.delete("/guilds/{guild_id}/members/{user_id}/roles/{role_id}", P.MANAGE_ROLES)
async def unassign(request: web.Request) -> web.Response:
    """Needs MANAGE_ROLES and a higher role. Emits GUILD_MEMBER_UPDATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    await roles.unassign(request[CONTEXT], guild_id, user_id, path_id(request, RoleId, "role_id"))
    return no_content()
