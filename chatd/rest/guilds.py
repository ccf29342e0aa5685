"""Guilds."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId
from chatd.core.permissions import Permissions as P
from chatd.ephemeral.windows import Limit
from chatd.keys import CONTEXT
from chatd.rest.parse import MAX_IMAGE_BODY, answer, body, no_content, path_id, query_flag
from chatd.rest.routes import MEMBER, OWNER, USER, Routes
from chatd.services import guilds
from chatd.wire import payloads
from chatd.wire.schemas import guilds as schemas

routes = Routes()


@routes.post("/guilds", USER, Limit(10, 10.0))
async def create(request: web.Request) -> web.Response:
    """Anyone who is logged in may make a guild. Emits GUILD_CREATE."""
    wanted = await body(request, schemas.NewGuildSchema, most=MAX_IMAGE_BODY)
    guild, roles = await guilds.create(request[CONTEXT], wanted)
    return answer(payloads.guild(guild, roles), status=201)


@routes.get("/guilds/{guild_id}", MEMBER)
async def get(request: web.Request) -> web.Response:
    """Needs membership."""
    guild_id = path_id(request, GuildId, "guild_id")
    guild, roles, counts = await guilds.get(request[CONTEXT], guild_id)
    payload = payloads.guild(guild, roles)
    if query_flag(request, "with_counts"):
        payload |= payloads.counts(counts)
    return answer(payload)


@routes.patch("/guilds/{guild_id}", P.MANAGE_GUILD)
async def update(request: web.Request) -> web.Response:
    """Needs MANAGE_GUILD. Emits GUILD_UPDATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    change = await body(request, schemas.GuildChangeSchema, most=MAX_IMAGE_BODY)
    guild, roles = await guilds.update(request[CONTEXT], guild_id, change)
    return answer(payloads.guild(guild, roles))


@routes.delete("/guilds/{guild_id}", OWNER)
async def delete(request: web.Request) -> web.Response:
    """Only the owner may. Emits GUILD_DELETE."""
    await guilds.delete(request[CONTEXT], path_id(request, GuildId, "guild_id"))
    return no_content()
