"""Roles of a guild, and giving them to members."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.permissions import Permissions as P
from chatd.keys import CONTEXT
from chatd.rest.parse import Json, JsonList, answer, no_content, path_id
from chatd.rest.routes import MEMBER, Routes
from chatd.services import roles
from chatd.services.roles import MAX_ROLES
from chatd.wire import payloads, shapes
from chatd.wire.schemas import roles as schemas
from chatd.wire.shape import array_of

routes = Routes()


@routes.get("/guilds/{guild_id}/roles", MEMBER, answers=array_of(shapes.ROLE))
async def of_guild(request: web.Request) -> web.Response:
    """The roles of a guild. Needs membership."""
    found = await roles.of_guild(request[CONTEXT], path_id(request, GuildId, "guild_id"))
    return answer([payloads.role(role) for role in found])


@routes.post(
    "/guilds/{guild_id}/roles",
    P.MANAGE_ROLES,
    body=Json(schemas.NewRoleSchema, optional=True),
    answers=shapes.ROLE,
)
async def create(request: web.Request, wanted: schemas.NewRole) -> web.Response:
    """Add a role to a guild. Needs MANAGE_ROLES. Emits GUILD_ROLE_CREATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    return answer(payloads.role(await roles.create(request[CONTEXT], guild_id, wanted)))


@routes.patch(
    "/guilds/{guild_id}/roles",
    P.MANAGE_ROLES,
    body=JsonList(schemas.RoleMoveSchema, longest=MAX_ROLES),
    answers=array_of(shapes.ROLE),
)
async def reorder(request: web.Request, moves: list[schemas.RoleMove]) -> web.Response:
    """Move roles of a guild.

    Needs MANAGE_ROLES. Emits GUILD_ROLE_UPDATE for each role that moves.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    found = await roles.reorder(request[CONTEXT], guild_id, moves)
    return answer([payloads.role(role) for role in found])


@routes.get("/guilds/{guild_id}/roles/{role_id}", MEMBER, answers=shapes.ROLE)
async def get(request: web.Request) -> web.Response:
    """One role. Needs membership."""
    guild_id = path_id(request, GuildId, "guild_id")
    role_id = path_id(request, RoleId, "role_id")
    return answer(payloads.role(await roles.get(request[CONTEXT], guild_id, role_id)))


@routes.patch(
    "/guilds/{guild_id}/roles/{role_id}",
    P.MANAGE_ROLES,
    body=Json(schemas.RoleChangeSchema),
    answers=shapes.ROLE,
)
async def update(request: web.Request, change: schemas.RoleChange) -> web.Response:
    """Change a role. Needs MANAGE_ROLES and a higher role. Emits GUILD_ROLE_UPDATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    role_id = path_id(request, RoleId, "role_id")
    return answer(payloads.role(await roles.update(request[CONTEXT], guild_id, role_id, change)))


@routes.delete("/guilds/{guild_id}/roles/{role_id}", P.MANAGE_ROLES, answers=None)
async def delete(request: web.Request) -> web.Response:
    """Delete a role. Needs MANAGE_ROLES and a higher role. Emits GUILD_ROLE_DELETE."""
    guild_id = path_id(request, GuildId, "guild_id")
    await roles.delete(request[CONTEXT], guild_id, path_id(request, RoleId, "role_id"))
    return no_content()


@routes.put("/guilds/{guild_id}/members/{user_id}/roles/{role_id}", P.MANAGE_ROLES, answers=None)
async def assign(request: web.Request) -> web.Response:
    """Give a role to a member. Needs MANAGE_ROLES and a higher role. Emits GUILD_MEMBER_UPDATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    await roles.assign(request[CONTEXT], guild_id, user_id, path_id(request, RoleId, "role_id"))
    return no_content()


@routes.delete("/guilds/{guild_id}/members/{user_id}/roles/{role_id}", P.MANAGE_ROLES, answers=None)
async def unassign(request: web.Request) -> web.Response:
    """Take a role from a member.

    Needs MANAGE_ROLES and a higher role. Emits GUILD_MEMBER_UPDATE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    await roles.unassign(request[CONTEXT], guild_id, user_id, path_id(request, RoleId, "role_id"))
    return no_content()
