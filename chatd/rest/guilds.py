"""Guilds."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId
from chatd.core.permissions import Permissions as P
from chatd.ephemeral.windows import Limit
from chatd.keys import CONTEXT
from chatd.rest.parse import MAX_IMAGE_BODY, Json, answer, no_content, path_id
from chatd.rest.routes import MEMBER, OWNER, USER, Routes
from chatd.services import guilds, pruning
from chatd.wire import payloads, shapes
from chatd.wire.schemas import guilds as schemas
from chatd.wire.schemas import queries

routes = Routes()

_PRUNING = P.MANAGE_GUILD | P.KICK_MEMBERS


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


@routes.get(
    "/guilds/{guild_id}/prune", _PRUNING, query=queries.PruneCountSchema, answers=shapes.PRUNED
)
async def count_idle(request: web.Request, wanted: queries.PruneCount) -> web.Response:
    """How many members a prune would remove. Needs MANAGE_GUILD and KICK_MEMBERS."""
    guild_id = path_id(request, GuildId, "guild_id")
    found = await pruning.count(
        request[CONTEXT], guild_id, days=wanted.days, include_roles=wanted.include_roles
    )
    return answer({"pruned": found})


@routes.post(
    "/guilds/{guild_id}/prune",
    _PRUNING,
    limit=Limit(1, 10.0),
    body=Json(schemas.PruneSchema, optional=True),
    answers=shapes.PRUNED,
)
async def prune(request: web.Request, wanted: schemas.Prune) -> web.Response:
    """Remove members without roles who have not been there for some days.

    Needs MANAGE_GUILD and KICK_MEMBERS. Emits GUILD_MEMBER_REMOVE, GUILD_DELETE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    removed = await pruning.begin(
        request[CONTEXT], guild_id, days=wanted.days, include_roles=wanted.include_roles
    )
    return answer({"pruned": removed if wanted.compute_prune_count else None})
