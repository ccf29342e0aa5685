"""Guilds."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId
from chatd.core.permissions import Permissions as P
from chatd.ephemeral.windows import Limit
from chatd.keys import CONTEXT
from chatd.rest.parse import MAX_IMAGE_BODY, Json, answer, no_content, path_id
from chatd.rest.routes import MEMBER, OWNER, USER, Routes
from chatd.services import guilds
from chatd.wire import payloads, shapes
from chatd.wire.schemas import guilds as schemas
from chatd.wire.schemas import queries

routes = Routes()


@routes.post(
    "/guilds",
    USER,
    limit=Limit(10, 10.0),
    body=Json(schemas.NewGuildSchema, most=MAX_IMAGE_BODY),
    answers={201: shapes.GUILD},
)
async def create(request: web.Request, wanted: schemas.NewGuild) -> web.Response:
    """Make a guild. Anyone who is logged in may make a guild. Emits GUILD_CREATE."""
    guild, roles = await guilds.create(request[CONTEXT], wanted)
    return answer(payloads.guild(guild, roles), status=201)


@routes.get("/guilds/{guild_id}", MEMBER, query=queries.CountsSchema, answers=shapes.GUILD)
async def get(request: web.Request, wanted: queries.Counts) -> web.Response:
    """One guild. Needs membership."""
    guild_id = path_id(request, GuildId, "guild_id")
    guild, roles, counts = await guilds.get(request[CONTEXT], guild_id)
    payload = payloads.guild(guild, roles)
    if wanted.with_counts:
        payload |= payloads.counts(counts)
    return answer(payload)


@routes.patch(
    "/guilds/{guild_id}",
    P.MANAGE_GUILD,
    body=Json(schemas.GuildChangeSchema, most=MAX_IMAGE_BODY),
    answers=shapes.GUILD,
)
async def update(request: web.Request, change: schemas.GuildChange) -> web.Response:
    """Change a guild. Needs MANAGE_GUILD. Emits GUILD_UPDATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    guild, roles = await guilds.update(request[CONTEXT], guild_id, change)
    return answer(payloads.guild(guild, roles))


@routes.delete("/guilds/{guild_id}", OWNER, answers=None)
async def delete(request: web.Request) -> web.Response:
    """Delete a guild. Only the owner may. Emits GUILD_DELETE."""
    await guilds.delete(request[CONTEXT], path_id(request, GuildId, "guild_id"))
    return no_content()
