"""Guilds."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId
from chatd.core.permissions import Permissions as P
from chatd.ratelimit.window import Limit
from chatd.rest.request import MAX_IMAGE_BODY, JsonBody, path_id
from chatd.rest.response import json_response, no_content
from chatd.rest.routing import HUMAN, MEMBER, OWNER, Routes
from chatd.services.guilds import guilds, incidents, pruning
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.schemas import guilds as schemas
from chatd.wire.schemas import query_strings
from chatd.wire.schemas.mfa import MfaCode, MfaCodeSchema, MfaLevel, MfaLevelSchema

routes = Routes()

_PRUNING = P.MANAGE_GUILD | P.KICK_MEMBERS


@routes.post(
    "/guilds",
    HUMAN,
    limit=Limit(10, 10.0),
    body=JsonBody(schemas.NewGuildSchema, max_bytes=MAX_IMAGE_BODY),
    answers={201: responses.GUILD},
)
async def create(request: web.Request, body: schemas.NewGuild) -> web.Response:
    """Create a guild. Bots cannot create guilds. Emits GUILD_CREATE."""
    guild, roles = await guilds.create(request[CONTEXT], body)
    return json_response(payloads.guild(guild, roles), status=201)


@routes.get(
    "/guilds/{guild_id}", MEMBER, query=query_strings.WithCountsSchema, answers=responses.GUILD
)
async def get(request: web.Request, query: query_strings.WithCounts) -> web.Response:
    """Get a guild. Needs membership."""
    guild_id = path_id(request, GuildId, "guild_id")
    guild, roles, counts = await guilds.get(request[CONTEXT], guild_id)
    payload = payloads.guild(guild, roles)
    if query.with_counts:
        payload |= payloads.counts(counts)
    return json_response(payload)


@routes.get("/guilds/{guild_id}/preview", MEMBER, answers=responses.GUILD_PREVIEW)
async def preview(request: web.Request) -> web.Response:
    """Get what is shown of a guild to people who look for one. Needs membership."""
    guild, _, counts = await guilds.get(request[CONTEXT], path_id(request, GuildId, "guild_id"))
    return json_response(payloads.guild_preview(guild, counts))


@routes.patch(
    "/guilds/{guild_id}",
    P.MANAGE_GUILD,
    body=JsonBody(schemas.GuildChangeSchema, max_bytes=MAX_IMAGE_BODY),
    answers={200: responses.GUILD, 401: responses.MFA_REQUIRED},
)
async def update(request: web.Request, change: schemas.GuildChange) -> web.Response:
    """Change a guild.

    Needs MANAGE_GUILD, and VIEW_CHANNEL in a new system channel. Only the owner can set `owner_id`,
    with its second factor if it has one. `retention_days` needs ADMINISTRATOR, since it applies to
    all channels: an hour later, and then every day, older messages are deleted unless they are
    pinned, and older entries of the audit log (but none of the last 45 days). Emits GUILD_UPDATE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    guild, roles = await guilds.update(request[CONTEXT], guild_id, change)
    return json_response(payloads.guild(guild, roles))


@routes.delete(
    "/guilds/{guild_id}",
    OWNER,
    body=JsonBody(MfaCodeSchema, optional=True),
    answers={204: None, 401: responses.MFA_REQUIRED},
)
async def delete(request: web.Request, body: MfaCode) -> web.Response:
    """Delete a guild. Needs its ownership, and the second factor of an owner that has one.

    Emits GUILD_DELETE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    await guilds.delete_confirmed(request[CONTEXT], guild_id, body.code)
    return no_content()


@routes.post(
    "/guilds/{guild_id}/mfa",
    OWNER,
    body=JsonBody(MfaLevelSchema),
    answers={200: responses.GUILD_MFA_LEVEL, 401: responses.MFA_REQUIRED},
)
async def set_mfa_level(request: web.Request, body: MfaLevel) -> web.Response:
    """Set whether moderation needs a second factor (1) or not (0).

    Needs the ownership and a second factor. Then members without one, and bots of people without
    one, get the code 60003 for what needs a permission to moderate. Emits GUILD_UPDATE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    await guilds.set_mfa_level(request[CONTEXT], guild_id, body.level)
    return json_response({"level": body.level})


@routes.put(
    "/guilds/{guild_id}/incident-actions",
    P.MANAGE_GUILD,
    body=JsonBody(schemas.IncidentActionsSchema),
    answers=responses.INCIDENTS,
)
async def set_incident_actions(request: web.Request, body: schemas.IncidentActions) -> web.Response:
    """Pause invites, or direct messages between members who are no friends, for up to a day.

    Needs MANAGE_GUILD. Null or a time in the past ends a pause; a field that is left out keeps its
    value. The feature INVITES_DISABLED of the guild pauses invites without an end. Emits
    GUILD_UPDATE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    guild = await incidents.set_actions(request[CONTEXT], guild_id, body)
    return json_response(payloads.incidents_data(guild) or _NO_INCIDENTS)


_NO_INCIDENTS = {
    "invites_disabled_until": None,
    "dms_disabled_until": None,
    "dm_spam_detected_at": None,
    "raid_detected_at": None,
}


@routes.get(
    "/guilds/{guild_id}/prune",
    _PRUNING,
    query=query_strings.PruneCountSchema,
    answers=responses.PRUNED,
)
async def count_idle(request: web.Request, query: query_strings.PruneCount) -> web.Response:
    """Count the members that a prune would remove. Needs MANAGE_GUILD and KICK_MEMBERS."""
    guild_id = path_id(request, GuildId, "guild_id")
    found = await pruning.count(
        request[CONTEXT], guild_id, days=query.days, include_roles=query.include_roles
    )
    return json_response({"pruned": found})


@routes.post(
    "/guilds/{guild_id}/prune",
    _PRUNING,
    limit=Limit(1, 10.0),
    body=JsonBody(schemas.PruneSchema, optional=True),
    answers=responses.PRUNED,
)
async def prune(request: web.Request, body: schemas.Prune) -> web.Response:
    """Remove members who have no roles and have been offline for a number of days.

    Needs MANAGE_GUILD and KICK_MEMBERS. Emits GUILD_MEMBER_REMOVE, GUILD_DELETE. If there are many,
    the last of them are removed shortly after the response.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    removed = await pruning.begin(
        request[CONTEXT],
        guild_id,
        days=body.days,
        include_roles=body.include_roles,
        compute_count=body.compute_prune_count,
    )
    return json_response({"pruned": removed})
